//! Operations and their operands. Every field has few values, all of which mean something in every state.

use super::Size;
use heaplab::object::{Root, Tail, kind};
use heaplab::{AllocationType, CollectionKind, Shape, SpaceKind};

/// One operation of one thread.
///
/// Handles, persistent handles, slots and indices are numbers that the executor takes modulo what there is, so an
/// operation is valid in every state; where there is nothing to act on, it does nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// Attaches another local heap, which stays parked. An error if no more are allowed, and then the right one.
    Attach,
    /// Detaches the local heap that was attached last; if there is none but the thread's own, that one, which is
    /// attached again for the next operation.
    Detach,
    /// Parks; another local heap of the same thread runs meanwhile, if there is one.
    Park,
    /// Polls.
    Poll,
    /// Allocates, and makes a handle to the object.
    Allocate {
        /// Where; maps and code know by themselves.
        ty: AllocationType,
        /// What.
        object: ObjectShape,
        /// How large, if the shape has a tail.
        size: Size,
    },
    /// Loads a slot, and makes a handle to what it holds; of an object without slots, reads raw words or bytes.
    Load {
        /// The object.
        host: u8,
        /// The slot.
        slot: u8,
    },
    /// Stores into a slot.
    Store {
        /// The object.
        host: u8,
        /// The slot.
        slot: u8,
        /// What.
        value: Operand,
    },
    /// Writes raw words or bytes.
    Write {
        /// The object.
        host: u8,
        /// Where.
        index: u8,
        /// What.
        value: u8,
    },
    /// Makes a handle.
    Handle(Operand),
    /// Makes a persistent handle out of a handle.
    Persist(u8),
    /// Makes a handle out of a persistent handle.
    Open(u8),
    /// Drops a persistent handle.
    Drop(u8),
    /// Stores into a slot of the root set.
    StoreRoot {
        /// The slot.
        slot: u8,
        /// What.
        value: Operand,
    },
    /// Makes a handle out of a slot of the root set.
    LoadRoot(u8),
    /// Drops the root set and makes another one.
    RenewRoots,
    /// Opens a handle scope.
    OpenScope {
        /// Whether the last handle made in it escapes.
        escaping: bool,
    },
    /// Closes the innermost handle scope.
    CloseScope,
    /// Makes a space full.
    Full(SpaceKind),
    /// Fills a page but for some granules of 8 bytes.
    Fill {
        /// The type whose space it is.
        ty: AllocationType,
        /// What is left, in units of 8 bytes.
        granules: u8,
    },
    /// Collects, running.
    Collect(CollectionKind),
    /// Collects from outside, parked.
    CollectParked(CollectionKind),
    /// Enters an always-allocate scope.
    EnterAlways(ReserveChoice),
    /// Leaves the innermost always-allocate scope.
    LeaveAlways,
    /// Collects at every n-th allocation; 0 switches that off.
    GcInterval(u8),
    /// Switches verification around collections.
    VerifyHeap(bool),
    /// Switches concurrent allocation.
    Concurrent(bool),
    /// Switches the heap's own thread that allocates, where each thread of the program is one. Elsewhere a program does the
    /// same every time, which it would not beside that thread.
    Stress(bool),
    /// Fails the k-th attempt from now, once.
    FailAttempt(Option<u8>),
    /// Refuses the k-th page request from now, once, whoever makes it.
    FailCommit(Option<u8>),
    /// Refuses the k-th release from now, once, whoever makes it: the system does not take the memory back.
    FailRelease(Option<u8>),
    /// Refuses the k-th thread that the heap asks the system for from now, once. Where each thread of the program is none
    /// itself, the heap is refused all its threads.
    FailSpawn(Option<u8>),
    /// Sets what the near-heap-limit callback does.
    NearLimit(NearLimitChoice),
    /// Runs the verifier, and compares a survey with what it found.
    Verify,
    /// Asks for statistics and compares them.
    Statistics,
}

/// What is stored or made a handle to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operand {
    /// What a handle holds: 0..=199.
    Handle(u8),
    /// A small integer, this many 26ths of the greatest: -26..=25.
    Small(i8),
    /// undefined, null, true or false: 0..=3.
    Immortal(u8),
}

impl Operand {
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
