//! Words that nobody is to touch, as AddressSanitizer is told of them.
//!
//! A sanitizer sees one block or one mapping, and nothing of what the heap frees in it. So the layers above say what is
//! free, and each access to such a word is reported, at the access:
//!
//! | withheld | exposed |
//! |---|---|
//! | what is not committed | by a commit |
//! | the body of a gap (a hole or a filler), behind its header | where an object is formatted, zeroed or copied to |
//! | a LAB, when it is installed: so its rest, at any time | the same |
//! | a page that was emptied: pooled, evacuated, reserved, a run without an object | the same, or as a gap |
//!
//! Both calls belong to who owns the range, so they race with nothing. A commit may come late, when another thread's
//! commit of the same range already led to use (see [`Memory::commit`](super::Memory::commit)): then words are
//! exposed that were withheld, and an access to them goes unnoticed. A right access is never reported.
//!
//! The granularity is that of the heap: 8 bytes, at addresses that are multiples of 8 since the base is.
//!
//! In any other build both calls are empty (`unpoisoned.rs`).

use core::ptr::NonNull;

unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const core::ffi::c_void, bytes: usize);
    fn __asan_unpoison_memory_region(start: *const core::ffi::c_void, bytes: usize);
}

/// What the sanitizer knows of one reservation. The sanitizer forgets it when this value is dropped, before the
/// memory is given back.
pub(super) struct Poison {
    base: NonNull<u8>,
    bytes: usize,
}

impl Poison {
    /// A reservation of which nothing is committed.
    pub(super) fn new(base: NonNull<u8>, bytes: usize) -> Poison {
        let poison = Poison { base, bytes };
        poison.withhold(0, bytes);
        poison
    }

    pub(super) fn withhold(&self, offset: usize, bytes: usize) {
        assert!(offset <= self.bytes && bytes <= self.bytes - offset, "{bytes} bytes at {offset} are withheld");
        // SAFETY: the range lies in the reservation, which is there until this is dropped; poisoning changes no byte
        // of it.
        unsafe { __asan_poison_memory_region(self.base.as_ptr().add(offset).cast(), bytes) }
    }

    pub(super) fn expose(&self, offset: usize, bytes: usize) {
        assert!(offset <= self.bytes && bytes <= self.bytes - offset, "{bytes} bytes at {offset} are exposed");
        // SAFETY: the range lies in the reservation, which is there until this is dropped, and no byte of the range
        // changes.
        unsafe { __asan_unpoison_memory_region(self.base.as_ptr().add(offset).cast(), bytes) }
    }
}

impl Drop for Poison {
    fn drop(&mut self) {
        self.expose(0, self.bytes);
    }
}
