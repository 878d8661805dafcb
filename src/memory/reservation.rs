//! The reservation: pages that are committed and released, and words that are accessed by offset.

use core::fmt;
use core::num::NonZeroUsize;

use super::{Fault, Ledger, MemoryError, PageSource, Region, bytes, bytes_max};
use crate::sync::{Arc, Ordering};
use crate::words::WORD_BYTES;

/// One reservation of heap memory: pages that are committed and released, and words accessed by offset.
///
/// Shared by all threads of a heap. Dropping it gives the whole reservation back.
///
/// # Examples
///
/// ```
/// # #[cfg(not(feature = "internals"))] fn main() {}
/// # #[cfg(feature = "internals")] fn main() -> Result<(), heaplab::MemoryError> {
/// use heaplab::memory::{Memory, PageSource};
///
/// # if heaplab::sync::is_modelled() { return Ok(()); }
/// let memory = Memory::reserve(PageSource::default(), 1 << 20, 1 << 16)?;
/// memory.commit(0, 1 << 16)?;
/// // SAFETY: the first page is committed, both offsets are 4-aligned inside it, and no other thread exists.
/// unsafe {
///     memory.write(8, 7);
///     assert_eq!(memory.read(8), 7);
/// }
/// # Ok(())
/// # }
/// ```
pub struct Memory {
    pub(super) region: Region,
    source: PageSource,
    bytes: usize,
    pub(super) page_bytes: usize,
    ledger: Arc<Ledger>,
    release_fault: Fault,
}

impl Memory {
    /// Reserves `bytes` bytes without committing any.
    ///
    /// `bytes` is a positive multiple of 8, `page_bytes` (the heap's page size) a power of two of at least 8, and of at
    /// least [`page_bytes_min`](PageSource::page_bytes_min).
    ///
    /// Costs one or two system calls when mapped, one allocation when owned, and a byte a page from the Rust
    /// allocator.
    ///
    /// # Errors
    ///
    /// * [`MemoryError::BadSize`], [`MemoryError::SmallPage`]: `bytes` or `page_bytes` breaks the rules above.
    /// * [`MemoryError::TooLarge`]: more than this build can address at all.
    /// * [`MemoryError::Unsupported`]: this build has no such source, or not here: simulated memory is for models, and
    ///   models have no other.
    /// * [`MemoryError::Refused`], [`MemoryError::Tables`]: the system or the Rust allocator said no.
    pub fn reserve(source: PageSource, bytes: usize, page_bytes: usize) -> Result<Memory, MemoryError> {
        Memory::reserve_areas(source, bytes, page_bytes, bytes)
    }

    /// As [`reserve`](Memory::reserve), in two areas: pages from `split` on are committed and released apart from
    /// those before, each from the lowest addresses on. A mapped source keeps a mapping of what was committed of
    /// each; any range may be committed, but far ones make more accessible than was asked for. `split` is a multiple
    /// of `page_bytes`, or `bytes`.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Memory::reserve).
    ///
    /// # Panics
    ///
    /// If `split` is beyond `bytes`, or inside a page.
    pub fn reserve_areas(
        source: PageSource,
        bytes: usize,
        page_bytes: usize,
        split: usize,
    ) -> Result<Memory, MemoryError> {
        if bytes == 0 || !bytes.is_multiple_of(8) || page_bytes < 8 || !page_bytes.is_power_of_two() {
            return Err(MemoryError::BadSize { bytes, page_bytes });
        }
        let bytes_max = bytes_max(source);
        if bytes > bytes_max || page_bytes > bytes_max {
            return Err(MemoryError::TooLarge { bytes: bytes.max(page_bytes), bytes_max });
        }
        assert!(split == bytes || split < bytes && split.is_multiple_of(page_bytes), "areas are made of whole pages");
        let region = Region::reserve(source, bytes, page_bytes, split)?;
        let ledger = Arc::new(Ledger::new(bytes, page_bytes)?);
        Ok(Memory { region, source, bytes, page_bytes, ledger, release_fault: Fault::new() })
    }

    /// The size of the reservation in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The source that the reservation was made from.
    #[must_use]
    pub fn source(&self) -> PageSource {
        self.source
    }

    /// The ledger of what is committed and charged, for the budget that charges.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Bytes of the pages that are committed: by [`commit`](Memory::commit), and not given back since. Exact while
    /// nobody commits or releases, else a snapshot.
    #[must_use]
    pub fn committed_bytes(&self) -> usize {
        self.ledger.committed() * self.page_bytes
    }

    /// Whether the page at `offset` is committed. Exact while nobody commits or releases it, else a snapshot.
    #[must_use]
    pub fn is_committed(&self, offset: usize) -> bool {
        self.ledger.is_committed(offset)
    }

    /// Notes that the page at `offset` is late: it is charged, not committed, and stays so until somebody commits it
    /// (see [`Ledger`]).
    ///
    /// # Panics
    ///
    /// If the page is committed or late already, or is not charged for.
    pub fn begin_late(&self, offset: usize) {
        self.ledger.begin_late(offset);
    }

    /// Takes [`begin_late`](Memory::begin_late) back: the page's charge is about to go.
    ///
    /// # Panics
    ///
    /// If the page is not late.
    pub fn end_late(&self, offset: usize) {
        self.ledger.end_late(offset);
    }

    /// Makes the words of `offset..offset + bytes` accessible.
    ///
    /// Idempotent, and several threads may commit the same range at once. Memory that was never committed before reads
    /// as zero natively; released and committed again, or simulated, it may hold anything. Callers zero what they hand
    /// out.
    ///
    /// Costs one system call when mapped and farther from the area's start than all commits before it (which may
    /// block on the process's memory map), else nothing.
    ///
    /// # Errors
    ///
    /// [`MemoryError::Refused`]: the system said no, or [`fail_commit_at`](Memory::fail_commit_at) chose this call. The
    /// range then counts as not committed; committing it again later is allowed.
    ///
    /// # Panics
    ///
    /// If the range does not lie inside the reservation, is not made of whole words, or is not charged for (see
    /// [`Ledger`]).
    #[track_caller]
    pub fn commit(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        self.assert_range(offset, bytes);
        self.region.commit(offset, bytes)?;
        self.ledger.commit(offset, bytes);
        Ok(())
    }

    /// Gives the pages of `offset..offset + bytes` back to the system; they are reserved again afterwards.
    ///
    /// An owned source keeps the memory, and overwrites it in builds with debug assertions, so that stale readers are
    /// noticed. A mapped one keeps the right to access the range: only AddressSanitizer notices who does.
    ///
    /// Costs one system call when mapped.
    ///
    /// # Errors
    ///
    /// [`MemoryError::Refused`]: the system does not take the memory (where the process has locked it), or
    /// [`fail_release_at`](Memory::fail_release_at) chose this call. The range then counts as committed still.
    ///
    /// # Panics
    ///
    /// If the range does not lie inside the reservation, or does not consist of whole heap pages (the reservation's end
    /// counts as the end of a page).
    ///
    /// # Safety
    ///
    /// * The whole range is committed.
    /// * Every access to it, by any thread, happens before this call or after a later commit of it.
    /// * No other thread commits or releases any part of it at the same time.
    #[track_caller]
    pub unsafe fn release(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        self.assert_range(offset, bytes);
        let end = offset + bytes;
        assert!(offset.is_multiple_of(self.page_bytes), "release of {bytes} bytes at {offset} starts inside a page");
        assert!(
            end.is_multiple_of(self.page_bytes) || end == self.bytes,
            "release of {bytes} bytes at {offset} ends inside a page"
        );
        if self.release_fault.strikes() {
            return Err(MemoryError::Refused { bytes, os_code: None });
        }
        // SAFETY: the caller's promises, passed on; the range lies inside the reservation and consists of whole pages.
        unsafe { self.region.release(offset, bytes)? };
        self.ledger.release(offset, bytes);
        Ok(())
    }

    /// Says that nobody touches these words before they are exposed again: by [`zero`](Memory::zero),
    /// [`format`](Memory::format), [`copy`](Memory::copy) to them, [`expose`](Memory::expose), or a commit.
    /// AddressSanitizer checks this promise ([`POISONS`](super::POISONS)); in other builds the call costs nothing.
    ///
    /// The range lies inside the reservation, and its ends are multiples of 8. A broken promise is reported, and
    /// breaks nothing.
    ///
    /// # Panics
    ///
    /// Under AddressSanitizer, if the range does not lie inside the reservation.
    #[inline(always)]
    pub fn withhold(&self, offset: usize, bytes: usize) {
        self.region.withhold(offset, bytes);
    }

    /// Takes back what [`withhold`](Memory::withhold) said.
    ///
    /// # Panics
    ///
    /// As [`withhold`](Memory::withhold).
    #[inline(always)]
    pub fn expose(&self, offset: usize, bytes: usize) {
        self.region.expose(offset, bytes);
    }

    /// Lets the `nth` commit from now on be refused, once; `None` takes an earlier request back.
    ///
    /// Fault injection for tests: trying 1, 2, 3 … until [`commit_fault_pending`](Memory::commit_fault_pending) is
    /// still true at the end visits every commit of an execution. Word access does not pay for it.
    pub fn fail_commit_at(&self, nth: Option<NonZeroUsize>) {
        self.region.fault().set(nth.map_or(0, NonZeroUsize::get));
    }

    /// Whether a refusal asked for with [`fail_commit_at`](Memory::fail_commit_at) has not happened yet.
    #[must_use]
    pub fn commit_fault_pending(&self) -> bool {
        self.commit_fault_in().is_some()
    }

    /// How many commits from now the refusal asked for with [`fail_commit_at`](Memory::fail_commit_at) happens: 1 is
    /// the next. `None` if it has happened. A refusal set too far off to happen counts commits.
    #[must_use]
    pub fn commit_fault_in(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.region.fault().commits_left())
    }

    /// Lets the `nth` release from now on be refused, once; `None` takes an earlier request back. Its range stays
    /// committed, and may be released again.
    pub fn fail_release_at(&self, nth: Option<NonZeroUsize>) {
        self.release_fault.set(nth);
    }

    /// How many releases from now the refusal asked for with [`fail_release_at`](Memory::fail_release_at) happens: 1 is
    /// the next. `None` if it has happened.
    #[must_use]
    pub fn release_fault_in(&self) -> Option<NonZeroUsize> {
        self.release_fault.left()
    }

    /// Loads the word at `offset`. Shared access.
    ///
    /// # Safety
    ///
    /// * `offset` is 4-aligned and its word committed.
    /// * No other thread accesses the word plainly at the same time, except to read it.
    #[inline(always)]
    #[must_use]
    #[track_caller]
    pub unsafe fn load(&self, offset: usize, order: Ordering) -> u32 {
        self.debug_assert_word(offset);
        // SAFETY: the caller's promise.
        unsafe { self.region.word(offset) }.load(order)
    }

    /// Stores `value` in the word at `offset`. Shared access.
    ///
    /// # Safety
    ///
    /// * `offset` is 4-aligned and its word committed.
    /// * No other thread accesses the word plainly at the same time.
    #[inline(always)]
    #[track_caller]
    pub unsafe fn store(&self, offset: usize, value: u32, order: Ordering) {
        self.debug_assert_word(offset);
        // SAFETY: the caller's promise.
        unsafe { self.region.word(offset) }.store(value, order);
    }

    /// Replaces the word at `offset` by `new` if it is `old`. Shared access.
    ///
    /// # Errors
    ///
    /// The word's value, if it is not `old`.
    ///
    /// # Safety
    ///
    /// * `offset` is 4-aligned and its word committed.
    /// * No other thread accesses the word plainly at the same time.
    #[inline(always)]
    #[track_caller]
    pub unsafe fn compare_exchange(
        &self,
        offset: usize,
        old: u32,
        new: u32,
        ok: Ordering,
        fail: Ordering,
    ) -> Result<u32, u32> {
        self.debug_assert_word(offset);
        // SAFETY: the caller's promise.
        unsafe { self.region.word(offset) }.compare_exchange(old, new, ok, fail)
    }

    /// Reads the word at `offset`. Plain access.
    ///
    /// # Safety
    ///
    /// * `offset` is 4-aligned and its word committed.
    /// * No other thread writes the word at the same time.
    #[inline(always)]
    #[must_use]
    #[track_caller]
    pub unsafe fn read(&self, offset: usize) -> u32 {
        self.debug_assert_word(offset);
        // SAFETY: the caller's promise.
        unsafe { self.region.word(offset).unsync_load() }
    }

    /// Writes `value` to the word at `offset`. Plain access.
    ///
    /// # Safety
    ///
    /// * `offset` is 4-aligned and its word committed.
    /// * No other thread accesses the word at the same time.
    #[inline(always)]
    #[track_caller]
    pub unsafe fn write(&self, offset: usize, value: u32) {
        self.debug_assert_word(offset);
        // SAFETY: the caller's promise.
        unsafe { self.region.word(offset).unsync_store(value) }
    }

    /// Zeroes `bytes` bytes from `offset` on. Plain access to every word of the range.
    ///
    /// # Safety
    ///
    /// * `offset` and `bytes` are multiples of 4 and the range is committed.
    /// * No other thread accesses the range at the same time.
    #[inline(always)]
    #[track_caller]
    pub unsafe fn zero(&self, offset: usize, bytes: usize) {
        self.debug_assert_words(offset, bytes);
        // SAFETY: the caller's promises, passed on.
        unsafe { self.region.zero(offset, bytes) }
    }

    /// Zeroes `bytes` bytes from `offset` on, but for the first word, which becomes `header`. Plain access to every
    /// word of the range.
    ///
    /// # Safety
    ///
    /// * `offset` and `bytes` are multiples of 4, `bytes` is not 0, and the range is committed.
    /// * No other thread accesses the range at the same time.
    #[inline(always)]
    #[track_caller]
    pub unsafe fn format(&self, offset: usize, bytes: usize, header: u32) {
        self.debug_assert_words(offset, bytes);
        debug_assert!(bytes != 0);
        // SAFETY: the caller's promises, passed on.
        unsafe { self.region.format(offset, bytes, header) }
    }

    /// Copies `bytes` bytes from offset `from` to offset `to`. Plain access to every word of both ranges.
    ///
    /// # Safety
    ///
    /// * `from`, `to` and `bytes` are multiples of 4, both ranges are committed and they do not overlap.
    /// * No other thread writes the first range, or accesses the second, at the same time.
    #[inline(always)]
    #[track_caller]
    pub unsafe fn copy(&self, from: usize, to: usize, bytes: usize) {
        self.debug_assert_words(from, bytes);
        self.debug_assert_words(to, bytes);
        debug_assert!(from + bytes <= to || to + bytes <= from, "copy of {bytes} bytes from {from} to {to} overlaps");
        // SAFETY: the caller's promises, passed on.
        unsafe { self.region.copy(from, to, bytes) }
    }

    /// Copies `bytes` into memory from any byte `offset` on. Shared access, Relaxed, word by word.
    ///
    /// A word that is only partly covered is changed by compare-and-swap, so what other threads write to its other
    /// bytes is never lost. Not atomic as a whole: a reader at the same time may see any mixture of old and new words.
    ///
    /// # Safety
    ///
    /// * Every word that contains a byte of the range is committed.
    /// * No other thread accesses any of these words plainly at the same time.
    #[track_caller]
    pub unsafe fn copy_in(&self, offset: usize, bytes: &[u8]) {
        self.debug_assert_bytes(offset, bytes.len());
        // SAFETY: the caller's promises, passed on.
        unsafe { bytes::copy_in(&self.region, offset, bytes) }
    }

    /// Copies memory from any byte `offset` on into `bytes`. Shared access, Relaxed, word by word.
    ///
    /// Not atomic as a whole: see [`copy_in`](Memory::copy_in).
    ///
    /// # Safety
    ///
    /// * Every word that contains a byte of the range is committed.
    /// * No other thread writes any of these words plainly at the same time.
    #[track_caller]
    pub unsafe fn copy_out(&self, offset: usize, bytes: &mut [u8]) {
        self.debug_assert_bytes(offset, bytes.len());
        // SAFETY: the caller's promises, passed on.
        unsafe { bytes::copy_out(&self.region, offset, bytes) }
    }

    #[track_caller]
    fn assert_range(&self, offset: usize, bytes: usize) {
        assert!(
            offset <= self.bytes && bytes <= self.bytes - offset,
            "{bytes} bytes at {offset} lie outside a reservation of {} bytes",
            self.bytes
        );
        assert!(
            offset.is_multiple_of(WORD_BYTES) && bytes.is_multiple_of(WORD_BYTES),
            "{bytes} bytes at {offset} are not whole words"
        );
    }

    #[inline(always)]
    #[track_caller]
    fn debug_assert_word(&self, offset: usize) {
        self.debug_assert_words(offset, WORD_BYTES);
    }

    #[inline(always)]
    #[track_caller]
    fn debug_assert_words(&self, offset: usize, bytes: usize) {
        debug_assert!(offset.is_multiple_of(WORD_BYTES), "offset {offset} is not word-aligned");
        debug_assert!(bytes.is_multiple_of(WORD_BYTES), "{bytes} bytes are not whole words");
        self.debug_assert_bytes(offset, bytes);
    }

    #[inline(always)]
    #[track_caller]
    fn debug_assert_bytes(&self, offset: usize, bytes: usize) {
        debug_assert!(
            offset <= self.bytes && bytes <= self.bytes - offset,
            "{bytes} bytes at {offset} lie outside a reservation of {} bytes",
            self.bytes
        );
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("source", &self.source)
            .field("bytes", &self.bytes)
            .field("page_bytes", &self.page_bytes)
            .finish_non_exhaustive()
    }
}
