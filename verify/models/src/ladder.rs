//! P7, the retry ladder: one failure injected at any point, alone and against a rival.
//!
//! Goal: a request climbs exactly the rungs that its failures call for, and ends with memory or with `OutOfMemory`; a
//! young request gets major rounds when minor ones cannot help (B13); what the last resort frees is its own, however
//! greedy a rival is (B12); the near-limit callback may raise the limit or not, and a request nested in it fails
//! (B15). Method: the shipping heap in worlds where one page more or less decides. The thread counts what it asked
//! for, the heap counts the collections that ran, and both are asserted exactly. The failure is the model checker's
//! fault, which makes the memory source refuse any one request for pages or none, those of the world's own set-up
//! included; where a second failure is wanted, the heap's flag `fail_allocation` adds it.
//!
//! A large array fills one page, so a live one takes a page out of reach, and a dead one is a page of garbage.

use super::worlds::{self, PAGE, TWO_LADDERS, assert_sound, one_of, race_running, run};
use heaplab::heap::Internals as _;
use heaplab::heap::RawLocalHeap;
use heaplab::page::PageKind;
use heaplab::sync::{Arc, Mutex};
use heaplab::{AllocError, AllocationType, Array, Heap, HeapConfig, NearLimit, Persistent, Scope, Shape, Tail};
use heaplab_checker::model::{Bound, Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "ladder":
    each_type_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    garbage_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    young_with_a_failure_and_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    young_gets_major_rounds_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    callback_raises_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    old_vs_large_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    young_vs_young_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    large_garbage_vs_large_garbage: Spec::bounded(2, 3),
    young_garbage_vs_young_garbage_vs_stop: Spec::bounded(3, 3),
    young_gets_major_rounds_vs_stop: Spec::bounded(2, 3),
    young_out_of_memory_vs_stop: Spec::bounded(2, 3),
    old_out_of_memory_vs_stop: Spec::bounded(2, 3),
    last_resort_vs_greedy_rival: Spec::bounded(2, 3),
    last_resort_vs_last_resort: Spec::bounded(2, 3).graphs_within(Bound::Preemptions(1), TWO_LADDERS),
    callback_refuses_vs_stop: Spec::bounded(2, 3),
    callback_raises_vs_callback_raises: Spec::bounded(2, 3).graphs_within(Bound::Preemptions(1), TWO_LADDERS),
    callback_answers_after_a_rival_raised: Spec::alone(),
    callback_raises_vs_stale_answer: Spec::bounded(2, 3).graphs_within(Bound::Preemptions(1), TWO_LADDERS),
}

/// Elements of an array that fills a page: 88 bytes are more than half of one.
const LARGE: usize = 20;
/// Bytes of such an array.
const LARGE_BYTES: usize = 8 + 4 * LARGE;
/// Elements of an array of half a page, the largest regular object.
const HALF: usize = 14;

type Outcome = Result<(), AllocError>;

fn old(scope: &mut Scope<'_, '_>, len: usize) -> Outcome {
    scope.nested(|scope| scope.new_array_in(len, AllocationType::Old).map(drop))
}

fn young(scope: &mut Scope<'_, '_>, len: usize) -> Outcome {
    scope.nested(|scope| scope.new_array(len).map(drop))
}

/// Runs `request`, and returns its outcome and the number of collections that it asked for.
fn climb(scope: &mut Scope<'_, '_>, request: impl FnOnce(&mut Scope<'_, '_>) -> Outcome) -> (Outcome, u64) {
    let before = scope.own_requests();
    let outcome = request(scope);
    let after = scope.own_requests();
    let collections = after.collections - before.collections;
    let retries = after.retries - before.retries;
    claim_eq!(retries, u64::from(collections != 0), "the number of first attempts that failed in one climb");
    (outcome, collections)
}

/// Collections that ran: minor, major, memory-reducing.
fn ran(heap: &Heap) -> [u64; 3] {
    heap.statistics().expect("a sound heap").collections
}

/// Collections that ran since `before`.
fn ran_since(heap: &Heap, before: [u64; 3]) -> [u64; 3] {
    let now = ran(heap);
    [0, 1, 2].map(|kind| now[kind] - before[kind])
}

/// What a request for `bytes` bytes is told when every rung was climbed.
fn out_of_memory(ty: AllocationType, bytes: usize) -> Outcome {
    Err(AllocError::OutOfMemory { allocation_type: ty, size_bytes: bytes })
}

/// Bytes of an array of one element.
const ONE_BYTES: usize = 16;

/// A page for each type: who is refused asks for the weakest collection of its ladder, once, and is served.
fn each_type_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 4)) else { return };
    let (minor, major) = run(&heap, |scope| {
        let (outcome, minor) = climb(scope, |scope| young(scope, 1));
        claim_eq!(outcome, Ok(()), "what the young request is told");
        let mut major = 0;
        let requests: [fn(&mut Scope<'_, '_>) -> Outcome; 4] = [
            |scope| old(scope, 1),
            |scope| scope.new_map(Shape::new(16, 2, 1, Tail::None).expect("a shape")).map(drop),
            |scope| scope.new_code(8).map(drop),
            |scope| old(scope, LARGE),
        ];
        for request in requests {
            let (outcome, collections) = climb(scope, request);
            claim_eq!(outcome, Ok(()), "what the request is told");
            major += collections;
        }
        (minor, major)
    });
    assert!(minor + major <= 1, "one refusal, one collection: {minor} minor, {major} major");
    claim_eq!(ran(&heap), [minor, major, 0], "the count of collections");
    assert_sound(&heap);
}

/// The page is garbage: the first attempt is exhausted, and the one after the collection may be refused, which costs
/// one more. Or the refusal falls on the request that makes the garbage; each time one collection mends it.
fn garbage_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 1)) else { return };
    let (first, second) = run(&heap, |scope| {
        let (outcome, first) = climb(scope, |scope| old(scope, LARGE));
        claim_eq!(outcome, Ok(()), "what the first request is told");
        let (outcome, second) = climb(scope, |scope| old(scope, LARGE));
        claim_eq!(outcome, Ok(()), "what the second request is told");
        (first, second)
    });
    assert!(matches!((first, second), (0, 1) | (1, 1) | (0, 2)), "{first}, then {second}");
    claim_eq!(ran(&heap), [0, first + second, 0], "the count of collections");
    assert_sound(&heap);
}

/// The flag fails the first attempt, the fault may fail the second one: one minor collection for each.
fn young_with_a_failure_and_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 1)) else { return };
    heap.set_fail_allocation(Some(0)).expect("a sound heap");
    let (outcome, minor) = run(&heap, |scope| climb(scope, |scope| young(scope, 1)));
    claim_eq!(outcome, Ok(()), "what the request is told");
    assert!(matches!(minor, 1 | 2), "one for the flag, and one for the refusal if it falls here: {minor}");
    claim_eq!(ran(&heap), [minor, 0, 0], "the count of collections");
    assert_sound(&heap);
}

/// New space holds two live arrays, the one other page is garbage. A minor collection finds no destination for the
/// two and relabels their page, so that new space has no page left; only a major one frees the garbage. Returns how
/// many collections the set-up asked for, by its old and its young objects, and how many the request.
fn fill_and_ask_young(heap: &Heap) -> [u64; 3] {
    run(heap, |scope| {
        let (outcome, of_old) = climb(scope, |scope| old(scope, LARGE));
        claim_eq!(outcome, Ok(()), "what the first request is told");
        let first = scope.new_array(HALF).expect("an empty heap has room");
        let second = scope.new_array(HALF).expect("half a page is left");
        let of_young = scope.own_requests().collections - of_old;
        let (outcome, collections) = climb(scope, |scope| young(scope, HALF));
        claim_eq!(outcome, Ok(()), "what the request is told, for which the major round frees a page,");
        let lens = [first, second].map(|array| scope.len(scope.get(array)));
        claim_eq!(lens, [HALF; 2], "the lengths of the live arrays");
        [of_old, of_young, collections]
    })
}

/// B13. Two minor rounds and a major one. A refusal of the page that the major round gives to new space costs a second
/// one; a refusal of the set-up costs one collection there, and the request's rungs stay the same.
fn young_gets_major_rounds_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 1)) else { return };
    let asked = fill_and_ask_young(&heap);
    assert!(matches!(asked, [0, 0, 3] | [1, 0, 3] | [0, 1, 3] | [0, 0, 4]), "one refusal: {asked:?}");
    let [of_old, of_young, collections] = asked;
    claim_eq!(
        ran(&heap),
        [of_young + 2, of_old + collections - 2, 0],
        "the count of collections, where {asked:?} were asked,"
    );
    assert_sound(&heap);
}

/// B13 while the world is stopped by somebody else at any point: the same rungs.
fn young_gets_major_rounds_vs_stop() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    let other = worlds::extra_stop(&heap);
    claim_eq!(fill_and_ask_young(&heap), [0, 0, 3], "the count of collections asked for");
    other.join().unwrap();
    claim_eq!(ran(&heap), [2, 1, 0], "the count of collections");
    assert_sound(&heap);
}

/// A heap whose one page of other spaces holds a live large array; `None` if the fault struck the heap itself.
fn full_heap(config: HeapConfig) -> Option<(Heap, Persistent<Array>)> {
    let heap = worlds::heap_unless_refused(config)?;
    let live = run(&heap, |scope| {
        let array = scope.new_array_in(LARGE, AllocationType::Old).expect("an empty heap has room");
        scope.persist(array)
    });
    Some((heap, live))
}

/// Everything is live: every rung is climbed, then the request fails.
fn old_out_of_memory_vs_stop() {
    let (heap, live) = full_heap(worlds::config(1, 1)).expect("a small world");
    let other = worlds::extra_stop(&heap);
    let (outcome, collections) = run(&heap, |scope| climb(scope, |scope| old(scope, 1)));
    other.join().unwrap();
    claim_eq!(outcome, out_of_memory(AllocationType::Old, ONE_BYTES), "what the request is told");
    assert_eq!(collections, 3, "two rounds and the last resort");
    claim_eq!(ran(&heap), [0, 2, 2], "the count of collections");
    drop(live);
    assert_sound(&heap);
}

/// Everything is live: a young request has two minor rounds more, and fails after them all.
fn young_out_of_memory_vs_stop() {
    let (heap, live) = full_heap(worlds::config(1, 1)).expect("a small world");
    let other = worlds::extra_stop(&heap);
    let (outcome, collections) = run(&heap, |scope| {
        let first = scope.new_array(HALF).expect("an empty page has room");
        let second = scope.new_array(HALF).expect("half a page is left");
        let climbed = climb(scope, |scope| young(scope, 1));
        let lens = [first, second].map(|array| scope.len(scope.get(array)));
        claim_eq!(lens, [HALF; 2], "the lengths of the live arrays");
        climbed
    });
    other.join().unwrap();
    claim_eq!(outcome, out_of_memory(AllocationType::Young, ONE_BYTES), "what the request is told");
    assert_eq!(collections, 5, "four rounds and the last resort");
    claim_eq!(ran(&heap), [2, 2, 2], "the count of collections");
    drop(live);
    assert_sound(&heap);
}

/// Allocates an object of `bytes` bytes whose root the local heap keeps, and returns the outcome. May collect.
fn ask(local: RawLocalHeap, ty: AllocationType, bytes: usize) -> Outcome {
    worlds::allocate_rooted(local, ty, bytes).map(drop)
}

/// There is a page for each: the one that is refused collects, once, and is served; the other notices nothing.
fn old_vs_large_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 2)) else { return };
    let (a, b, locals) = race_running(
        &heap,
        |local| ask(local, AllocationType::Old, 16),
        |local| ask(local, AllocationType::Old, LARGE_BYTES),
    );
    claim_eq!((a, b), (Ok(()), Ok(())), "what both requests are told");
    let statistics = heap.statistics().expect("a sound heap");
    assert!(statistics.retries <= 1, "one refusal: {}", statistics.retries);
    claim_eq!(statistics.requests, statistics.retries, "the number of requests");
    claim_eq!(statistics.collections, [0, statistics.requests, 0], "the count of collections");
    drop(locals);
    assert_sound(&heap);
}

/// Both may try to commit the frontier's first page; either may be refused, collects once, and is served.
fn young_vs_young_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 1)) else { return };
    let young = |local: RawLocalHeap| ask(local, AllocationType::Young, 16);
    let (a, b, locals) = race_running(&heap, young, young);
    claim_eq!((a, b), (Ok(()), Ok(())), "what both requests are told");
    let statistics = heap.statistics().expect("a sound heap");
    assert!(statistics.retries <= 1, "one refusal: {}", statistics.retries);
    claim_eq!(statistics.requests, statistics.retries, "the number of requests");
    claim_eq!(statistics.collections, [statistics.requests, 0, 0], "the count of collections");
    drop(locals);
    assert_sound(&heap);
}

/// Two threads whose first attempts may fail for garbage that `collections` collections free: who fails before the
/// collection is served by it, who comes later needs none. The first one begins with `before`, when both are running.
fn one_collection_for_both<R>(
    heap: &Heap,
    request: fn(RawLocalHeap) -> Outcome,
    collections: [u64; 3],
    before: fn(&Heap) -> R,
) -> R {
    let ((a, begun), b, locals) = race_running(
        heap,
        |local| {
            let begun = before(heap);
            (request(local), begun)
        },
        request,
    );
    claim_eq!((a, b), (Ok(()), Ok(())), "what both requests are told");
    let statistics = heap.statistics().expect("a sound heap");
    assert!((1..=2).contains(&statistics.requests), "one or both failed first: {}", statistics.requests);
    claim_eq!(statistics.retries, statistics.requests, "the number of attempts that failed first");
    claim_eq!(statistics.collections, collections, "the count of collections");
    drop(locals);
    assert_sound(heap);
    begun
}

/// Two pages of garbage, a page wanted by each: one major collection serves both, whether one asked for it or both.
fn large_garbage_vs_large_garbage() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    run(&heap, |scope| {
        old(scope, LARGE).expect("an empty heap has room");
        old(scope, LARGE).expect("a second page is left");
    });
    let large = |local: RawLocalHeap| ask(local, AllocationType::Old, LARGE_BYTES);
    one_collection_for_both(&heap, large, [0, 1, 0], |_| ());
}

/// New space is one page of garbage, and somebody else stops the world at any point, which is no collection and serves
/// nobody: one minor collection serves both, whether one asked for it or both.
fn young_garbage_vs_young_garbage_vs_stop() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    run(&heap, |scope| {
        young(scope, HALF).expect("an empty heap has room");
        young(scope, HALF).expect("half a page is left");
    });
    let young = |local: RawLocalHeap| ask(local, AllocationType::Young, 16);
    one_collection_for_both(&heap, young, [1, 0, 0], worlds::extra_stop).join().unwrap();
}

/// Both pages are old: one holds a live array of half a page beside garbage, the other a small live array alone. A
/// major collection frees neither; a memory-reducing one moves the small array into the other page's hole and frees a
/// page.
fn heap_for_a_last_resort() -> (Heap, [Persistent<Array>; 2]) {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let live = run(&heap, |scope| {
        let half = scope.new_array_in(HALF, AllocationType::Old).expect("an empty heap has room");
        old(scope, HALF).expect("half a page is left");
        let small = scope.new_array_in(2, AllocationType::Old).expect("a second page is left");
        [scope.persist(half), scope.persist(small)]
    });
    let committed_bytes = heap.spaces().budget.committed() * PAGE;
    claim_eq!(committed_bytes, heap.config().hard_limit_bytes, "the number of committed bytes");
    (heap, live)
}

/// B12. The rival takes any free page that it can see, without ever collecting. There is one for the length of a stop
/// only, so the rival is refused each time, and the request is served by its last resort.
fn last_resort_vs_greedy_rival() {
    let (heap, live) = heap_for_a_last_resort();
    let (outcome, (), locals) = race_running(
        &heap,
        |local| ask(local, AllocationType::Old, LARGE_BYTES),
        |local| {
            for _ in 0..2 {
                // SAFETY: running, and no reference is held.
                let grabbed = unsafe {
                    local.poll();
                    local.fill_page_but(AllocationType::Code, 0)
                };
                claim_eq!(grabbed, out_of_memory(AllocationType::Code, 0), "what the rival is told");
            }
        },
    );
    claim_eq!(outcome, Ok(()), "what the request is told");
    let statistics = heap.statistics().expect("a sound heap");
    assert_eq!(statistics.requests, 3, "two rounds and the last resort");
    claim_eq!(statistics.collections, [0, 2, 1], "the count of collections");
    drop((live, locals));
    assert_sound(&heap);
}

/// Both need the one page that a last resort frees: one is served, the other is told that the heap is out of memory,
/// and both have climbed to the top. A round may serve both requests; a last resort serves its own.
fn last_resort_vs_last_resort() {
    let (heap, live) = heap_for_a_last_resort();
    let large = |local: RawLocalHeap| ask(local, AllocationType::Old, LARGE_BYTES);
    let (a, b, locals) = race_running(&heap, large, large);
    let ((), refused) = one_of(a, b);
    claim_eq!(Err(refused), out_of_memory(AllocationType::Old, LARGE_BYTES), "what the one that was refused is told");
    let statistics = heap.statistics().expect("a sound heap");
    assert_eq!(statistics.requests, 6, "each climbed to the top");
    let [minor, major, reducing] = statistics.collections;
    claim_eq!(minor, 0, "the number of minor collections");
    assert!((2..=4).contains(&major), "two rounds of each, of which one may serve both: {major}");
    assert_eq!(reducing, 3, "one that frees the page, two that find none");
    drop((live, locals));
    assert_sound(&heap);
}

/// A local heap for the near-limit callback, which runs on the thread that has it.
struct Here(RawLocalHeap);

// SAFETY: the callback is called on the one thread that runs this local heap, while the local heap is inside a
// request and holds no borrow, and not after the local heap is gone.
unsafe impl Send for Here {}
// SAFETY: as above.
unsafe impl Sync for Here {}

/// B15. A request nested in the callback fails and climbs nothing; the callback's answer makes room for the outer
/// one. A refusal in the last resort costs its second round. The callback is called once, and raises the limit by one
/// page.
fn callback_raises_with_one_refusal() {
    let mut config = worlds::config(1, 1);
    config.hard_limit_bytes_max += PAGE;
    let Some((heap, live)) = full_heap(config) else { return };
    let before = ran(&heap);
    let local = heap.attach_raw().expect("a place");
    let calls = Arc::new(Mutex::new(0));
    let (here, called) = (Here(local.raw()), calls.clone());
    heap.set_near_limit_callback(Some(Box::new(move |near: NearLimit| {
        let here = &here;
        let nested = ask(here.0, AllocationType::Old, 16);
        claim_eq!(nested, out_of_memory(AllocationType::Old, 16), "what the nested request is told");
        *called.lock() += 1;
        near.hard_limit_bytes + PAGE
    })));
    // SAFETY: running until parked; nothing is held over the request.
    unsafe {
        local.unpark();
        claim_eq!(ask(local.raw(), AllocationType::Old, 16), Ok(()), "what the outer request is told");
        local.park();
    }
    drop(local);
    heap.set_near_limit_callback(None);
    assert_eq!(*calls.lock(), 1, "once for a request");
    assert_raised(&heap, 1, 1, 1);
    let [minor, major, reducing] = ran_since(&heap, before);
    claim_eq!([minor, major], [0, 2], "the count of minor and major collections");
    assert!(matches!(reducing, 1 | 2), "one, and one more for the refusal: {reducing}");
    drop(live);
    assert_sound(&heap);
}

/// Asserts what came of the near-limit callback: `answers` answers, of which `raises` raised the hard limit, by
/// `pages` pages in all.
fn assert_raised(heap: &Heap, answers: u64, raises: u64, pages: usize) {
    let statistics = heap.statistics().expect("a sound heap");
    let counts = (statistics.near_limit_calls, statistics.near_limit_raises);
    claim_eq!(counts, (answers, raises), "the count of answers, and of those that raised the limit,");
    let hard = heap.config().hard_limit_bytes + pages * PAGE;
    claim_eq!(statistics.hard_limit_bytes, hard, "the hard limit in bytes, raised by {pages} pages,");
}

/// A callback that raises nothing is called once, and the request fails; a stop may come at any point, the callback
/// included, during which the thread runs. The limit is as it was, and every rung was climbed.
fn callback_refuses_vs_stop() {
    let (heap, live) = full_heap(worlds::config(1, 1)).expect("a small world");
    let calls = Arc::new(Mutex::new(0));
    let called = calls.clone();
    heap.set_near_limit_callback(Some(Box::new(move |near: NearLimit| {
        *called.lock() += 1;
        near.hard_limit_bytes - PAGE
    })));
    let other = worlds::extra_stop(&heap);
    let (outcome, collections) = run(&heap, |scope| climb(scope, |scope| old(scope, 1)));
    other.join().unwrap();
    claim_eq!(outcome, out_of_memory(AllocationType::Old, ONE_BYTES), "what the request is told");
    assert_eq!(collections, 3, "two rounds and the last resort");
    claim_eq!(ran(&heap), [0, 2, 2], "the count of collections");
    assert_eq!(*calls.lock(), 1, "once for a request");
    assert_raised(&heap, 1, 0, 0);
    drop(live);
    assert_sound(&heap);
}

/// Two climb to the top, and each callback raises the limit that it was shown by a page. An answer is a limit, not an
/// increment: two that were shown the same limit make room for one page, and one of the two requests fails. Each
/// callback is called once, and each served request has raised the limit by its page.
fn callback_raises_vs_callback_raises() {
    let mut config = worlds::config(1, 1);
    config.hard_limit_bytes_max += 2 * PAGE;
    let (heap, live) = full_heap(config).expect("a small world");
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = shown.clone();
    heap.set_near_limit_callback(Some(Box::new(move |near: NearLimit| {
        seen.lock().push(near.hard_limit_bytes);
        near.hard_limit_bytes + PAGE
    })));
    let large = |local: RawLocalHeap| ask(local, AllocationType::Old, LARGE_BYTES);
    let (a, b, locals) = race_running(&heap, large, large);
    heap.set_near_limit_callback(None);
    let shown = core::mem::take(&mut *shown.lock());
    let first = heap.config().hard_limit_bytes;
    let served = usize::from(a.is_ok()) + usize::from(b.is_ok());
    let expected = if shown == [first, first] { 1 } else { 2 };
    let last_shown = first + (expected - 1) * PAGE;
    claim_eq!(shown, [first, last_shown], "the list of limits that were shown");
    claim_eq!(
        served,
        expected,
        "the number of requests served, of {a:?}, {b:?}, whose callbacks were shown {shown:?},"
    );
    for refused in [a, b].into_iter().filter(Result::is_err) {
        claim_eq!(refused, out_of_memory(AllocationType::Old, LARGE_BYTES), "what the one that was refused is told");
    }
    // SAFETY: every other thread has ended.
    let runs = unsafe { worlds::pages_of(heap.spaces(), PageKind::LargeHead) }.len();
    claim_eq!(runs, 1 + served, "the number of runs");
    assert_raised(&heap, 2, served as u64, served);
    // Who is served is served by the first collection of its last resort, and who fails has two. The four rounds may
    // meet each other's requests.
    let [minor, major, reducing] = ran(&heap);
    claim_eq!((minor, reducing), (0, 4 - served as u64), "the number of minor and memory-reducing collections");
    assert!((2..=4).contains(&major), "two rounds of each, of which one may serve both: {major}");
    drop((live, locals));
    assert_sound(&heap);
}

/// While the callback of one request decides, a rival's callback raises the limit by two pages. The late answer, one
/// page more than the limit it was decided on, neither lowers nor raises the limit: both requests are served.
fn callback_answers_after_a_rival_raised() {
    let mut config = worlds::config(1, 1);
    config.hard_limit_bytes_max += 3 * PAGE;
    let (heap, live) = full_heap(config).expect("a small world");
    let first = heap.config().hard_limit_bytes;
    let [late, rival] = [(); 2].map(|()| heap.attach_raw().expect("a place for both"));
    let shown = Arc::new(Mutex::new(Vec::new()));
    let (here, seen) = ([late.raw(), rival.raw()].map(Here), shown.clone());
    heap.set_near_limit_callback(Some(Box::new(move |near: NearLimit| {
        let [late, rival] = &here;
        seen.lock().push(near.hard_limit_bytes);
        if seen.lock().len() > 1 {
            return first + 2 * PAGE;
        }
        // SAFETY: one of them runs at a time, on this thread; nothing is held over it.
        unsafe {
            late.0.park();
            rival.0.unpark();
            claim_eq!(ask(rival.0, AllocationType::Old, LARGE_BYTES), Ok(()), "what the rival is told");
            rival.0.park();
            late.0.unpark();
        }
        first + PAGE
    })));
    // SAFETY: as above.
    unsafe {
        late.unpark();
        claim_eq!(ask(late.raw(), AllocationType::Old, LARGE_BYTES), Ok(()), "what the late one is told");
        late.park();
    }
    heap.set_near_limit_callback(None);
    assert_eq!(*shown.lock(), [first, first], "both were shown the limit of before");
    // Each has two rounds, and is served by the first collection of its last resort.
    claim_eq!(ran(&heap), [0, 4, 2], "the count of collections");
    assert_raised(&heap, 2, 1, 2);
    let committed_bytes = heap.spaces().budget.committed() * PAGE;
    claim_eq!(committed_bytes, first + 2 * PAGE, "the number of committed bytes, which is what the limit allows,");
    drop((live, late, rival));
}

/// Two climb to the top and answer differently: who is asked first answers two pages more, who is asked second one
/// page more than it was shown, which is the limit before any raise. Whatever the order of their last resorts, the
/// higher answer stands: a rival's stale lower one never takes back what another has raised. Or the second request is
/// served by the first one's raise, and never asked. Each that was asked has been served by the first collection of
/// its last resort.
fn callback_raises_vs_stale_answer() {
    let mut config = worlds::config(1, 1);
    config.hard_limit_bytes_max += 3 * PAGE;
    let (heap, live) = full_heap(config).expect("a small world");
    let answers = Arc::new(Mutex::new(Vec::new()));
    let answered = answers.clone();
    heap.set_near_limit_callback(Some(Box::new(move |near: NearLimit| {
        let mut answers = answered.lock();
        let answer = near.hard_limit_bytes + if answers.is_empty() { 2 * PAGE } else { PAGE };
        answers.push(answer);
        answer
    })));
    let large = |local: RawLocalHeap| ask(local, AllocationType::Old, LARGE_BYTES);
    let (a, b, locals) = race_running(&heap, large, large);
    heap.set_near_limit_callback(None);
    assert_eq!((a, b), (Ok(()), Ok(())), "two pages are room for both");
    let answers = core::mem::take(&mut *answers.lock());
    let statistics = heap.statistics().expect("a sound heap");
    let first = heap.config().hard_limit_bytes;
    claim_eq!(answers, [first + 2 * PAGE, first + PAGE][..answers.len()], "the list of answers");
    claim_eq!(
        statistics.hard_limit_bytes,
        first + 2 * PAGE,
        "the hard limit in bytes, where {answers:?} were answered,"
    );
    let count = answers.len() as u64;
    claim_eq!(statistics.near_limit_calls, count, "the number of answers");
    let raises = statistics.near_limit_raises;
    assert!((1..=count).contains(&raises), "the lower answer raises only if it comes first: {raises} of {answers:?}");
    let [minor, major, reducing] = statistics.collections;
    claim_eq!((minor, reducing), (0, count), "the number of minor and memory-reducing collections");
    assert!((2..=4).contains(&major), "two rounds of each, of which one may serve both: {major}");
    drop((live, locals));
    assert_sound(&heap);
}
