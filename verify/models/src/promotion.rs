//! P19, promotion without a destination: a survivor that nobody has room for, at any object of a collection.
//!
//! Goal: a collection never fails (C-1). An object without a destination stays where it is and its page becomes an
//! old one in place, whatever else it held becomes holes; the heap is walkable, nothing is lost, and edges from what
//! stayed to what stayed young are remembered. Method: a list of arrays, each with a number, is walked and compared
//! before and after collections in heaps without a page to spare, or whose memory source refuses one request,
//! whichever that is: so the objects of one page part ways. A second thread reads, allocates or polls meanwhile.
//! Pages kept and collections are counted exactly where the model knows them.

use super::worlds::{self, assert_sound, race, run};
use heaplab::collection::CollectionSummary;
use heaplab::{AllocError, AllocationType, Array, CollectionKind, Heap, HeapConfig, Persistent, Scope};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

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

/// A young list of `count` nodes of `len` elements each. The first element is the next node, the second the node's
/// number, which counts down to 1.
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

/// Asserts that the list is whole: `count` nodes, each with its number.
fn assert_whole(scope: &mut Scope<'_, '_>, list: &Persistent<Array>, count: usize) {
    scope.nested(|scope| {
        let head = scope.open(list).expect("a list of this heap");
        let mut node = scope.get(head);
        for number in (1..=count).rev() {
            claim_eq!(scope.load(node, 1).as_small(), Some(number as i32), "the number of the node");
            let next = scope.load(node, 0);
            match scope.downcast::<Array>(next) {
                Some(next) => node = next,
                None => assert_eq!((number, next.as_small()), (1, Some(0)), "the list ends early"),
            }
        }
    });
}

/// Asserts that the list is whole and the heap sound, now, and again after a collection of each kind in turn.
fn assert_lasts(heap: &Heap, list: &Persistent<Array>, count: usize) {
    run(heap, |scope| assert_whole(scope, list, count));
    assert_sound(heap);
    for kind in CollectionKind::ALL {
        heap.collect(kind).expect("a sound heap");
        run(heap, |scope| assert_whole(scope, list, count));
        assert_sound(heap);
    }
}

/// One thread, one collection, and at most one refusal, in the world's set-up or at any survivor. At a survivor the
/// refusal keeps one node, and the others are moved; in the set-up it costs one minor collection, and all nodes are
/// moved.
fn collect_alone(config: HeapConfig, kind: CollectionKind, count: usize, len: usize) {
    let Some(heap) = worlds::heap_unless_refused(config) else { return };
    let list = run(&heap, |scope| new_list(scope, count, len));
    // A refusal while the list is made costs a collection, which moves what there is of it.
    let moved = || heap.statistics().expect("a sound heap").moved;
    let (before, ()) = (moved(), heap.collect(kind).expect("a sound heap"));
    let after = moved();
    let kept = after.pages_kept - before.pages_kept;
    let statistics = heap.statistics().expect("a sound heap");
    let requests = statistics.requests;
    assert!(requests + kept as u64 <= 1, "one refusal keeps one object, or fails one request: {kept}, {requests}");
    let bytes = |moved: CollectionSummary| moved.survived_bytes + moved.promoted_bytes;
    let moved = bytes(after) - bytes(before);
    claim_eq!(moved, (count - kept) * node_bytes(len), "the number of bytes moved, of {count} nodes less {kept},");
    let mut collections = [requests, 0, 0];
    collections[kind as usize] += 1;
    claim_eq!(statistics.collections, collections, "the count of collections");
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

/// A major collection promotes each node. The refused one stays, the others leave its page.
fn major_with_one_refusal() {
    collect_alone(worlds::config(1, 2), CollectionKind::Major, 3, SMALL);
}

/// The list is old and its page sparse; evacuating it needs a page. Three nodes are promoted and three are evacuated,
/// but for one if its page is refused. A refusal of the set-up costs one minor collection.
fn memory_reducing_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 3)) else { return };
    let list = run(&heap, |scope| new_list(scope, 3, SMALL));
    heap.collect(CollectionKind::Major).expect("a sound heap");
    heap.collect(CollectionKind::MemoryReducing).expect("a sound heap");
    let statistics = heap.statistics().expect("a sound heap");
    let (requests, kept) = (statistics.requests, statistics.moved.pages_kept);
    assert!(requests + kept as u64 <= 1, "one refusal keeps one object, or fails one request: {kept}, {requests}");
    let moved = statistics.moved.promoted_bytes + statistics.moved.evacuated_bytes;
    claim_eq!(
        moved,
        (2 * 3 - kept) * node_bytes(SMALL),
        "the number of bytes moved, of three nodes twice less {kept},"
    );
    claim_eq!(statistics.collections, [requests, 1, 1], "the count of collections");
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

/// Collects here, while another thread runs `request` between two walks of the list. Returns the list and the outcome
/// of `request`.
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

/// Collects in a full heap while another thread polls. Nobody else collects or asks for a collection: one page is
/// kept, nothing is moved.
fn full_heap_vs_poll(kind: CollectionKind) {
    let (heap, large, list) = full_heap();
    let (list, outcome) = collect_vs(&heap, list, kind, |scope| {
        scope.poll();
        Ok(())
    });
    claim_eq!(outcome, Ok(()), "what the other thread is told");
    let statistics = heap.statistics().expect("a sound heap");
    let mut collections = [0; 3];
    collections[kind as usize] = 1;
    claim_eq!((statistics.requests, statistics.collections), (0, collections), "the count of requests and collections");
    assert_eq!(statistics.moved.pages_kept, 1, "relabelled in place");
    assert_eq!(statistics.moved.survived_bytes + statistics.moved.promoted_bytes, 0, "nothing had a place to go to");
    assert_lasts(&heap, &list, 3);
    drop(large);
}

/// A minor collection keeps new space's page.
fn minor_in_full_heap_vs_poll() {
    full_heap_vs_poll(CollectionKind::Minor);
}

/// A major collection keeps new space's page as well.
fn major_in_full_heap_vs_poll() {
    full_heap_vs_poll(CollectionKind::Major);
}

/// A memory-reducing collection keeps new space's page once: the page is young when sparse pages are looked for.
fn memory_reducing_in_full_heap_vs_poll() {
    full_heap_vs_poll(CollectionKind::MemoryReducing);
}

/// The frontier's only page may be relabelled after the request, which is served at once; or before it: then new space
/// has no page, and the request climbs its ladder in vain, and is told so.
fn minor_in_full_heap_vs_allocate_young() {
    let (heap, large, list) = full_heap();
    let (list, outcome) =
        collect_vs(&heap, list, CollectionKind::Minor, |scope| allocate(scope, AllocationType::Young));
    let statistics = heap.statistics().expect("a sound heap");
    let (requests, collections, kept) = match outcome {
        Ok(()) => (0, [1, 0, 0], 1),
        // The request climbed to the top, and the last resort's collections find the page sparse, and no destination
        // either.
        Err(_) => (5, [3, 2, 2], 3),
    };
    if outcome.is_err() {
        let out_of_memory =
            AllocError::OutOfMemory { allocation_type: AllocationType::Young, size_bytes: node_bytes(SMALL) };
        claim_eq!(outcome, Err(out_of_memory), "what the request is told");
    }
    claim_eq!(statistics.requests, requests, "the number of requests");
    claim_eq!(statistics.collections, collections, "the count of collections");
    claim_eq!(statistics.moved.pages_kept, kept, "the number of pages relabelled in place");
    assert_lasts(&heap, &list, 3);
    drop(large);
}

/// An old request is served from the holes of the page that was relabelled: after the other thread's collection at
/// once, before it by one of its own.
fn old_in_full_heap(kind: CollectionKind) {
    let (heap, large, list) = full_heap();
    let (list, outcome) = collect_vs(&heap, list, kind, |scope| allocate(scope, AllocationType::Old));
    claim_eq!(outcome, Ok(()), "what the request is told");
    let statistics = heap.statistics().expect("a sound heap");
    let (requests, [minor, major, reducing]) = (statistics.requests, statistics.collections);
    assert!(requests <= 1, "one collection serves it: {requests}");
    let met = kind == CollectionKind::Major && requests == 1 && major == 1;
    let here = [u64::from(kind == CollectionKind::Minor), u64::from(kind == CollectionKind::Major)];
    let own = requests - u64::from(met);
    claim_eq!(
        [minor, major, reducing],
        [here[0], here[1] + own, 0],
        "the count of collections for {requests} requests"
    );
    claim_eq!(statistics.moved.pages_kept, 1, "the number of pages relabelled in place");
    let moved = statistics.moved.survived_bytes + statistics.moved.promoted_bytes;
    claim_eq!(moved, 0, "the number of bytes moved, which had no place to go to,");
    assert_lasts(&heap, &list, 3);
    drop(large);
}

/// The other thread's collection is a minor one, which meets no request for an old object: the request has a major
/// one of its own.
fn minor_in_full_heap_vs_allocate_old() {
    old_in_full_heap(CollectionKind::Minor);
}

/// The other thread's collection is a major one, which meets a request that failed before it.
fn major_in_full_heap_vs_allocate_old() {
    old_in_full_heap(CollectionKind::Major);
}

/// Collects while another thread runs `request`, with a page to spare, which may be refused at any node, or to the
/// other thread. One refusal keeps one node or fails one request, which one collection mends. Returns how many
/// collections the set-up asked for and how many the other thread, and those that ran; `None` if the heap was refused
/// its first pages.
fn one_refusal_vs(kind: CollectionKind, request: Request) -> Option<(u64, u64, [u64; 3])> {
    let heap = worlds::heap_unless_refused(worlds::config(1, 2))?;
    let (list, set_up) = run(&heap, |scope| (new_list(scope, 3, SMALL), scope.own_requests().collections));
    let (list, outcome) = collect_vs(&heap, list, kind, request);
    assert_eq!(outcome, Ok(()), "one refusal is mended by one collection");
    let statistics = heap.statistics().expect("a sound heap");
    let (requests, kept) = (statistics.requests, statistics.moved.pages_kept);
    assert!(requests + kept as u64 <= 1, "one refusal keeps one object, or fails one request: {kept}, {requests}");
    let moved = statistics.moved.survived_bytes + statistics.moved.promoted_bytes;
    claim_eq!(moved, (3 - kept) * node_bytes(SMALL), "the number of bytes moved, of three nodes less {kept},");
    assert_lasts(&heap, &list, 3);
    Some((set_up, requests - set_up, statistics.collections))
}

/// The young request finds room in new space, so it asks for nothing; the set-up may have asked for one minor
/// collection.
fn minor_with_one_refusal_vs_allocate_young() {
    let ran = one_refusal_vs(CollectionKind::Minor, |scope| allocate(scope, AllocationType::Young));
    let Some((set_up, asked, collections)) = ran else { return };
    claim_eq!(asked, 0, "the number of collections that the request asked for");
    claim_eq!(collections, [1 + set_up, 0, 0], "the count of collections");
}

/// The old request may be refused its page, and asks for one major collection then, which is the other thread's if
/// that one comes after the request.
fn major_with_one_refusal_vs_allocate_old() {
    let ran = one_refusal_vs(CollectionKind::Major, |scope| allocate(scope, AllocationType::Old));
    let Some((set_up, asked, [minor, major, reducing])) = ran else { return };
    claim_eq!((minor, reducing), (set_up, 0), "the number of minor and memory-reducing collections");
    assert!(major == 1 || major == 1 + asked, "{major} major collections for {asked} requests");
}

/// Three nodes of half a page, a survivor page for two, no old page: the third stays and is old now, and what it
/// refers to is young. The next minor collection must find that edge.
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
    claim_eq!(outcome, Ok(()), "what the other thread is told");
    let statistics = heap.statistics().expect("a sound heap");
    claim_eq!((statistics.requests, statistics.collections), (0, [1, 0, 0]), "the count of requests and collections");
    let moved = statistics.moved;
    let found = (moved.pages_kept, moved.survived_bytes, moved.promoted_bytes);
    claim_eq!(found, (1, 2 * 64, 0), "the count of pages kept, of bytes that survived, and of bytes promoted");
    assert_lasts(&heap, &list, 3);
    drop(large);
}
