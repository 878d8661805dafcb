//! P9, the always-allocate scope against rivals.
//!
//! Goal: inside the scope the first attempt succeeds, up to the reserve, with no collection that its owner asked for;
//! the reserve is its owner's alone; beyond it the owner's soft limit is lifted and nobody else's (H10); and
//! afterwards the budget is whole. Method: the shipping heap through its safe API, in worlds where a rival can take
//! the last page. The same after each space was made full is the mission, in `mission.rs`, which uses the owner and
//! the rival of this file.

use super::worlds::{self, PAGE, TWO_LADDERS, assert_sound, one_of, race, run};
use heaplab::heap::Internals as _;
use heaplab::page::PageKind;
use heaplab::sync::thread;
use heaplab::{AllocError, AllocationType, Array, Heap, Persistent, Reserve, Scope, Shape, SpaceKind, Tail};
use heaplab_checker::model::{Bound, Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "always_allocate":
    scope_vs_scope: Spec::bounded(2, 3).graphs_within(Bound::Preemptions(2), TWO_LADDERS),
    scope_vs_young: Spec::bounded(2, 3),
    scope_vs_stop: Spec::bounded(2, 3),
    scope_vs_stop_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    every_type_with_one_refusal: Spec::alone().with_fault(Fault::PageRequest),
    lifted_soft_limit_vs_large: Spec::bounded(2, 3),
}

/// What the scope's owner allocates.
pub(super) type Step = fn(&mut Scope<'_, '_>) -> Result<(), AllocError>;

pub(super) fn young(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_array(2).map(drop)
}

pub(super) fn old(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_array_in(2, AllocationType::Old).map(drop)
}

pub(super) fn map(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_map(Shape::new(16, 2, 1, Tail::None).expect("a shape")).map(drop)
}

pub(super) fn code(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_code(8).map(drop)
}

/// Allocates a large object: its 88 bytes are more than half a page.
pub(super) fn large(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_array_in(20, AllocationType::Old).map(drop)
}

/// Takes the scope with `reserve`; inside, makes each space full, where one is named, and then allocates. Returns the
/// number of collections that it asked for, all of them for its reserve.
pub(super) fn owner(heap: &Heap, reserve: Reserve, steps: &[(Option<SpaceKind>, Step)]) -> u64 {
    run(heap, |scope| {
        let entered = scope.always_allocate(reserve, |scope| {
            let before = scope.own_requests();
            for &(space, step) in steps {
                if let Some(space) = space {
                    scope.simulate_full_space(space).unwrap();
                }
                let outcome = step(scope);
                assert!(outcome.is_ok(), "{space:?}: {outcome:?}");
            }
            assert_eq!(scope.own_requests(), before, "a first attempt failed, or a collection was asked for");
        });
        assert!(entered.is_ok(), "the reserve fits after a collection: {entered:?}");
        scope.own_requests().collections
    })
}

/// Runs `steps`, and returns what each was told and the number of collections that it asked for.
pub(super) fn rival(heap: &Heap, steps: &[Step]) -> Vec<(Result<(), AllocError>, u64)> {
    run(heap, |scope| {
        steps
            .iter()
            .map(|step| {
                let before = scope.own_requests().collections;
                let outcome = step(scope);
                (outcome, scope.own_requests().collections - before)
            })
            .collect()
    })
}

/// Asserts that nothing is left of a scope when everybody has gone: no page is held for anyone, no collection was
/// asked for inside, and the verifier finds as many committed pages as are counted. The collections that have run are
/// `collections`, each for one request.
pub(super) fn assert_whole(heap: &Heap, collections: [u64; 3]) {
    assert_sound(heap);
    let statistics = heap.statistics().expect("a sound heap");
    claim_eq!(statistics.requests_in_scope, 0, "the number of collections that were asked for inside of a scope");
    claim_eq!(statistics.collections, collections, "the count of collections");
    claim_eq!(statistics.requests, collections.iter().sum::<u64>(), "the number of requests");
    // SAFETY: every other thread has ended.
    let held = unsafe { worlds::pages_of(heap.spaces(), PageKind::Reserved) };
    assert!(held.is_empty(), "held for nobody: {held:?}");
}

/// Two scopes at once, each with a reserve; there is room for both. An owner may use the free page before its own
/// reserve: then the other one asks for one collection to fill its reserve, and no more are asked for.
fn scope_vs_scope() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let reserve = Reserve { old_pages: 1, ..Reserve::NONE };
    let other = thread::spawn({
        let heap = heap.clone();
        move || owner(&heap, reserve, &[(Some(SpaceKind::Old), old)])
    });
    let here = owner(&heap, reserve, &[(Some(SpaceKind::Old), old)]);
    let there = other.join().unwrap();
    assert!(matches!((here, there), (0, 0) | (0, 1) | (1, 0)), "one of the two at most: {here}, {there}");
    assert_whole(&heap, [0, here + there, 0]);
}

/// New space has one page, the rival asks for young objects as well: whoever comes too late for it, the owner is
/// served. The page and the reserve are room for all, so the rival is served as well, and nobody collects.
fn scope_vs_young() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    let there = heap.clone();
    let (rivals, owner_asked) = race(
        || rival(&heap, &[young, young]),
        move || owner(&there, Reserve { young_pages: 1, ..Reserve::NONE }, &[(None, young), (None, young)]),
    );
    claim_eq!(rivals, [(Ok(()), 0); 2], "what the rival was told, and what it asked for");
    claim_eq!(owner_asked, 0, "the number of collections that the owner asked for");
    assert_whole(&heap, [0; 3]);
}

/// A stop at any point takes the owner's LABs away, not its reserve. Nobody collects.
fn scope_vs_stop() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    let stopper = worlds::extra_stop(&heap);
    let asked = owner(
        &heap,
        Reserve { old_pages: 1, ..Reserve::NONE },
        &[(Some(SpaceKind::Old), old), (Some(SpaceKind::Old), young)],
    );
    stopper.join().unwrap();
    claim_eq!(asked, 0, "the number of collections that the owner asked for");
    assert_whole(&heap, [0; 3]);
}

/// A stop at any point, where the reserve may be refused, and is then filled after a collection; inside the scope
/// nothing is asked of the system that the owner depends on. One refusal costs one major collection.
fn scope_vs_stop_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 2)) else { return };
    let stopper = worlds::extra_stop(&heap);
    let reserve = Reserve { young_pages: 1, large_bytes: PAGE, ..Reserve::NONE };
    let asked = owner(&heap, reserve, &[(Some(SpaceKind::New), young), (None, large)]);
    stopper.join().unwrap();
    assert!(asked <= 1, "one refusal: {asked}");
    assert_whole(&heap, [0, asked, 0]);
}

/// The reserve of every type, filled and used, with every space full: wherever the refusal falls, no first attempt
/// fails. If it falls on the reserve, it costs one major collection.
fn every_type_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 5)) else { return };
    let steps: [(Option<SpaceKind>, Step); 5] = [
        (Some(SpaceKind::New), young),
        (Some(SpaceKind::Old), old),
        (Some(SpaceKind::Map), map),
        (Some(SpaceKind::Code), code),
        (Some(SpaceKind::Large), large),
    ];
    let asked = owner(&heap, Reserve::one_of_each(PAGE), &steps);
    assert!(asked <= 1, "one refusal: {asked}");
    assert_whole(&heap, [0, asked, 0]);
}

/// H10. A page lies between the soft and the hard limit. The owner, without a reserve, takes it by its first attempt;
/// the rival, at the same time, has to ask for a collection first. Who comes too late climbs to the top, and is told
/// that the heap is out of memory.
fn lifted_soft_limit_vs_large() {
    let mut config = worlds::config(1, 2);
    config.soft_limit_bytes -= PAGE;
    let heap = Heap::new(config).expect("a small world");
    let live = run(&heap, |scope| {
        let array = scope.new_array_in(20, AllocationType::Old).expect("an empty heap has room");
        scope.persist(array)
    });
    /// Allocates a large array and keeps it. Returns what it was told, and the number of collections that it asked
    /// for.
    fn ask(scope: &mut Scope<'_, '_>) -> (Result<Persistent<Array>, AllocError>, u64) {
        let before = scope.own_requests().collections;
        let array = scope.new_array_in(20, AllocationType::Old);
        (array.map(|array| scope.persist(array)), scope.own_requests().collections - before)
    }
    let there = heap.clone();
    let ((rivals, rival_asked), (owners, owner_asked)) = race(
        || run(&heap, ask),
        move || run(&there, |scope| scope.always_allocate(Reserve::NONE, ask).expect("nothing to reserve")),
    );
    // Who is too late climbs to the top.
    let top = 3;
    assert_eq!(owner_asked, if owners.is_ok() { 0 } else { top }, "within the hard limit the first attempt succeeds");
    assert_eq!(rival_asked, if rivals.is_ok() { 1 } else { top }, "the rival's soft limit stands");
    // Both rounds of the one that climbs, and the collection that the rival asked for if it was served.
    let major = 2 + u64::from(rivals.is_ok());
    claim_eq!(heap.statistics().expect("a sound heap").collections, [0, major, 2], "the count of collections");
    let (served, refused) = one_of(rivals, owners);
    let out_of_memory = AllocError::OutOfMemory { allocation_type: AllocationType::Old, size_bytes: 88 };
    claim_eq!(refused, out_of_memory, "what the one that was refused is told");
    drop((live, served));
    assert_sound(&heap);
}
