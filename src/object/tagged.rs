//! The tagged word: a small integer or a reference, in 32 bits.

use crate::words::{GRANULE_BYTES, Offset};
use core::fmt;

/// What a reference is shifted by: its lowest bit but one counts granules.
const REFERENCE_SHIFT: u32 = GRANULE_BYTES.trailing_zeros() - 1;

/// A small integer (low bit 0, 31 bits signed) or a reference (offset in granules, shifted by one, and a low bit of
/// 1, which addresses 16 GiB).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Tagged(u32);

impl Tagged {
    /// The greatest small integer.
    pub const SMALL_MAX: i32 = (1 << 30) - 1;
    /// The least small integer.
    pub const SMALL_MIN: i32 = -(1 << 30);
    /// The small integer 0, which is also what zeroed memory holds.
    pub const ZERO: Tagged = Tagged(0);

    /// The word with these bits.
    #[inline(always)]
    #[must_use]
    pub const fn from_bits(bits: u32) -> Tagged {
        Tagged(bits)
    }

    /// The bits of this word.
    #[inline(always)]
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The small integer `value`, or `None` outside [`SMALL_MIN`](Self::SMALL_MIN)..=[`SMALL_MAX`](Self::SMALL_MAX).
    #[inline(always)]
    #[must_use]
    pub const fn small(value: i32) -> Option<Tagged> {
        if value >= Tagged::SMALL_MIN && value <= Tagged::SMALL_MAX { Some(Tagged((value as u32) << 1)) } else { None }
    }

    /// A reference to the object at `offset`, a multiple of a granule below 16 GiB.
    #[inline(always)]
    #[must_use]
    pub const fn reference(offset: Offset) -> Tagged {
        debug_assert!(offset.bytes().is_multiple_of(GRANULE_BYTES));
        Tagged((offset.bytes() >> REFERENCE_SHIFT) as u32 | 1)
    }

    /// Whether this word is a reference.
    #[inline(always)]
    #[must_use]
    pub const fn is_reference(self) -> bool {
        self.0 & 1 != 0
    }

    /// The small integer in this word, or `None` for a reference.
    #[inline(always)]
    #[must_use]
    pub const fn as_small(self) -> Option<i32> {
        if self.is_reference() { None } else { Some(self.0 as i32 >> 1) }
    }

    /// The object that this word refers to, or `None` for a small integer.
    #[inline(always)]
    #[must_use]
    pub const fn as_reference(self) -> Option<Offset> {
        if self.is_reference() { Some(self.target()) } else { None }
    }

    /// The object that this word refers to; the caller knows that it is a reference.
    #[inline(always)]
    #[must_use]
    pub const fn target(self) -> Offset {
        Offset::new(((self.0 & !1) as usize) << REFERENCE_SHIFT)
    }
}

impl fmt::Debug for Tagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_small() {
            Some(value) => write!(f, "{value}"),
            None => write!(f, "{:?}", self.target()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_integers_survive_the_round_trip() {
        for value in [0, 1, -1, 41, Tagged::SMALL_MAX, Tagged::SMALL_MIN] {
            let word = Tagged::small(value).unwrap();
            assert_eq!(word.as_small(), Some(value));
            assert_eq!(word.as_reference(), None);
        }
        assert_eq!(Tagged::small(Tagged::SMALL_MAX + 1), None);
        assert_eq!(Tagged::small(Tagged::SMALL_MIN - 1), None);
    }

    #[test]
    fn references_reach_all_of_the_reservation() {
        for offset in [0, 8, 64, 1 << 20, crate::words::RESERVATION_BYTES_MAX - 8] {
            let word = Tagged::reference(Offset::new(offset));
            assert_eq!(word.as_reference(), Some(Offset::new(offset)));
            assert_eq!(word.as_small(), None);
        }
    }
}
