//! P11, P14 and P15: objects that reach another thread, the write barrier, and roots that belong to no thread.
//!
//! Goal: an object that is found through a slot, a root set or a persistent handle is seen initialised, header included
//! (O-5); an edge from an old to a young object survives the next minor collection; a released handle is forgotten and one
//! that is not is followed. Method: the shipping heap; its words are written plainly before publication, so a reader without
//! an edge is a race.

use super::worlds::{self, race};
use heaplab::object::Tagged;
use heaplab::sync::{Arc, Mutex};
use heaplab::thread::{PersistentHandles, RootSets};
use heaplab::words::Offset;
use heaplab::{AllocationType, Array, CollectionKind, Heap, Persistent, Scope};
use heaplab_verify::model::Spec;
use heaplab_verify::models;

models! {
    "publication":
    allocate_allocate_vs_stop: Spec::bounded(2, 3),
    store_root_vs_load_root: Spec::bounded(2, 3),
    store_vs_load: Spec::bounded(2, 3),
    store_vs_load_store: Spec::bounded(2, 3),
    store_vs_minor_collection: Spec::bounded(2, 3),
    persist_vs_open: Spec::bounded(2, 3),
    store_root_vs_major_collection: Spec::bounded(2, 3),
    store_root_park_vs_major_collection: Spec::bounded(2, 3),
    store_root_vs_load_root_store_root: Spec::bounded(2, 3),
    release_vs_visit: Spec::two_threads(),
    add_vs_visit: Spec::two_threads(),
}

fn heap() -> Heap {
    Heap::new(worlds::config(1, 2)).expect("a small world")
}

/// Runs `f` on a local heap of this thread.
fn run<R>(heap: &Heap, f: impl for<'s> FnOnce(&mut Scope<'s, 'static>) -> R) -> R {
    heap.attach().expect("a place for both").run(f).expect("a sound heap")
}

fn assert_sound(heap: &Heap) {
    let verification = heap.verify().expect("a sound heap");
    assert!(verification.is_sound(), "{}", verification.describe());
}

/// A young array whose element is 7, written after the array was made.
fn new_seven<'s>(scope: &mut Scope<'s, '_>) -> heaplab::Handle<'s, Array> {
    let array = scope.new_array(1).expect("an empty heap has room");
    let seven = scope.small(7).expect("a small integer");
    scope.store(scope.get(array), 0, scope.get(seven));
    array
}

/// Whether the value is the array, whole; the small integer 0 is what a slot holds before.
fn is_seven(scope: &Scope<'_, '_>, value: heaplab::Ref<'_, heaplab::Value>) -> bool {
    let Some(array) = scope.downcast::<Array>(value) else {
        assert_eq!(value.as_small(), Some(0));
        return false;
    };
    assert_eq!(scope.len(array), 1);
    assert_eq!(scope.load(array, 0).as_small(), Some(7));
    true
}

/// Two objects of one LAB, the second one by the bump path: a stop at any moment finds both formatted, and so does their
/// owner.
fn allocate_allocate_vs_stop() {
    let heap = heap();
    let there = heap.clone();
    race(
        || assert_sound(&heap),
        move || {
            run(&there, |scope| {
                let arrays = [1, 1].map(|len| scope.new_array(len).expect("an empty heap has room"));
                scope.poll();
                for array in arrays {
                    let array = scope.get(array);
                    assert_eq!(scope.len(array), 1);
                    assert_eq!(scope.load(array, 0).as_small(), Some(0));
                }
            });
        },
    );
    assert_sound(&heap);
}

fn store_root_vs_load_root() {
    let heap = heap();
    let set = heap.new_root_set(1);
    let (there, slots) = (heap.clone(), set.clone());
    race(
        || run(&heap, |scope| is_seven(scope, scope.load_root(&set, 0).unwrap())),
        move || {
            run(&there, |scope| {
                let array = new_seven(scope);
                scope.store_root(&slots, 0, scope.get(array).into()).unwrap();
            });
        },
    );
    assert_sound(&heap);
}

/// A heap with an old array of one element, held by a persistent handle.
fn heap_with_host() -> (Heap, Arc<Persistent<Array>>) {
    let heap = heap();
    let host = run(&heap, |scope| {
        let host = scope.new_array_in(1, AllocationType::Old).expect("an empty heap has room");
        scope.persist(host)
    });
    (heap, Arc::new(host))
}

fn store_vs_load() {
    let (heap, host) = heap_with_host();
    let (there, its_host) = (heap.clone(), host.clone());
    race(
        || {
            run(&heap, |scope| {
                let host = scope.open(&host).unwrap();
                is_seven(scope, scope.load(scope.get(host), 0))
            })
        },
        move || {
            run(&there, |scope| {
                let host = scope.open(&its_host).unwrap();
                let array = new_seven(scope);
                scope.store(scope.get(host), 0, scope.get(array).into());
            });
        },
    );
    assert_sound(&heap);
}

/// A store happens once: who read it and then stored finds its own value in the end.
fn store_vs_load_store() {
    let (heap, host) = heap_with_host();
    let store = |heap: &Heap, host: &Persistent<Array>, value: i32| {
        run(heap, |scope| {
            let host = scope.open(host).expect("this heap's");
            let seen = scope.load(scope.get(host), 0).as_small();
            scope.store(scope.get(host), 0, heaplab::Ref::small(value).expect("small"));
            seen
        })
    };
    let (there, its_host) = (heap.clone(), host.clone());
    let (mine, its) = race(|| store(&heap, &host, 1), move || store(&there, &its_host, 2));
    let last = run(&heap, |scope| {
        let host = scope.open(&host).expect("this heap's");
        scope.load(scope.get(host), 0).as_small()
    });
    assert!(mine != Some(2) || last == Some(1), "1 came after 2, and {last:?} is the last");
    assert!(its != Some(1) || last == Some(2), "2 came after 1, and {last:?} is the last");
}

/// P14: the edge from the old to the young array is remembered, or the collection came before the store.
fn store_vs_minor_collection() {
    let (heap, host) = heap_with_host();
    let (there, its_host) = (heap.clone(), host.clone());
    race(
        || heap.collect(CollectionKind::Minor).unwrap(),
        move || {
            run(&there, |scope| {
                let host = scope.open(&its_host).unwrap();
                scope.nested(|scope| {
                    let array = new_seven(scope);
                    scope.store(scope.get(host), 0, scope.get(array).into());
                });
                scope.poll();
                assert!(is_seven(scope, scope.load(scope.get(host), 0)));
            });
        },
    );
    assert_sound(&heap);
    heap.collect(CollectionKind::Minor).unwrap();
    run(&heap, |scope| {
        let host = scope.open(&host).unwrap();
        assert!(is_seven(scope, scope.load(scope.get(host), 0)), "held by the old array alone");
    });
}

/// A persistent handle goes from thread to thread by the embedder's own lock.
fn persist_vs_open() {
    let heap = heap();
    let post = Arc::new(Mutex::new(None::<Persistent<Array>>));
    let (there, posted) = (heap.clone(), post.clone());
    race(
        || {
            run(&heap, |scope| {
                let Some(persistent) = post.lock().take() else { return };
                let array = scope.open(&persistent).unwrap();
                assert!(is_seven(scope, scope.get(array).into()));
            });
        },
        move || {
            run(&there, |scope| {
                let array = new_seven(scope);
                let persistent = scope.persist(array);
                *posted.lock() = Some(persistent);
            });
        },
    );
    assert_sound(&heap);
}

/// A root that is only a root set's survives a collection that runs at the same time as its store.
fn store_root_vs_major_collection() {
    let heap = heap();
    let set = heap.new_root_set(1);
    let (there, slots) = (heap.clone(), set.clone());
    race(
        || heap.collect(CollectionKind::Major).unwrap(),
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

/// A store to a root set happens once: who read it and then stored finds its own value in the end.
fn store_root_vs_load_root_store_root() {
    let heap = heap();
    let set = heap.new_root_set(1);
    let store = |heap: &Heap, set: &heaplab::RootSet, value: i32| {
        run(heap, |scope| {
            let seen = scope.load_root(set, 0).expect("this heap's").as_small();
            scope.store_root(set, 0, heaplab::Ref::small(value).expect("small")).expect("this heap's");
            seen
        })
    };
    let (there, its_set) = (heap.clone(), set.clone());
    let (mine, its) = race(|| store(&heap, &set, 1), move || store(&there, &its_set, 2));
    let last = run(&heap, |scope| scope.load_root(&set, 0).expect("this heap's").as_small());
    assert!(mine != Some(2) || last == Some(1), "1 came after 2, and {last:?} is the last");
    assert!(its != Some(1) || last == Some(2), "2 came after 1, and {last:?} is the last");
}

/// P15: a release may come at any time, visits included: the cell is followed before it and forgotten after it.
fn release_vs_visit() {
    let handles = Arc::new(PersistentHandles::new());
    let at = |offset: usize| Tagged::reference(Offset::new(offset));
    let (kept, released) = (handles.add(at(256)), handles.add(at(512)));
    let there = handles.clone();
    race(
        || {
            let mut seen = Vec::new();
            handles.visit(|word| {
                seen.push(word.target().bytes());
                at(word.target().bytes() + 8)
            });
            assert!(seen == [256, 512] || seen == [256], "{seen:?}");
        },
        move || {
            released.release();
            drop(there);
        },
    );
    handles.visit(|word| {
        assert_eq!(word, at(264), "followed, and the released one forgotten");
        word
    });
    assert_eq!(handles.len(), 1);
    assert_eq!(kept.tagged(), at(264));
}

/// A handle that is added while the roots are visited is visited now or the next time, whole.
fn add_vs_visit() {
    let handles = Arc::new(PersistentHandles::new());
    let sets = Arc::new(RootSets::new());
    let at = Tagged::reference(Offset::new(256));
    let (there, its_sets) = (handles.clone(), sets.clone());
    let (seen, (cell, set)) = race(
        || {
            let mut seen = 0;
            handles.visit(|word| {
                assert_eq!(word, at);
                seen += 1;
                word
            });
            sets.visit(|word| word);
            seen
        },
        move || (there.add(at), its_sets.add(1)),
    );
    assert!(seen <= 1);
    assert_eq!(cell.tagged(), at);
    set.store(0, at);
    let mut found = Vec::new();
    sets.visit(|word| {
        found.push(word);
        word
    });
    assert_eq!(found, [at]);
    drop(set);
    sets.visit(|_| panic!("a dropped set is forgotten"));
    assert_eq!(handles.len(), 1);
}
