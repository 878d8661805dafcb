//! Goal: at the limits of a heap - near-limit callback, hard limit, reserves - what is promised is kept, whatever the
//! embedder answers and whatever other threads do.
//!
//! Method: tiny, verified heaps are filled to the last page; requests and retries are counted.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{assert_sound, assert_usable, build, fill, in_time, panics, settled_bytes, tiny, tiny_of};
use heaplab::*;
use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

// ---- the near-limit callback ----------------------------------------------------------------------------------------

#[test]
fn a_callback_that_unwinds_unwinds_the_request() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    for ty in [AllocationType::Young, AllocationType::Old] {
        heap.set_near_limit_callback(Some(Box::new(|_| panic!("callback"))));
        assert_eq!(panics(|| thread.run(|scope| fill(scope, ty))), "callback");
        thread.run(|scope| assert_eq!(panics(|| fill(scope, ty)), "callback")).unwrap();
        heap.set_near_limit_callback(None);
        let (count, error) = thread.run(|scope| fill(scope, ty)).unwrap();
        assert!(count > 10, "the flag of the callback is reset");
        assert!(matches!(error, AllocError::OutOfMemory { .. }));
        assert_usable(&heap, &mut thread);
    }
}

/// Whatever the callback answers - less, nothing, something absurd - the hard limit never falls, and never passes
/// what is reserved.
#[test]
fn a_callback_answers_anything() {
    let mut config = tiny();
    config.hard_limit_bytes_max = 24 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    let hard = || heap.statistics().unwrap().hard_limit_bytes;
    for answer in [0, 1, 16 * 128 - 1, 16 * 128] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        heap.set_near_limit_callback(Some(Box::new(move |near: NearLimit| {
            seen.lock().unwrap().push(near);
            answer
        })));
        let (_, error) = thread.run(|scope| fill(scope, AllocationType::Old)).unwrap();
        assert!(matches!(error, AllocError::OutOfMemory { .. }));
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 1, "once for a request");
        assert_eq!(asked[0].hard_limit_bytes, 16 * 128);
        assert_eq!(asked[0].hard_limit_bytes_max, 24 * 128);
        assert!(asked[0].committed_bytes <= 16 * 128);
        assert_eq!(hard(), 16 * 128);
        assert_usable(&heap, &mut thread);
    }
    let (before, _) = thread.run(|scope| fill(scope, AllocationType::Old)).unwrap();
    heap.set_near_limit_callback(Some(Box::new(|near| near.hard_limit_bytes + 4 * 128)));
    let (after, _) = thread.run(|scope| fill(scope, AllocationType::Old)).unwrap();
    assert!(after > before, "the request that raised the limit succeeded, and more did");
    heap.set_near_limit_callback(Some(Box::new(|_| usize::MAX)));
    thread.run(|scope| _ = fill(scope, AllocationType::Old)).unwrap();
    assert_eq!(hard(), 24 * 128);
    assert_usable(&heap, &mut thread);
}

/// What the callback may not do fails as a value; it may drop roots, which makes room.
#[test]
fn a_callback_uses_the_heap() {
    in_time(|| {
        thread_local!(static SPARE: RefCell<Option<Attachment>> = const { RefCell::new(None) });
        let heap = build(tiny());
        let mut thread = heap.attach().unwrap();
        SPARE.set(Some(heap.attach().unwrap()));
        let cache = Arc::new(Mutex::new(Vec::<Persistent<Array>>::new()));
        let (inner, dropped) = (heap.clone(), Arc::clone(&cache));
        let calls = Arc::new(AtomicUsize::new(0));
        let called = Arc::clone(&calls);
        heap.set_near_limit_callback(Some(Box::new(move |near| {
            called.fetch_add(1, Ordering::Relaxed);
            assert_eq!(inner.collect(CollectionKind::Major), Err(StopError::InsideRun));
            assert_eq!(inner.attach().unwrap_err(), AttachError::InsideRun);
            SPARE.with_borrow_mut(|spare| {
                assert_eq!(spare.as_mut().unwrap().run(|_| ()), Err(RunError::AlreadyRunning));
            });
            inner.set_near_limit_callback(None);
            dropped.lock().unwrap().clear();
            near.hard_limit_bytes
        })));
        thread
            .run(|scope| {
                while calls.load(Ordering::Relaxed) == 0 {
                    let array = scope.nested(|scope| {
                        let array = scope.new_array_in(4, AllocationType::Old).expect("the callback makes room");
                        scope.persist(array)
                    });
                    cache.lock().unwrap().push(array);
                }
            })
            .unwrap();
        assert_eq!(cache.lock().unwrap().len(), 1, "only the last request's");
        cache.lock().unwrap().clear();
        SPARE.set(None);
        assert_usable(&heap, &mut thread);
        assert!(heap.statistics().unwrap().requests > 0);
    });
}

// ---- reserves -------------------------------------------------------------------------------------------------------

#[test]
fn an_absurd_reserve_is_refused() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    let settled = settled_bytes(&heap);
    let none = Reserve::NONE;
    let absurd = [
        Reserve { young_pages: usize::MAX, ..none },
        Reserve { old_pages: usize::MAX, map_pages: usize::MAX, ..none },
        Reserve { old_pages: 16, map_pages: 16, ..none },
        Reserve { code_pages: 15, ..none },
        Reserve { large_bytes: usize::MAX, ..none },
        Reserve { large_bytes: usize::MAX - 7, young_pages: 1, ..none },
        Reserve { large_bytes: 16 * 128, ..none },
    ];
    for reserve in absurd {
        let result = thread.run(|scope| scope.always_allocate(reserve, |_| ())).unwrap();
        assert!(
            matches!(result, Err(AllocError::TooLarge { .. } | AllocError::OutOfMemory { .. })),
            "{reserve:?}: {result:?}"
        );
        assert_usable(&heap, &mut thread);
        assert_eq!(settled_bytes(&heap), settled, "{reserve:?}");
    }
}

/// An inner scope uses its own reserve up before it touches the outer one's.
#[test]
fn the_outer_reserve_is_the_last_to_go() {
    let heap = build(tiny_of(24));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let outer = Reserve { large_bytes: 5 * 128, ..Reserve::NONE };
            let inner = Reserve { large_bytes: 128, ..Reserve::NONE };
            scope
                .always_allocate(outer, |scope| {
                    scope
                        .always_allocate(inner, |scope| {
                            _ = scope.nested(|scope| fill_large(scope));
                        })
                        .unwrap();
                })
                .unwrap();
            scope
                .always_allocate(outer, |scope| {
                    let keep = scope.always_allocate(inner, |scope| {
                        // Everything that is free goes, then exactly one object of one page comes out of a reserve.
                        scope.simulate_full_space(SpaceKind::Large).unwrap();
                        let before = scope.own_requests();
                        _ = scope.new_bytes(100).unwrap();
                        assert_eq!(scope.own_requests(), before);
                    });
                    keep.unwrap();
                    scope.simulate_full_space(SpaceKind::Large).unwrap();
                    let before = scope.own_requests();
                    _ = scope.new_bytes(5 * 128 - 8).unwrap();
                    assert_eq!(scope.own_requests(), before, "the outer reserve is whole");
                })
                .unwrap();
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

fn fill_large(scope: &mut Scope<'_, '_>) -> usize {
    (0..).take_while(|_| scope.new_bytes(100).is_ok()).count()
}

/// What is promised holds against a rival that stops the world and takes all it can get: a page of the reserve for each
/// object, and each allocation succeeds at its first attempt.
#[test]
fn a_rival_does_not_eat_the_reserve() {
    in_time(|| {
        const ROUNDS: usize = 3;
        let heap = build(tiny_of(32));
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                let pages = ROUNDS;
                let reserve = Reserve {
                    young_pages: pages,
                    old_pages: pages,
                    map_pages: pages,
                    code_pages: pages,
                    large_bytes: 0,
                };
                scope
                    .always_allocate(reserve, |scope| {
                        for _ in 0..ROUNDS {
                            for ty in AllocationType::ALL {
                                scope.park(|| be_greedy(&heap));
                                let before = scope.own_requests();
                                let result = match ty {
                                    AllocationType::Map => {
                                        scope.new_map(Shape::new(16, 2, 1, Tail::None).unwrap()).map(Handle::any)
                                    }
                                    _ => scope.new_array_in(4, ty).map(Handle::any),
                                };
                                assert!(result.is_ok(), "{ty:?}");
                                assert_eq!(scope.own_requests(), before, "{ty:?}");
                            }
                        }
                    })
                    .unwrap();
            })
            .unwrap();
        assert_sound(&heap);
    });
}

/// Another thread allocates old objects, code and young objects until nothing is left, and stays attached until then.
fn be_greedy(heap: &Heap) {
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let mut thread = heap.attach().unwrap();
            thread
                .run(|scope| {
                    for ty in [AllocationType::Old, AllocationType::Code, AllocationType::Young] {
                        let (_, error) = fill(scope, ty);
                        assert!(matches!(error, AllocError::OutOfMemory { .. }));
                    }
                })
                .unwrap();
        });
    });
}

// ---- the ladder -----------------------------------------------------------------------------------------------------

/// The soft limit asks for a collection, which is all that is needed while there is garbage.
#[test]
fn garbage_is_collected_at_the_soft_limit() {
    let mut config = tiny_of(40);
    config.soft_limit_bytes = 12 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let requests = if cfg!(miri) { 100 } else { 2000 };
            for _ in 0..requests {
                scope.nested(|scope| _ = scope.new_array_in(12, AllocationType::Old).unwrap());
                assert!(scope.soft_bytes_available() <= 12 * 128);
            }
        })
        .unwrap();
    let statistics = heap.statistics().unwrap();
    assert!(statistics.committed_bytes <= 12 * 128, "the hard limit was never needed: {statistics:?}");
    assert!(statistics.retries > 0);
    assert_eq!(statistics.collections_of(CollectionKind::Minor), 0, "which cannot help");
}

/// What was dropped can be had again, however often requests have failed, and though collections count as thrashing.
#[test]
fn memory_that_was_dropped_can_be_had_again() {
    let heap = build(tiny_of(24));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for round in 0..3 {
                for ty in [AllocationType::Old, AllocationType::Young, AllocationType::Code] {
                    let most = scope.nested(|scope| {
                        let mut count = 0;
                        while scope.new_array_in(12, ty).is_ok() {
                            count += 1;
                        }
                        // Fail again and again, so that collections count as thrashing.
                        for _ in 0..12 {
                            let error = scope.new_array_in(12, ty).unwrap_err();
                            assert_eq!(error, AllocError::OutOfMemory { allocation_type: ty, size_bytes: 56 });
                            assert!(scope.new_bytes(130).is_err(), "large, too");
                        }
                        count
                    });
                    assert!(most > 20, "{round} {ty:?}: {most}");
                    // All of it is garbage now, and one request at a time finds that out.
                    scope.nested(|scope| {
                        for i in 0..most - 2 {
                            assert!(scope.new_array_in(12, ty).is_ok(), "{round} {ty:?}: {i} of {most}");
                        }
                    });
                    scope.nested(|scope| _ = scope.new_bytes(5 * 128).unwrap());
                }
            }
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

/// The last resort: the callback drops what it caches, and the request that nothing else could serve succeeds.
#[test]
fn the_last_resort_serves_what_a_callback_freed() {
    for ty in [AllocationType::Young, AllocationType::Old, AllocationType::Code] {
        let heap = build(tiny_of(24));
        let mut thread = heap.attach().unwrap();
        let cache = heap.new_root_set(1);
        let calls = Arc::new(AtomicUsize::new(0));
        let cell = Mutex::new(None);
        thread
            .run(|scope| {
                let cached = scope.new_bytes(6 * 128).unwrap();
                *cell.lock().unwrap() = Some(scope.persist(cached));
            })
            .unwrap();
        let called = Arc::clone(&calls);
        heap.set_near_limit_callback(Some(Box::new(move |near| {
            called.fetch_add(1, Ordering::Relaxed);
            cell.lock().unwrap().take();
            near.hard_limit_bytes
        })));
        let (first, error) = thread.run(|scope| fill(scope, ty)).unwrap();
        assert!(matches!(error, AllocError::OutOfMemory { .. }), "in the end");
        assert_eq!(calls.load(Ordering::Relaxed), 2, "once when there was something to free, once when not");
        assert!(first > 24, "{ty:?}: {first}");
        drop(cache);
        assert_usable(&heap, &mut thread);
    }
}

/// Threads that run out together: memory or an error value for each, never a hang, never beyond the limit.
#[test]
fn threads_run_out_of_memory_together() {
    in_time(|| {
        let heap = build(tiny_of(24));
        std::thread::scope(|threads| {
            for thread in 0..3 {
                let heap = &heap;
                threads.spawn(move || {
                    let mut local = heap.attach().unwrap();
                    for round in 0..if cfg!(miri) { 1 } else { 40 } {
                        let ty =
                            [AllocationType::Old, AllocationType::Young, AllocationType::Code][(thread + round) % 3];
                        let (_, error) = local.run(|scope| fill(scope, ty)).unwrap();
                        assert!(matches!(error, AllocError::OutOfMemory { .. }));
                    }
                });
            }
        });
        assert_usable(&heap, &mut heap.attach().unwrap());
    });
}

/// The heap's own thread never calls the embedder's callback, so a callback that panics anywhere but here cannot end
/// that thread between running and parked.
#[test]
fn internal_threads_never_call_the_callback() {
    in_time(|| {
        let heap = build(tiny());
        let here = std::thread::current().id();
        let elsewhere = Arc::new(AtomicUsize::new(0));
        let called = Arc::clone(&elsewhere);
        heap.set_near_limit_callback(Some(Box::new(move |near| {
            if std::thread::current().id() != here {
                called.fetch_add(1, Ordering::Relaxed);
                panic!("called on another thread");
            }
            near.hard_limit_bytes
        })));
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                while scope.new_array_in(4, AllocationType::Old).is_ok() {}
                scope.park(|| {
                    heap.set_stress_concurrent_allocation(true).unwrap();
                    // The stress thread collects whenever it is refused, so after these requests it has climbed its
                    // ladder.
                    let before = heap.statistics().unwrap().requests;
                    while heap.statistics().unwrap().requests < before + 12 {
                        std::thread::yield_now();
                    }
                    heap.collect(CollectionKind::Major).unwrap();
                    heap.set_stress_concurrent_allocation(false).unwrap();
                });
            })
            .unwrap();
        heap.set_near_limit_callback(None);
        assert_eq!(elsewhere.load(Ordering::Relaxed), 0);
        drop(thread);
        assert_usable(&heap, &mut heap.attach().unwrap());
    });
}

/// A callback unwinds through the raw API, where no guard parks: a local heap that is dropped while its thread
/// unwinds is parked.
#[test]
fn a_callback_that_unwinds_through_the_raw_api_leaves_a_usable_heap() {
    in_time(|| {
        let heap = build(tiny());
        heap.set_near_limit_callback(Some(Box::new(|_| panic!("callback"))));
        let message = panics(|| {
            let local = heap.attach_raw().unwrap();
            // SAFETY: running, formatted at once, and nothing is held over a request.
            unsafe {
                local.unpark();
                loop {
                    let at = local.allocate_raw(32, AllocationType::Old, AllocationOrigin::Runtime, 8).unwrap();
                    local.view().write(at, raw::Root::ByteArrayMap.tagged().bits());
                    local.view().write(at.word(1), 24 << 1);
                    let _ = local.push_handle(Tagged::reference(at));
                }
            }
        });
        assert_eq!(message, "callback");
        heap.collect(CollectionKind::Major).unwrap();
        heap.set_near_limit_callback(None);
        assert_usable(&heap, &mut heap.attach().unwrap());
    });
}

// ---- answers, and limits that move ----------------------------------------------------------------------------------

/// What the old callback holds is dropped with no lock held, so the drop may set another callback.
#[test]
fn a_callback_is_dropped_outside_of_the_lock() {
    struct Again(Heap);
    impl Drop for Again {
        fn drop(&mut self) {
            self.0.set_near_limit_callback(None);
        }
    }
    in_time(|| {
        let heap = build(tiny());
        let again = Again(heap.clone());
        heap.set_near_limit_callback(Some(Box::new(move |near| {
            let _ = &again;
            near.hard_limit_bytes
        })));
        heap.set_near_limit_callback(Some(Box::new(|near| near.hard_limit_bytes)));
        assert_usable(&heap, &mut heap.attach().unwrap());
    });
}

/// A closure that holds its heap is a cycle, which `close` breaks.
#[test]
fn close_breaks_the_cycle_of_a_callback_that_holds_its_heap() {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    for round in 1..=20 {
        let heap = build(tiny());
        let (held, witness) = (heap.clone(), Dropped(Arc::clone(&dropped)));
        heap.set_near_limit_callback(Some(Box::new(move |near| {
            let _ = (&held, &witness);
            near.hard_limit_bytes
        })));
        assert!(heap.close().unwrap().is_sound());
        assert_eq!(dropped.load(Ordering::Relaxed), round);
    }
}

/// What an answer came to is counted: a raise of less than a page is a page, and one that changes nothing is none.
#[test]
fn answers_are_rounded_up_and_counted() {
    let mut config = tiny();
    config.hard_limit_bytes_max = 18 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    let counted = || {
        let statistics = heap.statistics().unwrap();
        (statistics.near_limit_calls, statistics.near_limit_raises, statistics.hard_limit_bytes / 128)
    };
    let mut fill_with = |answer: fn(NearLimit) -> usize| {
        heap.set_near_limit_callback(Some(Box::new(answer)));
        thread.run(|scope| _ = fill(scope, AllocationType::Old)).unwrap();
    };
    assert_eq!(counted(), (0, 0, 16));
    fill_with(|near| near.hard_limit_bytes);
    assert_eq!(counted(), (1, 0, 16));
    fill_with(|near| if near.hard_limit_bytes == 16 * 128 { near.hard_limit_bytes + 1 } else { 0 });
    assert_eq!(counted(), (3, 1, 17), "a byte more is a page more");
    fill_with(|near| near.hard_limit_bytes + 1);
    assert_eq!(counted(), (5, 2, 18), "up to what is reserved");
    fill_with(|_| usize::MAX);
    assert_eq!(counted(), (6, 2, 18), "no more is reserved");
}

/// The hard limit goes down to what fits, never below what the configuration needs, and up to what is reserved.
#[test]
fn the_hard_limit_is_set_at_run_time() {
    let mut config = tiny();
    config.hard_limit_bytes_max = 24 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    // Two pages for each of three threads, and two more.
    let bytes_min = 8 * 128;
    let hard = || heap.statistics().unwrap().hard_limit_bytes;
    assert_eq!(heap.set_hard_limit(bytes_min - 1), Err(LimitError::TooLow { bytes: bytes_min - 1, bytes_min }));
    assert_eq!(heap.set_hard_limit(25 * 128), Err(LimitError::TooHigh { bytes: 25 * 128, bytes_max: 24 * 128 }));
    assert_eq!(heap.set_hard_limit(24 * 128 + 127), Ok(24 * 128));
    assert_eq!(hard(), 24 * 128);
    let kept = thread
        .run(|scope| {
            // Live large objects: 12 pages that stay. Garbage: what fits beside them.
            let kept: Vec<_> = (0..6)
                .map(|_| {
                    let bytes = scope.new_bytes_in(200, AllocationType::Old).unwrap();
                    scope.persist(bytes)
                })
                .collect();
            scope.nested(|scope| (0..4).for_each(|_| _ = scope.new_bytes(100).unwrap()));
            kept
        })
        .unwrap();
    let before = heap.statistics().unwrap();
    let settled = settled_bytes(&heap);
    assert!(settled > bytes_min && settled < 20 * 128, "{settled}");
    assert_eq!(heap.set_hard_limit(bytes_min), Err(LimitError::DoesNotFit { committed_bytes: settled }));
    assert_eq!(hard(), 24 * 128, "as it was");
    assert_eq!(heap.set_hard_limit(settled), Ok(settled), "to the page");
    assert_eq!(heap.statistics().unwrap().committed_bytes, settled);
    assert!(heap.statistics().unwrap().soft_limit_bytes <= settled);
    thread.run(|scope| assert!(scope.new_bytes(100).is_err(), "not a page more")).unwrap();
    drop(kept);
    assert_eq!(heap.set_hard_limit(bytes_min), Ok(bytes_min), "collected in the stop, as is needed");
    assert_eq!(heap.set_hard_limit(16 * 128), Ok(16 * 128));
    assert!(heap.statistics().unwrap().collections_of(CollectionKind::MemoryReducing) > before.collections[2]);
    thread.run(|_| assert_eq!(heap.set_hard_limit(16 * 128), Err(LimitError::Stop(StopError::InsideRun)))).unwrap();
    assert_usable(&heap, &mut thread);
}

/// A limit that the callback raised comes back, if that is configured, with the first major collection that leaves
/// room.
#[test]
fn a_raised_limit_comes_back() {
    for restore in [false, true] {
        let mut config = tiny();
        config.hard_limit_bytes_max = 24 * 128;
        config.restore_hard_limit = restore;
        let heap = build(config);
        let mut thread = heap.attach().unwrap();
        let pages = || heap.statistics().unwrap().hard_limit_bytes / 128;
        heap.set_near_limit_callback(Some(Box::new(|near| near.hard_limit_bytes_initial + 4 * 128)));
        let (while_full, after_major) = thread
            .run(|scope| {
                scope.nested(|scope| {
                    while scope.new_array_in(12, AllocationType::Old).is_ok() {}
                    scope.collect(CollectionKind::Major).unwrap();
                    let while_full = scope.statistics().unwrap().hard_limit_bytes / 128;
                    (while_full, scope.collect(CollectionKind::Major))
                })
            })
            .unwrap();
        assert_eq!((while_full, after_major), (20, Ok(())), "it does not fit yet");
        heap.collect(CollectionKind::Minor).unwrap();
        assert_eq!(pages(), 20, "a minor collection says nothing of old objects");
        heap.collect(CollectionKind::MemoryReducing).unwrap();
        assert_eq!(pages(), if restore { 16 } else { 20 });
        assert_usable(&heap, &mut thread);
    }
}

// ---- the heap's own thread ------------------------------------------------------------------------------------------

/// The stress thread is refused by an error while there is no place, and can be switched on and off again and again.
/// (A unit test of the stress thread shows that it waits when it loses its place later.)
#[test]
fn the_stress_thread_is_switched_again() {
    in_time(|| {
        let heap = build(tiny());
        let attached = || heap.statistics().unwrap().attached;
        for _ in 0..3 {
            let taken: Vec<_> = (0..3).map(|_| heap.attach().unwrap()).collect();
            let refused = heap.set_stress_concurrent_allocation(true);
            assert_eq!(refused, Err(FlagError::Attach(AttachError::TooManyThreads { threads_max: 3 })));
            drop(taken);
            assert_eq!(heap.set_stress_concurrent_allocation(true), Ok(()));
            assert_eq!(heap.set_stress_concurrent_allocation(true), Ok(()), "it is on");
            heap.set_stress_concurrent_allocation(false).unwrap();
            assert_eq!(attached(), 0);
        }
        assert_usable(&heap, &mut heap.attach().unwrap());
    });
}
