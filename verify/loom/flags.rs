//! P17, flags against attachment, allocation and collection.
//!
//! Goal: switching concurrent allocation off and a second attachment cannot pass each other; a local heap has the flags
//! that were set before it was attached or in a stop since. Method: the shipping heap, exact outcomes.

use super::worlds::{self, race};
use heaplab::{AllocationType, AttachError, CollectionKind, FlagError, Heap};
use heaplab_verify::model::Spec;
use heaplab_verify::models;

models! {
    "flags":
    attach_vs_concurrent_allocation_off: Spec::two_threads(),
    attach_and_stay_vs_concurrent_allocation_off: Spec::two_threads(),
    attach_vs_attach_with_concurrent_allocation_off: Spec::two_threads(),
    attach_vs_attach_at_threads_max: Spec::two_threads(),
    allocate_vs_gc_interval: Spec::bounded(2, 3),
    allocate_vs_fail_allocation: Spec::bounded(2, 3),
    stress_on_and_off: Spec::bounded(2, 3),
}

fn heap() -> Heap {
    Heap::new(worlds::config(1, 2)).expect("a small world")
}

/// One is attached already: either the second one attaches, or the flag goes off, never both.
fn attach_vs_concurrent_allocation_off() {
    let heap = heap();
    let first = heap.attach().unwrap();
    let there = heap.clone();
    let (off, second) = race(|| heap.set_concurrent_allocation(false), move || there.attach_raw().map(drop));
    match (off, second) {
        (Ok(()), Err(AttachError::ConcurrentAllocationOff)) => {}
        // Switched off before the second came, or after it had left.
        (Ok(()), Ok(())) => {}
        (Err(FlagError::SeveralAttached { attached: 2 }), Ok(())) => {}
        outcome => panic!("{outcome:?}"),
    }
    drop(first);
}

/// The second stays attached, so that success of both would leave two where one is allowed.
fn attach_and_stay_vs_concurrent_allocation_off() {
    let heap = heap();
    let first = heap.attach().unwrap();
    let there = heap.clone();
    let (off, second) = race(|| heap.set_concurrent_allocation(false), move || there.attach_raw());
    assert!(off.is_ok() != second.is_ok(), "{off:?}, {second:?}");
    drop((first, second));
}

/// With the flag off, two attachments at once: one gets in.
fn attach_vs_attach_with_concurrent_allocation_off() {
    let heap = heap();
    heap.set_concurrent_allocation(false).unwrap();
    let there = heap.clone();
    let (a, b) = race(|| heap.attach_raw(), move || there.attach_raw());
    assert!(a.is_ok() != b.is_ok(), "{a:?}, {b:?}");
    drop((a, b));
}

/// As many as the configuration allows, and one more.
fn attach_vs_attach_at_threads_max() {
    let heap = heap();
    let first = heap.attach().unwrap();
    let there = heap.clone();
    let (a, b) = race(|| heap.attach_raw(), move || there.attach_raw());
    assert!(a.is_ok() != b.is_ok(), "{a:?}, {b:?}");
    drop((first, a, b));
}

/// From the moment that the flag is set a thread collects at each allocation, whether it is attached then or comes later.
fn allocate_vs_gc_interval() {
    let heap = heap();
    let there = heap.clone();
    let (set, ()) = race(
        || heap.set_gc_interval(1),
        move || {
            let mut attachment = there.attach().unwrap();
            attachment
                .run(|scope| {
                    scope.new_array_in(1, AllocationType::Old).unwrap();
                    scope.poll();
                    scope.new_array_in(1, AllocationType::Old).unwrap();
                })
                .unwrap();
        },
    );
    set.unwrap();
    let majors = heap.statistics().unwrap().collections[CollectionKind::Major as usize];
    assert!(majors <= 2, "one for each allocation at most: {majors}");
    let mut attachment = heap.attach().unwrap();
    attachment.run(|scope| scope.new_array_in(1, AllocationType::Old).map(|_| ())).unwrap().unwrap();
    assert_eq!(heap.statistics().unwrap().collections[CollectionKind::Major as usize], majors + 1);
    assert!(heap.verify().unwrap().is_sound());
}

/// A failure that is injected while the thread allocates costs it a collection at most, and nothing else.
fn allocate_vs_fail_allocation() {
    let heap = heap();
    let there = heap.clone();
    let (set, ()) = race(
        || heap.set_fail_allocation(Some(0)),
        move || {
            let mut attachment = there.attach().unwrap();
            attachment
                .run(|scope| {
                    scope.new_array_in(1, AllocationType::Old).unwrap();
                    scope.new_array(1).unwrap();
                    let requests = scope.own_requests();
                    assert!(requests.retries <= 1, "the failure happens once: {requests:?}");
                    assert_eq!(requests.collections, requests.retries, "one collection mends it");
                })
                .unwrap();
        },
    );
    set.unwrap();
    assert!(heap.verify().unwrap().is_sound());
}

/// The stress thread is stopped at any point of its rounds, or before them: it parks, detaches and ends, and the flag's
/// return means that it has.
fn stress_on_and_off() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    heap.set_stress_concurrent_allocation(true).unwrap();
    heap.set_stress_concurrent_allocation(false).unwrap();
    assert_eq!(heap.statistics().unwrap().attached, 0, "joined, and so detached");
    assert!(heap.verify().unwrap().is_sound());
}
