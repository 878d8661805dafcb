//! Goal: a program computes the same, whatever collects meanwhile and whichever request for memory fails.
//!
//! Method: a random but fixed program replaces and links objects in a table; a shadow of plain Rust values says what
//! each object must hold. It runs with a collection at every allocation, and with the k-th attempt failing, for every
//! k.
//!
//! The suite's shadow heap (`verify/programs/src/shadow`) says more of a heap and is no use here: it belongs to a
//! package that depends on this one. This shadow uses the public API alone, as an embedder does, and no feature.

#![cfg(not(feature = "shuttle"))]

mod common;

use common::{assert_sound, assert_usable, build, number, numbered, settled_bytes, small, tiny_of};
use heaplab::*;

/// A small linear congruential generator: the same program every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// What an object of the program holds beside its number, which is its place among the shadows: links to others.
#[derive(Clone, Default)]
struct Shadow {
    links: Vec<usize>,
}

const TABLE: usize = 8;

/// Replaces and links objects in a table, at random, and checks the whole graph against its shadow every few steps.
/// Returns what it held in the end.
fn program(scope: &mut Scope<'_, '_>, seed: u64, steps: usize) -> Result<Vec<Vec<usize>>, AllocError> {
    let mut random = Random(seed);
    let table = scope.new_array_in(TABLE, AllocationType::Old)?;
    let map = scope.new_map(Shape::new(16, 4, 2, Tail::Tagged)?)?;
    // The shadow knows every object ever made; `held` says which of them the table holds.
    let mut shadows: Vec<Shadow> = Vec::new();
    let mut held: [Option<usize>; TABLE] = [None; TABLE];
    for step in 0..steps {
        let slot = random.below(TABLE);
        match random.below(8) {
            0..=4 => {
                let links = random.below(4);
                let kind = random.below(4);
                let id = shadows.len();
                scope.nested(|scope| {
                    let ty = [AllocationType::Young, AllocationType::Young, AllocationType::Old, AllocationType::Young];
                    // Field 1 of a record, or element 0 of an array, is the number; links follow.
                    let extra = if kind == 3 { 30 } else { 0 };
                    let object: Handle<'_, Value> = if kind == 1 {
                        let record = scope.new_record_in(map, links, ty[kind])?;
                        scope.store_field(scope.get(record), 1, Ref::small(id as i32).unwrap());
                        scope.store_raw(scope.get(record), 0, !(id as u32));
                        record.any()
                    } else {
                        numbered(scope, 1 + links + extra, ty[kind], id as i32)?.any()
                    };
                    scope.store(scope.get(table), slot, scope.get(object));
                    Ok(())
                })?;
                shadows.push(Shadow { links: vec![usize::MAX; links] });
                held[slot] = Some(id);
            }
            5 | 6 => {
                let other = random.below(TABLE);
                let (Some(from), Some(to)) = (held[slot], held[other]) else { continue };
                if shadows[from].links.is_empty() {
                    continue;
                }
                let link = random.below(shadows[from].links.len());
                let target = scope.load(scope.get(table), other);
                set_link(scope, scope.load(scope.get(table), slot), link, target);
                shadows[from].links[link] = to;
            }
            _ => {
                scope.store(scope.get(table), slot, scope.undefined());
                held[slot] = None;
            }
        }
        if step % 16 == 15 || step + 1 == steps {
            for (slot, id) in held.iter().enumerate() {
                let value = scope.load(scope.get(table), slot);
                match *id {
                    Some(id) => check_object(scope, value, id, &shadows, 5),
                    None => assert!(scope.downcast::<Array>(value).is_none()),
                }
            }
        }
    }
    Ok(held.iter().map(|id| id.map_or(Vec::new(), |id| shadows[id].links.clone())).collect())
}

fn set_link<'a>(scope: &'a Scope<'_, '_>, from: Ref<'a, Value>, link: usize, to: Ref<'_, Value>) {
    match scope.downcast::<Array>(from) {
        Some(array) => scope.store(array, 1 + link, to),
        None => scope.store_element(scope.downcast(from).expect("a record"), link, to),
    }
}

fn check_object<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>, id: usize, shadows: &[Shadow], depth: usize) {
    let array = scope.downcast::<Array>(value);
    let link = |link: usize| match array {
        Some(array) => scope.load(array, 1 + link),
        None => scope.load_element(scope.downcast(value).expect("a record"), link),
    };
    match array {
        Some(array) => assert_eq!(number(scope, array), id as i32),
        None => {
            let record = scope.downcast::<Record>(value).expect("an array or a record");
            assert_eq!(scope.load_field(record, 1).as_small(), Some(id as i32));
            assert_eq!(scope.load_raw(record, 0), !(id as u32));
        }
    }
    for (index, &target) in shadows[id].links.iter().enumerate() {
        if target == usize::MAX {
            assert_eq!(link(index).as_small(), Some(0));
        } else if depth != 0 {
            check_object(scope, link(index), target, shadows, depth - 1);
        }
    }
}

/// Steps of a program: fewer under Miri, where each costs a second.
const fn steps(native: usize) -> usize {
    if cfg!(miri) { native / 12 } else { native }
}

#[test]
fn a_program_holds_what_its_shadow_says() {
    for seed in 0..if cfg!(miri) { 1 } else { 6 } {
        for config in [tiny_of(40), small()] {
            let heap = build(config);
            let mut thread = heap.attach().unwrap();
            thread.run(|scope| program(scope, seed, steps(600))).unwrap().unwrap();
            assert_usable(&heap, &mut thread);
        }
    }
}

/// A collection at every allocation, and at every few.
#[test]
fn a_program_survives_a_collection_at_each_allocation() {
    let expected = build(small()).attach().unwrap().run(|scope| program(scope, 1, steps(300))).unwrap().unwrap();
    for interval in [1, 2, 3, 7] {
        let heap = build(tiny_of(40));
        heap.set_gc_interval(interval).unwrap();
        let mut thread = heap.attach().unwrap();
        let held = thread.run(|scope| program(scope, 1, steps(300))).unwrap().unwrap();
        assert_eq!(held, expected);
        let statistics = heap.statistics().unwrap();
        let collections: u64 = statistics.collections.iter().sum();
        assert!(collections as usize * interval as usize >= steps(300) / 3, "{statistics:?}");
        heap.set_gc_interval(0).unwrap();
        assert_usable(&heap, &mut thread);
    }
}

#[test]
fn no_interval_collects_inside_an_always_allocate_scope() {
    let heap = build(tiny_of(40));
    heap.set_gc_interval(1).unwrap();
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            scope
                .always_allocate(Reserve::one_of_each(200), |scope| {
                    let before = scope.statistics().unwrap().collections;
                    for ty in [AllocationType::Young, AllocationType::Old, AllocationType::Code] {
                        _ = scope.new_array_in(3, ty).unwrap();
                    }
                    assert_eq!(scope.statistics().unwrap().collections, before);
                })
                .unwrap();
        })
        .unwrap();
}

/// The k-th attempt to get memory fails, for every k of a program: the ladder makes it good, the program computes the
/// same, and nothing leaks.
#[test]
fn each_failed_attempt_is_made_good() {
    let build = || build(tiny_of(64));
    let settled = settled_bytes(&build());
    let attempt = |fail: Option<u64>| {
        let heap = build();
        heap.set_fail_allocation(fail).unwrap();
        let mut thread = heap.attach().unwrap();
        let held = thread.run(|scope| program(scope, 3, steps(120))).unwrap();
        assert_sound(&heap);
        let statistics = heap.statistics().unwrap();
        heap.set_fail_allocation(None).unwrap();
        let again = thread.run(|scope| program(scope, 3, steps(120))).unwrap();
        assert_eq!(held, again, "{fail:?}");
        assert_eq!(settled_bytes(&heap), settled, "{fail:?}");
        (held.expect("one failure is no shortage"), statistics)
    };
    let (expected, undisturbed) = attempt(None);
    let mut disturbed = 0;
    let counters = undisturbed.allocation;
    for k in 0..counters.refills + counters.large_objects + counters.failed_attempts {
        let (held, statistics) = attempt(Some(k));
        assert_eq!(held, expected);
        // An attempt that would have failed anyway makes no difference.
        disturbed += usize::from(statistics != undisturbed);
    }
    assert!(disturbed > steps(36), "the program asks for memory often: {disturbed}");
}

/// Failures inside an always-allocate scope's entry are made good by a collection before the scope begins.
#[test]
fn a_failed_reserve_is_made_good() {
    let heap = build(tiny_of(40));
    let mut thread = heap.attach().unwrap();
    heap.set_fail_allocation(Some(0)).unwrap();
    thread
        .run(|scope| {
            scope
                .always_allocate(Reserve::one_of_each(200), |scope| {
                    let before = scope.own_requests();
                    _ = scope.new_array(2).unwrap();
                    assert_eq!(scope.own_requests().collections_in_scope, 0);
                    assert_eq!(before.collections, 1, "for the entry");
                })
                .unwrap();
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}
