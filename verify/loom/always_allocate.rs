//! P9, the always-allocate scope against rivals.
//!
//! Goal: inside the scope the first attempt succeeds, up to the reserve, with no collection that its owner asked for; the
//! reserve is its owner's alone; beyond it the owner's soft limit is lifted and nobody else's (H10); and afterwards the
//! budget is whole. Method: the shipping heap through its safe API, in worlds where a rival can take the last page. The same
//! after each space was made full is the mission, in `mission.rs`, which uses the owner and the rival of this file.

use super::worlds::{self, PAGE, assert_sound, race, run};
use heaplab::heap::Internals as _;
use heaplab::page::PageKind;
use heaplab::sync::thread;
use heaplab::{AllocError, AllocationType, Heap, Reserve, Scope, Shape, SpaceKind, Tail};
use heaplab_verify::model::{Fault, Spec};
use heaplab_verify::models;

models! {
    "always_allocate":
    scope_vs_scope: Spec::bounded(2, 3),
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

/// 88 bytes: more than half a page.
pub(super) fn large(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_array_in(20, AllocationType::Old).map(drop)
}

/// Takes the scope with `reserve`; inside, makes each space full, where one is named, and then allocates.
pub(super) fn owner(heap: &Heap, reserve: Reserve, steps: &[(Option<SpaceKind>, Step)]) {
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
    });
}

/// Takes what it can get; success or a value that says why not.
pub(super) fn rival(heap: &Heap, steps: &[Step]) {
    run(heap, |scope| {
        for step in steps {
            let outcome = step(scope);
            assert!(matches!(outcome, Ok(()) | Err(AllocError::OutOfMemory { .. })), "{outcome:?}");
        }
    });
}

/// Of a scope nothing is left when everybody has gone: no page is held for anyone, nothing was asked for inside, and the
/// verifier finds as many committed pages as are counted.
pub(super) fn assert_whole(heap: &Heap) {
    assert_sound(heap);
    assert_eq!(heap.statistics().expect("a sound heap").requests_in_scope, 0);
    // SAFETY: every other thread has ended.
    let held = unsafe { worlds::pages_of(heap.spaces(), PageKind::Reserved) };
    assert!(held.is_empty(), "held for nobody: {held:?}");
}

/// Two scopes at once, each with a reserve; there is room for both.
fn scope_vs_scope() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let reserve = Reserve { old_pages: 1, ..Reserve::NONE };
    let other = thread::spawn({
        let heap = heap.clone();
        move || owner(&heap, reserve, &[(Some(SpaceKind::Old), old)])
    });
    owner(&heap, reserve, &[(Some(SpaceKind::Old), old)]);
    other.join().unwrap();
    assert_whole(&heap);
}

/// New space has one page, the rival asks for young objects as well: whoever comes too late for it, the owner is served.
fn scope_vs_young() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    let there = heap.clone();
    race(
        || rival(&heap, &[young, young]),
        move || owner(&there, Reserve { young_pages: 1, ..Reserve::NONE }, &[(None, young), (None, young)]),
    );
    assert_whole(&heap);
}

/// A stop at any point takes the owner's LABs away, not its reserve.
fn scope_vs_stop() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    let stopper = worlds::extra_stop(&heap);
    owner(
        &heap,
        Reserve { old_pages: 1, ..Reserve::NONE },
        &[(Some(SpaceKind::Old), old), (Some(SpaceKind::Old), young)],
    );
    stopper.join().unwrap();
    assert_whole(&heap);
}

/// The same where the reserve may be refused, and is then filled after a collection; inside the scope nothing is asked of
/// the system that the owner depends on.
fn scope_vs_stop_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 2)) else { return };
    let stopper = worlds::extra_stop(&heap);
    let reserve = Reserve { young_pages: 1, large_bytes: PAGE, ..Reserve::NONE };
    owner(&heap, reserve, &[(Some(SpaceKind::New), young), (None, large)]);
    stopper.join().unwrap();
    let statistics = heap.statistics().expect("a sound heap");
    assert!(statistics.requests <= 1, "one refusal: {}", statistics.requests);
    assert_whole(&heap);
}

/// The reserve of every type, filled and used, with every space full: wherever the refusal falls, no first attempt fails.
fn every_type_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 5)) else { return };
    let steps: [(Option<SpaceKind>, Step); 5] = [
        (Some(SpaceKind::New), young),
        (Some(SpaceKind::Old), old),
        (Some(SpaceKind::Map), map),
        (Some(SpaceKind::Code), code),
        (Some(SpaceKind::Large), large),
    ];
    owner(&heap, Reserve::one_of_each(PAGE), &steps);
    let statistics = heap.statistics().expect("a sound heap");
    assert!(statistics.requests <= 1, "one refusal: {}", statistics.requests);
    assert_whole(&heap);
}

/// H10. A page lies between the soft and the hard limit. The owner, without a reserve, takes it by its first attempt; the
/// rival, at the same time, has to ask for a collection first.
fn lifted_soft_limit_vs_large() {
    let mut config = worlds::config(1, 2);
    config.soft_limit_bytes -= PAGE;
    let heap = Heap::new(config).expect("a small world");
    let live = run(&heap, |scope| {
        let array = scope.new_array_in(20, AllocationType::Old).expect("an empty heap has room");
        scope.persist(array)
    });
    /// Allocates and keeps; whether it could, and what it asked for.
    fn ask(scope: &mut Scope<'_, '_>) -> (Option<heaplab::Persistent<heaplab::Array>>, u64) {
        let before = scope.own_requests().collections;
        let array = scope.new_array_in(20, AllocationType::Old).ok();
        (array.map(|array| scope.persist(array)), scope.own_requests().collections - before)
    }
    let there = heap.clone();
    let ((rivals, rival_asked), (owners, owner_asked)) = race(
        || run(&heap, ask),
        move || run(&there, |scope| scope.always_allocate(Reserve::NONE, ask).expect("nothing to reserve")),
    );
    assert!(rivals.is_some() != owners.is_some(), "one page, two takers");
    // Who is too late climbs to the top.
    let top = 3;
    assert_eq!(owner_asked, if owners.is_some() { 0 } else { top }, "within the hard limit the first attempt succeeds");
    assert_eq!(rival_asked, if rivals.is_some() { 1 } else { top }, "the rival's soft limit stands");
    drop((live, rivals, owners));
    assert_sound(&heap);
}
