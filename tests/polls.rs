//! Goal: a thread that is asked to stop does so within one operation, if the operation's document says that it polls;
//! the other operations, the bump path above all, do not poll.
//!
//! Method: another thread asks for a stop, and cannot go on before this one polls. When the request is seen, this
//! thread does one operation; afterwards the request is gone or it is not. Nothing is timed.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

use heaplab::{AllocationType, CollectionKind, Heap, HeapConfig, Reserve, Scope, Shape, SpaceKind, Tail};

type Step = fn(&mut Scope<'_, '_>);

/// Elements of an array that is large in a tiny heap: it takes more than half a page of 128 bytes.
const LARGE: usize = 20;

/// Whether `operation` takes part in a stop that was asked for before it. `prepare` runs before that.
fn takes_part(config: HeapConfig, prepare: Step, operation: Step) -> bool {
    let heap = Heap::new(config).expect("a small heap");
    heap.attach().expect("a place").run(|scope| takes_part_in(&heap, scope, prepare, operation)).expect("a sound heap")
}

fn takes_part_in(heap: &Heap, scope: &mut Scope<'_, '_>, prepare: Step, operation: Step) -> bool {
    prepare(scope);
    std::thread::scope(|threads| {
        let other = threads.spawn(|| heap.statistics().map(drop));
        while !scope.is_stop_requested() {
            std::thread::yield_now();
        }
        operation(scope);
        let took_part = !scope.is_stop_requested();
        scope.poll();
        other.join().expect("the other thread").expect("a sound heap");
        took_part
    })
}

fn nothing(_: &mut Scope<'_, '_>) {}

/// Asks for a stop, which takes the LABs away.
fn without_buffers(scope: &mut Scope<'_, '_>) {
    let _ = scope.statistics().unwrap();
}

/// Drops the outcome of an operation, which may be a refusal.
fn outcome<T>(_: T) {}

fn old(scope: &mut Scope<'_, '_>) {
    scope.nested(|scope| outcome(scope.new_array_in(1, AllocationType::Old)));
}

fn young(scope: &mut Scope<'_, '_>) {
    scope.nested(|scope| outcome(scope.new_array(1)));
}

fn map(scope: &mut Scope<'_, '_>) {
    scope.nested(|scope| outcome(scope.new_map(Shape::new(16, 2, 1, Tail::None).expect("a shape"))));
}

fn code(scope: &mut Scope<'_, '_>) {
    scope.nested(|scope| outcome(scope.new_code(8)));
}

fn large(scope: &mut Scope<'_, '_>) {
    scope.nested(|scope| outcome(scope.new_array_in(LARGE, AllocationType::Old)));
}

fn large_young(scope: &mut Scope<'_, '_>) {
    scope.nested(|scope| outcome(scope.new_array(LARGE)));
}

/// Each slow path of an allocation polls: without a LAB, and for maps and code, which always take the slow path, with
/// one.
#[test]
fn allocations_beyond_the_buffer_poll() {
    let paths: [(&str, Step, Step); 9] = [
        ("young", nothing, young),
        ("old", nothing, old),
        ("map", nothing, map),
        ("map, from its buffer", map, map),
        ("code", nothing, code),
        ("code, from its buffer", code, code),
        ("large", nothing, large),
        ("large, after a large one", large, large),
        ("large, young", nothing, large_young),
    ];
    for (name, prepare, operation) in paths {
        assert!(takes_part(HeapConfig::tiny(), prepare, operation), "{name}");
    }
}

/// Allocations poll with the flags that close the window, and inside of always-allocate scopes, nested ones too.
#[test]
fn allocations_poll_under_flags_and_in_scopes() {
    let heap = Heap::new(HeapConfig::tiny()).expect("a small heap");
    heap.set_gc_interval(1000).expect("a sound heap");
    let closed = |scope: &mut Scope<'_, '_>| takes_part_in(&heap, scope, young, young);
    assert!(heap.attach().expect("a place").run(closed).expect("a sound heap"), "a closed window");
    heap.set_gc_interval(0).expect("a sound heap");
    for (name, operation) in [("young", young as Step), ("old", old), ("map", map), ("code", code), ("large", large)] {
        let in_scopes = |scope: &mut Scope<'_, '_>| {
            let reserve = Reserve::one_of_each(2 * 128);
            let entered = scope.always_allocate(reserve, |scope| {
                let outer = takes_part_in(&heap, scope, without_buffers, operation);
                let nested = scope.nested(|scope| {
                    scope
                        .always_allocate(Reserve::NONE, |scope| takes_part_in(&heap, scope, without_buffers, operation))
                });
                (outer, nested.expect("nothing to reserve"))
            });
            entered.expect("an empty heap has room")
        };
        let parts = heap.attach().expect("a place").run(in_scopes).expect("a sound heap");
        assert_eq!(parts, (true, true), "{name}");
    }
}

/// What is refused climbs the whole ladder, and begins it with a poll; so does what fails by a flag.
#[test]
fn refused_allocations_poll() {
    let fill = |scope: &mut Scope<'_, '_>| {
        while scope.new_array_in(LARGE, AllocationType::Old).is_ok() {}
        while scope.new_array_in(1, AllocationType::Old).is_ok() {}
    };
    for (name, operation) in [("old", old as Step), ("large", large), ("map", map), ("code", code)] {
        assert!(takes_part(HeapConfig::tiny(), fill, operation), "{name}");
    }
    let heap = Heap::new(HeapConfig::tiny()).expect("a small heap");
    heap.set_fail_allocation(Some(0)).expect("a sound heap");
    let fails = |scope: &mut Scope<'_, '_>| takes_part_in(&heap, scope, nothing, young);
    assert!(heap.attach().expect("a place").run(fails).expect("a sound heap"), "a failure by the flag");
}

#[test]
fn operations_that_say_so_poll() {
    let operations: [(&str, Step); 14] = [
        ("poll", |scope| scope.poll()),
        ("park", |scope| scope.park(|| ())),
        ("collect minor", |scope| scope.collect(CollectionKind::Minor).unwrap()),
        ("collect major", |scope| scope.collect(CollectionKind::Major).unwrap()),
        ("collect memory-reducing", |scope| scope.collect(CollectionKind::MemoryReducing).unwrap()),
        ("verify", |scope| assert!(scope.verify().unwrap().is_sound())),
        ("survey", |scope| drop(scope.survey().unwrap())),
        ("statistics", without_buffers),
        ("simulate full", |scope| outcome(scope.simulate_full_space(SpaceKind::Old))),
        ("always-allocate without a reserve", |scope| {
            scope.always_allocate(Reserve::NONE, |_| ()).expect("no reserve")
        }),
        ("always-allocate", |scope| {
            let reserve = Reserve { old_pages: 1, ..Reserve::NONE };
            scope.always_allocate(reserve, |_| ()).expect("an empty heap has room");
        }),
        ("nested always-allocate", |scope| {
            scope.nested(|scope| scope.always_allocate(Reserve::NONE, |_| ()).expect("no reserve"));
        }),
        ("fill a young page", |scope| scope.fill_page_but(AllocationType::Young, 8).expect("a page")),
        ("fill an old page", |scope| scope.fill_page_but(AllocationType::Old, 8).expect("a page")),
    ];
    for (name, operation) in operations {
        assert!(takes_part(HeapConfig::tiny(), nothing, operation), "{name}");
    }
}

/// A collection that is met already, by the one that the other thread asks for, is waited for like any other.
#[test]
fn a_collection_that_is_met_is_a_poll() {
    let heap = Heap::new(HeapConfig::tiny()).expect("a small heap");
    let took_part = heap.attach().expect("a place").run(|scope| {
        std::thread::scope(|threads| {
            let other = threads.spawn(|| heap.collect(CollectionKind::MemoryReducing));
            while !scope.is_stop_requested() {
                std::thread::yield_now();
            }
            scope.collect(CollectionKind::Minor).unwrap();
            let took_part = !scope.is_stop_requested();
            scope.poll();
            other.join().expect("the other thread").expect("a sound heap");
            took_part
        })
    });
    assert_eq!(took_part, Ok(true));
    assert_eq!(heap.statistics().expect("a sound heap").collections, [0, 0, 1], "one for both");
}

/// The bump path looks at no flag, and what neither allocates nor blocks looks at none either.
#[test]
fn what_does_not_say_so_does_not_poll() {
    let operations: [(&str, Step, Step); 6] = [
        ("young, from its buffer", young, young),
        ("old, from its buffer", old, old),
        ("a handle", nothing, |scope| outcome(scope.small(1))),
        ("a scope", nothing, |scope| scope.nested(|_| ())),
        ("a store", young, |scope| {
            let array = scope.new_array(1).expect("the buffer has room");
            let seven = scope.small(7).expect("a small integer");
            scope.store(scope.get(array), 0, scope.get(seven));
        }),
        ("a persistent handle", young, |scope| {
            let array = scope.new_array(1).expect("the buffer has room");
            drop(scope.persist(array));
        }),
    ];
    for (name, prepare, operation) in operations {
        assert!(!takes_part(HeapConfig::tiny(), prepare, operation), "{name}");
    }
}
