//! Goal: a collection costs what is live, whatever the shape of the graph and the size of the work list; a minor one
//! does not pay for live roots to old objects.
//!
//! Method: no clock, but counts. A collection counts the objects that it looks into, those that it set aside because
//! the work list was full, and the pages that it searched for them. Each live object is to be looked into exactly
//! once.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::build;
use heaplab::*;

const MINOR: CollectionKind = CollectionKind::Minor;
const MAJOR: CollectionKind = CollectionKind::Major;
const OLD: AllocationType = AllocationType::Old;
const YOUNG: AllocationType = AllocationType::Young;

/// Work lists, in entries: of the least size, of small ones, even and odd, and of the default's.
const WORKLISTS: [usize; 5] = [1, 2, 3, 16, 64 << 10];
const SCALE: usize = if cfg!(miri) { 1 } else { 20 };

fn heap(worklist_entries: usize) -> Heap {
    let mut config = HeapConfig::sized(32 << 20, 1);
    config.page_bytes = Some(4 << 10);
    config.new_space_bytes = 8 << 20;
    config.soft_limit_bytes = 32 << 20;
    config.worklist_entries = worklist_entries;
    let heap = build(config);
    heap.set_trace_collections(true).unwrap();
    heap
}

/// An array of these elements, in the scope where its handle stays.
fn array_of<'s>(scope: &mut Scope<'s, '_>, ty: AllocationType, elements: &[Handle<'s, Array>]) -> Handle<'s, Array> {
    let array = scope.new_array_in(elements.len(), ty).unwrap();
    for (index, &element) in elements.iter().enumerate() {
        scope.store(scope.get(array), index, scope.get(element).into());
    }
    array
}

/// A list of `len` arrays, built from its tail.
fn list<'s>(scope: &mut Scope<'s, '_>, ty: AllocationType, len: usize) -> Handle<'s, Array> {
    scope
        .escape(|scope| {
            let mut head = array_of(scope, ty, &[]);
            for _ in 1..len {
                head = array_of(scope, ty, &[head]);
            }
            Ok(head)
        })
        .unwrap()
}

type Build = for<'s> fn(&mut Scope<'s, '_>, AllocationType) -> (Handle<'s, Array>, usize);

/// A chain.
fn chain<'s>(scope: &mut Scope<'s, '_>, ty: AllocationType) -> (Handle<'s, Array>, usize) {
    (list(scope, ty, 100 * SCALE), 100 * SCALE)
}

/// An array of arrays.
fn wide<'s>(scope: &mut Scope<'s, '_>, ty: AllocationType) -> (Handle<'s, Array>, usize) {
    let elements: Vec<_> = (0..5 * SCALE).map(|_| array_of(scope, ty, &[])).collect();
    (array_of(scope, ty, &elements), 1 + elements.len())
}

/// A table of lists, each built from its tail.
fn lists<'s>(scope: &mut Scope<'s, '_>, ty: AllocationType) -> (Handle<'s, Array>, usize) {
    let lists: Vec<_> = (0..5 * SCALE).map(|_| list(scope, ty, 16)).collect();
    (array_of(scope, ty, &lists), 1 + 16 * lists.len())
}

/// A spine whose links each have a leaf before and behind them: with room for one, each link is set aside.
fn comb<'s>(scope: &mut Scope<'s, '_>, ty: AllocationType) -> (Handle<'s, Array>, usize) {
    let mut spine = array_of(scope, ty, &[]);
    for _ in 0..20 * SCALE {
        let (before, behind) = (array_of(scope, ty, &[]), array_of(scope, ty, &[]));
        spine = array_of(scope, ty, &[before, spine, behind]);
    }
    (spine, 1 + 3 * 20 * SCALE)
}

/// Arrays that each refer to some that were there before, and the first that has an element refers to the last.
fn tangle<'s>(scope: &mut Scope<'s, '_>, ty: AllocationType) -> (Handle<'s, Array>, usize) {
    let mut all = vec![array_of(scope, ty, &[]), scope.new_array_in(1, ty).unwrap()];
    let mut state = 1u32;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for count in 2..50 * SCALE {
        let elements = [all[count - 1], all[draw(count)], all[draw(count)], all[0]];
        all.push(array_of(scope, ty, &elements));
    }
    let last = *all.last().unwrap();
    scope.store(scope.get(all[1]), 0, scope.get(last).into());
    (last, all.len())
}

const SHAPES: [Build; 5] = [chain, wide, lists, comb, tangle];

/// Builds in a scope that ends, so that one handle holds all of it.
fn build_in<'s>(scope: &mut Scope<'s, '_>, build: Build, ty: AllocationType) -> (Handle<'s, Array>, usize) {
    let mut count = 0;
    let root = scope
        .escape(|scope| {
            let (root, built) = build(scope, ty);
            count = built;
            Ok(root)
        })
        .unwrap();
    (root, count)
}

fn last(heap: &Heap) -> CollectionSummary {
    heap.take_collection_trace().unwrap().last().expect("a collection").summary
}

fn check(work: WorkDone, live: usize, entries: usize) {
    assert_eq!(work.visited, live, "each live object is looked into once: {work:?}");
    assert!(work.set_aside <= work.visited, "and set aside once at most: {work:?}");
    assert!(work.pages_searched <= work.set_aside, "no page is searched for nothing: {work:?}");
    // A filling fills half of the list, or takes all that is left; the next one comes after the list was full again.
    let fillings_max = 1 + work.set_aside / (entries / 2).max(1) + work.visited / entries;
    assert!(work.fillings <= fillings_max.min(work.set_aside), "{work:?}");
    assert!(work.set_aside == 0 || work.fillings > 0, "{work:?}");
}

/// Marking, for any shape and any work list.
#[test]
fn a_major_collection_looks_into_each_live_object_once() {
    for entries in WORKLISTS {
        for (number, build) in SHAPES.into_iter().enumerate() {
            let heap = heap(entries);
            let mut thread = heap.attach().unwrap();
            let live = thread
                .run(|scope| {
                    let (_root, live) = build_in(scope, build, OLD);
                    scope.collect(MAJOR).unwrap();
                    live
                })
                .unwrap();
            let work = last(&heap).work;
            check(work, live, entries);
            // Sharp, where it is known: a chain needs no room; of an array's elements, all but those that fit are set
            // aside.
            match number {
                0 => assert_eq!(work.set_aside, 0),
                1 => assert_eq!(work.set_aside, (live - 1).saturating_sub(entries)),
                3 if entries == 1 => assert_eq!(work.set_aside, 2 * (live - 1) / 3),
                _ => {}
            }
            assert_eq!(work.roots, 1);
        }
    }
}

/// Copying, for any shape and any work list: into survivor pages, then to old space, and then no more.
#[test]
fn a_minor_collection_looks_into_each_young_object_once() {
    for entries in WORKLISTS {
        for build in SHAPES {
            let heap = heap(entries);
            let mut thread = heap.attach().unwrap();
            thread
                .run(|scope| {
                    let (_root, live) = build_in(scope, build, YOUNG);
                    for live in [live, live, 0] {
                        scope.collect(MINOR).unwrap();
                        scope.park(|| check(last(&heap).work, live, entries));
                    }
                    scope.collect(MAJOR).unwrap();
                    scope.park(|| check(last(&heap).work, live, entries));
                })
                .unwrap();
            assert!(heap.verify().unwrap().is_sound());
        }
    }
}

/// Objects that find no destination are kept, and looked into once as well.
#[test]
fn kept_objects_are_looked_into_once() {
    for entries in WORKLISTS {
        let mut config = common::tiny_of(24);
        config.new_space_bytes = 8 * 128;
        config.worklist_entries = entries;
        let heap = build(config);
        heap.set_trace_collections(true).unwrap();
        let mut thread = heap.attach().unwrap();
        let live = thread
            .run(|scope| {
                scope.nested(|scope| {
                    let elements: Vec<_> = (0..20).map(|_| array_of(scope, YOUNG, &[])).collect();
                    let _root = array_of(scope, YOUNG, &elements[10..]);
                    // What is free is taken.
                    while scope.fill_page_but(OLD, 0).is_ok() {}
                    assert!(scope.park(|| heap.take_collection_trace()).unwrap().is_empty());
                    scope.collect(MINOR).unwrap();
                    21
                })
            })
            .unwrap();
        let summary = last(&heap);
        assert!(summary.pages_kept > 0, "{summary:?}");
        check(summary.work, live, entries);
    }
}

/// Roots to old objects are looked at by the first minor collection after they were made, and by major ones.
#[test]
fn a_minor_collection_does_not_pay_for_roots_to_old_objects() {
    let heap = heap(16);
    let mut thread = heap.attach().unwrap();
    let count = 100 * SCALE;
    let set = heap.new_root_set(count);
    thread
        .run(|scope| {
            let old = scope.new_array_in(1, OLD).unwrap();
            let mut persistent: Vec<_> = (0..count).map(|_| scope.persist(old)).collect();
            for index in 0..count {
                scope.store_root(&set, index, scope.get(old).into()).unwrap();
            }
            let roots = |scope: &mut Scope<'_, '_>, kind| {
                scope.collect(kind).unwrap();
                scope.park(|| last(&heap).work.roots)
            };
            assert_eq!(roots(scope, MINOR), 1 + 2 * count, "they are new");
            assert_eq!(roots(scope, MINOR), 1, "the handle");
            assert_eq!(roots(scope, MAJOR), 1 + 2 * count);
            assert_eq!(roots(scope, MINOR), 1);
            // A root to a young object is followed until the object is old; a block of a set has 64 slots.
            scope.nested(|scope| {
                let young = scope.new_array(1).unwrap();
                persistent[0] = scope.persist(young);
                scope.store_root(&set, 0, scope.get(young).into()).unwrap();
            });
            let block = count.min(64);
            assert_eq!(roots(scope, MINOR), 2 + block);
            assert_eq!(roots(scope, MINOR), 2 + block, "it survived, young");
            assert_eq!(roots(scope, MINOR), 1, "it was promoted");
            // A root that is dropped is not looked at.
            scope.nested(|scope| {
                let young = scope.new_array(1).unwrap();
                drop(scope.persist(young));
            });
            assert_eq!(roots(scope, MINOR), 1);
        })
        .unwrap();
    assert!(heap.verify().unwrap().is_sound());
}
