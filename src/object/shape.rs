//! Shapes: what a map says about its objects. A shape is data, never a visitor, so no embedder code runs in a stop.

use crate::words::{AllocError, GRANULE_BYTES, MAP_BYTES, WORD_BYTES, align_up};

/// Instance kinds. Those below [`FIRST_EMBEDDER`](kind::FIRST_EMBEDDER) are built in.
pub mod kind {
    /// A map.
    pub const MAP: u16 = 0;
    /// undefined, null, true, false.
    pub const ODDBALL: u16 = 1;
    /// An array of tagged words.
    pub const FIXED_ARRAY: u16 = 2;
    /// An array of bytes.
    pub const BYTE_ARRAY: u16 = 3;
    /// Code: bytes in code space.
    pub const CODE: u16 = 4;
    /// A gap that nobody allocates in before the next sweep.
    pub const FILLER: u16 = 5;
    /// A hole: a gap that its page offers to allocation.
    pub const FREE_BLOCK: u16 = 6;
    /// The first kind that an embedder may use.
    pub const FIRST_EMBEDDER: u16 = 16;
}

/// The longest fixed part of an object, in words, header included.
pub const FIXED_WORDS_MAX: usize = (1 << 14) - 1;
/// The greatest length of a tail, in elements. (Where an address has 32 bits, the size of an object with a longer
/// tail would overflow.)
pub const LENGTH_MAX: usize = if usize::BITS > 32 { (1 << 30) - 1 } else { (1 << 29) - 1 };
/// Tagged words of a map that are the embedder's, for a prototype, descriptors, and the like.
pub const MAP_SLOTS: usize = 4;

/// The word of an object with a tail that counts its elements.
pub(crate) const LENGTH_WORD: usize = 1;
/// The first word of the tail of the built-in arrays, code and gaps: their fixed part is header and length.
pub(crate) const ELEMENTS_WORD: usize = 2;
/// The first of the two words of a map that [encode](Shape::encode) a shape: kind, then geometry.
pub(crate) const MAP_SHAPE_WORD: usize = 1;
/// The word of a map that has the size of its objects in bytes, if the kind is an embedder's and the size is always
/// the same; else 0.
pub(crate) const MAP_RECORD_BYTES_WORD: usize = 3;
/// The first of the embedder's words of a map.
pub(crate) const MAP_SLOTS_WORD: usize = 4;
/// Words of a map.
pub(crate) const MAP_WORDS: usize = MAP_SLOTS_WORD + MAP_SLOTS;
const _: () = assert!(MAP_WORDS * WORD_BYTES == MAP_BYTES);

/// What follows the fixed part of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// Nothing: every object of this map has the same size.
    None,
    /// Tagged words, counted by word 1.
    Tagged,
    /// Bytes, counted by word 1.
    Bytes,
}

/// The shape of the objects of one map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    kind: u16,
    fixed_words: u16,
    tagged_words: u16,
    tail: Tail,
}

impl Shape {
    /// A shape: `fixed_words` words, header included, of which words `1..=tagged_words` are tagged and the rest raw,
    /// then `tail`. With a tail, word 1 is its length (a small integer) and belongs to the tagged words.
    ///
    /// # Errors
    /// [`AllocError::InvalidShape`] if the numbers contradict each other.
    pub const fn new(kind: u16, fixed_words: usize, tagged_words: usize, tail: Tail) -> Result<Shape, AllocError> {
        if fixed_words == 0 || fixed_words > FIXED_WORDS_MAX {
            return Err(AllocError::InvalidShape("the fixed part has 1..=16383 words, header included"));
        }
        if tagged_words >= fixed_words {
            return Err(AllocError::InvalidShape("more tagged words than the fixed part has after its header"));
        }
        if !matches!(tail, Tail::None) && tagged_words == 0 {
            return Err(AllocError::InvalidShape("a tail needs its length in word 1, a tagged word"));
        }
        Ok(Shape { kind, fixed_words: fixed_words as u16, tagged_words: tagged_words as u16, tail })
    }

    pub(crate) const fn built_in(kind: u16, fixed_words: usize, tagged_words: usize, tail: Tail) -> Shape {
        Shape { kind, fixed_words: fixed_words as u16, tagged_words: tagged_words as u16, tail }
    }

    /// The instance kind.
    #[inline(always)]
    #[must_use]
    pub const fn kind(self) -> u16 {
        self.kind
    }

    /// Words of the fixed part, header included.
    #[inline(always)]
    #[must_use]
    pub const fn fixed_words(self) -> usize {
        self.fixed_words as usize
    }

    /// Tagged words of the fixed part; they start at word 1.
    #[inline(always)]
    #[must_use]
    pub const fn tagged_words(self) -> usize {
        self.tagged_words as usize
    }

    /// What follows the fixed part.
    #[inline(always)]
    #[must_use]
    pub const fn tail(self) -> Tail {
        self.tail
    }

    /// Bytes of an object of this shape whose tail has `length` elements, rounded up to whole granules.
    ///
    /// # Errors
    /// [`AllocError::TooLarge`] beyond [`LENGTH_MAX`] elements.
    #[inline(always)]
    pub const fn size_bytes(self, length: usize) -> Result<usize, AllocError> {
        if length > LENGTH_MAX {
            return Err(AllocError::TooLarge {
                size_bytes: length.saturating_mul(WORD_BYTES),
                size_bytes_max: LENGTH_MAX * WORD_BYTES,
            });
        }
        Ok(self.size_bytes_of(length))
    }

    #[inline(always)]
    pub(crate) const fn size_bytes_of(self, length: usize) -> usize {
        let tail_bytes = match self.tail {
            Tail::None => 0,
            Tail::Tagged => length * WORD_BYTES,
            Tail::Bytes => length,
        };
        align_up(self.fixed_words() * WORD_BYTES + tail_bytes, GRANULE_BYTES)
    }

    /// The shape as the two words that a map stores: kind and geometry, each the bits of a small integer.
    #[inline(always)]
    #[must_use]
    pub const fn encode(self) -> [u32; 2] {
        let tail = match self.tail {
            Tail::None => 0,
            Tail::Tagged => 1,
            Tail::Bytes => 2,
        };
        let geometry = self.fixed_words as u32 | (self.tagged_words as u32) << 14 | tail << 28;
        [(self.kind as u32) << 1, geometry << 1]
    }

    /// The shape that [`encode`](Self::encode) made these words of.
    #[inline(always)]
    #[must_use]
    pub const fn decode(words: [u32; 2]) -> Shape {
        let geometry = words[1] >> 1;
        let tail = match geometry >> 28 {
            0 => Tail::None,
            1 => Tail::Tagged,
            _ => Tail::Bytes,
        };
        Shape {
            kind: (words[0] >> 1) as u16,
            fixed_words: (geometry & 0x3fff) as u16,
            tagged_words: (geometry >> 14 & 0x3fff) as u16,
            tail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_survive_the_round_trip() {
        for tail in [Tail::None, Tail::Tagged, Tail::Bytes] {
            for (fixed, tagged) in [(2, 1), (8, 7), (FIXED_WORDS_MAX, FIXED_WORDS_MAX - 1), (3, 1)] {
                let shape = Shape::new(u16::MAX, fixed, tagged, tail).unwrap();
                assert_eq!(Shape::decode(shape.encode()), shape);
                assert!(shape.encode().iter().all(|w| w & 1 == 0), "a small integer");
            }
        }
    }

    #[test]
    fn contradictory_shapes_are_refused() {
        assert!(Shape::new(16, 0, 0, Tail::None).is_err());
        assert!(Shape::new(16, FIXED_WORDS_MAX + 1, 0, Tail::None).is_err());
        assert!(Shape::new(16, 2, 2, Tail::None).is_err());
        assert!(Shape::new(16, 2, 0, Tail::Bytes).is_err());
    }

    #[test]
    fn sizes_are_whole_granules() {
        let bytes = Shape::new(16, 2, 1, Tail::Bytes).unwrap();
        assert_eq!(bytes.size_bytes(0), Ok(8));
        assert_eq!(bytes.size_bytes(1), Ok(16));
        assert_eq!(bytes.size_bytes(8), Ok(16));
        assert_eq!(bytes.size_bytes(LENGTH_MAX), Ok(LENGTH_MAX + 9));
        let (size_bytes, size_bytes_max) = (usize::MAX, LENGTH_MAX * WORD_BYTES);
        assert_eq!(bytes.size_bytes(usize::MAX), Err(AllocError::TooLarge { size_bytes, size_bytes_max }));
        assert!(bytes.size_bytes(LENGTH_MAX + 1).is_err());
        assert_eq!(Shape::new(16, 3, 2, Tail::None).unwrap().size_bytes(0), Ok(16));
    }
}
