//! Real memory: mapped or owned, behind one base pointer.
//!
//! The base is a plain field, so a word access compiles to one load of it and one `[base + offset]` operand. Which
//! source the pages came from matters only to commit, release and drop.

use core::ptr::{self, NonNull};

use super::owned::Owned;
use super::{Mapped, MemoryError, PageSource, Poison};
use crate::sync::{AtomicUsize, Ordering, RealWord};
use crate::words::{GRANULE_BYTES, WORD_BYTES};

/// The most bytes of a reservation from this source: every sum of an offset, a size and an alignment stays below
/// `isize::MAX`, as pointer arithmetic demands.
pub(super) fn bytes_max(_source: PageSource) -> usize {
    1 << (usize::BITS - 3)
}

/// A reservation of real memory.
pub(super) struct Region {
    /// Points to offset 0 and has the provenance of the whole reservation. Never changes (ME-1).
    base: NonNull<u8>,
    /// Before the pages, so that it is dropped before them.
    poison: Poison,
    pages: Pages,
    fault: CommitFault,
}

/// Who owns the memory behind the base.
enum Pages {
    Mapped(Mapped),
    Owned(Owned),
}

// SAFETY: the base points to memory that the region owns alone and that does not belong to a thread.
unsafe impl Send for Region {}
// SAFETY: shared words are accessed atomically; the unsafe plain accesses are ordered by their callers.
unsafe impl Sync for Region {}

impl Region {
    pub(super) fn reserve(
        source: PageSource,
        bytes: usize,
        page_bytes: usize,
        split: usize,
    ) -> Result<Region, MemoryError> {
        let (base, pages) = match source {
            PageSource::Mapped => {
                let mapped = Mapped::reserve(bytes, page_bytes, split)?;
                (mapped.base(), Pages::Mapped(mapped))
            }
            PageSource::Owned => {
                let owned = Owned::reserve(bytes, page_bytes)?;
                (owned.base(), Pages::Owned(owned))
            }
            PageSource::Simulated => {
                return Err(MemoryError::Unsupported { source, reason: "it needs the feature `loom`" });
            }
        };
        Ok(Region { base, poison: Poison::new(base, bytes), pages, fault: CommitFault::new() })
    }

    /// The address of offset 0.
    #[cfg(test)]
    #[allow(dead_code, reason = "native tests alone ask")]
    pub(super) fn base_address(&self) -> usize {
        self.base.addr().get()
    }

    pub(super) fn commit(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        if self.fault.strikes() {
            return Err(MemoryError::Refused { bytes, os_code: None });
        }
        match &self.pages {
            Pages::Mapped(mapped) => mapped.commit(offset, bytes)?,
            Pages::Owned(_) => {}
        }
        self.poison.expose(offset, bytes);
        Ok(())
    }

    /// # Safety
    ///
    /// As for [`Memory::release`](super::Memory::release), and the range lies inside and consists of whole heap pages.
    pub(super) unsafe fn release(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        match &self.pages {
            // SAFETY: the caller's promises, passed on.
            Pages::Mapped(mapped) => unsafe { mapped.release(offset, bytes)? },
            Pages::Owned(owned) => {
                // What is overwritten may be withheld.
                self.poison.expose(offset, bytes);
                // SAFETY: the caller's promises, passed on.
                unsafe { owned.release(offset, bytes) };
            }
        }
        self.poison.withhold(offset, bytes);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn withhold(&self, offset: usize, bytes: usize) {
        self.poison.withhold(offset, bytes);
    }

    #[inline(always)]
    pub(super) fn expose(&self, offset: usize, bytes: usize) {
        self.poison.expose(offset, bytes);
    }

    pub(super) fn fault(&self) -> &CommitFault {
        &self.fault
    }

    /// # Safety
    ///
    /// `offset` is 4-aligned and its word committed.
    #[inline(always)]
    pub(super) unsafe fn word(&self, offset: usize) -> &RealWord {
        // SAFETY: the word lies inside the reservation, is aligned (ME-2), accessible (ME-3) and only ever a word
        // (ME-4).
        unsafe { self.base.add(offset).cast::<RealWord>().as_ref() }
    }

    /// # Safety
    ///
    /// As for [`Memory::zero`](super::Memory::zero).
    #[inline(always)]
    pub(super) unsafe fn zero(&self, offset: usize, bytes: usize) {
        self.poison.expose(offset, bytes);
        // SAFETY: the range is committed and accessed by nobody else.
        unsafe { zero(self.base.as_ptr().add(offset), bytes) }
    }

    /// # Safety
    ///
    /// As for [`Memory::format`](super::Memory::format).
    #[inline(always)]
    pub(super) unsafe fn format(&self, offset: usize, bytes: usize, header: u32) {
        self.poison.expose(offset, bytes);
        // SAFETY: the range is committed, accessed by nobody else, and has a first word, which is aligned.
        unsafe {
            let start = self.base.as_ptr().add(offset);
            if let WIDE_BYTES..=TWO_WIDE_BYTES = bytes {
                // The header comes with the zeros that follow it, in one store.
                start
                    .add(bytes - WIDE_BYTES)
                    .cast::<[u32; WIDE_BYTES / WORD_BYTES]>()
                    .write_unaligned([0; WIDE_BYTES / WORD_BYTES]);
                start.cast::<[u32; WIDE_BYTES / WORD_BYTES]>().write_unaligned([header, 0, 0, 0]);
            } else {
                zero(start, bytes);
                start.cast::<u32>().write(header);
            }
        }
    }

    /// # Safety
    ///
    /// As for [`Memory::copy`](super::Memory::copy).
    #[inline(always)]
    pub(super) unsafe fn copy(&self, from: usize, to: usize, bytes: usize) {
        self.poison.expose(to, bytes);
        let base = self.base.as_ptr();
        // SAFETY: both ranges are committed and disjoint, the first is written and the second accessed by nobody else.
        unsafe { ptr::copy_nonoverlapping(base.add(from), base.add(to), bytes) }
    }
}

/// Bytes that one store of the processor writes, and what two and four of them write.
const WIDE_BYTES: usize = size_of::<[u64; 2]>();
const TWO_WIDE_BYTES: usize = 2 * WIDE_BYTES;
const ABOVE_TWO_WIDE_BYTES: usize = TWO_WIDE_BYTES + 1;
const FOUR_WIDE_BYTES: usize = 4 * WIDE_BYTES;

/// Zeroes `bytes` bytes from `start` on.
///
/// # Safety
///
/// The range may be written, and nobody else accesses it.
#[inline(always)]
unsafe fn zero(start: *mut u8, bytes: usize) {
    // SAFETY: each store lies within the range.
    unsafe {
        let end = start.add(bytes);
        // Objects are small: a few stores, overlapping where the size is between two, cost less than a call. Most
        // take two of the widest, so these come first.
        let zero_wide = |at: *mut u8| at.cast::<[u64; 2]>().write_unaligned([0; 2]);
        match bytes {
            WIDE_BYTES..=TWO_WIDE_BYTES => {
                zero_wide(start);
                zero_wide(end.sub(WIDE_BYTES));
            }
            GRANULE_BYTES..WIDE_BYTES => {
                start.cast::<u64>().write_unaligned(0);
                end.sub(size_of::<u64>()).cast::<u64>().write_unaligned(0);
            }
            ABOVE_TWO_WIDE_BYTES..=FOUR_WIDE_BYTES => {
                zero_wide(start);
                zero_wide(start.add(WIDE_BYTES));
                zero_wide(end.sub(TWO_WIDE_BYTES));
                zero_wide(end.sub(WIDE_BYTES));
            }
            _ => ptr::write_bytes(start, 0, bytes),
        }
    }
}

/// The injected refusal: how many commits from now it happens; 0 when there is none.
pub(super) struct CommitFault {
    commits_left: AtomicUsize,
}

impl CommitFault {
    fn new() -> CommitFault {
        CommitFault { commits_left: AtomicUsize::new(0) }
    }

    // Relaxed throughout: a counter of its own, which says nothing about other memory. An ordering here would also
    // give threads an edge that hides the lack of one elsewhere from race detectors.

    pub(super) fn set(&self, commits_left: usize) {
        self.commits_left.store(commits_left, Ordering::Relaxed);
    }

    pub(super) fn commits_left(&self) -> usize {
        self.commits_left.load(Ordering::Relaxed)
    }

    /// Counts one commit; whether it is the one to refuse. A lost race means that another commit was counted.
    fn strikes(&self) -> bool {
        let mut left = self.commits_left.load(Ordering::Relaxed);
        while left != 0 {
            match self.commits_left.compare_exchange(left, left - 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return left == 1,
                Err(now) => left = now,
            }
        }
        false
    }
}
