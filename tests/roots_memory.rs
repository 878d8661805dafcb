//! Goal: memory that handles, persistent handles and root sets take from the Rust allocator is used again at once, is
//! given back at a collection at the latest, and asks for collections when it grows.
//!
//! Method: an allocator that counts the bytes of each thread, so that a test's counts are exact. It is global, so
//! these tests have a file of their own. With the feature `loom` each atomic is larger than it is in place, so that
//! the counts are others, and touching them takes minutes: these tests are of the native build.

#![cfg(not(any(feature = "loom", feature = "shuttle")))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{build, panics};
use heaplab::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what each thread takes and gives back; refuses what would make that more than the thread's limit.
struct Counting;

thread_local! {
    static TAKEN: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
    static LIMIT: Cell<isize> = const { Cell::new(isize::MAX) };
    /// Whether blocks of handles, which alone are aligned to so much, are refused; what a panic needs is served.
    static REFUSES_BLOCKS: Cell<bool> = const { Cell::new(false) };
}

fn count(bytes: isize) -> bool {
    let taken = TAKEN.get() + bytes;
    if bytes > 0 && taken > LIMIT.get() {
        return false;
    }
    TAKEN.set(taken);
    MOST.set(MOST.get().max(taken));
    true
}

// SAFETY: what is served is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if REFUSES_BLOCKS.get() && layout.align() >= 1024 || !count(layout.size() as isize) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that this thread has taken by `f`, at most at any time, and in the end.
fn taken_by(f: impl FnOnce()) -> (isize, isize) {
    let before = TAKEN.get();
    MOST.set(before);
    f();
    (MOST.get() - before, TAKEN.get() - before)
}

/// A million, or fewer under Miri, where each step is slow.
const MILLION: usize = if cfg!(miri) { 200 } else { 1_000_000 };
/// How many root sets of a thousand slots are made and dropped; each costs as much as its slots.
const SETS: usize = if cfg!(miri) { 40 } else { 10 * MILLION };

fn heap() -> Heap {
    build(HeapConfig::sized(64 << 20, 2))
}

fn collections(heap: &Heap) -> [u64; 3] {
    heap.statistics().unwrap().collections
}

/// Ten million persistent handles, one after the other: no growth, no collection.
#[test]
fn a_dropped_persistent_handle_is_used_again_at_once() {
    let heap = heap();
    let mut thread = heap.attach().unwrap();
    let (most, left) = taken_by(|| {
        thread
            .run(|scope| {
                let array = scope.new_array(1).unwrap();
                for _ in 0..10 * MILLION {
                    drop(scope.persist(array));
                }
            })
            .unwrap();
    });
    assert!(most < 64 << 10, "{most} bytes");
    assert!(left <= most);
    assert_eq!(collections(&heap), [0; 3]);
}

/// Ten million root sets of a thousand slots, one after the other, stored to or not: no growth but by the one that
/// there is.
#[test]
fn a_dropped_root_set_is_given_back_at_once() {
    let heap = heap();
    let mut thread = heap.attach().unwrap();
    let (most, _) = taken_by(|| (0..SETS).for_each(|_| drop(heap.new_root_set(1000))));
    assert!(most < 64 << 10, "{most} bytes");
    let (most, _) = taken_by(|| {
        thread
            .run(|scope| {
                let array = scope.new_array(1).unwrap();
                for _ in 0..SETS {
                    let set = heap.new_root_set(1000);
                    scope.store_root(&set, 999, scope.get(array).into()).unwrap();
                }
            })
            .unwrap();
    });
    assert!(most < 64 << 10, "{most} bytes");
    assert_eq!(collections(&heap), [0; 3]);
    let (_, left) = taken_by(|| heap.collect(CollectionKind::Minor).unwrap());
    assert!(left <= 0, "a collection takes nothing: {left}");
}

/// A burst of each kind is given back by the next collection, a minor one too.
#[test]
fn a_burst_is_given_back() {
    for kind in CollectionKind::ALL {
        let heap = heap();
        let mut thread = heap.attach().unwrap();
        heap.collect(kind).unwrap();
        let before = heap.statistics().unwrap().roots_bytes as isize;
        let (most, left) = taken_by(|| {
            thread
                .run(|scope| {
                    let array = scope.new_array(1).unwrap();
                    let held: Vec<_> = (0..MILLION).map(|_| scope.persist(array)).collect();
                    assert!(scope.statistics().unwrap().roots_bytes as isize - before >= 8 * MILLION as isize);
                    drop(held);
                    let sets: Vec<_> = (0..MILLION / 100).map(|_| heap.new_root_set(100)).collect();
                    assert!(scope.statistics().unwrap().roots_bytes as isize - before >= 4 * MILLION as isize);
                    drop(sets);
                    scope.nested(|scope| {
                        for _ in 0..20 * MILLION {
                            _ = scope.handle(scope.get(array));
                        }
                        assert!(scope.statistics().unwrap().roots_bytes as isize - before >= 80 * MILLION as isize);
                    });
                    scope.collect(kind).unwrap();
                })
                .unwrap();
        });
        assert!(most >= 80 * MILLION as isize, "{most}");
        // A block of handles in use and one more, and tables of a few entries.
        assert!(left < 16 << 10, "{left} bytes after a {kind} collection");
        let after = heap.statistics().unwrap().roots_bytes as isize;
        assert!(after - before <= 2 * 1024, "{before}, then {after}");
    }
}

/// The bytes of roots in the statistics are those that the Rust allocator has served.
#[test]
fn the_bytes_of_roots_are_those_that_were_taken() {
    let heap = heap();
    let mut thread = heap.attach().unwrap();
    let before = heap.statistics().unwrap().roots_bytes as isize;
    let mut kept = None;
    let count = MILLION / 10;
    let (_, left) = taken_by(|| {
        kept = thread
            .run(|scope| {
                let array = scope.new_array(1).unwrap();
                let mut held = Vec::with_capacity(count);
                (0..count).for_each(|_| held.push(scope.persist(array)));
                (held, heap.new_root_set(10 * count))
            })
            .ok();
    });
    let bytes = heap.statistics().unwrap().roots_bytes as isize - before;
    let ours = (count * size_of::<Persistent<Array>>()) as isize;
    // The table of the slabs grows by doubling.
    assert!((bytes..bytes + bytes / 20 + 4096).contains(&(left - ours)), "{bytes} counted, {} taken", left - ours);
    drop(kept);
}

/// Growth is pressure: each time that it reaches what the soft limit left, or as much again as is held, one major
/// collection.
#[test]
fn growth_asks_for_collections() {
    let mut config = HeapConfig::sized(16 << 20, 2);
    config.soft_limit_bytes = 4 << 20;
    config.new_space_bytes = 1 << 20;
    let count = 4 << 20;
    type Grow = fn(&mut Scope<'_, '_>, &Heap, usize) -> Box<dyn std::any::Any>;
    let grow: [Grow; 3] = [
        |scope, _, count| {
            let array = scope.new_array(1).unwrap();
            Box::new((0..count / 9).map(|_| scope.persist(array)).collect::<Vec<_>>())
        },
        |scope, heap, count| {
            let set = heap.new_root_set(count / 4);
            let array = scope.new_array(1).unwrap();
            scope.store_root(&set, 0, scope.get(array).into()).unwrap();
            Box::new(set)
        },
        |_, _, _| Box::new(()),
    ];
    for (number, grow) in grow.into_iter().enumerate() {
        let heap = build(config.clone());
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                let majors =
                    |scope: &mut Scope<'_, '_>| scope.statistics().unwrap().collections_of(CollectionKind::Major);
                // An allocation that needs a LAB finds the growth; the object dies at once, and new space has room
                // for all of them.
                let allocate = |scope: &mut Scope<'_, '_>| scope.nested(|scope| _ = scope.new_bytes(40_000).unwrap());
                allocate(scope);
                let mut kept = Vec::new();
                // 3 MiB were left at first, so the fourth MiB asks; then as much again as there is: the eighth, and
                // so on.
                let mut seen = Vec::new();
                for _ in 0..16 {
                    kept.push(grow(scope, &heap, count / 4));
                    allocate(scope);
                    seen.push(majors(scope));
                }
                match number {
                    2 => assert_eq!(seen, [0; 16]),
                    _ => {
                        assert_eq!(seen[0], 0, "{seen:?}");
                        assert!(seen[4] >= 1 && seen[15] >= 2 && seen[15] <= 4, "{seen:?}");
                    }
                }
                let soft = scope.statistics().unwrap().soft_limit_bytes;
                let roots = scope.statistics().unwrap().roots_bytes;
                assert!(number == 2 || roots >= 14 << 20, "{roots}");
                assert!(soft <= 16 << 20);
                // What was dropped asks for nothing, and neither does what takes its place.
                kept.clear();
                scope.collect(CollectionKind::Major).unwrap();
                let before = majors(scope);
                for _ in 0..16 {
                    drop(grow(scope, &heap, count / 4));
                    allocate(scope);
                }
                assert_eq!(majors(scope), before);
            })
            .unwrap();
    }
}

/// Growth of a stack of handles asks for major collections, too.
#[test]
fn a_stack_of_handles_asks_for_collections() {
    let mut config = HeapConfig::sized(16 << 20, 2);
    config.soft_limit_bytes = 4 << 20;
    config.new_space_bytes = 1 << 20;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let array = scope.new_array(1).unwrap();
            for round in 0..16 {
                (0..1 << 18).for_each(|_| _ = scope.handle(scope.get(array)));
                scope.nested(|scope| _ = scope.new_bytes(40_000).unwrap());
                let majors = scope.statistics().unwrap().collections_of(CollectionKind::Major);
                assert!(round > 1 || majors == 0, "{round}: {majors}");
                assert!(round < 4 || majors >= 1, "{round}: {majors}");
                assert!(majors <= 4, "{round}: {majors}");
            }
        })
        .unwrap();
}

/// The Rust allocator refuses: an error value where there is one, a panic that says so elsewhere, and nothing is lost.
#[test]
fn refused_memory_is_said() {
    let heap = heap();
    let mut thread = heap.attach().unwrap();
    let refused = heap.try_new_root_set(usize::MAX).unwrap_err().to_string();
    assert!(refused.contains("make several sets, of at most 268435456 slots"), "{refused}");
    assert!(panics(|| heap.new_root_set((1 << 28) + 1)).contains("268435457 slots are too many"));
    thread
        .run(|scope| {
            let array = scope.new_array(1).unwrap();
            let mut kept = Vec::with_capacity(1 << 20);
            LIMIT.set(TAKEN.get() + (64 << 10));
            let refused = loop {
                match scope.try_persist(array) {
                    Ok(persistent) => kept.push(persistent),
                    Err(refused) => break refused,
                }
            };
            let set = heap.try_new_root_set(1 << 20);
            LIMIT.set(isize::MAX);
            assert!(set.unwrap_err().to_string().contains("has no 4194304 bytes for more roots"));
            assert!(refused.to_string().contains("bytes for more roots"));
            assert!(kept.len() >= 1000, "{}", kept.len());
            kept.push(scope.persist(array));
            let opened = scope.open(kept.last().unwrap()).unwrap();
            assert_eq!(scope.get(opened).tagged(), scope.get(array).tagged());
        })
        .unwrap();
    // What makes a handle has no error value: it unwinds, and what is there stays.
    let mut opened = 0;
    let message = panics(|| {
        thread
            .run(|scope| {
                let array = scope.new_array(1).unwrap();
                REFUSES_BLOCKS.set(true);
                while opened < 10_000 {
                    _ = scope.handle(scope.get(array));
                    opened += 1;
                }
            })
            .unwrap();
    });
    REFUSES_BLOCKS.set(false);
    assert!(message.contains("bytes for more handles"), "{message}");
    assert!((1..255).contains(&opened), "{opened}: the block in use is filled");
    thread.run(|scope| (0..1000).for_each(|_| _ = scope.handle(scope.undefined()))).unwrap();
    assert!(heap.verify().unwrap().is_sound());
}

/// Handles are dropped wherever that may be: in another thread, in the near-limit callback, after the heap is gone.
#[test]
fn roots_may_be_dropped_anywhere() {
    let heap = heap();
    let mut thread = heap.attach().unwrap();
    let persist = |thread: &mut Attachment| {
        thread
            .run(|scope| {
                let array = scope.new_array(1).unwrap();
                (scope.persist(array), heap.new_root_set(3))
            })
            .unwrap()
    };
    let (there, parked, in_run, late) =
        (persist(&mut thread), persist(&mut thread), persist(&mut thread), persist(&mut thread));
    std::thread::spawn(move || drop(there)).join().unwrap();
    thread
        .run(|scope| {
            scope.park(|| {
                heap.collect(CollectionKind::Minor).unwrap();
                drop(parked);
            });
            drop(in_run);
        })
        .unwrap();
    let before = heap.statistics().unwrap().roots_bytes;
    assert!(before > 0);
    drop(thread);
    drop(heap);
    drop(late);
}
