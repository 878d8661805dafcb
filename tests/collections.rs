//! Goal: collections keep what is reachable, with its contents, move only what may move, free the rest, and never fail;
//! whatever the limits, flags and faults.
//!
//! Method: deterministic programs on small, verified heaps. Addresses say what moved; a shadow of plain Rust values
//! says what each object must hold; statistics say what was freed.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{assert_usable, build, in_time, number, numbered, small, tiny, tiny_of};
use heaplab::heap::Internals as _;
use heaplab::*;

const MINOR: CollectionKind = CollectionKind::Minor;
const MAJOR: CollectionKind = CollectionKind::Major;
const REDUCING: CollectionKind = CollectionKind::MemoryReducing;

/// What the page of an object is used for.
fn page_kind<T>(heap: &Heap, object: Ref<'_, T>) -> PageKind {
    let page = heap.layout().page_of(object.tagged().target());
    // SAFETY: G-1: the reference is to a live object of the page, and this thread is running.
    unsafe { heap.spaces().pages.kind(page) }
}

// ---- what moves, and where to ---------------------------------------------------------------------------------------

/// A young object is copied within new space once, and to old space the next time.
#[test]
fn objects_are_promoted_by_age() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let array = numbered(scope, 2, AllocationType::Young, 7).unwrap();
            let born = scope.get(array).tagged();
            assert_eq!(page_kind(&heap, scope.get(array)), PageKind::New);
            scope.collect(MINOR).unwrap();
            let survived = scope.get(array).tagged();
            assert_eq!(page_kind(&heap, scope.get(array)), PageKind::New);
            assert_ne!(survived, born, "copied");
            // Younger objects do not age with the array.
            let younger = numbered(scope, 2, AllocationType::Young, 8).unwrap();
            scope.collect(MINOR).unwrap();
            assert_eq!(page_kind(&heap, scope.get(array)), PageKind::Old);
            assert_eq!(page_kind(&heap, scope.get(younger)), PageKind::New);
            let promoted = scope.get(array).tagged();
            scope.collect(MINOR).unwrap();
            assert_eq!(scope.get(array).tagged(), promoted, "a minor collection moves no old object");
            assert_eq!(page_kind(&heap, scope.get(younger)), PageKind::Old);
            assert_eq!((number(scope, scope.get(array)), number(scope, scope.get(younger))), (7, 8));
        })
        .unwrap();
    let moved = heap.statistics().unwrap().moved;
    assert_eq!((moved.survived_bytes, moved.promoted_bytes), (2 * 16, 2 * 16));
}

#[test]
fn a_major_collection_empties_new_space() {
    for kind in [MAJOR, REDUCING] {
        let heap = build(tiny());
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                let young: Vec<_> = (0..5).map(|i| numbered(scope, 2, AllocationType::Young, i).unwrap()).collect();
                scope.collect(kind).unwrap();
                for (i, array) in young.into_iter().enumerate() {
                    assert_eq!(page_kind(&heap, scope.get(array)), PageKind::Old);
                    assert_eq!(number(scope, scope.get(array)), i as i32);
                }
            })
            .unwrap();
    }
}

type Immovable<'s> = (Handle<'s, Map>, Handle<'s, Code>, Handle<'s, Bytes>);

fn places<'s>(scope: &Scope<'s, '_>, kept: &[Immovable<'s>]) -> Vec<[Tagged; 3]> {
    let place = |&(map, code, large): &Immovable<'s>| {
        [scope.get(map).tagged(), scope.get(code).tagged(), scope.get(large).tagged()]
    };
    kept.iter().map(place).collect()
}

/// Maps, code and large objects stay where they are, through every kind of collection and with garbage around them.
#[test]
fn maps_code_and_large_objects_do_not_move() {
    let heap = build(tiny_of(48));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let mut kept = Vec::new();
            for i in 0..12 {
                let map = scope.new_map(Shape::new(16 + i, 2, 1, Tail::None).unwrap()).unwrap();
                let code = scope.new_code(usize::from(i) * 5).unwrap();
                let large = scope.new_bytes(100 + usize::from(i)).unwrap();
                assert!(scope.get(code).tagged().target().bytes().is_multiple_of(64));
                assert!(scope.get(map).tagged().target().bytes().is_multiple_of(32));
                scope.nested(|scope| {
                    // Neighbours that die.
                    _ = scope.new_map(Shape::new(99, 2, 1, Tail::None).unwrap()).unwrap();
                    _ = scope.new_code(9).unwrap();
                    _ = scope.new_bytes(200).unwrap();
                });
                if i % 4 == 0 {
                    kept.push((map, code, large));
                }
            }
            let before = places(scope, &kept);
            for kind in [MINOR, MAJOR, REDUCING, MAJOR, REDUCING, MINOR] {
                scope.collect(kind).unwrap();
                assert_eq!(places(scope, &kept), before, "{kind}");
            }
            assert_eq!(page_kind(&heap, scope.get(kept[0].0)), PageKind::Map);
            assert_eq!(page_kind(&heap, scope.get(kept[0].1)), PageKind::Code);
            assert_eq!(page_kind(&heap, scope.get(kept[0].2)), PageKind::LargeHead);
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

/// A record type needs its map's root and nothing else; what is made with it is what `new_record` makes.
#[test]
fn a_record_type_outlives_collections() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for (fixed, tagged) in [(1, 0), (2, 1), (5, 2), (16, 15)] {
                let map = scope.new_map(Shape::new(16, fixed, tagged, Tail::None).unwrap()).unwrap();
                let ty = scope.record_type(map).unwrap();
                for kind in CollectionKind::ALL {
                    scope.nested(|scope| {
                        // Maps that die around it.
                        _ = scope.new_map(Shape::new(17, 2, 1, Tail::None).unwrap()).unwrap();
                        let record = scope.new_record_of(ty).unwrap();
                        scope.collect(kind).unwrap();
                        assert_eq!(scope.map(scope.get(record).into()).unwrap(), scope.get(map));
                        assert!((0..tagged).all(|i| scope.load_field(scope.get(record), i).as_small() == Some(0)));
                        assert!((0..fixed - 1 - tagged).all(|i| scope.load_raw(scope.get(record), i) == 0));
                    });
                }
            }
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

/// A large young object starts as old, and is no young object to the write barrier either.
#[test]
fn a_large_object_holds_young_ones() {
    let heap = build(tiny_of(48));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let large = scope.new_array(60).unwrap();
            assert_eq!(page_kind(&heap, scope.get(large)), PageKind::LargeHead);
            for round in 0..4 {
                for slot in (round..60).step_by(7) {
                    scope.nested(|scope| {
                        let young = numbered(scope, 1, AllocationType::Young, slot as i32).unwrap();
                        scope.store(scope.get(large), slot, scope.get(young).into());
                    });
                }
                scope.collect(MINOR).unwrap();
            }
            let mut seen = 0;
            for slot in 0..60 {
                if let Some(young) = scope.downcast::<Array>(scope.load(scope.get(large), slot)) {
                    assert_eq!(number(scope, young), slot as i32);
                    seen += 1;
                }
            }
            assert_eq!(seen, (0..60).filter(|slot| slot % 7 < 4).count());
        })
        .unwrap();
}

// ---- the remembered set ---------------------------------------------------------------------------------------------

/// An edge from an old object, of whatever space, is all that keeps a young one, and follows it.
#[test]
fn edges_from_old_to_young_are_roots_of_a_minor_collection() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let old = scope.new_array_in(2, AllocationType::Old).unwrap();
            let map = scope.new_map(Shape::new(16, 3, 2, Tail::None).unwrap()).unwrap();
            let record = scope.new_record_in(map, 0, AllocationType::Old).unwrap();
            for turn in 0..3 {
                scope.nested(|scope| {
                    for (slot, what) in (turn..turn + 3).enumerate() {
                        let young = numbered(scope, 1, AllocationType::Young, what).unwrap();
                        match slot {
                            0 => scope.store(scope.get(old), 1, scope.get(young).into()),
                            1 => scope.store_map_slot(scope.get(map), 2, scope.get(young).into()),
                            _ => scope.store_field(scope.get(record), 1, scope.get(young).into()),
                        }
                    }
                });
                for _ in 0..3 {
                    scope.collect(MINOR).unwrap();
                    let held = [
                        scope.load(scope.get(old), 1),
                        scope.load_map_slot(scope.get(map), 2),
                        scope.load_field(scope.get(record), 1),
                    ];
                    let held = held.map(|value| number(scope, scope.downcast(value).expect("an array")));
                    assert_eq!(held, [turn, turn + 1, turn + 2]);
                }
            }
        })
        .unwrap();
}

/// An edge that was overwritten keeps nothing; a chain that hangs on one edge is kept whole.
#[test]
fn a_remembered_slot_keeps_what_it_holds_now() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let old = scope.new_array_in(1, AllocationType::Old).unwrap();
            let garbage = scope.nested(|scope| {
                let garbage = numbered(scope, 2, AllocationType::Young, 1).unwrap();
                scope.store(scope.get(old), 0, scope.get(garbage).into());
                let mut chain = numbered(scope, 2, AllocationType::Young, 0).unwrap();
                for link in 1..6 {
                    let next = numbered(scope, 2, AllocationType::Young, link).unwrap();
                    scope.store(scope.get(next), 1, scope.get(chain).into());
                    chain = next;
                }
                scope.store(scope.get(old), 0, scope.get(chain).into());
                scope.get(garbage).tagged()
            });
            let before = scope.verify().unwrap().objects;
            scope.collect(MINOR).unwrap();
            assert_eq!(scope.verify().unwrap().objects, before - 1, "{garbage:?} is gone, and nothing else");
            let mut link = scope.downcast::<Array>(scope.load(scope.get(old), 0));
            for expected in (0..6).rev() {
                let array = link.expect("the chain is whole");
                assert_eq!(number(scope, array), expected);
                link = scope.downcast(scope.load(array, 1));
            }
        })
        .unwrap();
}

// ---- bounds of the collector ----------------------------------------------------------------------------------------

/// Builds a tree of arrays of `width` elements and `depth` levels, whose leaves are numbered.
fn tree<'s>(
    scope: &mut Scope<'s, '_>,
    width: usize,
    depth: usize,
    next: &mut i32,
) -> Result<Handle<'s, Array>, AllocError> {
    scope.escape(|scope| {
        if depth == 0 {
            *next += 1;
            return numbered(scope, 1, AllocationType::Young, *next);
        }
        let node = scope.new_array(width)?;
        for index in 0..width {
            scope.nested(|scope| {
                let child = tree(scope, width, depth - 1, next)?;
                scope.store(scope.get(node), index, scope.get(child).into());
                Ok(())
            })?;
        }
        Ok(node)
    })
}

fn count_tree(scope: &Scope<'_, '_>, node: Ref<'_, Array>, depth: usize, next: &mut i32) {
    if depth == 0 {
        *next += 1;
        assert_eq!(number(scope, node), *next);
        return;
    }
    for index in 0..scope.len(node) {
        count_tree(scope, scope.downcast(scope.load(node, index)).expect("a child"), depth - 1, next);
    }
}

/// A work list of a few entries sets nearly everything aside, and the collection finds it all the same.
#[test]
fn marking_and_copying_survive_a_full_work_list() {
    for entries in [1, 2, 5] {
        for (width, depth) in [(2, 5), (12, 1), (1, 20), (5, 2)] {
            let mut config = tiny_of(128);
            config.worklist_entries = entries;
            config.new_space_bytes = 40 * 128;
            let heap = build(config);
            let mut thread = heap.attach().unwrap();
            thread
                .run(|scope| {
                    let root = tree(scope, width, depth, &mut 0).unwrap();
                    for kind in [MINOR, MINOR, MAJOR, REDUCING, MINOR] {
                        scope.collect(kind).unwrap();
                        let mut leaves = 0;
                        count_tree(scope, scope.get(root), depth, &mut leaves);
                        assert_eq!(leaves as usize, width.pow(depth as u32));
                    }
                })
                .unwrap();
            assert_usable(&heap, &mut thread);
        }
    }
}

/// At the hard limit a survivor finds no destination: it stays, its page becomes old, and nothing is lost.
#[test]
fn survivors_without_a_destination_stay() {
    for kind in CollectionKind::ALL {
        let mut config = tiny_of(16);
        config.new_space_bytes = 6 * 128;
        config.pool_bytes_max = 0;
        let heap = build(config);
        let mut thread = heap.attach().unwrap();
        thread
            .run(|scope| {
                // Old space takes all that is left; then new space is filled, without garbage in it.
                let mut kept = Vec::new();
                while scope.soft_bytes_available() != 0 {
                    kept.push(numbered(scope, 12, AllocationType::Old, kept.len() as i32).unwrap());
                }
                let requests = scope.own_requests();
                scope.simulate_full_space(SpaceKind::Old).unwrap();
                for _ in 0..14 {
                    kept.push(numbered(scope, 3, AllocationType::Young, kept.len() as i32).unwrap());
                }
                assert_eq!(scope.own_requests(), requests, "nothing was collected yet");
                scope.collect(kind).unwrap();
                for (i, array) in kept.iter().enumerate() {
                    assert_eq!(number(scope, scope.get(*array)), i as i32);
                }
                let statistics = scope.statistics().unwrap();
                assert!(statistics.moved.pages_kept != 0, "{kind}: {statistics:?}");
                assert!(statistics.committed_bytes <= statistics.hard_limit_bytes);
                // What stayed is old now: it stays where it is, and its edges to young objects are remembered.
                let last = *kept.last().unwrap();
                assert_eq!(page_kind(&heap, scope.get(last)), PageKind::Old);
                assert!(scope.verify().unwrap().is_sound());
            })
            .unwrap();
        assert_usable(&heap, &mut thread);
    }
}

// ---- memory ---------------------------------------------------------------------------------------------------------

/// What is left committed after everything was dropped: the roots and new space, and nothing in the pool.
#[test]
fn a_memory_reducing_collection_gives_pages_back() {
    for config in [tiny_of(64), small()] {
        let (root_pages, new_pages) = {
            let layout = config.layout().unwrap();
            (layout.root_pages(), layout.new_pages())
        };
        let heap = build(config);
        let mut thread = heap.attach().unwrap();
        let page_bytes = heap.layout().page_bytes();
        thread
            .run(|scope| {
                for ty in [AllocationType::Old, AllocationType::Code, AllocationType::Young] {
                    for _ in 0..20 {
                        _ = scope.new_array_in(page_bytes / 10, ty).unwrap();
                    }
                }
                _ = scope.new_bytes(3 * page_bytes).unwrap();
            })
            .unwrap();
        let full = heap.statistics().unwrap().committed_bytes;
        heap.collect(REDUCING).unwrap();
        let statistics = heap.statistics().unwrap();
        assert_eq!(statistics.committed_bytes, (root_pages + new_pages) * page_bytes);
        assert_eq!(statistics.pooled_bytes, 0);
        assert!(full > 2 * statistics.committed_bytes - root_pages * page_bytes || new_pages > 2);
        assert_usable(&heap, &mut thread);
    }
}

/// Old pages with little on them are emptied, their objects moved together, and references follow.
#[test]
fn sparse_pages_are_evacuated() {
    let heap = build(tiny_of(64));
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let mut kept = Vec::new();
            for i in 0..20 {
                let keep = numbered(scope, 3, AllocationType::Old, i).unwrap();
                if let Some(&last) = kept.last() {
                    scope.store(scope.get(keep), 1, scope.get(last).into());
                }
                kept.push(keep);
                // The rest of its page dies.
                scope.nested(|scope| (0..4).for_each(|_| _ = scope.new_array_in(3, AllocationType::Old).unwrap()));
            }
            scope.collect(MAJOR).unwrap();
            let before = scope.statistics().unwrap();
            assert_eq!(before.moved.evacuated_bytes, 0);
            scope.collect(REDUCING).unwrap();
            let after = scope.statistics().unwrap();
            assert!(after.moved.evacuated_bytes != 0);
            assert!(after.committed_bytes < before.committed_bytes - before.pooled_bytes, "{before:?} {after:?}");
            for (i, &keep) in kept.iter().enumerate() {
                assert_eq!(number(scope, scope.get(keep)), i as i32);
                if i != 0 {
                    assert_eq!(scope.load(scope.get(keep), 1), scope.get(kept[i - 1]));
                }
            }
        })
        .unwrap();
}

/// Handles, persistent handles and root sets keep objects and follow them; when they go, so do the objects.
#[test]
fn each_kind_of_root_keeps_and_lets_go() {
    let heap = build(tiny_of(32));
    let mut thread = heap.attach().unwrap();
    let built_in = heap.verify().unwrap().objects;
    let set = heap.new_root_set(3);
    let persistent = thread
        .run(|scope| {
            let one = numbered(scope, 2, AllocationType::Young, 1).unwrap();
            let two = numbered(scope, 2, AllocationType::Young, 2).unwrap();
            scope.store_root(&set, 1, scope.get(two).into()).unwrap();
            scope.store_root(&set, 2, Ref::small(5).unwrap()).unwrap();
            scope.persist(one)
        })
        .unwrap();
    for kind in [MINOR, MINOR, MAJOR, REDUCING] {
        heap.collect(kind).unwrap();
        assert_eq!(heap.verify().unwrap().objects, built_in + 2, "{kind}");
        thread
            .run(|scope| {
                let one = scope.open(&persistent).unwrap();
                assert_eq!(number(scope, scope.get(one)), 1);
                let two = scope.downcast(scope.load_root(&set, 1).unwrap()).unwrap();
                assert_eq!(number(scope, two), 2);
                assert_eq!(scope.load_root(&set, 0).unwrap().as_small(), Some(0));
                assert_eq!(scope.load_root(&set, 2).unwrap().as_small(), Some(5));
            })
            .unwrap();
    }
    let clone = set.clone();
    drop(persistent);
    drop(set);
    heap.collect(MAJOR).unwrap();
    assert_eq!(heap.verify().unwrap().objects, built_in + 1, "a clone keeps the set");
    drop(clone);
    heap.collect(MAJOR).unwrap();
    assert_eq!(heap.verify().unwrap().objects, built_in);
}

// ---- threads --------------------------------------------------------------------------------------------------------

/// Two threads that follow each other's objects through a root set, with collections in between.
#[test]
fn threads_share_objects_through_roots() {
    in_time(|| {
        let heap = build(tiny());
        let set = heap.new_root_set(2);
        std::thread::scope(|threads| {
            for own in 0..2 {
                let (heap, set) = (&heap, &set);
                threads.spawn(move || {
                    let mut local = heap.attach().unwrap();
                    local
                        .run(|scope| {
                            for round in 0..if cfg!(miri) { 12 } else { 1500 } {
                                scope.nested(|scope| {
                                    let array = scope.new_array(2).unwrap();
                                    scope.store(scope.get(array), 0, Ref::small(round).unwrap());
                                    scope.store(scope.get(array), 1, Ref::small(!round).unwrap());
                                    scope.store_root(set, own, scope.get(array).into()).unwrap();
                                });
                                if let Some(other) = scope.downcast::<Array>(scope.load_root(set, 1 - own).unwrap()) {
                                    let other_round = number(scope, other);
                                    assert_eq!(scope.load(other, 1).as_small(), Some(!other_round));
                                }
                                if round % 50 == 0 {
                                    scope.collect(CollectionKind::ALL[round as usize / 50 % 3]).unwrap();
                                }
                                scope.poll();
                            }
                        })
                        .unwrap();
                });
            }
        });
        drop(set);
        assert_usable(&heap, &mut heap.attach().unwrap());
    });
}

/// The tiny preset, which most tests use, is what it is meant to be: several pages, several LABs in a page.
#[test]
fn the_tiny_world_is_not_degenerate() {
    let heap = build(tiny());
    let layout = heap.layout();
    assert_eq!((layout.page_bytes(), layout.new_pages(), layout.root_pages()), (128, 2, 2));
    let mut thread = heap.attach().unwrap();
    thread.run(|scope| (0..100).for_each(|_| scope.nested(|scope| _ = scope.new_array(2).unwrap()))).unwrap();
    let statistics = heap.statistics().unwrap();
    assert!(statistics.collections_of(MINOR) >= 5, "{statistics:?}");
    assert!(statistics.allocation.refills > 30);
}
