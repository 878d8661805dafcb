//! Pages from the operating system.
//!
//! The reservation is one private anonymous mapping without access rights. Commit grants the rights, release maps fresh
//! address space over the range, drop unmaps everything. All of it goes through `libc`, whose entry points race
//! detectors intercept.
//!
//! The system works in pages of its own. Commit rounds outward to them, which is harmless: it makes more accessible
//! than was asked for. Release must not round outward, and rounding inward is useless when a heap page is smaller than
//! a system page; such a heap (a tiny one) keeps its memory until it is dropped.

use core::ptr::{self, NonNull};
use std::io;

use libc::c_void;

use super::MemoryError;

/// What the mapping is: nobody else's, backed by nothing, and not counted against the system's memory until it is used.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
const FLAGS: i32 = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
/// What the mapping is: nobody else's and backed by nothing.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
const FLAGS: i32 = libc::MAP_PRIVATE | libc::MAP_ANON;

/// One mapping, which it unmaps when dropped.
pub(super) struct Mapped {
    /// Where the mapping starts; the base lies up to one heap page above it.
    start: NonNull<u8>,
    mapped_bytes: usize,
    /// Offset 0, aligned to the heap's page size or the system's, whichever is greater.
    base: NonNull<u8>,
    /// Whether a heap page consists of whole system pages, so that it can be given back alone.
    gives_back: bool,
    system_page_bytes: usize,
}

impl Mapped {
    /// `bytes` and `page_bytes` are at most a quarter of `isize::MAX`; `page_bytes` is a power of two.
    pub(super) fn reserve(bytes: usize, page_bytes: usize) -> Result<Mapped, MemoryError> {
        let system_page_bytes = system_page_bytes();
        let align = page_bytes.max(system_page_bytes);
        // The system aligns to its own pages; the slack lets the base move up to the next heap page.
        let mapped_bytes = bytes.next_multiple_of(system_page_bytes) + (align - system_page_bytes);
        // SAFETY: a new mapping at a place of the system's choice touches no existing memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), mapped_bytes, libc::PROT_NONE, FLAGS, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(refused(bytes));
        }
        let start = NonNull::new(start.cast::<u8>()).expect("a mapping is never placed at address 0 unless asked for");
        let pad_bytes = start.addr().get().next_multiple_of(align) - start.addr().get();
        // SAFETY: `pad_bytes` is at most the slack, so the base lies inside the mapping.
        let base = unsafe { start.add(pad_bytes) };
        Ok(Mapped { start, mapped_bytes, base, gives_back: page_bytes >= system_page_bytes, system_page_bytes })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The range lies inside the reservation.
    pub(super) fn commit(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        if bytes == 0 {
            return Ok(());
        }
        let first = offset - offset % self.system_page_bytes;
        let end = (offset + bytes).next_multiple_of(self.system_page_bytes);
        // SAFETY: rounded outward to system pages, the range still lies inside the mapping, whose size is rounded too;
        // adding access rights to memory that is this mapping's alone breaks nobody's assumptions.
        let result = unsafe {
            let at = self.base.as_ptr().add(first).cast::<c_void>();
            libc::mprotect(at, end - first, libc::PROT_READ | libc::PROT_WRITE)
        };
        if result == 0 { Ok(()) } else { Err(refused(bytes)) }
    }

    /// # Safety
    ///
    /// * The range lies inside the reservation, consists of whole heap pages (or ends at the reservation's end), and is
    ///   committed.
    /// * Nobody accesses, commits or releases it at the same time.
    pub(super) unsafe fn release(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        if bytes == 0 || !self.gives_back {
            return Ok(());
        }
        // The reservation's end need not be a page's end, but what follows it up to the next system page is unused.
        let bytes = bytes.next_multiple_of(self.system_page_bytes);
        // SAFETY: `offset` is the start of a system page since heap pages consist of them, and the range lies inside
        // the mapping. Replacing it is what the caller asked for, and nobody accesses it meanwhile.
        let at = unsafe {
            let at = self.base.as_ptr().add(offset).cast::<c_void>();
            libc::mmap(at, bytes, libc::PROT_NONE, FLAGS | libc::MAP_FIXED, -1, 0)
        };
        if at == libc::MAP_FAILED { Err(refused(bytes)) } else { Ok(()) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's alone, and whoever could reach its words is gone.
        let result = unsafe { libc::munmap(self.start.as_ptr().cast::<c_void>(), self.mapped_bytes) };
        debug_assert!(result == 0, "munmap of the whole mapping failed: {}", io::Error::last_os_error());
    }
}

/// The size of the system's pages, a power of two.
pub(super) fn system_page_bytes() -> usize {
    // SAFETY: `sysconf` has no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let bytes = usize::try_from(bytes).expect("the system knows its page size");
    assert!(bytes.is_power_of_two(), "a page size of {bytes} bytes is not a power of two");
    bytes
}

fn refused(bytes: usize) -> MemoryError {
    MemoryError::Refused { bytes, os_code: io::Error::last_os_error().raw_os_error() }
}
