//! Goal: after a stop that unwound, nobody reads an object of the heap: who was in the stop is told by a panic that
//! says what happened and where; who goes on regardless finds empty objects; every public function answers with an
//! error value or a documented panic, and none hangs.
//!
//! Method: an object with a header that names no map lies in a verified heap; the next collection finds it and
//! unwinds. Then every function of the public API is called, from outside, from a run that was in the stop, and from
//! one that caught the panic and went on.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{build, in_time, panics, tiny};
use heaplab::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

/// Leaves an object in old space whose header names undefined as its map.
fn damage(heap: &Heap) {
    let local = heap.attach_raw().unwrap();
    // SAFETY; R-3 is broken deliberately.
    unsafe {
        local.unpark();
        let at = local.allocate_raw(32, AllocationType::Old, AllocationOrigin::Runtime, 8).unwrap();
        local.view().write(at, raw::Root::Undefined.tagged().bits());
        local.park();
    }
}

/// Asserts that a poisoned heap says what the stop met, and the place in this file where it was begun.
fn assert_told(message: &str) {
    assert!(
        message.starts_with("an earlier stop of this heap unwound: heap verification before a collection:"),
        "{message}"
    );
    assert!(message.contains("at tests/poisoned.rs:") || message.contains("at tests\\poisoned.rs:"), "{message}");
    assert!(message.ends_with("; build a new heap"), "{message}");
}

fn assert_met(message: &str) {
    assert!(message.starts_with("heap verification before a collection:"), "{message}");
}

#[test]
fn every_function_of_a_poisoned_heap_answers() {
    in_time(|| {
        let heap = build(tiny());
        let mut thread = heap.attach().unwrap();
        assert_eq!(heap.poison_message(), None);
        damage(&heap);
        assert_met(&panics(|| heap.collect(CollectionKind::Minor)));
        for _ in 0..2 {
            for kind in CollectionKind::ALL {
                assert_eq!(heap.collect(kind), Err(StopError::Poisoned));
            }
            assert_eq!(heap.verify().unwrap_err(), StopError::Poisoned);
            assert_eq!(heap.survey().unwrap_err(), StopError::Poisoned);
            assert_eq!(heap.statistics().unwrap_err(), StopError::Poisoned);
            assert_eq!(heap.simulate_full_space(SpaceKind::Old), Err(StopError::Poisoned));
            assert_eq!(heap.take_collection_trace().unwrap_err(), StopError::Poisoned);
            assert_eq!(heap.set_hard_limit(16 * 128), Err(LimitError::Stop(StopError::Poisoned)));
            assert_eq!(heap.set_concurrent_allocation(false), Err(FlagError::Poisoned));
            assert!(heap.set_stress_concurrent_allocation(true).is_err());
            assert_eq!(heap.set_stress_concurrent_allocation(false), Ok(()));
            assert_eq!(heap.set_gc_interval(1), Err(FlagError::Poisoned));
            assert_eq!(heap.set_fail_allocation(Some(0)), Err(FlagError::Poisoned));
            assert_eq!(heap.set_trace_collections(true), Err(FlagError::Poisoned));
            assert_eq!(heap.attach().unwrap_err(), AttachError::Poisoned);
            assert_eq!(heap.attach_raw().unwrap_err(), AttachError::Poisoned);
            assert_eq!(thread.run(|_| ()), Err(RunError::Poisoned));
            heap.set_verify_heap(true);
            heap.set_near_limit_callback(Some(Box::new(|near| near.hard_limit_bytes)));
            assert_eq!(heap.new_root_set(2).len(), 2);
            assert_told(&heap.poison_message().unwrap());
            assert!(heap.layout().page_bytes() == 128 && heap.config().verify_heap);
        }
        let (heap, error) = heap.close().unwrap_err();
        assert_eq!(error, CloseError::Attached { attached: 1 });
        drop(thread);
        let (_heap, error) = heap.close().unwrap_err();
        assert_eq!(error, CloseError::Poisoned);
    });
}

/// Handles of every type, a persistent handle and a root set, which outlive the stop.
struct Known<'s> {
    array: Handle<'s, Array>,
    bytes: Handle<'s, Bytes>,
    code: Handle<'s, Code>,
    map: Handle<'s, Map>,
    record: Handle<'s, Record>,
    ty: RecordType<'s>,
    persistent: Persistent<Array>,
    set: RootSet,
}

impl<'s> Known<'s> {
    fn make(heap: &Heap, scope: &mut Scope<'s, '_>) -> Known<'s> {
        let array = scope.new_array(3).unwrap();
        let map = scope.new_map(Shape::new(16, 4, 2, Tail::None).unwrap()).unwrap();
        let record = scope.new_record(map).unwrap();
        let (bytes, code) = (scope.new_bytes(9).unwrap(), scope.new_code(9).unwrap());
        let set = heap.new_root_set(1);
        scope.store_root(&set, 0, scope.get(array).into()).unwrap();
        scope.store(scope.get(array), 0, scope.get(record).into());
        let (ty, persistent) = (scope.record_type(map).unwrap(), scope.persist(array));
        Known { array, bytes, code, map, record, ty, persistent, set }
    }

    /// Each accessor finds an empty object, or panics as it does for any empty object.
    fn assert_empty(&self, scope: &mut Scope<'s, '_>) {
        let one = Ref::small(1).unwrap();
        let opened = scope.open(&self.persistent).unwrap();
        assert_eq!(scope.load_root(&self.set, 0).unwrap(), scope.get(self.array));
        for array in [self.array, opened] {
            assert_eq!(scope.len(scope.get(array)), 0);
            assert!(panics(|| scope.load(scope.get(array), 0)).contains("not within 0..0"));
            assert!(panics(|| scope.store(scope.get(array), 0, one)).contains("not within 0..0"));
        }
        assert_eq!((scope.bytes_len(scope.get(self.bytes)), scope.code_len(scope.get(self.code))), (0, 0));
        scope.read_bytes(scope.get(self.bytes), 0, &mut []);
        scope.write_bytes(scope.get(self.bytes), 0, &[]);
        scope.read_code(scope.get(self.code), 0, &mut []);
        scope.write_code(scope.get(self.code), 0, &[]);
        panics(|| scope.read_bytes(scope.get(self.bytes), 0, &mut [0]));
        panics(|| scope.write_code(scope.get(self.code), 0, &[0]));
        let record = scope.get(self.record);
        assert_eq!(scope.load_field(record, 0).as_small(), Some(0));
        assert_eq!(scope.tail_len(record), 0);
        scope.read_tail(record, 0, &mut []);
        scope.write_tail(record, 0, &[]);
        panics(|| scope.load_field(record, 1));
        panics(|| scope.store_field(record, 0, one));
        panics(|| scope.store_field(record, 1, one));
        panics(|| scope.load_raw(record, 0));
        panics(|| scope.store_raw(record, 0, 1));
        panics(|| scope.load_element(record, 0));
        panics(|| scope.store_element(record, 0, one));
        let map = scope.get(self.map);
        assert!(scope.shape_of(map).kind() < kind::FIRST_EMBEDDER);
        for slot in 0..MAP_SLOTS {
            let value = scope.load_map_slot(map, slot);
            assert!(value.as_small().is_some() || scope.map(value).is_some());
            panics(|| scope.store_map_slot(map, slot, one));
        }
        assert!(scope.record_type(self.map).is_err());
        let value: Ref<'_, Value> = record.into();
        assert!(scope.downcast::<Record>(value).is_none() && scope.downcast::<Map>(value).is_none());
        assert!(scope.downcast::<Array>(value).is_some());
        assert!(scope.map(value).is_some());
        let again = scope.handle(scope.get(self.array));
        assert_eq!(scope.len(scope.get(again)), 0);
        assert_eq!(scope.store_root(&self.set, 0, scope.get(self.array).into()), Ok(()));
        drop(scope.persist(self.record));
        let _ = (scope.undefined(), scope.boolean(true), scope.small(3), scope.layout(), scope.own_requests());
        let _ = (scope.soft_bytes_available(), scope.attempts_before_failure());
    }

    /// Whatever may collect refuses, or panics where it has no value to refuse by.
    fn assert_refused(&self, scope: &mut Scope<'s, '_>) {
        for ty in AllocationType::ALL {
            assert!(scope.new_array_in(1, ty).is_err());
            assert!(scope.new_bytes_in(200, ty).is_err());
            assert_eq!(scope.fill_page_but(ty, 0), Err(AllocError::Poisoned));
        }
        assert_eq!(scope.new_array(1).unwrap_err(), AllocError::Poisoned);
        assert_eq!(scope.new_bytes(8).unwrap_err(), AllocError::Poisoned);
        assert_eq!(scope.new_code(8).unwrap_err(), AllocError::Poisoned);
        assert_eq!(scope.new_map(Shape::new(16, 4, 2, Tail::None).unwrap()).unwrap_err(), AllocError::Poisoned);
        assert_eq!(scope.new_record_of(self.ty).unwrap_err(), AllocError::Poisoned);
        assert!(scope.new_record(self.map).is_err());
        assert!(scope.new_record_in(self.map, 0, AllocationType::Old).is_err());
        assert_eq!(scope.always_allocate(Reserve::one_of_each(64), |_| ()), Err(AllocError::Poisoned));
        assert_eq!(scope.escape(|scope| scope.new_array(1)).unwrap_err(), AllocError::Poisoned);
        for kind in CollectionKind::ALL {
            assert_eq!(scope.collect(kind), Err(StopError::Poisoned));
        }
        assert_eq!(scope.verify().unwrap_err(), StopError::Poisoned);
        assert_eq!(scope.survey().unwrap_err(), StopError::Poisoned);
        assert_eq!(scope.statistics().unwrap_err(), StopError::Poisoned);
        assert_eq!(scope.simulate_full_space(SpaceKind::New), Err(StopError::Poisoned));
        assert_told(&panics(|| scope.poll()));
        let mut ran = false;
        assert_told(&panics(|| scope.park(|| ran = true)));
        assert!(ran, "what is parked for is done");
        assert_eq!(scope.nested(|scope| scope.new_array(1).unwrap_err()), AllocError::Poisoned);
    }
}

/// The initiator's run unwinds by what the stop met, and what it finds if it goes on regardless is empty.
#[test]
fn a_run_that_goes_on_finds_nothing() {
    in_time(|| {
        let heap = build(tiny());
        let mut thread = heap.attach().unwrap();
        damage(&heap);
        thread
            .run(|scope| {
                let known = Known::make(&heap, scope);
                assert_met(&panics(|| scope.collect(CollectionKind::Major)));
                for _ in 0..2 {
                    known.assert_empty(scope);
                    known.assert_refused(scope);
                }
            })
            .unwrap();
        assert_eq!(thread.run(|_| ()), Err(RunError::Poisoned));
    });
}

/// In each way in which a run may be in a stop that another thread begins and that unwinds, the run is told by a
/// panic.
#[test]
fn who_is_in_the_stop_is_told() {
    type Wait = fn(&mut Scope<'_, '_>, &dyn Fn());
    let ways: [(&str, Wait); 6] = [
        ("poll", |scope, _| {
            loop {
                scope.poll();
                std::thread::yield_now();
            }
        }),
        ("allocate", |scope, _| {
            loop {
                scope.nested(|scope| scope.new_array(4).map(drop)).expect("told before it is refused");
            }
        }),
        ("park's end", |scope, poisoned| scope.park(poisoned)),
        ("a panic in park", |scope, poisoned| {
            scope.park(|| {
                poisoned();
                panic!("in park");
            });
        }),
        ("collect", |scope, _| {
            loop {
                scope.collect(CollectionKind::Minor).expect("told before it is refused");
            }
        }),
        ("always allocate", |scope, _| {
            loop {
                scope.always_allocate(Reserve::NONE, |scope| scope.poll()).expect("told before it is refused");
            }
        }),
    ];
    for (name, wait) in ways {
        in_time(move || {
            let heap = build(tiny());
            damage(&heap);
            heap.set_verify_heap(false);
            let (ready, poisoned) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
            let waiter = std::thread::spawn({
                let (heap, ready, poisoned) = (heap.clone(), Arc::clone(&ready), Arc::clone(&poisoned));
                move || {
                    let mut thread = heap.attach().unwrap();
                    let told = panics(|| {
                        thread.run(|scope| {
                            let kept = scope.new_array(2).unwrap();
                            ready.wait();
                            let is_poisoned = || {
                                while !poisoned.load(Ordering::Acquire) {
                                    std::thread::yield_now();
                                }
                            };
                            let told = panics(|| wait(scope, &is_poisoned));
                            assert_eq!(scope.len(scope.get(kept)), 0, "no stale read");
                            panic!("{told}");
                        })
                    });
                    assert_eq!(thread.run(|_| ()), Err(RunError::Poisoned));
                    told
                }
            });
            ready.wait();
            heap.set_verify_heap(true);
            let met = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| heap.collect(CollectionKind::Major)));
            poisoned.store(true, Ordering::Release);
            let told = waiter.join().unwrap();
            if name == "a panic in park" {
                assert_eq!(told, "in park", "no second panic");
            } else if name == "collect" {
                // Either of the two may have begun the stop.
                assert!(met.is_err() || met.is_ok_and(|met| met.is_err()));
                if told.starts_with("an earlier") { assert_told(&told) } else { assert_met(&told) }
            } else if told.starts_with("an earlier") {
                assert_told(&told);
            } else {
                assert_met(&told);
            }
        });
    }
}

/// While a thread unwinds it is not told a second time: it gets error values, and empty objects.
#[test]
fn nobody_is_told_while_unwinding() {
    struct Meddler<'a, 's, 'o>(&'a mut Scope<'s, 'o>, Handle<'s, Array>);
    impl Drop for Meddler<'_, '_, '_> {
        fn drop(&mut self) {
            let scope = &mut *self.0;
            scope.poll();
            scope.park(|| ());
            assert_eq!(scope.new_array(1).unwrap_err(), AllocError::Poisoned);
            assert_eq!(scope.collect(CollectionKind::Minor), Err(StopError::Poisoned));
            assert_eq!(scope.len(scope.get(self.1)), 0);
        }
    }
    in_time(|| {
        let heap = build(tiny());
        let mut thread = heap.attach().unwrap();
        damage(&heap);
        let met = panics(|| {
            thread.run(|scope| {
                let kept = scope.new_array(2).unwrap();
                let meddler = Meddler(scope, kept);
                let _ = meddler.0.collect(CollectionKind::Major);
            })
        });
        assert_met(&met);
    });
}
