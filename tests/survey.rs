//! Goal: a survey says of each byte of each committed page what it is used for, and changes nothing.
//!
//! Method: tiny, verified heaps on which every byte can be foretold. Each survey here is checked against the budget and
//! the page table; what a program makes, drops, fills and holds must then show, to the byte.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{assert_sound, build, fill, in_time, numbered, small, tiny, tiny_of, use_everything};
use heaplab::*;
use std::sync::atomic::{AtomicBool, Ordering};

const MINOR: CollectionKind = CollectionKind::Minor;
const MAJOR: CollectionKind = CollectionKind::Major;
const REDUCING: CollectionKind = CollectionKind::MemoryReducing;

const PAGE: usize = 128;
/// Bytes of the built-in objects.
const BUILT_IN: usize = 256;
/// Bytes of an array of two elements.
const PAIR: usize = 16;

/// Asserts U-1 and U-2 by other means than the survey's own: the statistics' count, and the order of the numbers.
fn checked(survey: Survey, committed_bytes: usize) -> Survey {
    assert_eq!(survey.pages.len() * survey.page_bytes, committed_bytes);
    assert!(survey.pages.is_sorted_by(|a, b| a.index < b.index), "each page once, in order");
    for page in &survey.pages {
        assert_eq!(MemoryUse::ALL.iter().map(|&u| page.bytes(u)).sum::<usize>(), survey.page_bytes, "{page:?}");
        assert!(page.kind != PageKind::Free, "{page:?}");
    }
    let total: usize = MemoryUse::ALL.iter().map(|&u| survey.bytes(u)).sum();
    assert_eq!(total, committed_bytes);
    survey
}

/// A checked survey, from inside a run.
fn look(scope: &mut Scope<'_, '_>) -> Survey {
    let survey = scope.survey().unwrap();
    let committed_bytes = scope.statistics().unwrap().committed_bytes;
    checked(survey, committed_bytes)
}

/// A checked survey of a heap on which no thread allocates.
fn look_at(heap: &Heap) -> Survey {
    let survey = heap.survey().expect("not poisoned, not running");
    checked(survey, heap.statistics().expect("not poisoned, not running").committed_bytes)
}

/// Bytes of live objects in pages of one kind.
fn live(survey: &Survey, kind: PageKind) -> usize {
    survey.bytes_of(kind, MemoryUse::Live)
}

fn dead(survey: &Survey, kind: PageKind) -> usize {
    survey.bytes_of(kind, MemoryUse::Dead)
}

// ---- what was allocated ---------------------------------------------------------------------------------------------

#[test]
fn a_new_heap_is_built_in_objects_and_unused_new_pages() {
    let heap = build(tiny());
    let survey = look_at(&heap);
    assert_eq!((survey.objects_live, survey.objects_dead), (0, 0));
    assert_eq!(live(&survey, PageKind::Root), BUILT_IN);
    assert_eq!(survey.bytes_of(PageKind::New, MemoryUse::Unused), heap.layout().new_pages() * PAGE);
    assert_eq!(survey.pages.len(), heap.layout().root_pages() + heap.layout().new_pages());
    assert_eq!(survey.hard_limit_bytes, 16 * PAGE);
    assert_eq!(survey.soft_limit_bytes, 12 * PAGE);
}

/// On a page that is larger than the built-in objects, the rest of it is a filler.
#[test]
fn the_rest_of_the_root_page_is_a_filler() {
    let heap = build(small());
    let survey = look_at(&heap);
    assert_eq!(live(&survey, PageKind::Root), BUILT_IN);
    let rest = heap.layout().root_pages() * heap.layout().page_bytes() - BUILT_IN;
    assert_eq!(survey.bytes_of(PageKind::Root, MemoryUse::Filler), rest);
}

#[test]
fn each_object_shows_in_its_space() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let _young = scope.new_array(2).unwrap();
            let _old = scope.new_array_in(4, AllocationType::Old).unwrap();
            let _map = scope.new_map(Shape::new(16, 2, 1, Tail::None).unwrap()).unwrap();
            let _code = scope.new_code(3).unwrap();
            let _large = scope.new_bytes(200).unwrap();
            let survey = look(scope);
            assert_eq!((survey.objects_live, survey.objects_dead), (5, 0));
            assert_eq!(live(&survey, PageKind::New), PAIR);
            assert_eq!(live(&survey, PageKind::Old), 24);
            assert_eq!(live(&survey, PageKind::Map), 32);
            assert_eq!(live(&survey, PageKind::Code), 16);
            // The large object runs over the border; what is left of its last page serves nobody.
            assert_eq!((live(&survey, PageKind::LargeHead), live(&survey, PageKind::LargeTail)), (PAGE, 208 - PAGE));
            assert_eq!(survey.bytes_of(PageKind::LargeTail, MemoryUse::Wasted), 2 * PAGE - 208);
            // The rest of an old page is a hole; the young LAB that the stop retired became a filler, and beyond the
            // frontier new space is unused.
            assert_eq!(survey.bytes_of(PageKind::Old, MemoryUse::Free), PAGE - 24);
            let lab = heap.layout().young_lab_bytes();
            assert_eq!(survey.bytes_of(PageKind::New, MemoryUse::Filler), lab - PAIR);
            assert_eq!(survey.bytes_of(PageKind::New, MemoryUse::Unused), heap.layout().new_pages() * PAGE - lab);
        })
        .unwrap();
}

// ---- what is live ---------------------------------------------------------------------------------------------------

/// Liveness is traced: through slots, maps and map slots; from handles, persistent handles and root sets.
#[test]
fn what_roots_reach_is_live() {
    let heap = build(tiny_of(32));
    let roots = heap.new_root_set(1);
    let mut thread = heap.attach().unwrap();
    let kept = thread
        .run(|scope| {
            let kept = scope.nested(|scope| {
                let list = scope.new_array(2).unwrap();
                let item = scope.new_array_in(2, AllocationType::Old).unwrap();
                scope.store(scope.get(list), 0, scope.get(item).into());
                scope.store(scope.get(item), 1, scope.get(list).into());
                scope.persist(list)
            });
            scope.nested(|scope| {
                let map = scope.new_map(Shape::new(16, 2, 1, Tail::None).unwrap()).unwrap();
                let hung_on_it = scope.new_bytes(4).unwrap();
                scope.store_map_slot(scope.get(map), 0, scope.get(hung_on_it).into());
                let record = scope.new_record(map).unwrap();
                scope.store_root(&roots, 0, scope.get(record).into()).unwrap();
            });
            kept
        })
        .unwrap();
    let survey = look_at(&heap);
    assert_eq!((survey.objects_live, survey.objects_dead), (5, 0));
    // A cycle that no root reaches is dead; so is the map of a record that is.
    drop((kept, roots));
    let survey = look_at(&heap);
    assert_eq!((survey.objects_live, survey.objects_dead), (0, 5));
    assert_eq!((dead(&survey, PageKind::Map), dead(&survey, PageKind::Old)), (32, PAIR));
}

#[test]
fn a_dropped_object_is_dead_then_free() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let kept = numbered(scope, 2, AllocationType::Old, 1).unwrap();
            scope.nested(|scope| {
                _ = scope.new_array_in(2, AllocationType::Old).unwrap();
                _ = scope.new_bytes(200).unwrap();
                _ = scope.new_array(2).unwrap();
            });
            let survey = look(scope);
            assert_eq!((live(&survey, PageKind::Old), dead(&survey, PageKind::Old)), (PAIR, PAIR));
            assert_eq!((dead(&survey, PageKind::LargeHead), dead(&survey, PageKind::New)), (PAGE, PAIR));
            // A minor collection frees the young one only.
            scope.collect(MINOR).unwrap();
            let survey = look(scope);
            assert_eq!((dead(&survey, PageKind::Old), dead(&survey, PageKind::New)), (PAIR, 0));
            scope.collect(MAJOR).unwrap();
            let survey = look(scope);
            assert_eq!(survey.objects_dead, 0);
            assert_eq!(survey.bytes_of(PageKind::Old, MemoryUse::Free), PAGE - PAIR);
            assert!(survey.pages.iter().all(|page| page.kind != PageKind::LargeHead), "the run went back");
            assert_eq!(common::number(scope, scope.get(kept)), 1);
        })
        .unwrap();
    // What is pooled is free.
    heap.collect(MAJOR).unwrap();
    let pooled = heap.statistics().unwrap().pooled_bytes;
    assert_eq!(look_at(&heap).bytes_of(PageKind::Pooled, MemoryUse::Free), pooled);
}

/// What a survey calls live is what a major collection keeps, byte for byte.
#[test]
fn the_collector_agrees() {
    for config in [tiny_of(64), small()] {
        let heap = build(config);
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                use_everything(scope).unwrap();
                let list = scope.new_array_in(12, AllocationType::Old).unwrap();
                for round in 0..3 {
                    for i in 0..12 {
                        scope.nested(|scope| {
                            let ty = if i % 2 == 0 { AllocationType::Young } else { AllocationType::Old };
                            let item = scope.new_array_in(i, ty).unwrap();
                            let large = scope.new_bytes(if i == 5 { 300 } else { 3 }).unwrap();
                            if i > 0 {
                                scope.store(scope.get(item), 0, scope.get(large).into());
                            }
                            if (i + round) % 3 == 0 {
                                scope.store(scope.get(list), i, scope.get(item).into());
                            }
                        });
                    }
                    for kind in [MAJOR, REDUCING] {
                        let before = look(scope);
                        scope.collect(kind).unwrap();
                        let after = look(scope);
                        assert_eq!(after.objects_dead, 0, "{kind}");
                        assert_eq!(after.objects_live, before.objects_live, "{kind}");
                        assert_eq!(after.bytes(MemoryUse::Live), before.bytes(MemoryUse::Live), "{kind}");
                    }
                }
            })
            .unwrap();
    }
}

// ---- what is out of reach -------------------------------------------------------------------------------------------

#[test]
fn full_spaces_show_as_fillers_and_waste() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let _young = scope.new_array(2).unwrap();
            let _old = scope.new_array_in(2, AllocationType::Old).unwrap();
            let before = look(scope);
            let wasted_new = scope.simulate_full_space(SpaceKind::New).unwrap();
            let survey = look(scope);
            assert_eq!(survey.bytes_of(PageKind::New, MemoryUse::Unused), 0);
            let gained = |of: MemoryUse| survey.bytes_of(PageKind::New, of) - before.bytes_of(PageKind::New, of);
            assert_eq!(gained(MemoryUse::Filler) + gained(MemoryUse::Wasted), wasted_new);
            assert_eq!(gained(MemoryUse::Wasted), PAGE, "the page that the frontier had not reached");

            let wasted_old = scope.simulate_full_space(SpaceKind::Old).unwrap();
            let survey = look(scope);
            assert_eq!((wasted_old, survey.bytes_of(PageKind::Old, MemoryUse::Free)), (PAGE - PAIR, 0));
            assert_eq!(survey.bytes_of(PageKind::Old, MemoryUse::Filler), wasted_old);

            let wasted_large = scope.simulate_full_space(SpaceKind::Large).unwrap();
            assert_eq!(look(scope).large_bytes_out_of_reach, wasted_large);
            // A collection makes all of it free again.
            scope.collect(MAJOR).unwrap();
            let survey = look(scope);
            assert_eq!((survey.bytes(MemoryUse::Wasted), survey.large_bytes_out_of_reach), (0, 0));
            assert_eq!(survey.bytes_of(PageKind::New, MemoryUse::Unused), heap.layout().new_pages() * PAGE);
        })
        .unwrap();
}

#[test]
fn a_reserve_is_held() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            scope
                .always_allocate(Reserve::one_of_each(300), |scope| {
                    // One page of each type, and a run of three.
                    let survey = look(scope);
                    assert_eq!(survey.bytes_of(PageKind::Reserved, MemoryUse::Held), 7 * PAGE);
                    // The run serves a smaller object; its rest goes back.
                    scope.simulate_full_space(SpaceKind::Large).unwrap();
                    _ = scope.new_bytes(200).unwrap();
                    let survey = look(scope);
                    assert_eq!(survey.bytes(MemoryUse::Held), 4 * PAGE);
                    assert_eq!(live(&survey, PageKind::LargeHead), PAGE);
                })
                .unwrap();
            assert_eq!(look(scope).bytes(MemoryUse::Held), 0);
        })
        .unwrap();
}

/// New space's pages beside the frontier's table: survivors, and a scope's own.
#[test]
fn pages_beside_the_frontier_are_walked() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let _survivor = scope.new_array(2).unwrap();
            scope.collect(MINOR).unwrap();
            let survey = look(scope);
            assert_eq!((live(&survey, PageKind::New), dead(&survey, PageKind::New)), (PAIR, 0));
            scope
                .always_allocate(Reserve::one_of_each(0), |scope| {
                    scope.simulate_full_space(SpaceKind::New).unwrap();
                    let _own = scope.new_array(2).unwrap();
                    assert_eq!(live(&look(scope), PageKind::New), 2 * PAIR);
                })
                .unwrap();
        })
        .unwrap();
}

// ---- what a survey does not do --------------------------------------------------------------------------------------

/// U-3: a survey changes nothing of all that the heap counts, and nothing of what it holds.
#[test]
fn a_survey_changes_nothing() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let young = numbered(scope, 2, AllocationType::Young, 7).unwrap();
            _ = fill(scope, AllocationType::Old);
            let old = numbered(scope, 2, AllocationType::Old, 8).unwrap();
            scope.store(scope.get(old), 1, scope.get(young).into());
            let (before, requests) = (scope.statistics().unwrap(), scope.own_requests());
            let places = (scope.get(young).tagged(), scope.get(old).tagged());
            let survey = look(scope);
            assert_eq!(look(scope), survey, "deterministic");
            assert_eq!((scope.statistics().unwrap(), scope.own_requests()), (before, requests));
            assert_eq!((scope.get(young).tagged(), scope.get(old).tagged()), places);
            assert!(scope.verify().unwrap().is_sound(), "no mark, no hole, no remembered slot has changed");
            scope.collect(MINOR).unwrap();
            assert_eq!(common::number(scope, scope.downcast(scope.load(scope.get(old), 1)).unwrap()), 7);
        })
        .unwrap();
    assert_sound(&heap);
}

/// A thread that runs a local heap is refused, as by every stop from outside.
#[test]
fn not_from_inside_a_run() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread.run(|_| assert_eq!(heap.survey().unwrap_err(), StopError::InsideRun)).unwrap();
}

/// Surveys of a heap on which others allocate add up, whenever they come.
#[test]
fn surveys_beside_allocation_add_up() {
    let heap = build(small());
    in_time(move || {
        let stop = AtomicBool::new(false);
        std::thread::scope(|threads| {
            for seed in 0..3 {
                let (heap, stop) = (&heap, &stop);
                threads.spawn(move || {
                    let mut thread = heap.attach().unwrap();
                    thread
                        .run(|scope| {
                            let mut i = seed;
                            while !stop.load(Ordering::Relaxed) {
                                i += 1;
                                scope.nested(|scope| {
                                    // Out of memory is an answer.
                                    _ = scope.new_array_in(i % 40, AllocationType::ALL[i % 2]);
                                    _ = scope.new_bytes(if i % 64 == 0 { 40_000 } else { i % 90 });
                                    _ = scope.new_code(i % 50);
                                });
                                scope.poll();
                            }
                        })
                        .unwrap();
                });
            }
            for _ in 0..if cfg!(miri) { 2 } else { 50 } {
                // The sums are asserted inside; the statistics are of another moment.
                let survey = heap.survey().unwrap();
                assert!(survey.pages.len() * survey.page_bytes <= survey.hard_limit_bytes);
                std::thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        _ = look_at(&heap);
    });
}
