//! Operands: what operations carry. Each type has few values, all of which mean something in every state, and knows its
//! bits in the byte form and its words in the text form.

use super::word::Word;
use super::words::Words;
use super::{Size, SizeBase};
use core::fmt;
use core::ops::Range;
use heaplab::object::{Root, Tail, kind};
use heaplab::{AllocationType, Shape};

/// A value that an operation carries.
pub(super) trait Operand: Copy {
    /// What these bits are. Any bits are a value.
    fn from_bits(bits: u32) -> Self;

    /// The bits of this value; `from_bits` gives the value back.
    fn bits(self) -> u32;

    /// Writes the value as words.
    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Reads what `write` writes. `what` is the operand's name in the table of operations.
    ///
    /// # Errors
    /// What is missing, or no such value.
    fn read(words: &mut Words<'_>, what: &'static str) -> Result<Self, String>;

    /// The version of the text form from which this value can be written.
    fn since(self) -> u32 {
        1
    }
}

/// The operand in these bits of a step.
pub(super) fn operand_of<T: Operand>(step: u32, at: Range<u32>) -> T {
    T::from_bits((step & ((1 << at.end) - 1)) >> at.start)
}

/// The bits of a step that an operand takes.
pub(super) fn bits_of<T: Operand>(operand: T, at: Range<u32>) -> u32 {
    let bits = operand.bits() << at.start;
    debug_assert_eq!(bits >> at.end, 0, "an operand has more bits than {at:?}");
    bits
}

/// Writes an operand behind the words before it.
pub(super) fn write_operand<T: Operand>(f: &mut fmt::Formatter<'_>, operand: T) -> fmt::Result {
    f.write_str(" ")?;
    operand.write(f)
}

impl Operand for u8 {
    fn from_bits(bits: u32) -> u8 {
        bits as u8
    }

    fn bits(self) -> u32 {
        self.into()
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }

    fn read(words: &mut Words<'_>, what: &'static str) -> Result<u8, String> {
        words.number(what, 0, u8::MAX)
    }
}

/// How many succeed before one fails: 0..=254. With `None` none fails.
impl Operand for Option<u8> {
    fn from_bits(bits: u32) -> Option<u8> {
        (bits as u8).checked_sub(1)
    }

    fn bits(self) -> u32 {
        self.map_or(0, |k| k.saturating_add(1)).into()
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Some(k) => write!(f, "{k}"),
            None => f.write_str("off"),
        }
    }

    fn read(words: &mut Words<'_>, what: &'static str) -> Result<Option<u8>, String> {
        if words.take("off") { Ok(None) } else { words.number(what, 0, 254).map(Some) }
    }
}

impl Operand for Size {
    fn from_bits(bits: u32) -> Size {
        Size { base: SizeBase::from_bits(bits & 31), delta: i8::from_ne_bytes([(bits >> 5) as u8]) }
    }

    fn bits(self) -> u32 {
        self.base.bits() | u32::from(self.delta.to_ne_bytes()[0]) << 5
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }

    fn read(words: &mut Words<'_>, what: &'static str) -> Result<Size, String> {
        let word = words.next(what)?;
        // The names of boundaries have hyphens too: the last sign before a digit is the distance's.
        let sign = word.rfind(['+', '-']).filter(|&at| word[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let (base, delta) = match sign {
            Some(at) => {
                let digits = word[at..].strip_prefix('+').unwrap_or(&word[at..]);
                let reason = || format!("size: `{}` is no distance within -128..=127", &word[at..]);
                (&word[..at], digits.parse().map_err(|_| reason())?)
            }
            None => (word, 0),
        };
        Ok(Size { base: SizeBase::from_word(base)?, delta })
    }

    fn since(self) -> u32 {
        if self.base == SizeBase::SmallHole { 3 } else { 1 }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.delta {
            0 => f.write_str(self.base.word()),
            delta => write!(f, "{}{delta:+}", self.base.word()),
        }
    }
}

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

impl Operand for ValueChoice {
    fn from_bits(bits: u32) -> ValueChoice {
        match bits as u8 {
            handle @ 0..=ValueChoice::HANDLE_MAX => ValueChoice::Handle(handle),
            byte @ 200..=251 => ValueChoice::Small(i8::from_ne_bytes([byte.wrapping_sub(226)])),
            byte @ 252..=255 => ValueChoice::Immortal(byte - 252),
        }
    }

    fn bits(self) -> u32 {
        let byte = match self {
            ValueChoice::Handle(handle) => handle.min(ValueChoice::HANDLE_MAX),
            ValueChoice::Small(n) => u8::try_from(226 + i16::from(n)).expect("within the range of small integers"),
            ValueChoice::Immortal(n) => 252 + n % 4,
        };
        byte.into()
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueChoice::Handle(n) => write!(f, "handle {n}"),
            ValueChoice::Small(n) => write!(f, "small {n}"),
            ValueChoice::Immortal(n) => write!(f, "immortal {n}"),
        }
    }

    fn read(words: &mut Words<'_>, _what: &'static str) -> Result<ValueChoice, String> {
        Ok(match words.next("operand")? {
            "handle" => ValueChoice::Handle(words.number("handle", 0, ValueChoice::HANDLE_MAX)?),
            "small" => {
                ValueChoice::Small(words.number("small", *ValueChoice::SMALL.start(), *ValueChoice::SMALL.end())?)
            }
            "immortal" => ValueChoice::Immortal(words.number("immortal", 0, 3)?),
            word => return Err(format!("`{word}` is no operand: one of handle, small, immortal")),
        })
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
    /// An object of such a map; the map is one that a handle holds, else a new one.
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

impl Operand for ReserveChoice {
    fn from_bits(bits: u32) -> ReserveChoice {
        let pages = [0, 2, 4, 6].map(|at| (bits >> at & 3) as u8);
        ReserveChoice { pages, large_half_pages: (bits >> 8) as u8 }
    }

    fn bits(self) -> u32 {
        let [young, old, map, code] = self.pages.map(|pages| u32::from(pages & 3));
        young | old << 2 | map << 4 | code << 6 | u32::from(self.large_half_pages) << 8
    }

    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [young, old, map, code] = self.pages;
        write!(f, "{young} {old} {map} {code} {}", self.large_half_pages)
    }

    fn read(words: &mut Words<'_>, _what: &'static str) -> Result<ReserveChoice, String> {
        let mut pages = [0; 4];
        for (count, ty) in pages.iter_mut().zip(AllocationType::ALL) {
            *count = words.number(ty.word(), 0, 3)?;
        }
        Ok(ReserveChoice { pages, large_half_pages: words.number("half pages", 0, u8::MAX)? })
    }
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
