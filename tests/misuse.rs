//! Goal: what the types cannot reject, the heap answers at run time: with an error value, at once, and stays usable.
//!
//! Method: each misuse is done once on a tiny, verified heap; then a program that uses everything runs on the same
//! heap, the verifier looks, and memory is counted. A misuse that could block runs against a clock.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{assert_usable, build, in_time, panics, settled_bytes, small, tiny, tiny_of, use_everything};
use heaplab::*;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Long enough for another thread to ask for a stop and wait for this one.
const A_MOMENT: Duration = Duration::from_millis(50);

/// Lets another thread ask for a collection and wait, while `f` runs in a scope that does not poll.
fn while_a_stop_waits(heap: &Heap, thread: &mut Attachment, f: impl FnOnce()) {
    let collector = heap.clone();
    let waiting = thread
        .run(|_| {
            let waiting = std::thread::spawn(move || collector.collect(CollectionKind::Major));
            std::thread::sleep(A_MOMENT);
            f();
            waiting
        })
        .unwrap();
    waiting.join().unwrap().unwrap();
}

// ---- running twice --------------------------------------------------------------------------------------------------

#[test]
fn run_inside_run_is_refused() {
    let (heap, other_heap) = (build(tiny()), build(tiny()));
    let (mut a, mut b, mut c) = (heap.attach().unwrap(), heap.attach().unwrap(), other_heap.attach().unwrap());
    a.run(|scope| {
        assert_eq!(b.run(|_| ()), Err(RunError::AlreadyRunning), "the same heap");
        assert_eq!(c.run(|_| ()), Err(RunError::AlreadyRunning), "another heap");
        use_everything(scope).unwrap();
    })
    .unwrap();
    for thread in [&mut a, &mut b] {
        assert_usable(&heap, thread);
    }
    assert_usable(&other_heap, &mut c);
}

/// Inside `park` a thread runs nothing, so it may run another local heap, of this heap or of another. Objects of the
/// two cannot meet: no reference lives over `park`, handles are branded, and roots know their heap.
#[test]
fn run_inside_park_is_allowed() {
    let (heap, other_heap) = (build(tiny()), build(tiny()));
    let (mut a, mut b, mut c) = (heap.attach().unwrap(), heap.attach().unwrap(), other_heap.attach().unwrap());
    let set = heap.new_root_set(1);
    a.run(|scope| {
        let array = scope.new_array(1).unwrap();
        scope.store(scope.get(array), 0, Ref::small(41).unwrap());
        let persistent = scope.persist(array);
        scope.park(|| {
            c.run(|inner| {
                assert_eq!(inner.open(&persistent).unwrap_err(), WrongHeap);
                assert!(WrongHeap.to_string().contains("the persistent handle or root set belongs to another heap"));
                assert_eq!(inner.load_root(&set, 0).unwrap_err(), WrongHeap);
                assert_eq!(inner.store_root(&set, 0, inner.null()), Err(WrongHeap));
                use_everything(inner).unwrap();
                inner.park(|| heap.collect(CollectionKind::MemoryReducing)).unwrap();
            })
            .unwrap();
            b.run(|inner| {
                let same = inner.open(&persistent).unwrap();
                inner.store(inner.get(same), 0, Ref::small(42).unwrap());
                use_everything(inner).unwrap();
            })
            .unwrap();
            assert_eq!(heap.collect(CollectionKind::Major), Ok(()), "parked, so nobody waits for this thread");
        });
        assert_eq!(scope.load(scope.get(array), 0).as_small(), Some(42));
        assert_eq!(b.run(|_| ()), Err(RunError::AlreadyRunning), "running again");
    })
    .unwrap();
    assert_usable(&heap, &mut a);
    assert_usable(&other_heap, &mut c);
}

/// A run that ends by a panic inside `park` of another run leaves both as they should be.
#[test]
fn a_panic_passes_through_park() {
    let (heap, other_heap) = (build(tiny()), build(tiny()));
    let (mut a, mut c) = (heap.attach().unwrap(), other_heap.attach().unwrap());
    a.run(|scope| {
        let array = scope.new_array(1).unwrap();
        panics(|| scope.park(|| c.run(|inner| inner.park(|| panic!("deep")))));
        assert_eq!(c.run(|_| ()), Err(RunError::AlreadyRunning), "running again");
        scope.collect(CollectionKind::Major).unwrap();
        assert_eq!(scope.len(scope.get(array)), 1);
    })
    .unwrap();
    assert_usable(&heap, &mut a);
    assert_usable(&other_heap, &mut c);
}

// ---- the heap's own methods inside `run` ----------------------------------------------------------------------------

/// Each method of the heap that would stop the world, or wait for a thread that does, is refused.
#[test]
fn stopping_from_outside_is_refused_inside() {
    let (heap, other_heap) = (build(tiny()), build(tiny()));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for heap in [&heap, &other_heap] {
                assert_eq!(heap.collect(CollectionKind::Minor), Err(StopError::InsideRun));
                assert_eq!(heap.verify().unwrap_err(), StopError::InsideRun);
                assert_eq!(heap.statistics().unwrap_err(), StopError::InsideRun);
                assert_eq!(heap.simulate_full_space(SpaceKind::Old), Err(StopError::InsideRun));
                assert_eq!(heap.set_concurrent_allocation(false), Err(FlagError::InsideRun));
                assert_eq!(heap.set_stress_concurrent_allocation(true), Err(FlagError::InsideRun));
                assert_eq!(heap.set_gc_interval(1), Err(FlagError::InsideRun));
                assert_eq!(heap.set_fail_allocation(Some(0)), Err(FlagError::InsideRun));
                let (_, error) = heap.clone().close().unwrap_err();
                assert_eq!(error, CloseError::InsideRun);
            }
            use_everything(scope).unwrap();
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

/// Attaching waits for a stop to end, and a stop waits for whoever runs: so attaching inside `run` is refused.
#[test]
fn attach_inside_run_is_refused() {
    in_time(|| {
        let (heap, other_heap) = (build(tiny()), build(tiny()));
        let mut thread = heap.attach().unwrap();
        while_a_stop_waits(&heap, &mut thread, || {
            for heap in [&heap, &other_heap] {
                assert_eq!(heap.attach().unwrap_err(), AttachError::InsideRun);
                assert_eq!(heap.attach_raw().unwrap_err(), AttachError::InsideRun);
            }
        });
        thread.run(|scope| scope.park(|| drop(heap.attach().unwrap()))).unwrap();
        assert_usable(&heap, &mut thread);
    });
}

/// Detaching needs the lock that attaching needs, but a drop cannot be refused: detaching is put off, and whoever
/// asks next finds it done.
#[test]
fn detach_inside_run_does_not_wait() {
    in_time(|| {
        let mut config = tiny();
        config.threads_max = 2;
        let (heap, other_heap) = (build(config), build(tiny()));
        let [mut thread, spare] = [heap.attach().unwrap(), heap.attach().unwrap()];
        while_a_stop_waits(&heap, &mut thread, || drop(spare));
        assert_eq!(heap.statistics().unwrap().attached, 1);
        let spare = heap.attach().expect("its place is free");
        while_a_stop_waits(&heap, &mut thread, || drop(spare));
        heap.set_concurrent_allocation(false).expect("one is left");
        heap.set_concurrent_allocation(true).unwrap();
        let spare = heap.attach().expect("its place is free");
        // Inside a run of another heap, too.
        let mut other_thread = other_heap.attach().unwrap();
        while_a_stop_waits(&other_heap, &mut other_thread, || drop(spare));
        assert_usable(&heap, &mut thread);
        let spare = heap.attach().expect("its place is free");
        while_a_stop_waits(&heap, &mut thread, || drop(spare));
        drop(thread);
        assert!(heap.close().unwrap().is_sound());
    });
}

/// A heap whose last reference is dropped inside a run of another one.
#[test]
fn a_heap_dropped_inside_run_of_another() {
    in_time(|| {
        let (heap, other_heap) = (build(tiny()), build(tiny()));
        let mut thread = heap.attach().unwrap();
        let other_thread = other_heap.attach().unwrap();
        thread
            .run(|scope| {
                drop(other_heap);
                drop(other_thread);
                use_everything(scope).unwrap();
            })
            .unwrap();
        assert_usable(&heap, &mut thread);
    });
}

// ---- attaching ------------------------------------------------------------------------------------------------------

#[test]
fn a_second_attach_without_concurrent_allocation_is_refused() {
    let mut config = tiny();
    config.concurrent_allocation = false;
    let heap = build(config);
    let first = heap.attach().unwrap();
    assert_eq!(heap.attach().unwrap_err(), AttachError::ConcurrentAllocationOff);
    assert_eq!(
        heap.set_stress_concurrent_allocation(true),
        Err(FlagError::Attach(AttachError::ConcurrentAllocationOff))
    );
    drop(first);
    let mut second = heap.attach().expect("the place is free again");
    heap.set_concurrent_allocation(true).unwrap();
    let mut third = heap.attach().expect("switched on");
    for thread in [&mut second, &mut third] {
        assert_usable(&heap, thread);
    }
}

#[test]
fn switching_off_while_several_are_attached_is_refused() {
    let heap = build(tiny());
    let (a, mut b) = (heap.attach().unwrap(), heap.attach().unwrap());
    assert_eq!(heap.set_concurrent_allocation(false), Err(FlagError::SeveralAttached { attached: 2 }));
    assert!(heap.attach().is_ok(), "still on");
    drop(a);
    assert_eq!(heap.set_concurrent_allocation(false), Ok(()));
    assert_usable(&heap, &mut b);
}

#[test]
fn more_threads_than_configured_are_refused() {
    let heap = build(tiny());
    let threads_max = heap.config().threads_max;
    let mut threads: Vec<Attachment> = (0..threads_max).map(|_| heap.attach().unwrap()).collect();
    assert_eq!(heap.attach().unwrap_err(), AttachError::TooManyThreads { threads_max });
    for thread in &mut threads {
        assert_usable(&heap, thread);
    }
    threads.pop();
    assert!(heap.attach().is_ok());
}

/// Attaching and switching off cannot pass each other: never are several attached while the flag is off.
#[test]
fn attach_and_switching_off_do_not_pass_each_other() {
    let heap = build(tiny());
    let (off_while_several, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop(heap.attach());
                }
            });
        }
        for _ in 0..if cfg!(miri) { 20 } else { 2000 } {
            if heap.set_concurrent_allocation(false).is_ok() {
                let attached = heap.statistics().unwrap().attached;
                off_while_several.fetch_add(usize::from(attached > 1), Ordering::Relaxed);
            }
            heap.set_concurrent_allocation(true).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(off_while_several.into_inner(), 0);
}

// ---- ending ---------------------------------------------------------------------------------------------------------

#[test]
fn a_heap_dropped_under_its_threads_lives_on() {
    let heap = build(tiny());
    let (mut a, b) = (heap.attach().unwrap(), heap.attach().unwrap());
    drop(heap);
    a.run(use_everything).unwrap().unwrap();
    drop(a);
    drop(b);
}

#[test]
fn close_with_attached_threads_hands_the_heap_back() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    let (heap, error) = heap.close().unwrap_err();
    assert_eq!(error, CloseError::Attached { attached: 1 });
    assert_usable(&heap, &mut thread);
    drop(thread);
    assert!(heap.close().unwrap().is_sound());
}

/// A forgotten attachment is a parked record: no stop waits for it, and it holds no memory.
#[test]
fn a_forgotten_attachment_holds_nothing_up() {
    let heap = build(tiny());
    let mut forgotten = heap.attach().unwrap();
    forgotten.run(|scope| _ = scope.new_array(8).unwrap()).unwrap();
    std::mem::forget(forgotten);
    let mut thread = heap.attach().unwrap();
    assert_usable(&heap, &mut thread);
    heap.collect(CollectionKind::Major).unwrap();
    thread.run(|scope| assert_eq!(scope.verify().unwrap().objects, 11, "the built-in ones")).unwrap();
}

/// The background thread keeps no heap alive, and ends when it is switched off, from inside `park` too.
#[test]
fn the_stress_thread_ends() {
    in_time(|| {
        let heap = build(small());
        heap.set_stress_concurrent_allocation(true).unwrap();
        heap.set_stress_concurrent_allocation(true).expect("on already");
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                use_everything(scope).unwrap();
                scope.park(|| heap.set_stress_concurrent_allocation(false)).unwrap();
                use_everything(scope).unwrap();
            })
            .unwrap();
        assert_eq!(heap.statistics().unwrap().attached, 1);
        heap.set_stress_concurrent_allocation(true).unwrap();
        drop(thread);
        assert!(heap.close().unwrap().is_sound());
    });
}

/// While it is on, the background thread allocates, beside whoever else does.
#[test]
fn the_stress_thread_allocates() {
    in_time(|| {
        let heap = build(small());
        heap.set_stress_concurrent_allocation(true).unwrap();
        let attempts = || heap.statistics().unwrap().allocation.attempts;
        while attempts() == 0 {
            std::thread::yield_now();
        }
        heap.set_stress_concurrent_allocation(false).unwrap();
        let ended = attempts();
        assert_eq!(attempts(), ended);
    });
}

// ---- roots that belong to no thread ---------------------------------------------------------------------------------

#[test]
fn roots_outlive_their_heap() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    let set = heap.new_root_set(2);
    let persistent = thread
        .run(|scope| {
            let array = scope.new_array(1).unwrap();
            scope.store_root(&set, 0, scope.get(array).into()).unwrap();
            scope.persist(array)
        })
        .unwrap();
    drop(thread);
    drop(heap);
    // A heap at the same place must not be taken for the one that is gone.
    let new_heap = build(tiny());
    let mut thread = new_heap.attach().unwrap();
    thread
        .run(|scope| {
            assert_eq!(scope.open(&persistent).unwrap_err(), WrongHeap);
            assert_eq!(scope.load_root(&set, 0).unwrap_err(), WrongHeap);
        })
        .unwrap();
    drop(persistent);
    assert_eq!(set.len(), 2);
    assert_usable(&new_heap, &mut thread);
}

/// Roots dropped while their heap is being stopped over and over by another thread.
#[test]
fn roots_are_dropped_at_any_time() {
    let heap = build(tiny());
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                heap.collect(CollectionKind::Minor).unwrap();
            }
        });
        let mut thread = heap.attach().unwrap();
        for _ in 0..if cfg!(miri) { 10 } else { 500 } {
            let set = heap.new_root_set(1);
            let persistent = thread
                .run(|scope| {
                    let array = scope.new_array(3).unwrap();
                    scope.store_root(&set, 0, scope.get(array).into()).unwrap();
                    scope.persist(array)
                })
                .unwrap();
            thread
                .run(|scope| {
                    let array = scope.open(&persistent).unwrap();
                    assert_eq!(scope.len(scope.get(array)), 3);
                    assert_eq!(scope.load_root(&set, 0).unwrap(), scope.get(array));
                })
                .unwrap();
            drop((persistent, set));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(settled_bytes(&heap), settled_bytes(&build(tiny())), "nothing is kept");
}

// ---- panics ---------------------------------------------------------------------------------------------------------

/// A panic in any closure that the heap calls closes what was open: handles, scopes, the run, the reserve.
#[test]
fn a_panic_in_a_closure_leaves_nothing_open() {
    let heap = build(tiny_of(24));
    let mut thread = heap.attach().unwrap();
    let settled = settled_bytes(&heap);
    type Program = fn(&mut Scope<'_, 'static>);
    let programs: [(&str, Program); 7] = [
        ("run", |_| panic!("boom")),
        ("nested", |s| s.nested(|_| panic!("boom"))),
        ("escape", |s| _ = s.escape::<Array>(|_| panic!("boom"))),
        ("always_allocate", |s| _ = s.always_allocate::<()>(Reserve::one_of_each(200), |_| panic!("boom"))),
        ("always_allocate twice", |s| {
            _ = s.always_allocate(Reserve::one_of_each(200), |s| {
                _ = s.new_array(4).unwrap();
                s.always_allocate::<()>(Reserve::one_of_each(200), |s| {
                    _ = s.new_array_in(40, AllocationType::Old).unwrap();
                    panic!("boom")
                })
            });
        }),
        ("park", |s| s.park(|| panic!("boom"))),
        ("park inside always_allocate inside nested", |s| {
            s.nested(|s| _ = s.always_allocate(Reserve::one_of_each(200), |s| s.park(|| panic!("boom"))));
        }),
    ];
    for (name, program) in programs {
        for catch_inside in [false, true] {
            if catch_inside {
                thread
                    .run(|scope| {
                        let kept = scope.new_array(2).unwrap();
                        scope.store(scope.get(kept), 1, Ref::small(7).unwrap());
                        let text = panics(|| program(scope));
                        assert_eq!(text, "boom", "{name}");
                        assert_eq!(scope.load(scope.get(kept), 1).as_small(), Some(7), "{name}");
                        use_everything(scope).unwrap();
                        assert_eq!(scope.load(scope.get(kept), 1).as_small(), Some(7), "{name}");
                    })
                    .unwrap();
            } else {
                let text = panics(|| {
                    thread.run(|scope| {
                        _ = scope.new_array(6).unwrap();
                        program(scope);
                    })
                });
                assert_eq!(text, "boom", "{name}");
            }
            assert_usable(&heap, &mut thread);
            assert_eq!(settled_bytes(&heap), settled, "{name}: the reserve went back");
        }
    }
}

/// Reading or writing out of range panics, and does nothing else.
#[test]
fn an_index_out_of_range_panics_and_no_more() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    let set = heap.new_root_set(1);
    thread
        .run(|scope| {
            let array = scope.new_array(2).unwrap();
            let bytes = scope.new_bytes(3).unwrap();
            let code = scope.new_code(3).unwrap();
            let map = scope.new_map(Shape::new(16, 4, 2, Tail::None).unwrap()).unwrap();
            let record = scope.new_record(map).unwrap();
            let tagged_map = scope.new_map(Shape::new(17, 3, 1, Tail::Tagged).unwrap()).unwrap();
            let tagged = scope.new_record_in(tagged_map, 2, AllocationType::Old).unwrap();
            let byte_map = scope.new_map(Shape::new(18, 2, 1, Tail::Bytes).unwrap()).unwrap();
            let tail = scope.new_record_in(byte_map, 3, AllocationType::Young).unwrap();
            let null = || scope.null();
            for index in [2, 3, 1 << 30, usize::MAX / 4, usize::MAX] {
                panics(|| scope.load(scope.get(array), index));
                panics(|| scope.store(scope.get(array), index, null()));
                panics(|| scope.load_field(scope.get(record), index));
                panics(|| scope.store_field(scope.get(record), index, null()));
                panics(|| scope.load_raw(scope.get(record), index));
                panics(|| scope.store_raw(scope.get(record), index, 1));
                panics(|| scope.load_element(scope.get(tagged), index));
                panics(|| scope.store_element(scope.get(tagged), index, null()));
                panics(|| scope.load_element(scope.get(record), index - 2));
                panics(|| scope.load_element(scope.get(tail), index - 2));
                panics(|| scope.load_map_slot(scope.get(map), index.saturating_add(2)));
                panics(|| scope.store_map_slot(scope.get(map), index.saturating_add(2), null()));
                panics(|| scope.load_root(&set, index));
                panics(|| scope.store_root(&set, index, null()));
            }
            for (start, count) in [(0, 4), (3, 1), (4, 0), (usize::MAX, 2), (usize::MAX, 1)] {
                let (data, mut out) = (vec![1; count], vec![1; count]);
                panics(|| scope.read_bytes(scope.get(bytes), start, &mut out));
                panics(|| scope.write_bytes(scope.get(bytes), start, &data));
                panics(|| scope.read_code(scope.get(code), start, &mut out));
                panics(|| scope.write_code(scope.get(code), start, &data));
                panics(|| scope.read_tail(scope.get(tail), start, &mut out));
                panics(|| scope.write_tail(scope.get(tail), start, &data));
            }
            // The wrong kind of tail, and words that are not the caller's to write.
            panics(|| scope.write_tail(scope.get(tagged), 0, &[1]));
            panics(|| scope.write_tail(scope.get(record), 0, &[1]));
            panics(|| scope.store_field(scope.get(tagged), 0, Ref::small(1000).unwrap()));
            panics(|| scope.store_field(scope.get(tail), 0, Ref::small(1000).unwrap()));
            let built_in = scope.map(scope.get(array).into()).unwrap();
            panics(|| scope.store_map_slot(built_in, 0, null()));
            assert_eq!(scope.tail_len(scope.get(tagged)), 2);
            assert_eq!(scope.tail_len(scope.get(tail)), 3);
            let mut empty = [];
            scope.read_bytes(scope.get(bytes), 3, &mut empty);
            assert!(scope.verify().unwrap().is_sound());
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

/// Stops that happen while a thread unwinds, in a destructor, are not stops that panicked.
#[test]
fn a_stop_in_a_destructor_during_a_panic_does_not_poison() {
    struct CollectsWhenDropped<'a>(&'a Heap, RefCell<Attachment>);
    impl Drop for CollectsWhenDropped<'_> {
        fn drop(&mut self) {
            self.0.collect(CollectionKind::Major).unwrap();
            self.1.get_mut().run(|scope| scope.collect(CollectionKind::Minor).unwrap()).unwrap();
        }
    }
    let heap = build(tiny());
    let collects = CollectsWhenDropped(&heap, RefCell::new(heap.attach().unwrap()));
    panics(move || {
        let _collects = collects;
        panic!("elsewhere");
    });
    let mut thread = heap.attach().expect("not poisoned");
    assert_usable(&heap, &mut thread);
}

/// A stop in a destructor of what the closure of `park` owns, while that unwinds, does not poison either.
#[test]
fn a_stop_during_a_panic_inside_park_does_not_poison() {
    struct Collects<'a>(&'a Heap);
    impl Drop for Collects<'_> {
        fn drop(&mut self) {
            self.0.collect(CollectionKind::Major).unwrap();
        }
    }
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let kept = scope.new_array(3).unwrap();
            panics(|| {
                scope.park(|| {
                    let _collects = Collects(&heap);
                    panic!("elsewhere");
                })
            });
            assert_eq!(scope.len(scope.get(kept)), 3);
            use_everything(scope).unwrap();
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}
