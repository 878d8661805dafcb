//! P11, publication: an object reaches another thread through a slot, a root set or a persistent handle.
//!
//! Goal: the object is seen initialised, header included (O-5); what is no reference travels as it is. Method: the
//! shipping heap; its words are written plainly before publication, so a reader without an edge is a race.

use super::worlds::{self, assert_sound, is_seven, new_seven, race, run};
use heaplab::sync::{Arc, Mutex};
use heaplab::{AllocationType, Array, CollectionKind, Heap, Persistent, Record, Shape, Tail};
use heaplab_checker::model::Spec;
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "publication":
    allocate_allocate_vs_stop: Spec::bounded(2, 3),
    store_root_vs_load_root: Spec::bounded(2, 3),
    store_vs_load: Spec::bounded(2, 3),
    store_vs_load_store: Spec::bounded(2, 3),
    store_root_vs_load_root_store_root: Spec::bounded(2, 3),
    store_raw_vs_load_raw: Spec::bounded(2, 3),
    store_raw_vs_load_raw_store_raw: Spec::bounded(2, 3),
    store_raw_vs_minor_collection: Spec::bounded(2, 3),
    persist_vs_open: Spec::bounded(2, 3),
}

fn heap() -> Heap {
    Heap::new(worlds::config(1, 2)).expect("a small world")
}

/// The reader finds the array whole, or the small integer 0 that the slot held before; in the end the slot holds the
/// array.
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
    assert!(run(&heap, |scope| is_seven(scope, scope.load_root(&set, 0).unwrap())), "it is there in the end");
    assert_sound(&heap);
}

/// A heap with an old array of one element, held by a persistent handle.
pub(super) fn heap_with_host() -> (Heap, Arc<Persistent<Array>>) {
    let heap = heap();
    let host = run(&heap, |scope| {
        let host = scope.new_array_in(1, AllocationType::Old).expect("an empty heap has room");
        scope.persist(host)
    });
    (heap, Arc::new(host))
}

/// A reader of a slot of an old array finds the new array whole, or the small integer 0 that the slot held before.
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
    let is_there = run(&heap, |scope| {
        let host = scope.open(&host).unwrap();
        is_seven(scope, scope.load(scope.get(host), 0))
    });
    assert!(is_there, "it is there in the end");
    assert_sound(&heap);
}

/// A heap with a young record of one field and one raw word, held by a persistent handle.
fn heap_with_record() -> (Heap, Arc<Persistent<Record>>) {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let record = run(&heap, |scope| {
        let shape = Shape::new(16, 3, 1, Tail::None).expect("a shape");
        let map = scope.new_map(shape).expect("an empty heap has room");
        let record = scope.new_record(map).expect("an empty heap has room");
        scope.persist(record)
    });
    (heap, Arc::new(record))
}

/// The record's raw word. Asserts that the field beside it is untouched.
fn raw_word(heap: &Heap, record: &Persistent<Record>) -> u32 {
    run(heap, |scope| {
        let record = scope.open(record).expect("this heap's");
        let record = scope.get(record);
        claim_eq!(scope.load_field(record, 0).as_small(), Some(0), "the field beside the raw word");
        scope.load_raw(record, 0)
    })
}

/// Stores to the record's raw word, and returns what stood there before.
fn replace_raw_word(heap: &Heap, record: &Persistent<Record>, value: u32) -> u32 {
    run(heap, |scope| {
        let record = scope.open(record).expect("this heap's");
        let before = scope.load_raw(scope.get(record), 0);
        scope.store_raw(scope.get(record), 0, value);
        before
    })
}

/// A raw word is no reference and needs no edge: a reader sees the old value or the new one.
fn store_raw_vs_load_raw() {
    let (heap, record) = heap_with_record();
    let (there, its_record) = (heap.clone(), record.clone());
    let (seen, before) = race(|| raw_word(&heap, &record), move || replace_raw_word(&there, &its_record, 7));
    assert!(seen == 0 || seen == 7, "the old value or the new one: {seen}");
    claim_eq!(before, 0, "what the writer found");
    claim_eq!(raw_word(&heap, &record), 7, "the raw word in the end");
    assert_sound(&heap);
}

/// A raw store happens once: who read the other's value and then stored finds its own value in the end. Before both
/// stores the word is 0.
fn store_raw_vs_load_raw_store_raw() {
    let (heap, record) = heap_with_record();
    let (there, its_record) = (heap.clone(), record.clone());
    let (mine, its) = race(|| replace_raw_word(&heap, &record, 1), move || replace_raw_word(&there, &its_record, 2));
    let last = raw_word(&heap, &record);
    let possible = [(0, 0, 1), (0, 0, 2), (2, 0, 1), (0, 1, 2)];
    assert!(possible.contains(&(mine, its, last)), "1 found {mine}, 2 found {its}, and {last} is the last");
}

/// A raw store is over before its thread parks, so it is not lost to a collection that moves the record.
fn store_raw_vs_minor_collection() {
    let (heap, record) = heap_with_record();
    let (there, its_record) = (heap.clone(), record.clone());
    let ((), before) = race(
        || heap.collect(CollectionKind::Minor).expect("a sound heap"),
        move || replace_raw_word(&there, &its_record, 7),
    );
    claim_eq!(before, 0, "what the writer found");
    claim_eq!(raw_word(&heap, &record), 7, "the raw word in the end");
    let statistics = heap.statistics().expect("a sound heap");
    claim_eq!((statistics.requests, statistics.collections), (0, [1, 0, 0]), "the count of requests and collections");
    assert_sound(&heap);
}

/// A persistent handle goes from thread to thread by the embedder's own lock: what it holds is whole wherever it is
/// opened, and a reader that comes too early finds no handle.
fn persist_vs_open() {
    let heap = heap();
    let post = Arc::new(Mutex::new(None::<Persistent<Array>>));
    let (there, posted) = (heap.clone(), post.clone());
    let (is_taken, ()) = race(
        || {
            run(&heap, |scope| {
                let Some(persistent) = post.lock().take() else { return false };
                let array = scope.open(&persistent).unwrap();
                assert!(is_seven(scope, scope.get(array).into()), "the array that was posted");
                true
            })
        },
        move || {
            run(&there, |scope| {
                let array = new_seven(scope);
                let persistent = scope.persist(array);
                *posted.lock() = Some(persistent);
            });
        },
    );
    let is_left = post.lock().is_some();
    claim_eq!(is_left, !is_taken, "whether the handle is left, by the reader's word,");
    assert_sound(&heap);
}

/// Two objects of one LAB, the second one by the bump path: a stop at any moment finds both formatted, and so does
/// their owner.
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
                    claim_eq!(scope.len(array), 1, "the length of the array");
                    claim_eq!(scope.load(array, 0).as_small(), Some(0), "the element of the array");
                }
            });
        },
    );
    assert_sound(&heap);
    let statistics = heap.statistics().expect("a sound heap");
    claim_eq!((statistics.requests, statistics.collections), (0, [0; 3]), "the count of requests and collections");
}

/// A store happens once: who read the other's value and then stored finds its own value in the end. Before both
/// stores the slot holds 0.
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
    let possible = [(0, 0, 1), (0, 0, 2), (2, 0, 1), (0, 1, 2)].map(|(a, b, c)| (Some(a), Some(b), Some(c)));
    assert!(possible.contains(&(mine, its, last)), "1 found {mine:?}, 2 found {its:?}, and {last:?} is the last");
}

/// A store to a root set happens once: who read the other's value and then stored finds its own value in the end.
/// Before both stores the slot holds 0.
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
    let possible = [(0, 0, 1), (0, 0, 2), (2, 0, 1), (0, 1, 2)].map(|(a, b, c)| (Some(a), Some(b), Some(c)));
    assert!(possible.contains(&(mine, its, last)), "1 found {mine:?}, 2 found {its:?}, and {last:?} is the last");
}
