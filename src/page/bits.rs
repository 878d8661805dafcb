//! Bitmaps beside the pages.

use crate::memory::{MemoryError, try_table};
use crate::sync::{AtomicU64, Ordering};
use crate::words::{PageIndex, TABLE_WORD_BITS as BITS};

/// A fixed number of bits in 64-bit words.
#[derive(Debug)]
pub struct Bitmap {
    words: Box<[AtomicU64]>,
}

impl Bitmap {
    /// `bits` bits, all clear.
    ///
    /// # Errors
    /// The Rust allocator refuses their memory.
    pub fn try_new(bits: usize) -> Result<Bitmap, MemoryError> {
        Ok(Bitmap { words: try_table(bits.div_ceil(BITS), || AtomicU64::new(0))? })
    }

    /// As [`try_new`](Self::try_new), for tests.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn new(bits: usize) -> Bitmap {
        Bitmap::try_new(bits).expect("memory for a few bits")
    }

    /// Sets a bit; whether this call set it. Relaxed: bits are read in stops, and a stop orders them.
    #[inline]
    pub fn set(&self, bit: usize) -> bool {
        let (word, mask) = (&self.words[bit / BITS], 1u64 << (bit % BITS));
        // Relaxed: a bit that is seen set stays set until a stop; most calls find it so and skip the bus-locked RMW.
        if word.load(Ordering::Relaxed) & mask != 0 {
            return false;
        }
        // Relaxed (O-9): the claim is decided by modification order alone; what it protects is ordered by the stop.
        word.fetch_or(mask, Ordering::Relaxed) & mask == 0
    }

    /// Whether a bit is set.
    #[inline]
    #[must_use]
    pub fn test(&self, bit: usize) -> bool {
        // Relaxed: see `set`.
        self.words[bit / BITS].load(Ordering::Relaxed) >> (bit % BITS) & 1 != 0
    }

    /// The first set bit at or after `from`, below `end`.
    ///
    /// # Safety
    /// The words of the range belong to the caller (it owns the page, or the world is stopped).
    #[inline]
    #[must_use]
    pub unsafe fn next(&self, from: usize, end: usize) -> Option<usize> {
        if from >= end {
            return None;
        }
        let mut index = from / BITS;
        // SAFETY: exclusively owned, by the contract.
        let mut word = unsafe { self.words[index].unsync_load() } & (!0u64 << (from % BITS));
        loop {
            if word != 0 {
                let bit = index * BITS + word.trailing_zeros() as usize;
                return (bit < end).then_some(bit);
            }
            index += 1;
            if index * BITS >= end {
                return None;
            }
            // SAFETY: exclusively owned, by the contract.
            word = unsafe { self.words[index].unsync_load() };
        }
    }

    /// Sets or clears one bit without an RMW.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    #[inline]
    pub unsafe fn put(&self, bit: usize, value: bool) {
        let (word, mask) = (&self.words[bit / BITS], 1u64 << (bit % BITS));
        // SAFETY: exclusively owned, by the contract.
        unsafe {
            let old = word.unsync_load();
            word.unsync_store(if value { old | mask } else { old & !mask });
        }
    }

    /// Clears the bits `from..end`.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    pub unsafe fn clear(&self, from: usize, end: usize) {
        if from >= end {
            return;
        }
        let (first, last) = (from / BITS, (end - 1) / BITS);
        for index in first..=last {
            let low = if index == first { !0u64 << (from % BITS) } else { !0 };
            let high = if index == last { !0u64 >> (BITS - 1 - (end - 1) % BITS) } else { !0 };
            let keep = !(low & high);
            // SAFETY: exclusively owned, by the contract.
            unsafe {
                let old = if keep == 0 { 0 } else { self.words[index].unsync_load() };
                self.words[index].unsync_store(old & keep);
            }
        }
    }

    /// The number of set bits among `from..end`.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    #[must_use]
    pub unsafe fn count(&self, from: usize, end: usize) -> usize {
        let (mut count, mut at) = (0, from);
        // SAFETY: exclusively owned, by the contract.
        while let Some(bit) = unsafe { self.next(at, end) } {
            count += 1;
            at = bit + 1;
        }
        count
    }
}

/// One row of bits per page; rows are whole words, so owners of neighbouring pages never share one.
#[derive(Debug)]
pub struct PageBits {
    bitmap: Bitmap,
    row: usize,
    columns: usize,
}

impl PageBits {
    /// `pages` rows of `columns` bits.
    ///
    /// # Errors
    /// The Rust allocator refuses their memory.
    pub fn try_new(pages: usize, columns: usize) -> Result<PageBits, MemoryError> {
        let row = columns.next_multiple_of(BITS);
        Ok(PageBits { bitmap: Bitmap::try_new(pages * row)?, row, columns })
    }

    /// As [`try_new`](Self::try_new), for tests.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn new(pages: usize, columns: usize) -> PageBits {
        PageBits::try_new(pages, columns).expect("memory for a few bits")
    }

    #[inline(always)]
    fn at(&self, page: PageIndex, column: usize) -> usize {
        debug_assert!(column < self.columns);
        page.index() * self.row + column
    }

    /// Sets a bit by RMW; whether this call set it.
    #[inline]
    pub fn set(&self, page: PageIndex, column: usize) -> bool {
        self.bitmap.set(self.at(page, column))
    }

    /// Whether a bit is set.
    #[inline]
    #[must_use]
    pub fn test(&self, page: PageIndex, column: usize) -> bool {
        self.bitmap.test(self.at(page, column))
    }

    /// The first set column of `page` at or after `from`.
    ///
    /// # Safety
    /// The caller owns the page's row: it owns the page, or the world is stopped.
    #[inline]
    #[must_use]
    pub unsafe fn next(&self, page: PageIndex, from: usize) -> Option<usize> {
        let start = page.index() * self.row;
        // SAFETY: the row is the caller's, by the contract.
        unsafe { self.bitmap.next(start + from, start + self.columns) }.map(|bit| bit - start)
    }

    /// Sets or clears one bit without an RMW.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    #[inline]
    pub unsafe fn put(&self, page: PageIndex, column: usize, value: bool) {
        // SAFETY: the row is the caller's, by the contract.
        unsafe { self.bitmap.put(self.at(page, column), value) }
    }

    /// Clears the columns `from..end` of `page`.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    pub unsafe fn clear(&self, page: PageIndex, from: usize, end: usize) {
        let start = page.index() * self.row;
        // SAFETY: the row is the caller's, by the contract.
        unsafe { self.bitmap.clear(start + from, start + end) }
    }

    /// Clears the whole row of `page`.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    pub unsafe fn clear_page(&self, page: PageIndex) {
        // SAFETY: the row is the caller's, by the contract.
        unsafe { self.clear(page, 0, self.columns) }
    }

    /// The number of set bits of `page`.
    ///
    /// # Safety
    /// As [`next`](Self::next).
    #[must_use]
    pub unsafe fn count(&self, page: PageIndex) -> usize {
        let start = page.index() * self.row;
        // SAFETY: the row is the caller's, by the contract.
        unsafe { self.bitmap.count(start, start + self.columns) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Bits behave as a set of numbers, at and around every word boundary.
    #[test]
    fn a_bitmap_is_a_set() {
        crate::sync::check(|| {
            let bits = Bitmap::new(200);
            let mut set = BTreeSet::new();
            for bit in [0, 1, 63, 64, 65, 127, 128, 199] {
                assert!(bits.set(bit));
                assert!(!bits.set(bit), "the second setter loses");
                set.insert(bit);
            }
            // SAFETY: this thread alone has the bitmap.
            unsafe {
                bits.clear(63, 65);
                set.retain(|b| !(63..65).contains(b));
                bits.put(7, true);
                set.insert(7);
                let mut seen = BTreeSet::new();
                let mut at = 0;
                while let Some(bit) = bits.next(at, 200) {
                    seen.insert(bit);
                    at = bit + 1;
                }
                assert_eq!(seen, set);
                assert_eq!(bits.count(0, 200), set.len());
                assert_eq!(bits.next(129, 199), None, "the end is exclusive");
                bits.clear(0, 200);
                assert_eq!(bits.next(0, 200), None);
            }
        });
    }

    #[test]
    fn rows_do_not_touch() {
        crate::sync::check(|| {
            let bits = PageBits::new(3, 16);
            let (a, b) = (PageIndex::new(0), PageIndex::new(1));
            bits.set(a, 15);
            bits.set(b, 0);
            // SAFETY: this thread alone has the bitmap.
            unsafe {
                bits.clear_page(a);
                assert_eq!(bits.next(b, 0), Some(0));
                assert_eq!(bits.next(a, 0), None);
            }
        });
    }
}
