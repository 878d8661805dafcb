//! Goal: with the flag `verify_heap` each collection and the end of the heap verify, and a violation is a panic that
//! says so; without the flag neither verifies.
//!
//! Method: a mark bit that no collection set is damage that the verifier knows and that nothing else trips over.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{build, panics, tiny_of};
use heaplab::heap::Internals as _;
use heaplab::*;

fn heap(verify_heap: bool) -> Heap {
    let mut config = tiny_of(24);
    config.verify_heap = verify_heap;
    build(config)
}

/// Marks the first granule of a page of new space, which holds no object.
fn damage(heap: &Heap) {
    let pages = &heap.spaces().pages;
    let new = (0..heap.layout().pages()).map(PageIndex::new);
    // SAFETY: no local heap is attached, and nobody stops the world: the tables are this thread's.
    unsafe {
        let page = new.into_iter().find(|&page| pages.kind(page) == PageKind::New).expect("new space has pages");
        pages.marks().put(page, 0, true);
    }
}

#[test]
fn collections_verify_if_asked_to() {
    let heap = heap(false);
    heap.collect(CollectionKind::Minor).unwrap();
    assert_eq!(heap.statistics().unwrap().objects_verified, 0);
    heap.set_verify_heap(true);
    heap.collect(CollectionKind::Minor).unwrap();
    let objects = heap.verify().unwrap().objects;
    assert!(objects > 0);
    assert_eq!(heap.statistics().unwrap().objects_verified, 3 * objects, "before, after, and when it was asked");
    heap.set_verify_heap(false);
    heap.collect(CollectionKind::Minor).unwrap();
    assert_eq!(heap.statistics().unwrap().objects_verified, 3 * objects);
}

#[test]
fn a_violation_is_a_panic_that_names_it() {
    let heap = heap(true);
    heap.collect(CollectionKind::Minor).unwrap();
    damage(&heap);
    let said = panics(|| heap.collect(CollectionKind::Minor));
    assert!(said.contains("before a collection") && said.contains("1 violations"), "{said}");
    assert!(heap.collect(CollectionKind::Minor).is_err(), "the heap is poisoned");
    // A poisoned heap is not verified at its end.
    drop(heap);
}

#[test]
fn the_end_of_a_heap_verifies() {
    let sound = heap(true);
    drop(sound);
    let damaged = heap(true);
    damage(&damaged);
    let said = panics(|| drop(damaged));
    assert!(said.contains("at drop") && said.contains("1 violations"), "{said}");
    let unasked = heap(false);
    damage(&unasked);
    drop(unasked);
}

/// A heap that is dropped while its thread panics does not panic again, which would abort.
#[test]
fn a_panic_ends_a_damaged_heap_without_another() {
    let said = panics(|| {
        let damaged = heap(true);
        damage(&damaged);
        panic!("first");
    });
    assert_eq!(said, "first");
}
