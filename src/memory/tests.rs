//! Unit tests of the memory layer, over every page source of the build.

use core::num::NonZeroUsize;

use super::{Memory, MemoryError, PageSource};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::{Arc, check, thread};

const PAGE_BYTES: usize = 64;

/// The page sources that there are where this is called.
fn sources() -> Vec<PageSource> {
    if PageSource::default() == PageSource::Simulated {
        vec![PageSource::Simulated]
    } else if cfg!(all(unix, not(miri))) {
        vec![PageSource::Mapped, PageSource::Owned]
    } else {
        vec![PageSource::Owned]
    }
}

/// The least page of a source, but of `PAGE_BYTES` at least.
fn page_bytes(source: PageSource) -> usize {
    source.page_bytes_min().max(PAGE_BYTES)
}

/// Runs `body` in a committed memory of `pages` small pages, once per source.
fn with_committed(pages: usize, body: impl Fn(Memory) + Send + Sync + 'static) {
    check(move || {
        for source in sources() {
            let page_bytes = page_bytes(source);
            let memory = Memory::reserve(source, pages * page_bytes, page_bytes).unwrap();
            memory.commit(0, pages * page_bytes).unwrap();
            body(memory);
        }
    });
}

/// A small generator of pseudo-random numbers (xorshift).
struct Random(u32);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % end
    }
}

#[test]
fn words_hold_what_was_written() {
    with_committed(2, |memory| {
        // SAFETY: committed, aligned, and no other thread exists.
        unsafe {
            memory.write(8, 1);
            memory.store(12, 2, Release);
            assert_eq!((memory.load(8, Acquire), memory.read(12)), (1, 2));
            assert_eq!(memory.compare_exchange(8, 1, 3, Relaxed, Relaxed), Ok(1));
            assert_eq!(memory.compare_exchange(8, 1, 4, Relaxed, Relaxed), Err(3));

            memory.copy(8, PAGE_BYTES, 8);
            assert_eq!((memory.read(PAGE_BYTES), memory.read(PAGE_BYTES + 4)), (3, 2));
            memory.zero(8, 4);
            assert_eq!((memory.read(8), memory.read(12)), (0, 2));
        }
    });
}

#[test]
fn bytes_of_a_word_are_numbered_from_its_low_end() {
    with_committed(1, |memory| {
        // SAFETY: committed, aligned, and no other thread exists.
        unsafe {
            memory.zero(0, 12);
            memory.copy_in(3, &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66]);
            assert_eq!([memory.read(0), memory.read(4), memory.read(8)], [0x1100_0000, 0x5544_3322, 0x0000_0066]);
        }
    });
}

/// Random copies in and out at any offset and length agree with the same copies on a vector of bytes.
#[test]
fn byte_copies_agree_with_a_vector() {
    with_committed(2, |memory| {
        let mut model = [0; 2 * PAGE_BYTES];
        let mut random = Random(0x9e37_79b9);
        // SAFETY: all of the memory is committed, and no other thread exists.
        unsafe { memory.zero(0, model.len()) }
        // Each modelled access is a branch of the model, and those are limited.
        let rounds = if memory.source() == PageSource::Simulated {
            10
        } else if cfg!(miri) {
            100
        } else {
            10_000
        };
        for round in 0..rounds {
            let start = random.below(model.len());
            let bytes = random.below((model.len() - start).min(19) + 1);
            let range = start..start + bytes;
            if round % 2 == 0 {
                model[range.clone()].fill_with(|| random.below(256) as u8);
                // SAFETY: all of the memory is committed, and no other thread exists.
                unsafe { memory.copy_in(start, &model[range]) }
            } else {
                let mut read = vec![0; bytes];
                // SAFETY: all of the memory is committed, and no other thread exists.
                unsafe { memory.copy_out(start, &mut read) }
                assert_eq!(read, model[range]);
            }
        }
        for (index, word) in model.chunks_exact(4).enumerate() {
            // SAFETY: all of the memory is committed, and no other thread exists.
            let read = unsafe { memory.read(index * 4) };
            assert_eq!(read.to_le_bytes(), word);
        }
    });
}

/// Two threads write neighbouring bytes of one word, and no byte is lost.
#[test]
fn neighbouring_bytes_survive_each_other() {
    with_committed(1, |memory| {
        // SAFETY: committed, and no other thread exists yet.
        unsafe { memory.write(4, 0) }
        let memory = Arc::new(memory);
        let theirs = Arc::clone(&memory);
        let other = thread::spawn(move || {
            // SAFETY: committed; everybody's access is shared.
            unsafe { theirs.copy_in(4, &[1]) }
        });
        // SAFETY: committed; everybody's access is shared.
        unsafe { memory.copy_in(5, &[2, 3]) }
        other.join().unwrap();
        // SAFETY: the other thread has ended.
        assert_eq!(unsafe { memory.read(4) }, 0x0003_0201);
    });
}

/// Both of two threads that commit one page may use it at once, and each sees its own writes.
#[test]
fn commit_vs_commit() {
    check(|| {
        for source in sources() {
            let memory = Arc::new(Memory::reserve(source, PAGE_BYTES, page_bytes(source)).unwrap());
            let use_page = |memory: &Memory, offset| {
                memory.commit(0, PAGE_BYTES).unwrap();
                // SAFETY: committed by this thread, and each thread has a word of its own.
                unsafe {
                    memory.write(offset, 7);
                    assert_eq!(memory.load(offset, Relaxed), 7);
                }
            };
            let theirs = Arc::clone(&memory);
            let other = thread::spawn(move || use_page(&theirs, 0));
            use_page(&memory, 4);
            other.join().unwrap();
        }
    });
}

#[test]
fn released_pages_can_be_committed_again() {
    with_committed(2, |memory| {
        // SAFETY: committed, aligned, and no other thread exists; the released page is accessed after its commit only.
        unsafe {
            let page = memory.page_bytes;
            memory.write(0, 5);
            memory.release(page, page).unwrap();
            assert_eq!(memory.committed_bytes(), page);
            memory.commit(page, page).unwrap();
            memory.write(page, 6);
            assert_eq!((memory.read(0), memory.read(page)), (5, 6));
            assert_eq!(memory.committed_bytes(), 2 * page);
        }
    });
}

/// What is not taken back stays as it was: committed, with its words.
#[test]
fn chosen_release_is_refused_once() {
    with_committed(3, |memory| {
        let page = memory.page_bytes;
        memory.fail_release_at(NonZeroUsize::new(2));
        // SAFETY: committed whenever accessed, aligned, and no other thread exists.
        unsafe {
            memory.write(page, 5);
            assert_eq!(memory.release(0, page), Ok(()));
            assert_eq!(memory.release_fault_in(), NonZeroUsize::new(1));
            assert_eq!(memory.release(page, page), Err(MemoryError::Refused { bytes: page, os_code: None }));
            assert_eq!(memory.release_fault_in(), None);
            assert_eq!((memory.read(page), memory.committed_bytes()), (5, 2 * page));
            assert_eq!(memory.release(page, page), Ok(()));
            assert_eq!([0, 1, 2].map(|index| memory.is_committed(index * page)), [false, false, true]);
        }
    });
}

/// S-1: whoever commits what nobody charged, or discharges what is committed, is found out at once; and a stop finds
/// what is charged in vain.
mod audited {
    use super::*;

    /// Two pages that are charged, one of them committed.
    fn with_audited(body: impl Fn(Memory) + Send + Sync + 'static) {
        check(move || {
            let source = PageSource::for_page_bytes(PAGE_BYTES);
            let memory = Memory::reserve(source, 4 * PAGE_BYTES, PAGE_BYTES).unwrap();
            memory.ledger().audit();
            memory.ledger().charge(2);
            memory.commit(0, PAGE_BYTES).unwrap();
            body(memory);
        });
    }

    #[test]
    #[should_panic(expected = "leaves 1 pages committed beyond what is charged")]
    fn a_commit_without_a_charge_is_seen() {
        with_audited(|memory| memory.commit(PAGE_BYTES, 2 * PAGE_BYTES).unwrap());
    }

    #[test]
    #[should_panic(expected = "leaves 1 pages committed beyond what is charged")]
    fn a_discharge_before_the_release_is_seen() {
        with_audited(|memory| {
            memory.ledger().discharge(1);
            memory.ledger().discharge(1);
        });
    }

    #[test]
    #[should_panic(expected = "1 charged pages are neither committed nor late")]
    fn a_charge_for_nothing_is_seen_in_a_stop() {
        with_audited(|memory| memory.ledger().assert_settled(2));
    }

    #[test]
    #[should_panic(expected = "1 pages are counted, 2 were charged")]
    fn another_count_is_seen_in_a_stop() {
        with_audited(|memory| memory.ledger().assert_settled(1));
    }

    /// A late page is settled in a stop before and after it is committed, however often that happens.
    #[test]
    fn late_pages_are_settled() {
        with_audited(|memory| {
            memory.begin_late(2 * PAGE_BYTES);
            memory.ledger().assert_settled(2);
            for _ in 0..2 {
                memory.commit(2 * PAGE_BYTES, PAGE_BYTES).unwrap();
                memory.ledger().assert_settled(2);
            }
            // SAFETY: committed, and no other thread exists.
            unsafe { memory.release(2 * PAGE_BYTES, PAGE_BYTES).unwrap() }
            memory.begin_late(2 * PAGE_BYTES);
            memory.end_late(2 * PAGE_BYTES);
            memory.ledger().discharge(1);
            memory.ledger().assert_settled(1);
        });
    }
}

#[test]
fn chosen_commit_is_refused_once() {
    check(|| {
        for source in sources() {
            let memory = Memory::reserve(source, PAGE_BYTES, page_bytes(source)).unwrap();
            memory.fail_commit_at(NonZeroUsize::new(2));
            assert_eq!(memory.commit(0, PAGE_BYTES), Ok(()));
            assert!(memory.commit_fault_pending());
            assert_eq!(memory.commit(0, PAGE_BYTES), Err(MemoryError::Refused { bytes: PAGE_BYTES, os_code: None }));
            assert!(!memory.commit_fault_pending());
            assert_eq!(memory.commit(0, PAGE_BYTES), Ok(()));

            memory.fail_commit_at(NonZeroUsize::new(1));
            memory.fail_commit_at(None);
            assert_eq!(memory.commit(0, PAGE_BYTES), Ok(()));
        }
    });
}

#[test]
fn bad_and_absurd_sizes_are_values() {
    check(|| {
        for source in sources() {
            for (bytes, page_bytes) in [(0, 64), (12, 64), (64, 4), (64, 48)] {
                assert_eq!(
                    Memory::reserve(source, bytes, page_bytes).unwrap_err(),
                    MemoryError::BadSize { bytes, page_bytes }
                );
            }
            for (bytes, page_bytes) in [(usize::MAX & !7, 64), (64, 1 << (usize::BITS - 1))] {
                let error = Memory::reserve(source, bytes, page_bytes).unwrap_err();
                assert!(matches!(error, MemoryError::TooLarge { .. }), "{error}");
            }
        }
    });
}

/// The least that can be reserved is one granule in one page.
#[test]
fn reservation_says_what_it_is() {
    check(|| {
        for source in sources() {
            let memory = Memory::reserve(source, 8, source.page_bytes_min().max(8)).unwrap();
            assert_eq!((memory.source(), memory.bytes()), (source, 8));
        }
    });
}

/// Builds with debug assertions refuse an access between words, or beyond the reservation.
#[cfg(debug_assertions)]
mod checked {
    use super::*;

    #[test]
    #[should_panic(expected = "offset 2 is not word-aligned")]
    fn access_between_words_panics() {
        // SAFETY: none; the panic is what is tested.
        with_committed(1, |memory| unsafe { memory.write(2, 0) });
    }

    #[test]
    #[should_panic(expected = "6 bytes are not whole words")]
    fn range_that_ends_between_words_panics() {
        // SAFETY: none; the panic is what is tested.
        with_committed(1, |memory| unsafe { memory.zero(0, 6) });
    }

    #[test]
    #[should_panic(expected = "lie outside a reservation of")]
    fn copy_beyond_the_end_panics() {
        // SAFETY: none; the panic is what is tested.
        with_committed(1, |memory| unsafe { memory.copy_out(memory.bytes() - 4, &mut [0; 8]) });
    }
}

#[test]
fn sources_that_there_are_not_are_unsupported() {
    check(|| {
        for source in [PageSource::Mapped, PageSource::Owned, PageSource::Simulated] {
            if !sources().contains(&source) {
                let error = Memory::reserve(source, PAGE_BYTES, PAGE_BYTES).unwrap_err();
                assert!(matches!(error, MemoryError::Unsupported { .. }), "{error}");
                assert!(error.to_string().contains(&format!("use `{}`", PageSource::default())));
            }
        }
        assert!(sources().contains(&PageSource::default()));
    });
}

#[test]
#[should_panic(expected = "lie outside a reservation of 64 bytes")]
fn commit_outside_the_reservation_panics() {
    check(|| {
        let memory = Memory::reserve(PageSource::for_page_bytes(PAGE_BYTES), PAGE_BYTES, PAGE_BYTES).unwrap();
        let _ = memory.commit(PAGE_BYTES, 4);
    });
}

#[test]
#[should_panic(expected = "ends inside a page")]
fn release_of_part_of_a_page_panics() {
    with_committed(2, |memory| {
        // SAFETY: committed, and no other thread exists.
        let _ = unsafe { memory.release(0, 8) };
    });
}

#[cfg(not(feature = "shuttle"))]
mod native {
    use super::*;
    use crate::memory::BASE_ALIGN;

    #[test]
    fn base_is_aligned() {
        for source in sources() {
            for page_bytes in [page_bytes(source), 1 << 14, 1 << 16] {
                let memory = Memory::reserve(source, 2 * page_bytes, page_bytes).unwrap();
                assert_eq!(memory.region.base_address() % page_bytes.max(BASE_ALIGN), 0);
            }
        }
    }

    #[test]
    fn fresh_memory_is_zero() {
        for source in sources() {
            let memory = Memory::reserve(source, 1 << 16, 1 << 16).unwrap();
            memory.commit(0, 1 << 16).unwrap();
            for offset in (0..1 << 16).step_by(if cfg!(miri) { 1 << 12 } else { 4 }) {
                // SAFETY: committed, aligned, and no other thread exists.
                assert_eq!(unsafe { memory.read(offset) }, 0);
            }
        }
    }

    /// Whoever reads a released page of owned memory reads junk, in builds with debug assertions.
    #[cfg(debug_assertions)]
    #[test]
    fn released_owned_pages_hold_junk() {
        let memory = Memory::reserve(PageSource::Owned, PAGE_BYTES, PAGE_BYTES).unwrap();
        // SAFETY: the only page, and no other thread exists.
        unsafe {
            memory.release(0, PAGE_BYTES).unwrap();
            assert_eq!(memory.read(8), 0xdbdb_dbdb);
        }
    }
}

#[cfg(all(unix, not(miri), not(feature = "shuttle")))]
mod mapped {
    use super::*;
    use crate::memory::system_page_bytes;

    /// More than any machine has, though no build forbids it, is refused by the system. (The allocator is not asked,
    /// since sanitizers would abort.) An address space of 32 bits may well have `bytes_max`.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn more_than_the_machine_has_is_refused() {
        let error = Memory::reserve(PageSource::Mapped, crate::memory::bytes_max(PageSource::Mapped) & !7, 1 << 16)
            .unwrap_err();
        assert!(matches!(error, MemoryError::Refused { os_code: Some(_), .. }), "{error}");
    }

    /// The word that holds the last bytes of a range is no word of the next page. If a copy touched that page, which
    /// nobody may access as nobody committed it, this process would end here.
    #[test]
    fn byte_copies_touch_no_word_beyond_their_range() {
        let page_bytes = system_page_bytes();
        let memory = Memory::reserve(PageSource::Mapped, 2 * page_bytes, page_bytes).unwrap();
        memory.commit(0, page_bytes).unwrap();
        for bytes in 1..4 {
            let (written, mut read) = (vec![bytes as u8; bytes], vec![0; bytes]);
            // SAFETY: every byte of the range lies in the committed page, and no other thread exists.
            unsafe {
                memory.copy_in(page_bytes - bytes, &written);
                memory.copy_out(page_bytes - bytes, &mut read);
            }
            assert_eq!(read, written);
        }
    }

    /// A released page comes back zeroed although it was written, so the system had it in between. (Elsewhere the
    /// system may take it later.)
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn release_gives_pages_back() {
        let page_bytes = system_page_bytes();
        // The reservation ends inside its last page.
        let bytes = 3 * page_bytes - 64;
        let memory = Memory::reserve(PageSource::Mapped, bytes, page_bytes).unwrap();
        memory.commit(0, bytes).unwrap();
        // SAFETY: committed whenever accessed, aligned, and no other thread exists.
        unsafe {
            for page in 0..3 {
                memory.write(page * page_bytes, 1);
            }
            memory.release(page_bytes, bytes - page_bytes).unwrap();
            memory.commit(page_bytes, bytes - page_bytes).unwrap();
            assert_eq!([0, 1, 2].map(|page| memory.read(page * page_bytes)), [1, 0, 0]);
        }
    }

    /// Whoever has been told that its range is committed may touch it, however the grants were ordered.
    #[test]
    fn rivals_let_one_prefix_grow() {
        const PAGES: usize = 64;
        let page_bytes = system_page_bytes();
        let memory = Arc::new(Memory::reserve(PageSource::Mapped, PAGES * page_bytes, page_bytes).unwrap());
        let commit_every_fourth = move |memory: &Memory, first: usize| {
            for page in (first..PAGES).step_by(4) {
                memory.commit(page * page_bytes, page_bytes).unwrap();
                // SAFETY: committed, and each page is one thread's.
                unsafe { memory.write(page * page_bytes, 1) }
            }
        };
        let threads = [1, 2, 3].map(|first| {
            let memory = Arc::clone(&memory);
            thread::spawn(move || commit_every_fourth(&memory, first))
        });
        commit_every_fourth(&memory, 0);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(memory.committed_bytes(), memory.bytes());
    }

    /// More address space in sum than a process has can be reserved, if each reservation is given back before the next.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn drop_gives_the_reservation_back() {
        const BYTES: usize = 1 << 40;
        for _ in 0..512 {
            drop(Memory::reserve(PageSource::Mapped, BYTES, 1 << 18).unwrap());
        }
    }
}

#[cfg(feature = "loom")]
#[allow(clippy::disallowed_types, reason = "what leaves an exploration is kept by the host's lock")]
mod simulated {
    use super::*;
    use crate::sync::model_control::Pass;
    use crate::sync::{ExploreOptions, explore};
    use std::sync::Mutex;

    fn page() -> Memory {
        let source = PageSource::for_page_bytes(PAGE_BYTES);
        let memory = Memory::reserve(source, PAGE_BYTES, PAGE_BYTES).unwrap();
        memory.commit(0, PAGE_BYTES).unwrap();
        memory
    }

    /// Memory belongs to where it was reserved: each access elsewhere is refused by name.
    #[test]
    fn memory_is_refused_where_it_was_not_reserved() {
        let accesses: [fn(&Memory); 5] = [
            |memory| drop(memory.commit(0, PAGE_BYTES)),
            // SAFETY: none; the refusal is what is tested. The same holds below.
            |memory| unsafe { memory.write(0, 1) },
            // SAFETY: as above.
            |memory| unsafe { memory.format(0, 8, 1) },
            // SAFETY: as above.
            |memory| unsafe { memory.copy_in(1, &[1]) },
            |memory| memory.fail_commit_at(None),
        ];
        for access in accesses {
            for pass in Pass::ALL {
                let native = page();
                let kept = Arc::new(Mutex::new(None));
                let sink = Arc::clone(&kept);
                let options = ExploreOptions { pass, ..ExploreOptions::default() };
                let refusal = explore(&options, move || {
                    *sink.lock().unwrap() = Some(page());
                    access(&native);
                });
                let expected = "heap memory that was made outside of any exploration is used in an exploration";
                let message = refusal.outcome.unwrap_err();
                assert!(message.contains(expected), "{message}");

                let modelled = kept.lock().unwrap().take().unwrap();
                let refusal = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| access(&modelled)));
                let expected = "heap memory that was made in an exploration is used outside of any exploration";
                let message = *refusal.unwrap_err().downcast::<String>().unwrap();
                assert!(message.contains(expected), "{message}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "the word at offset 64 is not committed")]
    fn uncommitted_words_cannot_be_used() {
        check(|| {
            let memory = Memory::reserve(PageSource::Simulated, 2 * PAGE_BYTES, PAGE_BYTES).unwrap();
            memory.commit(0, PAGE_BYTES).unwrap();
            // SAFETY: none; the panic is what is tested.
            unsafe { memory.store(PAGE_BYTES, 1, Relaxed) }
        });
    }

    #[test]
    #[should_panic(expected = "the word at offset 8 is not committed")]
    fn released_words_cannot_be_used() {
        with_committed(1, |memory| {
            // SAFETY: none for the read; the panic is what is tested.
            unsafe {
                memory.release(0, PAGE_BYTES).unwrap();
                let _ = memory.read(8);
            }
        });
    }

    /// One thread commits and tells another through word 0 of another page, with the given ordering of the store.
    fn publish_commit(order: crate::sync::Ordering) {
        check(move || {
            let memory = Arc::new(Memory::reserve(PageSource::Simulated, 2 * PAGE_BYTES, PAGE_BYTES).unwrap());
            memory.commit(0, PAGE_BYTES).unwrap();
            // SAFETY: committed, and no other thread exists yet.
            unsafe { memory.write(0, 0) }
            let theirs = Arc::clone(&memory);
            let other = thread::spawn(move || {
                theirs.commit(PAGE_BYTES, PAGE_BYTES).unwrap();
                // SAFETY: committed; access to word 0 is shared.
                unsafe { theirs.store(0, 1, order) }
            });
            // SAFETY: word 0 was committed before the other thread began; the page is committed once word 0 says so.
            unsafe {
                if memory.load(0, Acquire) == 1 {
                    memory.store(PAGE_BYTES, 1, Relaxed);
                }
            }
            other.join().unwrap();
        });
    }

    #[test]
    fn published_commit_can_be_relied_on() {
        publish_commit(Release);
    }

    #[test]
    #[should_panic = "each pass fails: the graphs pass fails at execution 2: data race"]
    fn unpublished_commit_is_a_race() {
        publish_commit(Relaxed);
    }

    /// A release that is not ordered after another thread's access is reported, even when the access comes first in
    /// time.
    #[test]
    #[should_panic = "each pass fails: the graphs pass fails at execution 2: data race"]
    fn release_vs_access_is_a_race() {
        with_committed(2, |memory| {
            // SAFETY: committed, and no other thread exists yet.
            unsafe { memory.write(0, 0) }
            let memory = Arc::new(memory);
            let theirs = Arc::clone(&memory);
            let other = thread::spawn(move || {
                // SAFETY: committed until word 0 is 1.
                unsafe {
                    let _ = theirs.load(PAGE_BYTES, Relaxed);
                    theirs.store(0, 1, Relaxed);
                }
            });
            // SAFETY: none for the release, which lacks an edge from the load; the report is what is tested.
            unsafe {
                if memory.load(0, Acquire) == 1 {
                    memory.release(PAGE_BYTES, PAGE_BYTES).unwrap();
                }
            }
            other.join().unwrap();
        });
    }
}
