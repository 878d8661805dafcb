//! P19, promotion without a destination: a survivor that nobody has room for, at any object of a collection.
//!
//! Goal: a collection never fails (C-1). An object without a destination stays where it is and its page becomes an old one in
//! place, whatever else it held becomes holes; the heap is walkable, nothing is lost, and edges from what stayed to what
//! stayed young are remembered. Method: a list of arrays, each with a number, is walked and compared before and after
//! collections in heaps without a page to spare, or whose memory source refuses one request, whichever that is: so the
//! objects of one page part ways. A second thread reads, allocates or polls meanwhile. Pages kept and collections are counted
//! exactly where the model knows them.

use super::worlds::{self, assert_sound, race, run};
use heaplab::collection::CollectionSummary;
use heaplab::{AllocError, AllocationType, Array, CollectionKind, Heap, HeapConfig, Persistent, Scope};
use heaplab_verify::model::{Fault, Spec};
use heaplab_verify::models;

models! {
    "promotion":
    minor_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    minor_with_survivors_and_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    major_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    memory_reducing_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    minor_in_full_heap_vs_poll: Spec::bounded(2, 3),
    minor_in_full_heap_vs_allocate_young: Spec::bounded(2, 3),
    minor_in_full_heap_vs_allocate_old: Spec::bounded(2, 3),
    major_in_full_heap_vs_poll: Spec::bounded(2, 3),
    major_in_full_heap_vs_allocate_old: Spec::bounded(2, 3),
    memory_reducing_in_full_heap_vs_poll: Spec::bounded(2, 3),
    minor_with_one_refusal_vs_allocate_young: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    major_with_one_refusal_vs_allocate_old: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    kept_refers_to_survivor_vs_poll: Spec::bounded(2, 3),
}

/// Elements of a small node and of one of half a page: 16 and 64 bytes.
const SMALL: usize = 2;
const HALF: usize = 14;
/// Elements of an array that fills a page.
const LARGE: usize = 20;

/// Bytes of a node.
fn node_bytes(len: usize) -> usize {
    8 + 4 * len
}

/// A young list of `count` nodes of `len` elements each: the next node, and the node's number, which counts down to 1.
fn new_list(scope: &mut Scope<'_, '_>, count: usize, len: usize) -> Persistent<Array> {
    scope.nested(|scope| {
        let mut next = None;
        for number in 1..=count {
            let node = scope.new_array(len).expect("an empty new space has room");
            let number = scope.small(number as i32).expect("a small integer");
            scope.store(scope.get(node), 1, scope.get(number));
            if let Some(next) = next {
                scope.store(scope.get(node), 0, scope.get(next).into());
            }
            next = Some(node);
        }
        scope.persist(next.expect("a list is not empty"))
    })
}

/// The list is whole: `count` nodes, each with its number.
fn assert_whole(scope: &mut Scope<'_, '_>, list: &Persistent<Array>, count: usize) {
    scope.nested(|scope| {
        let head = scope.open(list).expect("a list of this heap");
        let mut node = scope.get(head);
        for number in (1..=count).rev() {
            assert_eq!(scope.load(node, 1).as_small(), Some(number as i32));
            let next = scope.load(node, 0);
            match scope.downcast::<Array>(next) {
                Some(next) => node = next,
                None => assert_eq!((number, next.as_small()), (1, Some(0)), "the list ends early"),
            }
        }
    });
}

/// Whole, sound, and whole again after one collection of each kind.
fn assert_lasts(heap: &Heap, list: &Persistent<Array>, count: usize) {
    run(heap, |scope| assert_whole(scope, list, count));
    assert_sound(heap);
    for kind in CollectionKind::ALL {
        heap.collect(kind).expect("a sound heap");
        run(heap, |scope| assert_whole(scope, list, count));
        assert_sound(heap);
    }
}

/// One thread, one collection, one refusal or none, of the world's set-up or at any survivor.
fn collect_alone(config: HeapConfig, kind: CollectionKind, count: usize, len: usize) {
    let Some(heap) = worlds::heap_unless_refused(config) else { return };
    let list = run(&heap, |scope| new_list(scope, count, len));
    // A refusal while the list is made costs a collection, which moves what there is of it.
    let moved = || heap.statistics().expect("a sound heap").moved;
    let (before, ()) = (moved(), heap.collect(kind).expect("a sound heap"));
    let after = moved();
    let kept = after.pages_kept - before.pages_kept;
    assert!(kept <= 1, "one refusal keeps one object: {after:?}");
    let bytes = |moved: CollectionSummary| moved.survived_bytes + moved.promoted_bytes;
    if before.pages_kept == 0 && bytes(before) == 0 {
        assert_eq!(bytes(after), (count - kept) * node_bytes(len), "and the others leave: {after:?}");
    }
    assert_lasts(&heap, &list, count);
}

/// No survivor page: each node goes to old space. The refused one stays, the others leave its page.
fn minor_with_one_refusal() {
    collect_alone(worlds::config(1, 2), CollectionKind::Minor, 3, SMALL);
}

/// With a survivor page, which may be refused: then the node is promoted.
fn minor_with_survivors_and_one_refusal() {
    collect_alone(worlds::config(2, 3), CollectionKind::Minor, 3, HALF);
}

fn major_with_one_refusal() {
    collect_alone(worlds::config(1, 2), CollectionKind::Major, 3, SMALL);
}

/// The list is old and its page sparse; evacuating it needs a page.
fn memory_reducing_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 3)) else { return };
    let list = run(&heap, |scope| new_list(scope, 3, SMALL));
    heap.collect(CollectionKind::Major).expect("a sound heap");
    heap.collect(CollectionKind::MemoryReducing).expect("a sound heap");
    let kept = heap.statistics().expect("a sound heap").moved.pages_kept;
    assert!(kept <= 1, "one refusal keeps one object: {kept}");
    assert_lasts(&heap, &list, 3);
}

/// A heap whose only page beside new space's holds a live large array; and a young list of three nodes.
fn full_heap() -> (Heap, Persistent<Array>, Persistent<Array>) {
    let heap = worlds::heap_unless_refused(worlds::config(1, 1)).expect("a small world");
    let (large, list) = run(&heap, |scope| {
        let large = scope.new_array_in(LARGE, AllocationType::Old).expect("an empty heap has room");
        (scope.persist(large), new_list(scope, 3, SMALL))
    });
    (heap, large, list)
}

type Request = fn(&mut Scope<'_, '_>) -> Result<(), AllocError>;

/// Allocates a small array of this type and drops it.
fn allocate(scope: &mut Scope<'_, '_>, ty: AllocationType) -> Result<(), AllocError> {
    scope.nested(|scope| scope.new_array_in(SMALL, ty).map(drop))
}

/// A collection here, and on another thread `request` between two walks of the list; its outcome.
fn collect_vs(
    heap: &Heap,
    list: Persistent<Array>,
    kind: CollectionKind,
    request: Request,
) -> (Persistent<Array>, Result<(), AllocError>) {
    let there = heap.clone();
    let ((), outcome) = race(
        || heap.collect(kind).expect("a sound heap"),
        move || {
            let outcome = run(&there, |scope| {
                assert_whole(scope, &list, 3);
                let outcome = request(scope);
                scope.poll();
                assert_whole(scope, &list, 3);
                outcome
            });
            (list, outcome)
        },
    );
    outcome
}

/// Nobody else collects: one page is kept, nothing is moved.
fn full_heap_vs_poll(kind: CollectionKind) {
    let (heap, large, list) = full_heap();
    let (list, outcome) = collect_vs(&heap, list, kind, |scope| {
        scope.poll();
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
    let statistics = heap.statistics().expect("a sound heap");
    let mut collections = [0; 3];
    collections[kind as usize] = 1;
    assert_eq!(statistics.collections, collections);
    assert_eq!(statistics.moved.pages_kept, 1, "relabelled in place");
    assert_eq!(statistics.moved.survived_bytes + statistics.moved.promoted_bytes, 0, "nothing had a place to go to");
    assert_lasts(&heap, &list, 3);
    drop(large);
}

fn minor_in_full_heap_vs_poll() {
    full_heap_vs_poll(CollectionKind::Minor);
}

fn major_in_full_heap_vs_poll() {
    full_heap_vs_poll(CollectionKind::Major);
}

fn memory_reducing_in_full_heap_vs_poll() {
    full_heap_vs_poll(CollectionKind::MemoryReducing);
}

/// The frontier's only page may be relabelled before the request or after it: then new space has no page, and the request
/// climbs its ladder in vain.
fn minor_in_full_heap_vs_allocate_young() {
    let (heap, large, list) = full_heap();
    let (list, outcome) =
        collect_vs(&heap, list, CollectionKind::Minor, |scope| allocate(scope, AllocationType::Young));
    let statistics = heap.statistics().expect("a sound heap");
    match outcome {
        Ok(()) => {
            assert_eq!(statistics.collections, [1, 0, 0]);
            assert_eq!(statistics.moved.pages_kept, 1);
        }
        Err(AllocError::OutOfMemory { .. }) => {
            assert_eq!(statistics.requests, 5, "it climbed to the top");
            assert_eq!(statistics.collections, [3, 2, 2]);
            assert_eq!(
                statistics.moved.pages_kept, 3,
                "the last resort's collections find it sparse, and no place either"
            );
        }
        Err(error) => panic!("{error}"),
    }
    assert_lasts(&heap, &list, 3);
    drop(large);
}

/// An old request is served from the holes of the page that was relabelled: after the other thread's collection at once,
/// before it by one of its own.
fn old_in_full_heap(kind: CollectionKind) {
    let (heap, large, list) = full_heap();
    let (list, outcome) = collect_vs(&heap, list, kind, |scope| allocate(scope, AllocationType::Old));
    assert_eq!(outcome, Ok(()));
    let statistics = heap.statistics().expect("a sound heap");
    assert!(statistics.requests <= 1, "{}", statistics.requests);
    let collections: u64 = statistics.collections.iter().sum();
    assert!((1..=1 + statistics.requests).contains(&collections), "{collections} for two who may have asked");
    assert_eq!(statistics.moved.pages_kept, 1);
    assert_lasts(&heap, &list, 3);
    drop(large);
}

fn minor_in_full_heap_vs_allocate_old() {
    old_in_full_heap(CollectionKind::Minor);
}

fn major_in_full_heap_vs_allocate_old() {
    old_in_full_heap(CollectionKind::Major);
}

/// A page to spare, which may be refused at any node, or to the other thread.
fn one_refusal_vs(kind: CollectionKind, request: Request) {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 2)) else { return };
    let list = run(&heap, |scope| new_list(scope, 3, SMALL));
    let (list, outcome) = collect_vs(&heap, list, kind, request);
    assert_eq!(outcome, Ok(()), "one refusal is mended by one collection");
    let statistics = heap.statistics().expect("a sound heap");
    assert!(statistics.requests <= 1, "{}", statistics.requests);
    assert!(statistics.moved.pages_kept <= 1, "one refusal keeps one object: {}", statistics.moved.pages_kept);
    assert_lasts(&heap, &list, 3);
}

fn minor_with_one_refusal_vs_allocate_young() {
    one_refusal_vs(CollectionKind::Minor, |scope| allocate(scope, AllocationType::Young));
}

fn major_with_one_refusal_vs_allocate_old() {
    one_refusal_vs(CollectionKind::Major, |scope| allocate(scope, AllocationType::Old));
}

/// Three nodes of half a page, a survivor page for two, no old page: the third stays and is old now, and what it refers to
/// is young. The next minor collection must find that edge.
fn kept_refers_to_survivor_vs_poll() {
    let heap = Heap::new(worlds::config(2, 2)).expect("a small world");
    let (large, list) = run(&heap, |scope| {
        let large = scope.new_array_in(LARGE, AllocationType::Old).expect("an empty heap has room");
        let list = new_list(scope, 3, HALF);
        (scope.persist(large), list)
    });
    let (list, outcome) = collect_vs(&heap, list, CollectionKind::Minor, |scope| {
        scope.poll();
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
    let moved = heap.statistics().expect("a sound heap").moved;
    assert_eq!((moved.pages_kept, moved.survived_bytes), (1, 2 * 64), "two survive, one stays");
    assert_lasts(&heap, &list, 3);
    drop(large);
}
