//! P15, handles, persistent handles and root sets against root visiting.
//!
//! Goal: no root is missed, whatever kind it is of and whenever the stop comes; none is followed after its release. Method:
//! the tables of roots alone, exactly, without a bound; then the shipping heap, where an object that only one root holds is
//! moved by a collection and its contents are compared afterwards. (That the last reference to a root set goes is seen by
//! `Arc`'s count, which is trusted and not modelled.)

use super::worlds::{self, assert_sound, is_seven, new_seven, race, run};
use heaplab::object::Tagged;
use heaplab::sync::Arc;
use heaplab::thread::{PersistentCell, PersistentHandles, RootSets};
use heaplab::words::Offset;
use heaplab::{CollectionKind, Heap};
use heaplab_verify::model::Spec;
use heaplab_verify::models;

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

/// Visits all handles, and returns where what they hold was; it moves by 8.
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
            assert!(seen == [256, 512] || seen == [256], "{seen:?}");
        },
        move || drop(released),
    );
    assert_eq!(visit(&handles), [264], "followed, and the released one forgotten");
    assert_eq!(handles.len(), 1);
    assert_eq!(kept.tagged(), at(272));
}

/// Two releases at once: none is lost, and both cells are used again.
fn release_vs_release() {
    let handles = PersistentHandles::new(2);
    let (one, other) = (add(&handles, at(256)), add(&handles, at(512)));
    let bytes = handles.bytes();
    race(move || drop(one), move || drop(other));
    assert_eq!(visit(&handles), [0; 0]);
    let again = [add(&handles, at(1024)), add(&handles, at(2048))];
    assert_eq!(handles.bytes(), bytes, "no slab was added");
    assert_eq!(visit(&handles), [1024, 2048]);
    drop(again);
    handles.trim();
    assert_eq!((handles.len(), handles.bytes()), (0, 0));
}

/// A cell that is released is used again, by whoever finds it: what the new handle holds is neither lost nor mixed up with
/// what the old one held; who does not find it gets another cell.
fn release_vs_add() {
    let handles = PersistentHandles::new(1);
    let old = add(&handles, at(256));
    let there = Arc::clone(&handles);
    let ((), new) = race(move || drop(old), move || add(&there, at(512)));
    assert_eq!(new.tagged(), at(512));
    assert_eq!(visit(&handles), [512]);
    let slab = handles.bytes() / 2;
    handles.trim();
    assert!(handles.bytes() == slab || handles.bytes() == 2 * slab, "a slab with a handle stays");
    assert_eq!(visit(&handles), [520]);
    drop(new);
    handles.trim();
    assert_eq!(handles.bytes(), 0);
}

/// Handles come and go on both sides while one side looks: each add is seen by its own later visit, no release is.
fn release_add_vs_release_visit() {
    let handles = PersistentHandles::new(1);
    let (one, other) = (add(&handles, at(256)), add(&handles, at(512)));
    let there = Arc::clone(&handles);
    let ((), new) = race(
        || {
            drop(one);
            let seen = visit(&handles);
            assert!(!seen.contains(&256), "released before: {seen:?}");
            assert!(seen.iter().all(|offset| [512, 1024].contains(offset)), "{seen:?}");
        },
        move || {
            drop(other);
            add(&there, at(1024))
        },
    );
    let seen = visit(&handles);
    assert!(seen == [1024] || seen == [1032], "{seen:?}");
    assert_eq!(new.tagged(), at(seen[0] + 8));
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
                    assert_eq!(word, at(256));
                    seen += 1;
                    word
                });
                sets.visit(|word| word);
            }
            seen
        },
        move || (add(&there, at(256)), its_sets.add(1).expect("memory for a slot")),
    );
    assert!(seen <= 1);
    assert_eq!(cell.tagged(), at(256));
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
    assert_eq!(found, [at(256)]);
    drop(set);
    // SAFETY: as above.
    unsafe { sets.visit(|_| panic!("a dropped set is forgotten")) };
    assert_eq!(handles.len(), 1);
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
            assert!(seen == [256, 512] || seen == [256], "{seen:?}");
            sets.trim();
        },
        move || drop(dropped),
    );
    assert_eq!(visit(), [256]);
    assert_eq!(sets.bytes(), bytes / 2);
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
        assert_eq!(seen, [256, 512]);
    }
    // SAFETY: as above.
    unsafe { sets.visit_young(|_| panic!("nothing young was left")) };
}

/// Handles are pushed, over the border of a block, while a collection moves what they hold.
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
                    assert!(is_seven(scope, scope.get(handle).into()));
                }
            });
        },
    );
    assert_eq!(heap.statistics().unwrap().collections, [1, 0, 0]);
    assert_sound(&heap);
}

/// The same against a stop that moves nothing: slots are read and written by the owner alone.
fn push_vs_stop() {
    let heap = heap();
    let stopper = worlds::extra_stop(&heap);
    run(&heap, |scope| {
        let first = new_seven(scope);
        let second = scope.handle(scope.get(first));
        scope.poll();
        let third = scope.handle(scope.get(second));
        for handle in [first, second, third] {
            assert!(is_seven(scope, scope.get(handle).into()));
        }
    });
    stopper.join().unwrap();
    assert_sound(&heap);
}

/// A handle scope is closed before, during or after the collection: what it held is dead then, what is outside of it lives,
/// and the outer slots keep their values.
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
                    assert!(is_seven(scope, scope.get(inner).into()));
                });
                scope.poll();
                assert!(is_seven(scope, scope.get(outer).into()));
            });
        },
    );
    let moved = heap.statistics().unwrap().moved;
    let bytes = moved.survived_bytes + moved.promoted_bytes;
    assert!(bytes.is_multiple_of(16) && bytes <= 2 * 16, "two arrays at most: {bytes}");
    assert_sound(&heap);
}

/// A persistent handle that is made while a collection runs or waits: it is followed from the first visit on.
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
                assert!(is_seven(scope, scope.get(array).into()));
                persistent
            })
        },
    );
    heap.collect(CollectionKind::Minor).unwrap();
    run(&heap, |scope| {
        let array = scope.open(&persistent).unwrap();
        assert!(is_seven(scope, scope.get(array).into()), "held by the persistent handle alone");
    });
    assert_sound(&heap);
}

/// A release may come at any time, the collection's visit included: the object is moved or dead, never half of each, and
/// dead for the next collection.
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
        assert!(is_seven(scope, scope.get(array).into()));
    });
    heap.collect(CollectionKind::Major).unwrap();
    assert_eq!(heap.statistics().unwrap().moved.live_bytes, 16, "the released one is dead");
    assert_sound(&heap);
}

/// A cell changes hands around a collection: what it held is dead or moved, what it holds now is followed, also by the next
/// collection.
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
    heap.collect(CollectionKind::Minor).unwrap();
    run(&heap, |scope| {
        let array = scope.open(&second).unwrap();
        assert!(is_seven(scope, scope.get(array).into()));
    });
    heap.collect(CollectionKind::Major).unwrap();
    heap.collect(CollectionKind::Major).unwrap();
    assert_eq!(heap.statistics().unwrap().moved.live_bytes, 16, "the first one is dead");
    assert_sound(&heap);
}

/// A root that is only a root set's survives a collection that runs at the same time as its store.
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
                assert!(is_seven(scope, scope.load_root(&slots, 0).unwrap()));
            });
        },
    );
    assert_sound(&heap);
    heap.collect(CollectionKind::Minor).unwrap();
    run(&heap, |scope| assert!(is_seven(scope, scope.load_root(&set, 0).unwrap()), "held by the root set alone"));
}

fn store_root_vs_minor_collection() {
    store_root_vs_collection(CollectionKind::Minor);
}

fn store_root_vs_major_collection() {
    store_root_vs_collection(CollectionKind::Major);
}

/// The same where the thread parks next: the store is over before a stop can begin.
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
}
