//! P15, handles, persistent handles and root sets against root visiting.
//!
//! Goal: no root is missed, whatever kind it is of and whenever the stop comes; no root is followed after its
//! release. Method: the tables of roots alone, exactly, without a bound; then the shipping heap, where an object that
//! only one root holds is moved by a collection and its contents are compared afterwards. (That the last reference to
//! a root set goes is seen by `Arc`'s count, which is trusted and not modelled.)

use super::worlds::{self, assert_sound, is_seven, new_seven, race, run};
use heaplab::object::Tagged;
use heaplab::sync::Arc;
use heaplab::thread::{PersistentCell, PersistentHandles, RootSets};
use heaplab::words::Offset;
use heaplab::{CollectionKind, Heap};
use heaplab_checker::model::Spec;
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "handles":
    release_vs_visit: Spec::two_threads(),
    release_vs_release: Spec::two_threads(),
    release_vs_add: Spec::two_threads(),
    release_add_vs_release_visit: Spec::two_threads(),
    add_vs_visit: Spec::two_threads(),
    drop_set_vs_visit: Spec::two_threads(),
    store_root_vs_store_root: Spec::two_threads(),
    push_vs_minor_collection: Spec::bounded(2, 3),
    nested_vs_minor_collection: Spec::bounded(2, 3),
    push_vs_stop: Spec::bounded(2, 3),
    persist_vs_minor_collection: Spec::bounded(2, 3),
    release_vs_minor_collection: Spec::bounded(2, 3),
    release_persist_vs_minor_collection: Spec::bounded(2, 3),
    store_root_vs_minor_collection: Spec::bounded(2, 3),
    store_root_vs_major_collection: Spec::bounded(2, 3),
    store_root_park_vs_major_collection: Spec::bounded(2, 3),
}

fn heap() -> Heap {
    Heap::new(worlds::config(1, 2)).expect("a small world")
}

fn at(offset: usize) -> Tagged {
    Tagged::reference(Offset::new(offset))
}

fn add(handles: &Arc<PersistentHandles>, value: Tagged) -> PersistentCell {
    // SAFETY: there is no heap: what a handle holds is a number.
    unsafe { handles.add(value) }.expect("memory for a few cells")
}

/// Visits all handles, and moves what they hold by 8 bytes. Returns where it was before, in order.
fn visit(handles: &PersistentHandles) -> Vec<usize> {
    let mut seen = Vec::new();
    // SAFETY: there is no heap.
    unsafe {
        handles.visit(|word| {
            seen.push(word.target().bytes());
            at(word.target().bytes() + 8)
        });
    }
    seen.sort_unstable();
    seen
}

/// P15: a release may come at any time, visits included: the cell is followed before it and forgotten after it.
fn release_vs_visit() {
    let handles = PersistentHandles::new(2);
    let (kept, released) = (add(&handles, at(256)), add(&handles, at(512)));
    race(
        || {
            let seen = visit(&handles);
            assert!(seen == [256, 512] || seen == [256], "the kept one, and the other or not: {seen:?}");
        },
        move || drop(released),
    );
    assert_eq!(visit(&handles), [264], "followed, and the released one forgotten");
    claim_eq!(handles.len(), 1, "the number of handles");
    claim_eq!(kept.tagged(), at(272), "what the kept handle holds after two visits");
}

/// Two releases at once: neither is lost, and both cells are used again.
fn release_vs_release() {
    let handles = PersistentHandles::new(2);
    let (one, other) = (add(&handles, at(256)), add(&handles, at(512)));
    let bytes = handles.bytes();
    race(move || drop(one), move || drop(other));
    claim_eq!(visit(&handles), [0; 0], "what is visited after both releases");
    let again = [add(&handles, at(1024)), add(&handles, at(2048))];
    assert_eq!(handles.bytes(), bytes, "no slab was added");
    claim_eq!(visit(&handles), [1024, 2048], "what is visited of the new handles");
    drop(again);
    handles.trim();
    claim_eq!((handles.len(), handles.bytes()), (0, 0), "the count of handles, and of their bytes");
}

/// A cell that is released is used again by an add that finds it: what the new handle holds is neither lost nor mixed
/// up with what the old one held. An add that does not find it gets another cell, in a slab of its own. A trim leaves
/// the slab of the handle alone.
fn release_vs_add() {
    let handles = PersistentHandles::new(1);
    let old = add(&handles, at(256));
    let slab = handles.bytes();
    let there = Arc::clone(&handles);
    let ((), new) = race(move || drop(old), move || add(&there, at(512)));
    claim_eq!(new.tagged(), at(512), "what the new handle holds");
    claim_eq!(visit(&handles), [512], "what is visited");
    let slabs = handles.bytes() / slab;
    claim_eq!(handles.bytes(), slabs * slab, "the number of bytes of whole slabs");
    assert!([1, 2].contains(&slabs), "the old cell's slab, and another if that cell was not found: {slabs}");
    handles.trim();
    claim_eq!(handles.bytes(), slab, "the number of bytes of the one slab with a handle");
    claim_eq!(visit(&handles), [520], "what is visited after the first visit");
    drop(new);
    handles.trim();
    claim_eq!(handles.bytes(), 0, "the number of bytes without a handle");
}

/// Handles come and go on both sides while one side looks: a handle is seen by each visit after its add, and by none
/// after its release. If the visit of the race saw the new handle, it has moved what that holds, once.
fn release_add_vs_release_visit() {
    let handles = PersistentHandles::new(1);
    let (one, other) = (add(&handles, at(256)), add(&handles, at(512)));
    let there = Arc::clone(&handles);
    let (has_seen, new) = race(
        || {
            drop(one);
            let seen = visit(&handles);
            let possible: [&[usize]; 4] = [&[], &[512], &[1024], &[512, 1024]];
            assert!(possible.contains(&&seen[..]), "none that was released before: {seen:?}");
            seen.contains(&1024)
        },
        move || {
            drop(other);
            add(&there, at(1024))
        },
    );
    let now = if has_seen { 1032 } else { 1024 };
    claim_eq!(visit(&handles), [now], "what is visited after the race");
    claim_eq!(new.tagged(), at(now + 8), "what the new handle holds");
    claim_eq!(handles.len(), 1, "the number of handles");
}

/// A handle that is added while the roots are visited is visited now or the next time, whole.
fn add_vs_visit() {
    let handles = PersistentHandles::new(2);
    let sets = RootSets::new();
    let (there, its_sets) = (handles.clone(), sets.clone());
    let (seen, (cell, set)) = race(
        || {
            let mut seen = 0;
            // SAFETY: there is no heap.
            unsafe {
                handles.visit(|word| {
                    claim_eq!(word, at(256), "what the handle holds");
                    seen += 1;
                    word
                });
                sets.visit(|word| word);
            }
            seen
        },
        move || (add(&there, at(256)), its_sets.add(1).expect("memory for a slot")),
    );
    assert!([0, 1].contains(&seen), "the new handle, or none: {seen}");
    claim_eq!(cell.tagged(), at(256), "what the handle holds");
    // SAFETY: there is no heap.
    unsafe { set.store(0, at(256)) };
    let mut found = Vec::new();
    // SAFETY: as above.
    unsafe {
        sets.visit(|word| {
            found.push(word);
            word
        });
    }
    claim_eq!(found, [at(256)], "what is visited of the set");
    drop(set);
    // SAFETY: as above.
    unsafe { sets.visit(|_| panic!("a dropped set is forgotten")) };
    claim_eq!(handles.len(), 1, "the number of handles");
}

/// A set that goes while the roots are visited is visited or not, and leaves nothing; the other one is visited.
fn drop_set_vs_visit() {
    let sets = RootSets::new();
    let (kept, dropped) = (sets.add(1).expect("memory for a slot"), sets.add(1).expect("memory for a slot"));
    let bytes = sets.bytes();
    let visit = || {
        let mut seen = Vec::new();
        // SAFETY: there is no heap.
        unsafe {
            sets.visit(|word| {
                seen.push(word.target().bytes());
                word
            });
        }
        seen
    };
    // SAFETY: as above.
    unsafe {
        kept.store(0, at(256));
        dropped.store(0, at(512));
    }
    race(
        || {
            let seen = visit();
            assert!(seen == [256, 512] || seen == [256], "the kept one, and the other or not: {seen:?}");
            sets.trim();
        },
        move || drop(dropped),
    );
    claim_eq!(visit(), [256], "what is visited after the drop");
    claim_eq!(sets.bytes(), bytes / 2, "the number of bytes of one of two sets");
}

/// Two threads store into two slots of a block, and into one: the set is entered once, and both references are found.
fn store_root_vs_store_root() {
    let sets = RootSets::new();
    let set = sets.add(2).expect("memory for two slots");
    let there = set.clone();
    race(
        // SAFETY: there is no heap.
        || unsafe { set.store(0, at(256)) },
        // SAFETY: as above.
        move || unsafe { there.store(1, at(512)) },
    );
    for left in [true, false] {
        let mut seen = Vec::new();
        // SAFETY: as above.
        unsafe {
            sets.visit_young(|word| {
                seen.push(word.target().bytes());
                (word, left && word.target().bytes() == 512)
            });
        }
        claim_eq!(seen, [256, 512], "what a visit of the young finds");
    }
    // SAFETY: as above.
    unsafe { sets.visit_young(|_| panic!("nothing young was left")) };
}

/// Asserts which collections have run, and that no failed attempt has asked for one.
fn assert_collections(heap: &Heap, collections: [u64; 3]) {
    let statistics = heap.statistics().unwrap();
    claim_eq!((statistics.requests, statistics.collections), (0, collections), "the count of requests and collections");
}

/// Handles are pushed, over the border of a block, while a collection moves what they hold. No other collection runs.
fn push_vs_minor_collection() {
    let heap = heap();
    let there = heap.clone();
    race(
        || heap.collect(CollectionKind::Minor).unwrap(),
        move || {
            run(&there, |scope| {
                let first = new_seven(scope);
                scope.poll();
                let second = scope.handle(scope.get(first));
                let third = new_seven(scope);
                scope.poll();
                for handle in [first, second, third] {
                    assert!(is_seven(scope, scope.get(handle).into()), "the array is whole");
                }
            });
        },
    );
    assert_collections(&heap, [1, 0, 0]);
    assert_sound(&heap);
}

/// Handles are pushed against a stop that moves nothing: slots are read and written by the owner alone, and nobody
/// collects.
fn push_vs_stop() {
    let heap = heap();
    let stopper = worlds::extra_stop(&heap);
    run(&heap, |scope| {
        let first = new_seven(scope);
        let second = scope.handle(scope.get(first));
        scope.poll();
        let third = scope.handle(scope.get(second));
        for handle in [first, second, third] {
            assert!(is_seven(scope, scope.get(handle).into()), "the array is whole");
        }
    });
    stopper.join().unwrap();
    assert_collections(&heap, [0; 3]);
    assert_sound(&heap);
}

/// A handle scope is closed before, during or after the collection: what it held is dead then, what is outside of it
/// lives, and the outer slots keep their values.
fn nested_vs_minor_collection() {
    let heap = heap();
    let there = heap.clone();
    race(
        || heap.collect(CollectionKind::Minor).unwrap(),
        move || {
            run(&there, |scope| {
                let outer = new_seven(scope);
                scope.nested(|scope| {
                    let inner = new_seven(scope);
                    scope.poll();
                    assert!(is_seven(scope, scope.get(inner).into()), "the inner array is whole");
                });
                scope.poll();
                assert!(is_seven(scope, scope.get(outer).into()), "the outer array is whole");
            });
        },
    );
    let moved = heap.statistics().unwrap().moved;
    let bytes = moved.survived_bytes + moved.promoted_bytes;
    assert!([0, 16, 2 * 16].contains(&bytes), "no array, the outer one, or both: {bytes}");
    assert_collections(&heap, [1, 0, 0]);
    assert_sound(&heap);
}

/// A persistent handle that is made while a collection runs or waits is followed from the first visit on.
fn persist_vs_minor_collection() {
    let heap = heap();
    let there = heap.clone();
    let ((), persistent) = race(
        || heap.collect(CollectionKind::Minor).unwrap(),
        move || {
            run(&there, |scope| {
                let persistent = scope.nested(|scope| {
                    let array = new_seven(scope);
                    scope.persist(array)
                });
                scope.poll();
                let array = scope.open(&persistent).unwrap();
                assert!(is_seven(scope, scope.get(array).into()), "the array is whole");
                persistent
            })
        },
    );
    heap.collect(CollectionKind::Minor).unwrap();
    run(&heap, |scope| {
        let array = scope.open(&persistent).unwrap();
        assert!(is_seven(scope, scope.get(array).into()), "held by the persistent handle alone");
    });
    assert_collections(&heap, [2, 0, 0]);
    assert_sound(&heap);
}

/// A release may come at any time, the collection's visit included: the object is moved or dead, never half of each,
/// and dead for the next collection.
fn release_vs_minor_collection() {
    let heap = heap();
    let (kept, released) = run(&heap, |scope| {
        let (kept, released) = (new_seven(scope), new_seven(scope));
        (scope.persist(kept), scope.persist(released))
    });
    race(|| heap.collect(CollectionKind::Minor).unwrap(), move || drop(released));
    let promoted = heap.statistics().unwrap().moved.promoted_bytes;
    assert!(promoted == 16 || promoted == 32, "the kept one, and the other if it was not released yet: {promoted}");
    assert_sound(&heap);
    run(&heap, |scope| {
        let array = scope.open(&kept).unwrap();
        assert!(is_seven(scope, scope.get(array).into()), "the kept array is whole");
    });
    heap.collect(CollectionKind::Major).unwrap();
    assert_eq!(heap.statistics().unwrap().moved.live_bytes, 16, "the released one is dead");
    assert_collections(&heap, [1, 1, 0]);
    assert_sound(&heap);
}

/// A cell changes hands around a collection: what it held is dead or moved, what it holds now is followed, also by
/// the next collection.
fn release_persist_vs_minor_collection() {
    let heap = heap();
    let first = run(&heap, |scope| {
        let array = new_seven(scope);
        scope.persist(array)
    });
    let there = heap.clone();
    let ((), second) = race(
        || heap.collect(CollectionKind::Minor).unwrap(),
        move || {
            run(&there, |scope| {
                drop(first);
                scope.nested(|scope| {
                    let array = new_seven(scope);
                    scope.persist(array)
                })
            })
        },
    );
    assert_sound(&heap);
    let moved = heap.statistics().unwrap().moved;
    let bytes = moved.survived_bytes + moved.promoted_bytes;
    assert!([0, 16].contains(&bytes), "the first array, the second one, or none between the two: {bytes}");
    heap.collect(CollectionKind::Minor).unwrap();
    run(&heap, |scope| {
        let array = scope.open(&second).unwrap();
        assert!(is_seven(scope, scope.get(array).into()), "the second array is whole");
    });
    heap.collect(CollectionKind::Major).unwrap();
    heap.collect(CollectionKind::Major).unwrap();
    assert_eq!(heap.statistics().unwrap().moved.live_bytes, 16, "the first one is dead");
    assert_collections(&heap, [2, 2, 0]);
    assert_sound(&heap);
}

/// An object that only a root set holds survives a collection that runs at the same time as the store of its root.
fn store_root_vs_collection(kind: CollectionKind) {
    let heap = heap();
    let set = heap.new_root_set(1);
    let (there, slots) = (heap.clone(), set.clone());
    race(
        || heap.collect(kind).unwrap(),
        move || {
            run(&there, |scope| {
                scope.nested(|scope| {
                    let array = new_seven(scope);
                    scope.store_root(&slots, 0, scope.get(array).into()).unwrap();
                });
                scope.poll();
                assert!(is_seven(scope, scope.load_root(&slots, 0).unwrap()), "the array is whole");
            });
        },
    );
    assert_sound(&heap);
    heap.collect(CollectionKind::Minor).unwrap();
    run(&heap, |scope| assert!(is_seven(scope, scope.load_root(&set, 0).unwrap()), "held by the root set alone"));
    let mut collections = [1, 0, 0];
    collections[kind as usize] += 1;
    assert_collections(&heap, collections);
}

/// A minor collection moves what was stored before it, and leaves what is stored after it to the next one.
fn store_root_vs_minor_collection() {
    store_root_vs_collection(CollectionKind::Minor);
}

/// A major collection promotes what was stored before it, and what is stored after it is visited as young by the next
/// one.
fn store_root_vs_major_collection() {
    store_root_vs_collection(CollectionKind::Major);
}

/// A root is stored by a thread that parks next: the store is over before a stop can begin.
fn store_root_park_vs_major_collection() {
    let heap = heap();
    let set = heap.new_root_set(1);
    let (there, slots) = (heap.clone(), set.clone());
    race(
        || heap.collect(CollectionKind::Major).expect("a sound heap"),
        move || {
            run(&there, |scope| {
                scope.nested(|scope| {
                    let array = new_seven(scope);
                    scope.store_root(&slots, 0, scope.get(array).into()).expect("this heap's");
                });
            });
        },
    );
    assert_sound(&heap);
    heap.collect(CollectionKind::Major).expect("a sound heap");
    run(&heap, |scope| {
        assert!(is_seven(scope, scope.load_root(&set, 0).expect("this heap's")), "held by the set alone")
    });
    assert_collections(&heap, [0, 2, 0]);
}
