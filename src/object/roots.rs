//! The built-in, immortal objects. They fill the first 256 bytes of the reservation, so their addresses are constants.

use super::{ELEMENTS_WORD, LENGTH_WORD, MAP_WORDS, Shape, Tagged, Tail, kind};
use crate::words::{GRANULE_BYTES, MAP_BYTES, Offset};

/// A built-in object at a fixed offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Root {
    /// The map of maps, its own included.
    MetaMap = 0,
    /// The map of undefined, null, true and false.
    OddballMap = MAP_BYTES,
    /// The map of fixed arrays.
    FixedArrayMap = 2 * MAP_BYTES,
    /// The map of byte arrays.
    ByteArrayMap = 3 * MAP_BYTES,
    /// The map of code objects.
    CodeMap = 4 * MAP_BYTES,
    /// The map of fillers.
    FillerMap = 5 * MAP_BYTES,
    /// The map of free blocks.
    FreeBlockMap = 6 * MAP_BYTES,
    /// undefined
    Undefined = 7 * MAP_BYTES,
    /// null
    Null = 7 * MAP_BYTES + GRANULE_BYTES,
    /// true
    True = 7 * MAP_BYTES + 2 * GRANULE_BYTES,
    /// false
    False = 7 * MAP_BYTES + 3 * GRANULE_BYTES,
}

/// The built-in maps and the shapes they describe.
pub const BUILT_IN_KINDS: [(Root, Shape); 7] = [
    (Root::MetaMap, Shape::built_in(kind::MAP, MAP_WORDS, MAP_WORDS - 1, Tail::None)),
    (Root::OddballMap, Shape::built_in(kind::ODDBALL, 2, 1, Tail::None)),
    (Root::FixedArrayMap, Shape::built_in(kind::FIXED_ARRAY, ELEMENTS_WORD, LENGTH_WORD, Tail::Tagged)),
    (Root::ByteArrayMap, Shape::built_in(kind::BYTE_ARRAY, ELEMENTS_WORD, LENGTH_WORD, Tail::Bytes)),
    (Root::CodeMap, Shape::built_in(kind::CODE, ELEMENTS_WORD, LENGTH_WORD, Tail::Bytes)),
    (Root::FillerMap, Shape::built_in(kind::FILLER, ELEMENTS_WORD, LENGTH_WORD, Tail::Bytes)),
    (Root::FreeBlockMap, Shape::built_in(kind::FREE_BLOCK, ELEMENTS_WORD, LENGTH_WORD, Tail::Bytes)),
];

impl Root {
    /// Where the object lies.
    #[inline(always)]
    #[must_use]
    pub const fn offset(self) -> Offset {
        Offset::new(self as usize)
    }

    /// A reference to the object; as the first word of an object, the header that names this map.
    #[inline(always)]
    #[must_use]
    pub const fn tagged(self) -> Tagged {
        Tagged::reference(self.offset())
    }
}
