//! Pages from the operating system.
//!
//! The reservation is one private anonymous mapping without access rights. It has up to two areas (of regular pages
//! and of large objects), and each has a prefix that may be accessed. A commit lets the prefix grow up to the range's
//! end, which most commits find done; a release gives memory back and leaves the rights as they are. Drop unmaps
//! everything. All of it goes through `libc`, whose entry points race detectors intercept.
//!
//! ```text
//!  mapping  | pad |  area 0: accessible ►|     without rights |  area 1: accessible ►|     without rights |
//!                 base                 mark 0              split                   mark 1
//! ```
//!
//! Rights that changed page by page would cost a mapping at each border of a released range, and a process has some
//! 65,000 of them, for all that it does. So here the rights only grow:
//!
//! * **K-1** The system keeps at most [`MAPPINGS_MAX`] mappings for a reservation, whatever was committed and released.
//! * **K-2** Below an area's mark everything may be accessed. Marks only grow, and are stored after the rights were
//!   granted.
//!
//! Addresses are handed out lowest first, so a prefix is little longer than what was committed of its area at once.
//! The prefix counts where the system counts what a process *may* write (`RLIMIT_DATA`, strict overcommit): there a
//! commit that lets a prefix grow may be refused, and a commit below the mark never is.
//!
//! The system works in pages of its own. A commit rounds outward to them, which is harmless: more becomes accessible
//! than was asked for. A release could not, so a heap page is at least as large as a page of the system.

use core::ptr::{self, NonNull};
use std::io;

use libc::c_void;

use super::MemoryError;
use super::system::{FLAGS, forgo_huge_pages, give_back, system_page_bytes};
use crate::sync::{AtomicUsize, Ordering};

/// Mappings of a reservation: the pad, and of each area the accessible prefix and the rest.
#[cfg(test)]
pub(super) const MAPPINGS_MAX: usize = 5;

/// One mapping, which it unmaps when dropped.
pub(super) struct Mapped {
    /// Where the mapping starts; the base lies up to one heap page above it.
    start: NonNull<u8>,
    mapped_bytes: usize,
    /// Offset 0, aligned to the heap's page size.
    base: NonNull<u8>,
    system_page_bytes: usize,
    areas: [Area; 2],
}

/// A part of the reservation whose accessible bytes are a prefix. All fields are offsets.
struct Area {
    start: usize,
    end: usize,
    /// Everything from `start` up to here may be accessed (K-2).
    mark: AtomicUsize,
}

impl Mapped {
    /// Reserves address space for two areas.
    ///
    /// `bytes` and `page_bytes` are at most [`bytes_max`](super::bytes_max); `page_bytes` is a power of two; `split`,
    /// at most `bytes`, is where the second area begins, a multiple of `page_bytes` or `bytes`.
    pub(super) fn reserve(bytes: usize, page_bytes: usize, split: usize) -> Result<Mapped, MemoryError> {
        let system_page_bytes = system_page_bytes();
        if page_bytes < system_page_bytes {
            return Err(MemoryError::SmallPage { page_bytes, page_bytes_min: system_page_bytes });
        }
        // The system aligns to its own pages; the slack lets the base move up to the next heap page.
        let bytes_rounded = bytes.next_multiple_of(system_page_bytes);
        let mapped_bytes = bytes_rounded + (page_bytes - system_page_bytes);
        // SAFETY: a new mapping at a place of the system's choice touches no existing memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), mapped_bytes, libc::PROT_NONE, FLAGS, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(refused(bytes));
        }
        let start = NonNull::new(start.cast::<u8>()).expect("a mapping is never placed at address 0 unless asked for");
        // SAFETY: the mapping is this value's alone.
        unsafe { forgo_huge_pages(start.as_ptr().cast::<c_void>(), mapped_bytes) };
        let pad_bytes = start.addr().get().next_multiple_of(page_bytes) - start.addr().get();
        // SAFETY: `pad_bytes` is at most the slack, so the base lies inside the mapping.
        let base = unsafe { start.add(pad_bytes) };
        let split = split.next_multiple_of(system_page_bytes);
        let area = |start, end| Area { start, end, mark: AtomicUsize::new(start) };
        let areas = [area(0, split), area(split, bytes_rounded)];
        Ok(Mapped { start, mapped_bytes, base, system_page_bytes, areas })
    }

    pub(super) fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Makes a range, which lies inside the reservation, accessible. After a refusal, a part of the range may be
    /// accessible.
    pub(super) fn commit(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        let end = (offset + bytes).next_multiple_of(self.system_page_bytes);
        for area in &self.areas {
            if bytes != 0 && offset < area.end && end > area.start {
                self.grow(area, end.min(area.end)).map_err(|()| refused(bytes))?;
            }
        }
        Ok(())
    }

    /// Lets the prefix of `area` reach `end`, a border of the system's pages.
    fn grow(&self, area: &Area, end: usize) -> Result<(), ()> {
        // K-2. Acquire pairs with the exchange below: who finds its range below the mark has an edge from the grant.
        let mark = area.mark.load(Ordering::Acquire);
        if end <= mark {
            return Ok(());
        }
        // SAFETY: from the mark, a border of the system's pages, to `end` the range lies inside the mapping; adding
        // access rights to memory that is this mapping's alone breaks nobody's assumptions. Rivals may grant the
        // same.
        let result = unsafe {
            let at = self.base.as_ptr().add(mark).cast::<c_void>();
            libc::mprotect(at, end - mark, libc::PROT_READ | libc::PROT_WRITE)
        };
        if result != 0 {
            return Err(());
        }
        // Release: see above. Rivals that started from an older mark granted all that lies between, so the greatest one
        // is right, whatever the order.
        let mut seen = mark;
        while seen < end {
            match area.mark.compare_exchange(seen, end, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(newer) => seen = newer,
            }
        }
        Ok(())
    }

    /// # Safety
    ///
    /// * The range lies inside the reservation, consists of whole heap pages (or ends at the reservation's end), and is
    ///   committed.
    /// * Nobody accesses, commits or releases it at the same time.
    pub(super) unsafe fn release(&self, offset: usize, bytes: usize) -> Result<(), MemoryError> {
        if bytes == 0 {
            return Ok(());
        }
        // The reservation's end need not be a page's end, but what follows it up to the next system page is unused.
        let rounded = bytes.next_multiple_of(self.system_page_bytes);
        // SAFETY: `offset` is the start of a system page since heap pages consist of them, and the range lies inside
        // the mapping. What it holds is lost, as the caller asked for, and nobody accesses it meanwhile.
        if unsafe { give_back(self.base.as_ptr().add(offset).cast::<c_void>(), rounded) } {
            Ok(())
        } else {
            Err(refused(bytes))
        }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's alone, and whoever could reach its words is gone.
        let result = unsafe { libc::munmap(self.start.as_ptr().cast::<c_void>(), self.mapped_bytes) };
        debug_assert!(result == 0, "munmap of the whole mapping failed: {}", io::Error::last_os_error());
    }
}

fn refused(bytes: usize) -> MemoryError {
    MemoryError::Refused { bytes, os_code: io::Error::last_os_error().raw_os_error() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether this process may read the byte at `at`. The system is asked to read it, since a read of ours would end
    /// the process.
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

    fn readable<const N: usize>(mapped: &Mapped) -> [bool; N] {
        core::array::from_fn(|page| is_readable(mapped.base().as_ptr().wrapping_add(page * system_page_bytes())))
    }

    /// Wherever the system places a mapping, what is reserved lies in it from an aligned base on, and little else does.
    #[test]
    fn mapping_holds_the_reservation_at_any_place() {
        let system = system_page_bytes();
        for page_bytes in [system, 2 * system, 16 * system, 256 * system] {
            for bytes in [64, system, 3 * page_bytes, 3 * page_bytes + 64] {
                let mapped = Mapped::reserve(bytes, page_bytes, bytes).unwrap();
                assert!(mapped.base.addr().get().is_multiple_of(page_bytes));
                assert!(mapped.base.addr().get() - mapped.start.addr().get() < page_bytes);
                // The farthest that a base can be from the start of a mapping, which the system aligns to its pages.
                let pad_bytes_max = page_bytes - system;
                assert!(pad_bytes_max + bytes <= mapped.mapped_bytes, "{bytes} bytes in pages of {page_bytes}");
                assert!(mapped.mapped_bytes < bytes + page_bytes, "{bytes} bytes in pages of {page_bytes}");
            }
        }
    }

    /// A page that is smaller than the system's could not be given back without its neighbours.
    #[test]
    fn pages_smaller_than_the_systems_are_refused() {
        let page_bytes_min = system_page_bytes();
        let page_bytes = page_bytes_min / 2;
        let error = Mapped::reserve(4 * page_bytes, page_bytes, 4 * page_bytes).err();
        assert_eq!(error, Some(MemoryError::SmallPage { page_bytes, page_bytes_min }));
    }

    /// Access grows from each area's start, page by page as it is asked for, and is never taken back.
    #[test]
    fn commits_let_a_prefix_of_each_area_grow() {
        crate::sync::check(|| {
            let system = system_page_bytes();
            let mapped = Mapped::reserve(6 * system, system, 3 * system).unwrap();
            assert_eq!(readable(&mapped), [false; 6]);
            mapped.commit(system, system).unwrap();
            assert_eq!(readable(&mapped), [true, true, false, false, false, false]);
            // Less than the system's pages is rounded outward.
            mapped.commit(4 * system - 8, 8).unwrap();
            assert_eq!(readable(&mapped), [true, true, false, true, false, false]);
            // SAFETY: the pages are accessible, and nobody accesses them.
            unsafe { mapped.release(0, 2 * system).unwrap() };
            assert_eq!(readable(&mapped), [true, true, false, true, false, false]);
            // A range may reach over the border.
            mapped.commit(2 * system, 3 * system).unwrap();
            assert_eq!(readable(&mapped), [true, true, true, true, true, false]);
        });
    }

    /// K-1, as the system counts: where every second page is released, no border costs a mapping.
    #[cfg(target_os = "linux")]
    #[test]
    fn released_pages_cost_no_mapping() {
        crate::sync::check(|| {
            const PAGES: usize = 256;
            let system = system_page_bytes();
            let mapped = Mapped::reserve(2 * PAGES * system, system, PAGES * system).unwrap();
            for area in [0, PAGES] {
                mapped.commit(area * system, (PAGES - 1) * system).unwrap();
                for page in (area..area + PAGES - 1).step_by(2) {
                    // SAFETY: committed, and nobody accesses it.
                    unsafe { mapped.release(page * system, system).unwrap() };
                }
            }
            let (from, to) = (mapped.start.addr().get(), mapped.start.addr().get() + mapped.mapped_bytes);
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            let overlaps = |line: &&str| {
                let range = line.split(' ').next().unwrap().split_once('-').unwrap();
                let [start, end] = [range.0, range.1].map(|number| usize::from_str_radix(number, 16).unwrap());
                start < to && end > from
            };
            let found = maps.lines().filter(overlaps).count();
            assert!((2..=MAPPINGS_MAX).contains(&found), "{found} mappings");
        });
    }
}
