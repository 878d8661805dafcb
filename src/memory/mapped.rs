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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether this process may read the byte at `at`. The system is asked to, since it answers instead of ending us.
    fn is_readable(at: *const u8) -> bool {
        let mut ends = [0; 2];
        // SAFETY: the array has room for both ends, which are closed once; the system checks that it may read the byte.
        unsafe {
            assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
            let written = libc::write(ends[1], at.cast::<c_void>(), 1);
            libc::close(ends[0]);
            libc::close(ends[1]);
            written == 1
        }
    }

    /// Wherever the system places a mapping, what is reserved lies in it from an aligned base on, and little else does.
    #[test]
    fn mapping_holds_the_reservation_at_any_place() {
        let system = system_page_bytes();
        for page_bytes in [64, system, 2 * system, 16 * system, 256 * system] {
            for bytes in [64, system, 3 * page_bytes, 3 * page_bytes + 64] {
                let mapped = Mapped::reserve(bytes, page_bytes).unwrap();
                let align = page_bytes.max(system);
                assert!(mapped.base.addr().get().is_multiple_of(align));
                assert!(mapped.base.addr().get() - mapped.start.addr().get() < align);
                // The farthest that a base can be from the start of a mapping, which the system aligns to its pages.
                let pad_bytes_max = align - system;
                assert!(pad_bytes_max + bytes <= mapped.mapped_bytes, "{bytes} bytes in pages of {page_bytes}");
                assert!(mapped.mapped_bytes < bytes + align, "{bytes} bytes in pages of {page_bytes}");
            }
        }
    }

    #[test]
    fn commit_and_release_change_their_own_pages_only() {
        let system = system_page_bytes();
        let mapped = Mapped::reserve(5 * system, system).unwrap();
        let readable = || [0, 1, 2, 3, 4].map(|page| is_readable(mapped.base().as_ptr().wrapping_add(page * system)));
        assert_eq!(readable(), [false; 5]);
        mapped.commit(system, system).unwrap();
        assert_eq!(readable(), [false, true, false, false, false]);
        // Less than the system's pages is rounded outward.
        mapped.commit(3 * system - 8, 16).unwrap();
        assert_eq!(readable(), [false, true, true, true, false]);
        // SAFETY: the page is committed, and nobody accesses it.
        unsafe { mapped.release(2 * system, system).unwrap() };
        assert_eq!(readable(), [false, true, false, true, false]);
    }
}
