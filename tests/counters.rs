//! Goal: what the heap counts is exact - attempts, LABs, collections, bytes moved, live and free - and what depends on
//! counts follows: the soft limit, the window of the bump path, the rounds of a ladder.
//!
//! Method: one thread does a known number of things between two statistics. Each of those stops the world, so it
//! retires the LABs, and the next allocation is an attempt.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{build, fill, small, tiny_of};
use heaplab::heap::Internals as _;
use heaplab::words::RESERVATION_BYTES_MAX;
use heaplab::*;
use std::sync::Arc;
use std::sync::Mutex;

const MAJOR: CollectionKind = CollectionKind::Major;
const MINOR: CollectionKind = CollectionKind::Minor;
const REDUCING: CollectionKind = CollectionKind::MemoryReducing;

/// An array of `bytes` bytes in all.
fn array_of<'s>(scope: &mut Scope<'s, '_>, bytes: usize, ty: AllocationType) -> Result<Handle<'s, Array>, AllocError> {
    // Header and length, then a word for each element.
    scope.new_array_in(bytes / 4 - 2, ty)
}

fn collections(statistics: &Statistics) -> u64 {
    statistics.collections.iter().sum()
}

// ---- allocation -----------------------------------------------------------------------------------------------------

#[test]
fn attempts_and_labs_are_counted() {
    let heap = build(small());
    let page_bytes = heap.layout().page_bytes();
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let before = scope.statistics().unwrap().allocation;
            for _ in 0..10 {
                array_of(scope, 16, AllocationType::Young).unwrap();
            }
            let after = scope.statistics().unwrap().allocation;
            assert_eq!(after.refills - before.refills, 1, "one LAB serves them all");
            assert_eq!(after.attempts - before.attempts, 1, "the others never left the bump path");
            let lab_bytes = after.lab_bytes - before.lab_bytes;
            assert!((160..=page_bytes as u64).contains(&lab_bytes), "{lab_bytes}");
            assert_eq!((after.failed_attempts, after.large_objects), (0, 0));

            for _ in 0..3 {
                array_of(scope, 2 * page_bytes, AllocationType::Old).unwrap();
            }
            let large = scope.statistics().unwrap().allocation;
            assert_eq!(large.large_objects - after.large_objects, 3);
            assert_eq!(large.attempts - after.attempts, 3);
            assert_eq!((large.refills, large.lab_bytes), (after.refills, after.lab_bytes), "no LAB is for them");
        })
        .unwrap();
    let attached = heap.statistics().unwrap().allocation;
    drop(thread);
    assert_eq!(heap.statistics().unwrap().allocation, attached, "what a detached local heap counted stays counted");
}

#[test]
fn a_failure_that_was_asked_for_comes_once_and_in_its_turn() {
    let heap = build(small());
    let large = 2 * heap.layout().page_bytes();
    let mut thread = heap.attach().unwrap();
    heap.set_fail_allocation(Some(2)).unwrap();
    thread
        .run(|scope| {
            let before = scope.statistics().unwrap();
            for left in [Some(2), Some(1), Some(0)] {
                assert_eq!(scope.attempts_before_failure(), left);
                array_of(scope, large, AllocationType::Old).unwrap();
            }
            assert_eq!(scope.attempts_before_failure(), None);
            array_of(scope, large, AllocationType::Old).unwrap();
            let after = scope.statistics().unwrap();
            assert_eq!(after.allocation.attempts - before.allocation.attempts, 5, "four requests, one of them twice");
            assert_eq!(after.allocation.failed_attempts - before.allocation.failed_attempts, 1);
            assert_eq!(after.retries - before.retries, 1);
            assert_eq!(after.requests - before.requests, 1);
            assert_eq!(collections(&after) - collections(&before), 1);
        })
        .unwrap();
}

/// With an interval the bump path is closed, so that each allocation counts; without one it is open again.
#[test]
fn an_interval_collects_at_every_so_many_allocations() {
    let heap = build(small());
    let mut thread = heap.attach().unwrap();
    let mut collected_by = |allocations: usize| {
        let before = collections(&heap.statistics().unwrap());
        thread
            .run(|scope| (0..allocations).for_each(|_| _ = array_of(scope, 16, AllocationType::Young).unwrap()))
            .unwrap();
        collections(&heap.statistics().unwrap()) - before
    };
    assert_eq!(collected_by(12), 0);
    heap.set_gc_interval(3).unwrap();
    assert_eq!(collected_by(12), 4);
    heap.set_gc_interval(0).unwrap();
    let attempts = heap.statistics().unwrap().allocation.attempts;
    assert_eq!(collected_by(12), 0);
    assert_eq!(heap.statistics().unwrap().allocation.attempts - attempts, 1, "the bump path is open");
}

/// Each request of a full heap is one collection; the last resort asks once and collects twice.
#[test]
fn requests_of_a_full_heap_are_counted() {
    let heap = build(tiny_of(24));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            scope.nested(|scope| {
                while array_of(scope, 64, AllocationType::Old).is_ok() {}
                let before = scope.statistics().unwrap();
                assert!(array_of(scope, 64, AllocationType::Old).is_err());
                let after = scope.statistics().unwrap();
                let requests = after.requests - before.requests;
                assert_eq!(collections(&after) - collections(&before), requests + 1);
                assert_eq!(after.requests_in_scope, before.requests_in_scope);
                assert_eq!(after.retries - before.retries, 1);
                let error = scope
                    .always_allocate(Reserve::NONE, |scope| array_of(scope, 64, AllocationType::Old).map(|_| ()))
                    .unwrap()
                    .expect_err("it is full");
                assert!(matches!(error, AllocError::OutOfMemory { .. }));
                let inside = scope.statistics().unwrap();
                assert_eq!(inside.requests - after.requests, inside.requests_in_scope - after.requests_in_scope);
                assert!(inside.requests_in_scope >= 2 + after.requests_in_scope, "{inside:?}");
                assert!(array_of(scope, 64, AllocationType::Old).is_err());
                assert_eq!(
                    scope.statistics().unwrap().requests_in_scope,
                    inside.requests_in_scope,
                    "the scope has ended"
                );
            });
        })
        .unwrap();
}

// ---- limits ---------------------------------------------------------------------------------------------------------

/// The soft limit holds outside of always-allocate scopes, also after one.
#[test]
fn the_soft_limit_holds_again_after_a_scope() {
    let mut config = tiny_of(40);
    config.soft_limit_bytes = 16 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for _ in 0..2 {
                for ty in [AllocationType::Old, AllocationType::Code] {
                    for _ in 0..60 {
                        scope.nested(|scope| _ = array_of(scope, 64, ty).unwrap());
                    }
                    let committed = scope.statistics().unwrap().committed_bytes;
                    assert!(committed <= 16 * 128, "garbage took {committed} bytes");
                }
                let held = scope
                    .always_allocate(Reserve::NONE, |scope| {
                        let before = collections(&scope.statistics().unwrap());
                        let handles: Vec<_> =
                            (0..40).map(|_| array_of(scope, 64, AllocationType::Old).unwrap()).collect();
                        assert_eq!(
                            collections(&scope.statistics().unwrap()),
                            before,
                            "nothing collects below the hard limit"
                        );
                        (handles.len(), scope.statistics().unwrap().committed_bytes)
                    })
                    .unwrap();
                assert!(held.1 > 16 * 128);
                scope.collect(REDUCING).unwrap();
            }
        })
        .unwrap();
}

/// A page of an always-allocate scope's young objects is used to its last byte, and what does not fit takes another.
#[test]
fn young_pages_of_a_scope_are_used_to_the_end() {
    let heap = build(tiny_of(40));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            scope
                .always_allocate(Reserve::NONE, |scope| {
                    scope.simulate_full_space(SpaceKind::New).unwrap();
                    // Asked without a stop, which would make the rest of a page anybody's.
                    let committed = || heap.spaces().budget.committed();
                    let start = committed();
                    let mut pages = Vec::new();
                    for bytes in [64, 64, 48, 48, 48, 48] {
                        array_of(scope, bytes, AllocationType::Young).unwrap();
                        pages.push(committed() - start);
                    }
                    assert_eq!(pages, [1, 1, 2, 2, 3, 3]);
                })
                .unwrap();
        })
        .unwrap();
    common::assert_sound(&heap);
}

#[test]
fn the_soft_limit_follows_what_is_live() {
    let mut config = tiny_of(64);
    config.soft_limit_bytes = 8 * 128;
    config.pool_bytes_max = 16 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            scope.collect(MAJOR).unwrap();
            let settled = |statistics: &Statistics| statistics.committed_bytes - statistics.pooled_bytes;
            let empty = scope.statistics().unwrap();
            assert_eq!(empty.soft_limit_bytes, (2 * settled(&empty)).max(8 * 128));
            scope.nested(|scope| {
                for _ in 0..40 {
                    array_of(scope, 64, AllocationType::Old).unwrap();
                }
                scope.collect(MAJOR).unwrap();
                let full = scope.statistics().unwrap();
                assert!(settled(&full) >= settled(&empty) + 20 * 128);
                assert_eq!(full.soft_limit_bytes, 2 * settled(&full));
            });
            // A plain major collection keeps pages in the pool; pooled pages are not live.
            scope.collect(MAJOR).unwrap();
            let dropped = scope.statistics().unwrap();
            assert!(dropped.pooled_bytes > 0, "{dropped:?}");
            assert_eq!(dropped.soft_limit_bytes, (2 * settled(&dropped)).max(8 * 128));
        })
        .unwrap();
}

#[test]
fn a_callback_is_told_how_things_stand() {
    let mut config = tiny_of(16);
    config.hard_limit_bytes_max = 24 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&told);
    heap.set_near_limit_callback(Some(Box::new(move |near: NearLimit| {
        seen.lock().unwrap().push(near);
        near.hard_limit_bytes + 128
    })));
    thread.run(|scope| _ = fill(scope, AllocationType::Old)).unwrap();
    let told = told.lock().unwrap();
    for (round, near) in told.iter().enumerate() {
        assert_eq!(near.hard_limit_bytes, ((16 + round) * 128).min(24 * 128));
        assert_eq!(near.hard_limit_bytes_initial, 16 * 128);
        assert_eq!(near.hard_limit_bytes_max, 24 * 128);
        assert_eq!(near.committed_bytes, near.hard_limit_bytes, "it is asked when nothing is left");
    }
    assert!(told.len() > 8, "{}", told.len());
}

/// A heap that stays full after major collections is not given more rounds; a heap that has room again is.
#[test]
fn rounds_are_skipped_while_collections_free_nothing() {
    let heap = build(small());
    let bytes = heap.layout().regular_bytes_max() / 2 + 8;
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            // Objects of little more than a quarter of a page: what each page has left over is much in all, and
            // serves none.
            let failing = |scope: &mut Scope<'_, '_>| {
                let before = collections(&scope.statistics().unwrap());
                assert!(array_of(scope, bytes, AllocationType::Old).is_err());
                collections(&scope.statistics().unwrap()) - before
            };
            scope.nested(|scope| {
                while array_of(scope, bytes, AllocationType::Old).is_ok() {}
                let rounds: Vec<u64> = (0..3).map(|_| failing(scope)).collect();
                assert_eq!(rounds, [4, 4, 4], "what is free is more than a share that is not worth a collection");
                // Now that is gone too.
                while array_of(scope, 64, AllocationType::Old).is_ok() {}
                while array_of(scope, 16, AllocationType::Old).is_ok() {}
                failing(scope);
                assert_eq!(
                    failing(scope),
                    3,
                    "one collection finds out that it frees nothing, two are the last resort"
                );
            });
            // The heap is empty again.
            scope.collect(MAJOR).unwrap();
            scope.nested(|scope| {
                while array_of(scope, bytes, AllocationType::Old).is_ok() {}
                assert_eq!(failing(scope), 4);
            });
        })
        .unwrap();
}

/// Where a page is more than the share of the heap that is worth a collection, rounds are skipped once no page is
/// left.
#[test]
fn rounds_are_skipped_when_the_last_page_is_gone() {
    let heap = build(tiny_of(24));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            scope.nested(|scope| {
                while array_of(scope, 64, AllocationType::Old).is_ok() {}
                while array_of(scope, 8, AllocationType::Old).is_ok() {}
                let before = collections(&scope.statistics().unwrap());
                assert!(array_of(scope, 64, AllocationType::Old).is_err());
                assert_eq!(collections(&scope.statistics().unwrap()) - before, 3);
            });
        })
        .unwrap();
}

/// A request that is too large for what is free fails; but what is free is much, so collections are not given up.
#[test]
fn rounds_are_not_skipped_while_there_is_room() {
    let heap = build(tiny_of(24));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for _ in 0..4 {
                let before = collections(&scope.statistics().unwrap());
                assert!(array_of(scope, 22 * 128, AllocationType::Old).is_err());
                assert_eq!(collections(&scope.statistics().unwrap()) - before, 4);
            }
        })
        .unwrap();
}

// ---- collections ----------------------------------------------------------------------------------------------------

#[test]
fn collections_are_traced_if_asked_for() {
    let heap = build(tiny_of(40));
    let mut thread = heap.attach().unwrap();
    heap.collect(MINOR).unwrap();
    assert!(heap.take_collection_trace().unwrap().is_empty());
    heap.set_trace_collections(true).unwrap();
    let committed = thread
        .run(|scope| {
            for _ in 0..8 {
                array_of(scope, 64, AllocationType::Old).unwrap();
            }
            scope.statistics().unwrap().committed_bytes
        })
        .unwrap();
    heap.collect(REDUCING).unwrap();
    let after = heap.statistics().unwrap();
    heap.collect(MINOR).unwrap();
    let trace = heap.take_collection_trace().unwrap();
    assert_eq!(trace.iter().map(|one| (one.number, one.kind)).collect::<Vec<_>>(), [(2, REDUCING), (3, MINOR)]);
    assert_eq!(trace[0].committed_bytes_before, committed);
    assert_eq!(trace[0].committed_bytes_after, after.committed_bytes);
    assert!(after.committed_bytes < committed);
    assert!(heap.take_collection_trace().unwrap().is_empty(), "it begins anew");
    heap.set_trace_collections(false).unwrap();
    heap.collect(MINOR).unwrap();
    assert!(heap.take_collection_trace().unwrap().is_empty());
}

/// Bytes of a use on all pages that a major collection sweeps.
fn swept_bytes(survey: &Survey, memory_use: MemoryUse) -> usize {
    let kinds = [PageKind::Old, PageKind::Map, PageKind::Code, PageKind::LargeHead, PageKind::LargeTail];
    kinds.iter().map(|&kind| survey.bytes_of(kind, memory_use)).sum()
}

/// Live bytes and holes, as a major collection counts them, are those that a survey finds.
#[test]
fn live_bytes_and_holes_are_those_of_a_survey() {
    let heap = build(tiny_of(64));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let mut kept = Vec::new();
            for ty in [AllocationType::Old, AllocationType::Code] {
                for bytes in [64, 64, 128, 320] {
                    kept.push(array_of(scope, bytes, ty).unwrap());
                    scope.nested(|scope| _ = array_of(scope, 64, ty).unwrap());
                }
            }
            for tagged in 1..4 {
                scope.new_map(Shape::new(16, 4, tagged, Tail::None).unwrap()).unwrap();
            }
            scope.collect(MAJOR).unwrap();
            let moved = scope.statistics().unwrap().moved;
            let survey = scope.survey().unwrap();
            let of = |memory_use| swept_bytes(&survey, memory_use);
            assert_eq!(moved.live_bytes, of(MemoryUse::Live));
            assert_eq!(moved.hole_bytes, of(MemoryUse::Free));
            assert!(moved.hole_bytes > 0);
            assert_eq!(of(MemoryUse::Dead), 0);
        })
        .unwrap();
}

/// Live bytes and holes are those of a survey also where young objects found no destination, so that their pages were
/// kept.
#[test]
fn live_bytes_and_holes_of_kept_pages_are_counted() {
    let mut config = tiny_of(24);
    config.new_space_bytes = 4 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            scope.nested(|scope| {
                for _ in 0..4 {
                    array_of(scope, 32, AllocationType::Young).unwrap();
                    scope.nested(|scope| _ = array_of(scope, 16, AllocationType::Young).unwrap());
                }
                assert_eq!(collections(&scope.statistics().unwrap()), 0);
                // What is free is taken, so that there is no page to move anything to.
                let spaces = heap.spaces();
                // SAFETY: S-4: the scope's local heap runs.
                let take = || unsafe { spaces.take_page(PageKind::Reserved, heaplab::words::Limit::Hard) }.ok();
                let taken: Vec<_> = core::iter::from_fn(take).collect();
                heap.set_verify_heap(false);
                scope.collect(MAJOR).unwrap();
                for page in taken {
                    // SAFETY: the page was just taken, and holds no object.
                    unsafe { spaces.pool_page(page) }
                }
                heap.set_verify_heap(true);
                let moved = scope.statistics().unwrap().moved;
                let survey = scope.survey().unwrap();
                assert!(moved.pages_kept >= 2, "{moved:?}");
                assert_eq!(moved.live_bytes, swept_bytes(&survey, MemoryUse::Live));
                assert_eq!(moved.hole_bytes, swept_bytes(&survey, MemoryUse::Free));
                assert!(moved.live_bytes >= 4 * 32 && moved.hole_bytes >= 4 * 16, "{moved:?}");
            });
        })
        .unwrap();
}

/// Statistics tell what the last major collection found until the next one, whatever minor collections come between:
/// those do not look at old objects.
#[test]
fn minor_collections_leave_live_bytes_and_holes() {
    let heap = build(tiny_of(64));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            array_of(scope, 64, AllocationType::Old).unwrap();
            scope.nested(|scope| _ = array_of(scope, 128, AllocationType::Old).unwrap());
            scope.collect(MAJOR).unwrap();
            let found = scope.statistics().unwrap().moved;
            assert_eq!(found.live_bytes, 64);
            assert!(found.hole_bytes > 0);
            for _ in 0..3 {
                array_of(scope, 64, AllocationType::Young).unwrap();
                scope.collect(CollectionKind::Minor).unwrap();
                let moved = scope.statistics().unwrap().moved;
                assert_eq!((moved.live_bytes, moved.hole_bytes), (found.live_bytes, found.hole_bytes));
            }
            scope.collect(MAJOR).unwrap();
            scope.collect(MAJOR).unwrap();
            assert_eq!(
                scope.statistics().unwrap().moved.live_bytes,
                4 * 64,
                "what was promoted is counted by the next one"
            );
        })
        .unwrap();
}

/// Survivors take half of new space; what is more is promoted at its first collection.
#[test]
fn survivors_take_half_of_new_space() {
    let mut config = tiny_of(64);
    config.new_space_bytes = 4 * 128;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for _ in 0..8 {
                array_of(scope, 48, AllocationType::Young).unwrap();
            }
            assert_eq!(collections(&scope.statistics().unwrap()), 0);
            scope.collect(MINOR).unwrap();
            let moved = scope.statistics().unwrap().moved;
            assert_eq!(moved.survived_bytes + moved.promoted_bytes, 8 * 48);
            assert_eq!(moved.survived_bytes, 2 * 2 * 48, "two of a page, on two pages");
        })
        .unwrap();
}

/// Only pages of which less than half is live are evacuated.
#[test]
fn a_page_that_is_half_full_stays() {
    let pages: [(&[usize], &[usize], bool); 4] =
        [(&[56], &[64], true), (&[64], &[64], false), (&[64, 16], &[48], false), (&[64, 64], &[], false)];
    for (live, dead, moves) in pages {
        let heap = build(tiny_of(64));
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                let kept: Vec<_> =
                    live.iter().map(|&bytes| array_of(scope, bytes, AllocationType::Old).unwrap()).collect();
                scope.nested(|scope| {
                    dead.iter().for_each(|&bytes| _ = array_of(scope, bytes, AllocationType::Old).unwrap());
                });
                scope.collect(REDUCING).unwrap();
                let evacuated = scope.statistics().unwrap().moved.evacuated_bytes;
                assert_eq!(evacuated, if moves { live.iter().sum() } else { 0 }, "{live:?} of 128 bytes are live");
                for (&kept, &bytes) in kept.iter().zip(live) {
                    assert_eq!(scope.len(scope.get(kept)), bytes / 4 - 2);
                }
            })
            .unwrap();
    }
}

/// What a collection leaves of the page it promoted to is there for the next old object.
#[test]
fn the_rest_of_a_page_of_promoted_objects_is_used() {
    let mut config = tiny_of(64);
    config.pool_bytes_max = 0;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            array_of(scope, 24, AllocationType::Young).unwrap();
            scope.collect(MINOR).unwrap();
            scope.collect(MINOR).unwrap();
            let promoted = scope.statistics().unwrap();
            assert_eq!(promoted.moved.promoted_bytes, 24);
            array_of(scope, 64, AllocationType::Old).unwrap();
            assert_eq!(scope.statistics().unwrap().committed_bytes, promoted.committed_bytes);
        })
        .unwrap();
}

/// A survey tells what of each page of new space was handed out, also on the second one.
#[test]
fn the_frontier_divides_the_page_it_is_on() {
    let mut config = tiny_of(64);
    config.new_space_bytes = 4 * 128;
    config.young_lab_bytes = 64;
    let heap = build(config);
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for _ in 0..3 {
                array_of(scope, 64, AllocationType::Young).unwrap();
            }
            let survey = scope.survey().unwrap();
            assert_eq!(survey.bytes_of(PageKind::New, MemoryUse::Live), 3 * 64);
            assert_eq!(survey.bytes_of(PageKind::New, MemoryUse::Unused), 4 * 128 - 3 * 64);
        })
        .unwrap();
}

// ---- configurations -------------------------------------------------------------------------------------------------

#[test]
fn the_fields_of_a_configuration_are_in_proportion() {
    for (hard, new) in [(1 << 20, 1 << 17), (32 << 20, 4 << 20), (1 << 30, 4 << 20)] {
        let config = HeapConfig::sized(hard, 7);
        assert_eq!(config.new_space_bytes, new);
        assert_eq!(
            (config.soft_limit_bytes, config.hard_limit_bytes_max),
            (hard / 2, (2 * hard).min(RESERVATION_BYTES_MAX))
        );
        assert_eq!((config.pool_bytes_max, config.young_lab_bytes), (hard / 16, 32 << 10));
    }
    let tiny = HeapConfig::tiny();
    let layout = tiny.layout().unwrap();
    assert_eq!(
        (layout.page_bytes(), layout.hard_limit_pages(), layout.hard_limit_pages_max(), layout.new_pages()),
        (128, 16, 16, 2)
    );
    assert_eq!((layout.soft_limit_pages(), layout.small_hole_bytes(), layout.pool_pages_max()), (12, 64, 1));
    assert_eq!((tiny.worklist_entries, tiny.handle_block_slots, tiny.page_set_bits), (4, 8, 8));
    let at_their_limits = |slots: usize, entries: usize| {
        let mut config = HeapConfig::tiny();
        (config.handle_block_slots, config.worklist_entries) = (slots, entries);
        config.layout().map(|_| ())
    };
    at_their_limits(1, 1).unwrap();
    at_their_limits(1 << 20, 1 << 28).unwrap();
    for (slots, entries) in [(0, 1), (1, 0), ((1 << 20) + 1, 1), (1, (1 << 28) + 1)] {
        assert!(at_their_limits(slots, entries).is_err());
    }
}
