//! P18, the mission: an allocation after failures, inside an always-allocate scope, while another thread allocates.
//!
//! Goal: inside the scope the first attempt succeeds, up to the reserve, with no collection that its owner asked for,
//! although the space was made full and a rival takes what it can get; and afterwards the budget is whole. Method:
//! the shipping heap through its safe API, in worlds where the rival can take the last page. One model for each
//! space, since a scenario over all of them multiplies without adding a race; one more model chains two spaces.
//! Faults and a third thread that stops the world come on top of the smallest of them.

use super::always_allocate::{Step, assert_whole, code, large, map, old, owner, rival, young};
use super::worlds::{self, PAGE};
use heaplab::sync::thread;
use heaplab::{CollectionKind, Heap, HeapConfig, Reserve, SpaceKind};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

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

/// The collections that each of the two asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    owner: u64,
    rival: u64,
}

impl Asked {
    /// Asserts that the rival alone asked for collections, `most` at most.
    fn assert_by_rival(self, most: u64) {
        assert!(self.owner == 0 && self.rival <= most, "asked for by the rival alone, {most} times at most: {self:?}");
    }
}

/// What a rival allocates, and the weakest collection of its ladder.
type Rival = (Step, CollectionKind);

const YOUNG: Rival = (young, CollectionKind::Minor);
const OLD: Rival = (old, CollectionKind::Major);
const LARGE: Rival = (large, CollectionKind::Major);

fn mission(
    config: HeapConfig,
    reserve: Reserve,
    owner_steps: &'static [(Option<SpaceKind>, Step)],
    rival: Rival,
) -> Asked {
    let heap = Heap::new(config).expect("a small world");
    mission_in(&heap, reserve, owner_steps, rival)
}

/// Runs the owner's steps against one step of the rival, and returns the collections that each asked for. The rival
/// is served as the owner is: there is a page for each. For an owner, a collection is a major one, to fill its
/// reserve; for the rival, the weakest of its ladder. Each request has a collection of its own.
fn mission_in(
    heap: &Heap,
    reserve: Reserve,
    owner_steps: &'static [(Option<SpaceKind>, Step)],
    (step, kind): Rival,
) -> Asked {
    let other = thread::spawn({
        let heap = heap.clone();
        move || owner(&heap, reserve, owner_steps)
    });
    let [(outcome, rival)] = rival(heap, &[step])[..] else { unreachable!("one outcome of one step") };
    let asked = Asked { owner: other.join().unwrap(), rival };
    claim_eq!(outcome, Ok(()), "what the rival was told, where {asked:?} were asked for,");
    let mut collections = [0, asked.owner, 0];
    collections[kind as usize] += rival;
    assert_whole(heap, collections);
    asked
}

/// The owner may use the free page before its reserve, and the rival's page may be made full: then the rival asks for
/// one collection, and is served.
fn old_after_full_old_vs_old() {
    let reserve = Reserve { old_pages: 1, ..Reserve::NONE };
    mission(worlds::config(1, 2), reserve, &[(Some(SpaceKind::Old), old)], OLD).assert_by_rival(1);
}

/// New space's one page is made full: the rival is served by it before that, and asks for one collection after that.
fn young_after_full_new_vs_young() {
    young_in(&Heap::new(worlds::config(1, 1)).expect("a small world")).assert_by_rival(1);
}

fn young_in(heap: &Heap) -> Asked {
    let reserve = Reserve { young_pages: 1, ..Reserve::NONE };
    mission_in(heap, reserve, &[(Some(SpaceKind::New), young)], YOUNG)
}

/// The owner may use the free page before its reserve, which is the one that the rival needs: then the rival asks for
/// one collection, and is served.
fn map_after_full_map_vs_old() {
    let reserve = Reserve { map_pages: 1, ..Reserve::NONE };
    mission(worlds::config(1, 2), reserve, &[(Some(SpaceKind::Map), map)], OLD).assert_by_rival(1);
}

/// The owner, which allocates code, may use the page that the rival needs before its reserve: then the rival asks for
/// one collection, and is served.
fn code_after_full_code_vs_old() {
    let reserve = Reserve { code_pages: 1, ..Reserve::NONE };
    mission(worlds::config(1, 2), reserve, &[(Some(SpaceKind::Code), code)], OLD).assert_by_rival(1);
}

/// The owner's attempt has budget in its hands for a run that finds no place, since the space is full, before it uses
/// its reserve. A rival that needs that page at this moment asks for one collection, and is served.
fn large_after_full_large_vs_old() {
    let reserve = Reserve { large_bytes: PAGE, ..Reserve::NONE };
    mission(worlds::config(1, 2), reserve, &[(Some(SpaceKind::Large), large)], OLD).assert_by_rival(1);
}

/// The rival wants runs as well: it may take the area's pages, not those of the reserve. It asks for one collection
/// if it finds the area full, and for another one if the owner takes what the first has put within reach, which is
/// beyond the bound of this model.
fn large_after_full_large_vs_large() {
    let reserve = Reserve { large_bytes: PAGE, ..Reserve::NONE };
    mission(worlds::config(1, 2), reserve, &[(Some(SpaceKind::Large), large)], LARGE).assert_by_rival(2);
}

/// The scenario in small: old and map after full spaces, one after the other. The rival asks for one collection if it
/// finds old space full and no page.
fn old_and_map_after_full_spaces_vs_old() {
    let reserve = Reserve { old_pages: 1, map_pages: 1, ..Reserve::NONE };
    let steps = &[(Some(SpaceKind::Old), old as Step), (Some(SpaceKind::Map), map)];
    mission(worlds::config(1, 3), reserve, steps, OLD).assert_by_rival(1);
}

/// The refusal falls on the reserve, on the rival, or on nobody; inside the scope it changes nothing. On the reserve
/// it costs the owner one collection; on the rival it costs the rival one, beside the one for a full space.
fn young_after_full_new_vs_young_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 1)) else { return };
    let asked = young_in(&heap);
    assert!(matches!(asked, Asked { owner: 0, rival: 0..=2 } | Asked { owner: 1, rival: 0 | 1 }), "{asked:?}");
}

/// An exchange that fails for no reason costs nobody a collection.
fn young_after_full_new_vs_young_with_a_spurious_failure() {
    young_after_full_new_vs_young();
}

/// Somebody else stops the world at any point, the owner's scope included. Such a stop is no collection, and nobody
/// asks for one more.
fn young_after_full_new_vs_young_vs_stop() {
    let heap = Heap::new(worlds::config(1, 1)).expect("a small world");
    let stopper = worlds::extra_stop(&heap);
    young_in(&heap).assert_by_rival(1);
    stopper.join().unwrap();
}
