//! P17, flags against attachment, allocation and collection.
//!
//! Goal: switching concurrent allocation off and a second attachment cannot pass each other; a local heap has the flags
//! that were set before it was attached or in a stop since. Method: the shipping heap, exact outcomes.

use super::worlds::{self, Milestone, one_of, race};
use heaplab::{AllocError, AllocationType, AttachError, CollectionKind, FlagError, Heap, LocalHeap};
use heaplab_checker::model::{Bound, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

/// Why the explorer bounds the model of the stress thread.
const YIELDING_LOOPS: &str =
    "the stress thread comes back as often as it likes, so that there are executions of any length";

models! {
    "flags":
    attach_vs_concurrent_allocation_off: Spec::two_threads(),
    attach_and_stay_vs_concurrent_allocation_off: Spec::two_threads(),
    attach_vs_attach_with_concurrent_allocation_off: Spec::two_threads(),
    attach_vs_attach_at_threads_max: Spec::two_threads(),
    attach_vs_gc_interval: Spec::two_threads(),
    attach_vs_fail_allocation: Spec::two_threads(),
    allocate_vs_gc_interval: Spec::bounded(2, 3),
    allocate_vs_fail_allocation: Spec::bounded(2, 3),
    stress_on_and_off: Spec::bounded(2, 3).graphs_within(Bound::Yields(2), YIELDING_LOOPS),
}

fn heap() -> Heap {
    Heap::new(worlds::config(1, 2)).expect("a small world")
}

/// One is attached already: either the second one attaches, or the flag goes off, never both at once. The flag is
/// refused while two are attached, and says so; the second one is refused while the flag is off; and both succeed only
/// one after the other.
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

/// The second stays attached, so that success of both would leave two where one is allowed: exactly one of them is
/// refused, and told why.
fn attach_and_stay_vs_concurrent_allocation_off() {
    let heap = heap();
    let first = heap.attach().unwrap();
    let there = heap.clone();
    let (off, second) = race(|| heap.set_concurrent_allocation(false), move || there.attach_raw());
    match (&off, &second) {
        (Ok(()), Err(AttachError::ConcurrentAllocationOff)) => {}
        (Err(FlagError::SeveralAttached { attached: 2 }), Ok(_)) => {}
        outcome => panic!("{outcome:?}"),
    }
    drop((first, second));
}

/// With the flag off, two attachments at once: one gets in, and the other one is told that the flag is off.
fn attach_vs_attach_with_concurrent_allocation_off() {
    let heap = heap();
    heap.set_concurrent_allocation(false).unwrap();
    let there = heap.clone();
    let (a, b) = race(|| heap.attach_raw(), move || there.attach_raw());
    let (attached, refused) = one_of(a, b);
    claim_eq!(refused, AttachError::ConcurrentAllocationOff, "what the one that was refused is told");
    drop(attached);
}

/// As many as the configuration allows, and one more: one of two gets in, and the other one is told how many are
/// allowed.
fn attach_vs_attach_at_threads_max() {
    let heap = heap();
    let first = heap.attach().unwrap();
    let there = heap.clone();
    let (a, b) = race(|| heap.attach_raw(), move || there.attach_raw());
    let (attached, refused) = one_of(a, b);
    claim_eq!(refused, AttachError::TooManyThreads { threads_max: 2 }, "what the one that was refused is told");
    drop((first, attached));
}

/// One thread is attached, one comes meanwhile, and one comes later. When the call that sets the flag has returned,
/// the flag is in force for all of them: each allocation collects, once.
fn attach_vs_gc_interval() {
    let heap = heap_for_three();
    let (before, during) = attach_while(&heap, |heap| heap.set_gc_interval(1));
    let after = heap.attach_raw().expect("a place for three");
    let majors = || heap.statistics().expect("a sound heap").collections_of(CollectionKind::Major);
    assert_eq!(majors(), 0, "a flag collects nothing");
    for (count, local) in (1..).zip([&before, &during, &after]) {
        ask(local).expect("a page for each");
        claim_eq!(majors(), count, "the number of major collections");
    }
    heap.set_gc_interval(0).expect("a sound heap");
    for local in [&before, &during, &after] {
        ask(local).expect("a page for each");
    }
    assert_eq!(majors(), 3, "switched off for all of them");
}

/// One thread is attached, one comes meanwhile, and one comes later: the failure that is asked for is in force for
/// all of them. Each local heap has its own, and its next attempt is the one that fails.
fn attach_vs_fail_allocation() {
    let heap = heap_for_three();
    let (before, during) = attach_while(&heap, |heap| heap.set_fail_allocation(Some(0)));
    let after = heap.attach_raw().expect("a place for three");
    for local in [&before, &during, &after] {
        // SAFETY: R-1: this thread has it, and it is parked again.
        let left = unsafe {
            local.unpark();
            let left = local.attempts_before_failure();
            local.park();
            left
        };
        claim_eq!(left, Some(0), "the number of attempts before the failure");
    }
}

fn heap_for_three() -> Heap {
    // Three pages that the local heaps own, and one that the collections have left in pieces.
    let mut config = worlds::config(1, 4);
    config.threads_max = 3;
    Heap::new(config).expect("a small world")
}

/// Sets a flag while one local heap is attached and another thread attaches one. Returns both local heaps.
fn attach_while(heap: &Heap, set: fn(&Heap) -> Result<(), FlagError>) -> (LocalHeap, LocalHeap) {
    let before = heap.attach_raw().expect("a place for three");
    let there = heap.clone();
    let (set, during) = race(|| set(heap), move || there.attach_raw());
    set.expect("nobody runs");
    (before, during.expect("a place for three"))
}

/// Allocates an old object on a parked local heap, which is parked again afterwards. May collect.
fn ask(local: &LocalHeap) -> Result<(), AllocError> {
    // SAFETY: R-1: this thread has it, and it is parked again.
    unsafe {
        local.unpark();
        let outcome = worlds::allocate_rooted(local.raw(), AllocationType::Old, 16);
        local.park();
        outcome.map(drop)
    }
}

/// A thread collects at each allocation from the moment that the flag is set, which may be at any point of the
/// thread: at both allocations if that was before the first, at none if it is after the second, and else at none, the
/// second or both. Afterwards each allocation collects once.
fn allocate_vs_gc_interval() {
    let heap = heap();
    let there = heap.clone();
    let (is_set, is_over) = (Milestone::new(), Milestone::new());
    let (sees_set, is_done) = (is_set.clone(), is_over.clone());
    let ((set, was_over), was_set) = race(
        || {
            let was_over = is_over.is_reached();
            let set = heap.set_gc_interval(1);
            is_set.reach();
            (set, was_over)
        },
        move || {
            let was_set = sees_set.is_reached();
            let mut attachment = there.attach().unwrap();
            attachment
                .run(|scope| {
                    scope.new_array_in(1, AllocationType::Old).unwrap();
                    scope.poll();
                    scope.new_array_in(1, AllocationType::Old).unwrap();
                })
                .unwrap();
            is_done.reach();
            was_set
        },
    );
    set.unwrap();
    let majors = heap.statistics().unwrap().collections[CollectionKind::Major as usize];
    let (least, most) = (if was_set { 2 } else { 0 }, if was_over { 0 } else { 2 });
    assert!((least..=most).contains(&majors), "{majors} collections, set before: {was_set}, set after: {was_over}");
    let mut attachment = heap.attach().unwrap();
    attachment.run(|scope| scope.new_array_in(1, AllocationType::Old).map(|_| ())).unwrap().unwrap();
    let statistics = heap.statistics().unwrap();
    claim_eq!(statistics.collections, [0, majors + 1, 0], "the count of collections after one allocation more");
    claim_eq!(statistics.requests, 0, "the number of collections that a failed attempt asked for");
    assert!(heap.verify().unwrap().is_sound(), "the heap is sound");
}

/// A failure that is injected while the thread allocates costs it a collection at most, and nothing else: a major one
/// if it strikes the old request, a minor one if it strikes the young one, none if it comes after both.
fn allocate_vs_fail_allocation() {
    let heap = heap();
    let there = heap.clone();
    let (set, asked) = race(
        || heap.set_fail_allocation(Some(0)),
        move || {
            let mut attachment = there.attach().unwrap();
            attachment
                .run(|scope| {
                    scope.new_array_in(1, AllocationType::Old).unwrap();
                    let old = scope.own_requests();
                    scope.new_array(1).unwrap();
                    let both = scope.own_requests();
                    assert!(both.retries <= 1, "the failure happens once: {both:?}");
                    claim_eq!(
                        both.collections,
                        both.retries,
                        "the number of collections, of which one mends a failure,"
                    );
                    [both.collections - old.collections, old.collections, 0]
                })
                .unwrap()
        },
    );
    set.unwrap();
    let statistics = heap.statistics().unwrap();
    claim_eq!(statistics.collections, asked, "the count of collections");
    assert!(heap.verify().unwrap().is_sound(), "the heap is sound");
}

/// The stress thread is stopped at any point of its rounds, or before them: it parks, detaches and ends, and it has
/// ended when switching the flag off returns.
fn stress_on_and_off() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    heap.set_stress_concurrent_allocation(true).unwrap();
    heap.set_stress_concurrent_allocation(false).unwrap();
    assert_eq!(heap.statistics().unwrap().attached, 0, "joined, and so detached");
    assert!(heap.verify().unwrap().is_sound(), "the heap is sound");
}
