//! Offsets into the reservation, and page numbers.

use core::fmt;

/// A byte offset from the start of the heap's reservation: the address of an object or of a word.
///
/// Offsets are the same on every source of memory, so no algorithm of the heap knows on which of them it runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Offset(usize);

impl Offset {
    /// The offset `bytes` from the start of the reservation.
    #[inline(always)]
    #[must_use]
    pub const fn new(bytes: usize) -> Offset {
        Offset(bytes)
    }

    /// The distance from the start of the reservation, in bytes.
    #[inline(always)]
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }

    /// This offset moved up by `bytes`.
    #[inline(always)]
    #[must_use]
    pub const fn plus(self, bytes: usize) -> Offset {
        Offset(self.0 + bytes)
    }

    /// The offset of the `index`-th word (4 bytes) of the object that starts here.
    #[inline(always)]
    #[must_use]
    pub const fn word(self, index: usize) -> Offset {
        Offset(self.0 + index * super::WORD_BYTES)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{:#x}", self.0)
    }
}

/// The number of a page: offset divided by the page size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct PageIndex(u32);

impl PageIndex {
    /// The page with number `index`.
    #[inline(always)]
    #[must_use]
    pub const fn new(index: usize) -> PageIndex {
        PageIndex(index as u32)
    }

    /// The page's number.
    #[inline(always)]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for PageIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {}", self.0)
    }
}

/// `value` rounded up to a multiple of `alignment`, a power of two. The caller rules out overflow.
#[inline(always)]
#[must_use]
pub const fn align_up(value: usize, alignment: usize) -> usize {
    (value + alignment - 1) & !(alignment - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_up_to_the_next_multiple() {
        for (value, up) in [(0, 0), (1, 8), (7, 8), (8, 8), (1001, 1008)] {
            assert_eq!(align_up(value, 8), up, "{value}");
        }
        assert_eq!((align_up(200, 64), align_up(5, 1)), (256, 5));
    }
}
