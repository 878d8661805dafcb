//! The page set: a lock-free set of pages, as a bitmap with a counter of what is available.
//!
//! ```text
//! available   pages that are in the set and not yet claimed
//! words       one bit per page of the area
//! take        claim: available -= 1, unless it is 0      put      set the page's bit
//!             find a set bit and clear it                         available += 1
//! ```
//!
//! No links, so no ABA: a bit says nothing but "this page is here", and clearing it by RMW has one winner.
//!
//! Invariants:
//! * **PS-1** A claimer finds a bit. It sees as many set bits as the counter said when it claimed (X-1); a scan that
//!   finds none of them has met rivals that claimed later and took their bits; so it sees what those rivals saw
//!   (X-2), and another bit.
//! * **PS-2** A take fails only if `available` was 0 at one moment during the call: the refusal is read by an RMW.
//!
//! A set holds numbers. Its user says what it means that a page is in the set, and vouches for what is put in (S-3).
//!
//! Progress: from the second scan on, each one that finds nothing has met a rival that claimed later than all those met
//! before; so a claimer scans at most twice more than rivals claim meanwhile (lock-free, not wait-free).
//!
//! O-1: what the putter wrote about the page (label, holes, words) is read by the taker. The edge is the page's bit:
//! `put`'s Release RMW heads a release sequence that later RMWs on the word continue, and the taker's Acquire RMW
//! that finds the bit set reads from it. The counter says nothing about a page, only how many bits are there to be
//! found.

use crate::memory::{MemoryError, try_table};
use crate::sync::{AtomicU64, AtomicUsize, Backoff, CachePadded, Ordering, YieldPoint, yield_point};
use crate::words::{PageIndex, TABLE_WORD_BITS};

/// A set of pages that any thread may put into and take from.
#[derive(Debug)]
pub struct PageSet {
    available: CachePadded<AtomicUsize>,
    words: Box<[AtomicU64]>,
    bits_per_word: usize,
}

impl PageSet {
    /// An empty set over the pages `0..pages`, `bits_per_word` (1..=64) of them in a word.
    ///
    /// # Errors
    /// [`MemoryError::Tables`]: the Rust allocator refuses its memory.
    ///
    /// # Panics
    /// If `bits_per_word` is not in 1..=64.
    pub fn try_new(pages: usize, bits_per_word: usize) -> Result<PageSet, MemoryError> {
        assert!((1..=TABLE_WORD_BITS).contains(&bits_per_word));
        let words = try_table(pages.div_ceil(bits_per_word), || AtomicU64::new(0))?;
        Ok(PageSet { available: CachePadded::new(AtomicUsize::new(0)), words, bits_per_word })
    }

    /// As [`try_new`](Self::try_new), for tests.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn new(pages: usize, bits_per_word: usize) -> PageSet {
        PageSet::try_new(pages, bits_per_word).expect("memory for a few words")
    }

    /// Pages in the set that nobody has claimed. Exact while nobody puts or takes, else a snapshot.
    #[must_use]
    pub fn len(&self) -> usize {
        // Relaxed: a snapshot; in a stop the safepoint orders it.
        self.available.load(Ordering::Relaxed)
    }

    /// As [`len`](Self::len), and exact.
    ///
    /// # Safety
    /// Nobody puts or takes meanwhile: the world is stopped.
    #[must_use]
    pub unsafe fn len_in_stop(&self) -> usize {
        // SAFETY: whoever put or took has parked since (O-3).
        unsafe { self.available.unsync_load() }
    }

    /// Whether the set is empty; as exact as [`len`](Self::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a page into the set.
    ///
    /// # Panics
    /// If it is in the set already.
    pub fn put(&self, page: PageIndex) {
        let (word, mask) = (page.index() / self.bits_per_word, 1u64 << (page.index() % self.bits_per_word));
        // O-1: publishes what the caller wrote about the page to the taker (`take`). X-1: the first word.
        let before = self.words[word].fetch_or(mask, Ordering::Release);
        assert!(before & mask == 0, "{page:?} is in the set already");
        yield_point(YieldPoint::PageSetSet);
        // O-1, X-1: Release, so that a claimer that this page is counted for sees its bit (`claim`).
        self.available.fetch_add(1, Ordering::Release);
    }

    /// Claims a page that is in the set, whichever it will be. `None` if the set was empty at one moment during the
    /// call.
    #[must_use]
    pub fn claim(&self) -> Option<Claim<'_>> {
        // Relaxed: a guess, which the exchange checks.
        let mut seen = self.available.load(Ordering::Relaxed);
        loop {
            if seen == 0 {
                // PS-2: a load may be stale; a refusal is decided by an RMW. Relaxed: who is refused looks at no bit.
                seen = self.available.fetch_or(0, Ordering::Relaxed);
                if seen == 0 {
                    return None;
                }
            }
            // O-1, X-1: Acquire pairs with the Release of each `put` counted so far. Relaxed on failure: another guess.
            match self.available.compare_exchange_weak(seen, seen - 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(Claim(self)),
                Err(newer) => seen = newer,
            }
        }
    }

    /// Takes a page out of the set; nobody else gets it before it is put again. `None` if the set was empty at one
    /// moment during the call.
    #[must_use]
    pub fn take(&self) -> Option<PageIndex> {
        let claim = self.claim()?;
        yield_point(YieldPoint::PageSetClaimed);
        // X-1: the counter first, then the bits.
        Some(claim.find())
    }

    /// Takes a page if a look that may be stale sees one. Where nothing is, it costs a load; `None` decides nothing.
    #[must_use]
    pub fn take_seen(&self) -> Option<PageIndex> {
        if self.is_empty() { None } else { self.take() }
    }

    /// Whether `page` is in the set.
    ///
    /// # Safety
    /// Nobody puts or takes meanwhile: the world is stopped.
    #[must_use]
    pub unsafe fn contains(&self, page: PageIndex) -> bool {
        let mask = 1u64 << (page.index() % self.bits_per_word);
        // SAFETY: whoever put or took has parked since (O-3).
        unsafe { self.words[page.index() / self.bits_per_word].unsync_load() & mask != 0 }
    }

    /// Empties the set.
    ///
    /// # Safety
    /// S-4: the world is stopped; the pages become the caller's.
    pub unsafe fn clear(&self) {
        // SAFETY: by the contract.
        if unsafe { self.len_in_stop() } == 0 {
            return;
        }
        for word in &self.words {
            // Relaxed: in a stop. An RMW, because the word is RMWed elsewhere.
            word.swap(0, Ordering::Relaxed);
        }
        // Relaxed: as above. The order of the two is relied on by nobody: nobody looks before the stop ends.
        self.available.swap(0, Ordering::Relaxed);
    }
}

/// The right to one page of a set, which is somewhere in the set. A claim that is dropped instead of used leaves a
/// page there that nobody counts.
#[derive(Debug)]
#[must_use]
pub struct Claim<'a>(&'a PageSet);

impl Claim<'_> {
    /// Takes the page, the first one that is found; nobody else gets it before it is put again.
    #[must_use]
    pub fn find(self) -> PageIndex {
        let backoff = Backoff::new();
        let mut first_scan = true;
        loop {
            for (index, word) in self.0.words.iter().enumerate() {
                // Relaxed: a guess, which the RMW below checks. A load may be stale for ever, so later scans read by
                // RMW. O-1, X-2: Acquire pairs with the Release of a rival that took the bit which was to be found
                // here.
                let mut seen =
                    if first_scan { word.load(Ordering::Relaxed) } else { word.fetch_or(0, Ordering::Acquire) };
                while seen != 0 {
                    yield_point(YieldPoint::PageSetSeen);
                    let mask = seen & seen.wrapping_neg();
                    // O-1: Acquire pairs with `put`; the page's label, holes and words are the caller's to read. X-1:
                    // the bit is there. X-2: Release, so that a rival which misses this bit sees those that this
                    // claim saw.
                    let newest = word.fetch_and(!mask, Ordering::AcqRel);
                    if newest & mask != 0 {
                        return PageIndex::new(index * self.0.bits_per_word + mask.trailing_zeros() as usize);
                    }
                    seen = newest;
                }
            }
            if !first_scan {
                // PS-1: a rival moved bits during the scan; another one is set.
                backoff.spin();
            }
            first_scan = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every page comes out once, and an empty set says so.
    #[test]
    fn takes_what_was_put() {
        crate::sync::check(|| {
            let set = PageSet::new(10, 4);
            for index in [9, 0, 5, 4] {
                set.put(PageIndex::new(index));
            }
            let mut taken: Vec<usize> = core::iter::from_fn(|| set.take()).map(PageIndex::index).collect();
            taken.sort_unstable();
            assert_eq!(taken, [0, 4, 5, 9]);
            assert!(set.take().is_none());
        });
    }

    #[test]
    fn a_look_finds_what_was_put() {
        crate::sync::check(|| {
            let set = PageSet::new(4, 4);
            assert_eq!(set.take_seen(), None);
            set.put(PageIndex::new(2));
            assert_eq!(set.take_seen(), Some(PageIndex::new(2)));
            assert_eq!(set.take_seen(), None);
        });
    }
}
