//! P18 and P9, the mission: an allocation after failures, inside an always-allocate scope, while another thread allocates.
//!
//! Goal: inside the scope the first attempt succeeds, up to the reserve, with no collection that its owner asked for,
//! although the space was made full and a rival takes what it can get; and afterwards the budget is whole. Method: the
//! shipping heap through its safe API, in worlds where the rival can take the last page. One model a space, since a
//! scenario over all of them multiplies without adding a race; the last model chains two spaces.

use super::worlds::{self, PAGE};
use heaplab::page::PageKind;
use heaplab::sync::thread;
use heaplab::{AllocError, AllocationType, Heap, HeapConfig, Reserve, Scope, Shape, SpaceKind, Tail};
use heaplab_verify::model::Spec;
use heaplab_verify::models;

models! {
    "mission":
    old_after_full_old_vs_old: Spec::bounded(2, 3),
    young_after_full_new_vs_young: Spec::bounded(2, 3),
    map_after_full_map_vs_old: Spec::bounded(2, 3),
    code_after_full_code_vs_old: Spec::bounded(2, 3),
    large_after_full_large_vs_old: Spec::bounded(2, 3),
    large_after_full_large_vs_large: Spec::bounded(2, 3),
    old_and_map_after_full_spaces_vs_old: Spec::bounded(2, 3),
    scope_vs_scope: Spec::bounded(2, 3),
}

/// What the scope's owner allocates.
type Step = fn(&mut Scope<'_, '_>) -> Result<(), AllocError>;

fn young(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_array(2).map(drop)
}

fn old(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_array_in(2, AllocationType::Old).map(drop)
}

fn map(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_map(Shape::new(16, 2, 1, Tail::None).expect("a shape")).map(drop)
}

fn code(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_code(8).map(drop)
}

/// 88 bytes: more than half a page.
fn large(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.new_array_in(20, AllocationType::Old).map(drop)
}

/// Takes the scope with `reserve`; inside, makes each space full and then allocates in it.
fn owner(heap: &Heap, reserve: Reserve, steps: &[(SpaceKind, Step)]) {
    let mut attachment = heap.attach().expect("a place for both");
    attachment
        .run(|scope| {
            let entered = scope.always_allocate(reserve, |scope| {
                let before = scope.own_requests();
                for &(space, step) in steps {
                    scope.simulate_full_space(space);
                    let outcome = step(scope);
                    assert!(outcome.is_ok(), "{space} space: {outcome:?}");
                }
                assert_eq!(scope.own_requests(), before, "a first attempt failed, or a collection was asked for");
            });
            assert!(entered.is_ok(), "the reserve fits after a collection: {entered:?}");
        })
        .expect("a sound heap");
}

/// Takes what it can get; success or a value that says why not.
fn rival(heap: &Heap, steps: &[Step]) {
    let mut attachment = heap.attach().expect("a place for both");
    attachment
        .run(|scope| {
            for step in steps {
                let outcome = step(scope);
                assert!(matches!(outcome, Ok(()) | Err(AllocError::OutOfMemory { .. })), "{outcome:?}");
            }
        })
        .expect("a sound heap");
}

fn mission(
    config: HeapConfig,
    reserve: Reserve,
    owner_steps: &'static [(SpaceKind, Step)],
    rival_steps: &'static [Step],
) {
    let heap = Heap::new(config).expect("a small world");
    let other = thread::spawn({
        let heap = heap.clone();
        move || owner(&heap, reserve, owner_steps)
    });
    rival(&heap, rival_steps);
    other.join().unwrap();
    let verification = heap.verify().expect("a sound heap");
    assert!(verification.is_sound(), "{}", verification.describe());
    assert_eq!(heap.statistics().expect("a sound heap").requests_in_scope, 0);
    assert_whole(&heap);
}

/// Of a scope nothing is left when everybody has gone: no page is held for anyone. (The verifier has compared the count
/// of committed pages with the pages.)
fn assert_whole(heap: &Heap) {
    // SAFETY: every other thread has ended.
    let held = unsafe { worlds::pages_of(heap.spaces(), PageKind::Reserved) };
    assert!(held.is_empty(), "held for nobody: {held:?}");
}

fn old_after_full_old_vs_old() {
    mission(worlds::config(1, 2), Reserve { old_pages: 1, ..Reserve::NONE }, &[(SpaceKind::Old, old)], &[old]);
}

fn young_after_full_new_vs_young() {
    mission(worlds::config(1, 1), Reserve { young_pages: 1, ..Reserve::NONE }, &[(SpaceKind::New, young)], &[young]);
}

fn map_after_full_map_vs_old() {
    mission(worlds::config(1, 2), Reserve { map_pages: 1, ..Reserve::NONE }, &[(SpaceKind::Map, map)], &[old]);
}

fn code_after_full_code_vs_old() {
    mission(worlds::config(1, 2), Reserve { code_pages: 1, ..Reserve::NONE }, &[(SpaceKind::Code, code)], &[old]);
}

fn large_after_full_large_vs_old() {
    mission(worlds::config(1, 2), Reserve { large_bytes: PAGE, ..Reserve::NONE }, &[(SpaceKind::Large, large)], &[old]);
}

/// The rival wants runs as well: it may take the area's pages, not those of the reserve.
fn large_after_full_large_vs_large() {
    mission(
        worlds::config(1, 2),
        Reserve { large_bytes: PAGE, ..Reserve::NONE },
        &[(SpaceKind::Large, large)],
        &[large],
    );
}

/// The scenario in small: old and map after full spaces, one after the other.
fn old_and_map_after_full_spaces_vs_old() {
    mission(
        worlds::config(1, 3),
        Reserve { old_pages: 1, map_pages: 1, ..Reserve::NONE },
        &[(SpaceKind::Old, old), (SpaceKind::Map, map)],
        &[old],
    );
}

/// P9: two scopes at once, each with a reserve; there is room for both.
fn scope_vs_scope() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let reserve = Reserve { old_pages: 1, ..Reserve::NONE };
    let other = thread::spawn({
        let heap = heap.clone();
        move || owner(&heap, reserve, &[(SpaceKind::Old, old)])
    });
    owner(&heap, reserve, &[(SpaceKind::Old, old)]);
    other.join().unwrap();
    assert_whole(&heap);
    let verification = heap.verify().expect("a sound heap");
    assert!(verification.is_sound(), "{}", verification.describe());
}
