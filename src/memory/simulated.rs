//! Memory that the model checker watches.
//!
//! Every word is a modelled atomic of its own, so both shared and plain accesses are checked for races. This source is
//! an oracle as well:
//!
//! * access to a word that is not committed panics;
//! * a commit and a release count as plain writes to each word that they make or end. So a thread that uses a word
//!   without an edge from its commit (by committing the range itself, or through whatever published the page to it)
//!   races, and so does an earlier access without an edge to the release;
//! * committed words hold junk until they are written, so whoever relies on zeroed memory is found out.
//!
//! Commits of a page exclude one another by a modelled mutex, as the system's do. So the second of two threads that
//! commit the same page finds it done and has an edge from the first. Commits of different pages have no edge: if the
//! system's give one, nothing may rely on it.

use core::cell::{Cell, OnceCell};

use super::MemoryError;
use crate::sync::model_control::page_request_fails;
use crate::sync::{HeapWord, Mutex};
use crate::words::WORD_BYTES;

/// The most bytes of a reservation: far more than a model can afford to touch, and few enough to make the table of
/// words in every execution.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// What a word holds when it is committed or released: no valid reference, and no small integer that anybody would
/// write.
const JUNK: u32 = 0xdbdb_dbdb;

/// A reservation of modelled words.
pub(super) struct Region {
    /// By word index.
    slots: Vec<Slot>,
    /// By page; held while the page is committed.
    commits: Vec<Mutex<()>>,
    page_bytes: usize,
    fault: CommitFault,
}

/// A place for one word.
struct Slot {
    committed: Cell<bool>,
    /// Made by the first commit. Never unmade: a thread that breaks the rules may be inside an access to it, and the
    /// model shall report that as a race.
    word: OnceCell<HeapWord>,
}

// SAFETY: the region is used in its scene alone, so by modelled threads alone (`memory/chosen`). They take turns on one
// thread of the system and switch only inside operations of the facade. No operation on a cell contains one, apart from
// the making of a word, which does not switch; and once made, a word is only ever shared.
unsafe impl Send for Region {}
// SAFETY: as for `Send`: threads take turns, and once made a word is only ever shared.
unsafe impl Sync for Region {}

/// Overwrites a word. The operation's call site is here, not that of whoever asked for pages.
///
/// # Safety
///
/// Nobody else accesses the word.
unsafe fn spoil(word: &HeapWord) {
    // SAFETY: the caller's promise; the model checks it.
    unsafe { word.unsync_store(JUNK) }
}

impl Region {
    /// Reserves words of the model that this thread explores.
    pub(super) fn reserve(bytes: usize, page_bytes: usize) -> Region {
        let mut slots = Vec::new();
        slots.resize_with(bytes / WORD_BYTES, || Slot { committed: Cell::new(false), word: OnceCell::new() });
        let commits = (0..bytes.div_ceil(page_bytes)).map(|_| Mutex::new(())).collect();
        Region { slots, commits, page_bytes, fault: CommitFault::new() }
    }

    #[track_caller]
    pub(super) fn commit(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        if page_request_fails() || self.fault.strikes() {
            return Err(MemoryError::Refused { bytes, os_code: None });
        }
        for start in (offset..offset + bytes).step_by(self.page_bytes) {
            let _commit = self.commits[start / self.page_bytes].lock();
            let end = (start + self.page_bytes).min(offset + bytes);
            for slot in self.slots(start, end - start).iter().filter(|slot| !slot.committed.get()) {
                match slot.word.get() {
                    // SAFETY: a word that is not committed is accessed by nobody; the model checks it.
                    Some(word) => unsafe { spoil(word) },
                    None => assert!(slot.word.set(HeapWord::new(JUNK)).is_ok(), "the word was just found missing"),
                }
                slot.committed.set(true);
            }
        }
        Ok(())
    }

    /// # Safety
    ///
    /// As for [`Memory::release`](super::Memory::release).
    #[track_caller]
    pub(super) unsafe fn release(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        for (index, slot) in self.slots(offset, bytes).iter().enumerate() {
            // SAFETY: nobody else accesses the range, says the caller; the model checks it.
            unsafe { spoil(self.word(offset + index * WORD_BYTES)) }
            slot.committed.set(false);
        }
        Ok(())
    }

    /// Does nothing: a free word is junk, and races on it are what a model looks for.
    pub(super) fn withhold(&self, _offset: usize, _bytes: usize) {}

    /// Does nothing, as [`withhold`](Region::withhold).
    pub(super) fn expose(&self, _offset: usize, _bytes: usize) {}

    pub(super) fn fault(&self) -> &CommitFault {
        &self.fault
    }

    /// The word at `offset`. Panics if it is not committed.
    ///
    /// # Safety
    ///
    /// `offset` is 4-aligned and its word committed.
    #[track_caller]
    pub(super) unsafe fn word(&self, offset: usize) -> &HeapWord {
        let slot = &self.slots[offset / WORD_BYTES];
        match slot.word.get() {
            Some(word) if slot.committed.get() => word,
            _ => panic!("the word at offset {offset} is not committed"),
        }
    }

    /// # Safety
    ///
    /// As for [`Memory::zero`](super::Memory::zero).
    #[track_caller]
    pub(super) unsafe fn zero(&self, offset: usize, bytes: usize) {
        for at in (offset..offset + bytes).step_by(WORD_BYTES) {
            // SAFETY: the caller's promises.
            unsafe { self.word(at).unsync_store(0) }
        }
    }

    /// # Safety
    ///
    /// As for [`Memory::format`](super::Memory::format).
    #[track_caller]
    pub(super) unsafe fn format(&self, offset: usize, bytes: usize, header: u32) {
        // SAFETY: the caller's promises.
        unsafe {
            self.word(offset).unsync_store(header);
            self.zero(offset + WORD_BYTES, bytes - WORD_BYTES);
        }
    }

    /// # Safety
    ///
    /// As for [`Memory::copy`](super::Memory::copy).
    #[track_caller]
    pub(super) unsafe fn copy(&self, from: usize, to: usize, bytes: usize) {
        for at in (0..bytes).step_by(WORD_BYTES) {
            // SAFETY: the caller's promises.
            unsafe { self.word(to + at).unsync_store(self.word(from + at).unsync_load()) }
        }
    }

    fn slots(&self, offset: usize, bytes: usize) -> &[Slot] {
        &self.slots[offset / WORD_BYTES..(offset + bytes) / WORD_BYTES]
    }
}

/// The injected refusal. While there is none, a commit pays no operation for it.
pub(super) struct CommitFault {
    /// Whether a refusal was ever injected.
    is_armed: Cell<bool>,
    /// How many commits from now the refusal happens; 0 when there is none.
    commits_left: Mutex<usize>,
}

impl CommitFault {
    fn new() -> CommitFault {
        CommitFault { is_armed: Cell::new(false), commits_left: Mutex::new(0) }
    }

    /// Lets the commit that is number `commits_left` from now on be refused; none for 0. To be called before the
    /// threads that commit are started, since the checker does not see a race with them.
    pub(super) fn set(&self, commits_left: usize) {
        self.is_armed.set(true);
        *self.commits_left.lock() = commits_left;
    }

    pub(super) fn commits_left(&self) -> usize {
        if self.is_armed.get() { *self.commits_left.lock() } else { 0 }
    }

    fn strikes(&self) -> bool {
        if !self.is_armed.get() {
            return false;
        }
        let mut commits_left = self.commits_left.lock();
        let left = *commits_left;
        *commits_left = left.saturating_sub(1);
        left == 1
    }
}
