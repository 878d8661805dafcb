//! What a program chooses: values, objects, reserves and answers, each from a few.

use heaplab::Shape;
use heaplab::object::{Root, Tail, kind};

/// Which value is stored, or made a handle to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ValueChoice {
    /// What a handle holds: 0..=199.
    Handle(u8),
    /// A small integer, this many 26ths of the greatest: -26..=25.
    Small(i8),
    /// undefined, null, true or false: 0..=3.
    Immortal(u8),
}

impl ValueChoice {
    /// Greatest handle number.
    pub const HANDLE_MAX: u8 = 199;
    /// Least and greatest small integer.
    pub const SMALL: core::ops::RangeInclusive<i8> = -26..=25;

    /// The small integer that `Small(n)` stands for: spread over the whole range.
    #[must_use]
    pub fn small(n: i8) -> i32 {
        i32::from(n) * (heaplab::Tagged::SMALL_MAX / 26)
    }

    /// The object that `Immortal(n)` stands for.
    #[must_use]
    pub fn immortal(n: u8) -> Root {
        [Root::Undefined, Root::Null, Root::True, Root::False][usize::from(n % 4)]
    }
}

/// What to allocate.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ObjectShape {
    /// A fixed array.
    Array,
    /// A byte array.
    Bytes,
    /// A code object.
    Code,
    /// A map of an embedder's shape.
    Map(RecordShape),
    /// An object of such a map, which a handle holds. If no handle holds one, the operation allocates the map instead.
    Record(RecordShape),
}

impl ObjectShape {
    /// All of them, in the order of their numbers.
    pub const ALL: [ObjectShape; 15] = {
        use RecordShape::{Bytes, Fields, Mixed, Raw, Slots, Wide};
        [
            ObjectShape::Array,
            ObjectShape::Bytes,
            ObjectShape::Code,
            ObjectShape::Record(Fields),
            ObjectShape::Record(Mixed),
            ObjectShape::Record(Raw),
            ObjectShape::Record(Slots),
            ObjectShape::Record(Bytes),
            ObjectShape::Record(Wide),
            ObjectShape::Map(Fields),
            ObjectShape::Map(Mixed),
            ObjectShape::Map(Raw),
            ObjectShape::Map(Slots),
            ObjectShape::Map(Bytes),
            ObjectShape::Map(Wide),
        ]
    };
}

/// The shapes of an embedder that has all sorts of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordShape {
    /// Three fields.
    Fields,
    /// Two fields and three raw words.
    Mixed,
    /// Two raw words.
    Raw,
    /// A field, a raw word, and a tail of slots.
    Slots,
    /// A raw word and a tail of bytes.
    Bytes,
    /// Twelve fields and eleven raw words: a large object where pages are tiny.
    Wide,
}

impl RecordShape {
    /// All of them.
    pub const ALL: [RecordShape; 6] = [
        RecordShape::Fields,
        RecordShape::Mixed,
        RecordShape::Raw,
        RecordShape::Slots,
        RecordShape::Bytes,
        RecordShape::Wide,
    ];

    /// The shape that a map of it describes.
    ///
    /// # Panics
    /// Never: the table below is valid.
    #[must_use]
    pub fn shape(self) -> Shape {
        let (fixed, tagged, tail) = match self {
            RecordShape::Fields => (4, 3, Tail::None),
            RecordShape::Mixed => (6, 2, Tail::None),
            RecordShape::Raw => (3, 0, Tail::None),
            RecordShape::Slots => (4, 2, Tail::Tagged),
            RecordShape::Bytes => (3, 1, Tail::Bytes),
            RecordShape::Wide => (24, 12, Tail::None),
        };
        Shape::new(kind::FIRST_EMBEDDER + self as u16, fixed, tagged, tail).expect("the table is valid")
    }
}

/// The reserve of an always-allocate scope.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReserveChoice {
    /// Pages for young, old, map and code objects: 0..=3 each.
    pub pages: [u8; 4],
    /// Bytes of the large object, in half pages; 0 for none.
    pub large_half_pages: u8,
}

/// What the near-heap-limit callback does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NearLimitChoice {
    /// There is none.
    None,
    /// Raises the limit by a page.
    Raise,
    /// Raises the limit beyond what is possible.
    RaiseMax,
    /// Leaves the limit as it is.
    Refuse,
    /// Asks for a lower limit, which changes nothing.
    Lower,
    /// Unwinds.
    Unwind,
}

impl NearLimitChoice {
    /// All of them.
    pub const ALL: [NearLimitChoice; 6] = [
        NearLimitChoice::None,
        NearLimitChoice::Raise,
        NearLimitChoice::RaiseMax,
        NearLimitChoice::Refuse,
        NearLimitChoice::Lower,
        NearLimitChoice::Unwind,
    ];
}
