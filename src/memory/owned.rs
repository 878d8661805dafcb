//! Pages from the Rust allocator: for Miri, and for systems without `mmap`.
//!
//! One zeroed block holds the whole reservation from the start, so a commit has nothing to do and a release gives
//! nothing back. With debug assertions a release overwrites the range: who reads it afterwards sees junk, and who still
//! accesses it is caught by race detectors.

use core::ptr::{self, NonNull};
use std::alloc::{self, Layout};

use super::{BASE_ALIGN, MemoryError};

/// The greatest alignment of the base. Page alignment helps nobody here; this much costs little.
const ALIGN_MAX: usize = 64 * 1024;

/// What a released range is overwritten with: as a word, neither a small integer that looks reasonable nor a valid map.
const JUNK: u8 = 0xdb;

/// One block, which it frees when dropped.
pub(super) struct Owned {
    /// Where the block starts; the base lies less than its alignment above it.
    start: NonNull<u8>,
    layout: Layout,
    base: NonNull<u8>,
}

impl Owned {
    /// Allocates the block.
    ///
    /// `bytes` is positive and at most [`bytes_max`](super::bytes_max); `page_bytes` is a power of two.
    pub(super) fn reserve(bytes: usize, page_bytes: usize) -> Result<Owned, MemoryError> {
        let align = page_bytes.clamp(BASE_ALIGN, ALIGN_MAX);
        // The alignment is made here, not by the allocator: a block of greater than usual alignment is zeroed by
        // writing all of it, where one of usual alignment may come from pages that the system zeroes when they are
        // touched.
        let layout = Layout::from_size_align(bytes + align, 8).expect("the size is far below the limit of layouts");
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc::alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else {
            return Err(MemoryError::Refused { bytes, os_code: None });
        };
        let pad_bytes = start.addr().get().next_multiple_of(align) - start.addr().get();
        // SAFETY: `pad_bytes` is less than `align`, so the base and all `bytes` after it lie inside the block.
        let base = unsafe { start.add(pad_bytes) };
        Ok(Owned { start, layout, base })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// # Safety
    ///
    /// * The range lies inside the reservation.
    /// * Nobody accesses it at the same time.
    pub(super) unsafe fn release(&self, offset: usize, bytes: usize) {
        if cfg!(debug_assertions) {
            // SAFETY: the caller's promises.
            unsafe { ptr::write_bytes(self.base.as_ptr().add(offset), JUNK, bytes) }
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, and whoever could reach its words is gone.
        unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) }
    }
}
