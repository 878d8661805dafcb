//! P18, the mission: an allocation after failures, inside an always-allocate scope, while another thread allocates.
//!
//! Goal: inside the scope the first attempt succeeds, up to the reserve, with no collection that its owner asked for,
//! although the space was made full and a rival takes what it can get; and afterwards the budget is whole. Method: the
//! shipping heap through its safe API, in worlds where the rival can take the last page. One model a space, since a
//! scenario over all of them multiplies without adding a race; the last one chains two spaces. Faults and a third thread
//! that stops the world come on top of the smallest of them.

use super::always_allocate::{Step, assert_whole, code, large, map, old, owner, rival, young};
use super::worlds::{self, PAGE};
use heaplab::sync::thread;
use heaplab::{Heap, HeapConfig, Reserve, SpaceKind};
use heaplab_verify::model::{Fault, Spec};
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
    young_after_full_new_vs_young_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    young_after_full_new_vs_young_with_a_spurious_failure: Spec::bounded(2, 3).with_fault(Fault::WeakExchange),
    young_after_full_new_vs_young_vs_stop: Spec::bounded(3, 3),
}

fn mission(
    config: HeapConfig,
    reserve: Reserve,
    owner_steps: &'static [(Option<SpaceKind>, Step)],
    rival_steps: &'static [Step],
) {
    let Some(heap) = worlds::heap_unless_refused(config) else { return };
    mission_in(&heap, reserve, owner_steps, rival_steps);
}

fn mission_in(
    heap: &Heap,
    reserve: Reserve,
    owner_steps: &'static [(Option<SpaceKind>, Step)],
    rival_steps: &'static [Step],
) {
    let other = thread::spawn({
        let heap = heap.clone();
        move || owner(&heap, reserve, owner_steps)
    });
    rival(heap, rival_steps);
    other.join().unwrap();
    assert_whole(heap);
}

fn old_after_full_old_vs_old() {
    mission(worlds::config(1, 2), Reserve { old_pages: 1, ..Reserve::NONE }, &[(Some(SpaceKind::Old), old)], &[old]);
}

fn young_after_full_new_vs_young() {
    mission(
        worlds::config(1, 1),
        Reserve { young_pages: 1, ..Reserve::NONE },
        &[(Some(SpaceKind::New), young)],
        &[young],
    );
}

fn map_after_full_map_vs_old() {
    mission(worlds::config(1, 2), Reserve { map_pages: 1, ..Reserve::NONE }, &[(Some(SpaceKind::Map), map)], &[old]);
}

fn code_after_full_code_vs_old() {
    mission(worlds::config(1, 2), Reserve { code_pages: 1, ..Reserve::NONE }, &[(Some(SpaceKind::Code), code)], &[old]);
}

fn large_after_full_large_vs_old() {
    mission(
        worlds::config(1, 2),
        Reserve { large_bytes: PAGE, ..Reserve::NONE },
        &[(Some(SpaceKind::Large), large)],
        &[old],
    );
}

/// The rival wants runs as well: it may take the area's pages, not those of the reserve.
fn large_after_full_large_vs_large() {
    mission(
        worlds::config(1, 2),
        Reserve { large_bytes: PAGE, ..Reserve::NONE },
        &[(Some(SpaceKind::Large), large)],
        &[large],
    );
}

/// The scenario in small: old and map after full spaces, one after the other.
fn old_and_map_after_full_spaces_vs_old() {
    mission(
        worlds::config(1, 3),
        Reserve { old_pages: 1, map_pages: 1, ..Reserve::NONE },
        &[(Some(SpaceKind::Old), old), (Some(SpaceKind::Map), map)],
        &[old],
    );
}

/// The refusal falls on the reserve, on the rival, or on nobody; inside the scope it changes nothing.
fn young_after_full_new_vs_young_with_one_refusal() {
    young_after_full_new_vs_young();
}

fn young_after_full_new_vs_young_with_a_spurious_failure() {
    young_after_full_new_vs_young();
}

/// Somebody else stops the world at any point, the owner's scope included.
fn young_after_full_new_vs_young_vs_stop() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    let stopper = worlds::extra_stop(&heap);
    mission_in(&heap, Reserve { young_pages: 1, ..Reserve::NONE }, &[(Some(SpaceKind::New), young)], &[young]);
    stopper.join().unwrap();
}
