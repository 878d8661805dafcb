//! Goal: a stop is the proof that its own heap is stopped, and of no other; and a heap that a collection has left
//! half-way is not collected again. Method: two small heaps of the layers alone, whose stops are tried on each other.

#![cfg(not(feature = "shuttle"))]

use heaplab::collection::{Collector, Roots, Worklist, make_walkable};
use heaplab::space::Spaces;
use heaplab::thread::{PersistentHandles, RootSets, Safepoint, Stop};
use heaplab::{CollectionKind, HeapConfig};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

const REFUSED: &str = "a stop of another heap is refused";

/// Spaces, and the only safepoint that they can have.
struct World {
    spaces: Spaces,
    safepoint: Safepoint,
    persistent: Arc<PersistentHandles>,
    sets: Arc<RootSets>,
}

impl World {
    fn new() -> World {
        let config = HeapConfig::tiny();
        let mut spaces = Spaces::new(&config.layout().unwrap(), config.page_source, 4).unwrap();
        let key = spaces.take_safepoint_key().expect("the key of new spaces");
        let safepoint = Safepoint::new(key, true);
        World { spaces, safepoint, persistent: PersistentHandles::new(8), sets: RootSets::new() }
    }

    /// Stops this world for `f`.
    fn stopped<R>(&self, f: impl FnOnce(&mut Stop<'_>) -> R) -> R {
        self.safepoint.stop_from_outside(|_| true, f).expect("it is wanted")
    }

    /// The roots of this world, in a stop of it.
    fn roots<'a, 's>(&'a self, stop: &'a mut Stop<'s>) -> Roots<'a, 's> {
        // SAFETY: the tables are this world's, which is the one that is stopped, and are empty.
        unsafe { Roots::new(stop, &self.persistent, &self.sets) }
    }

    /// Collects `spaces` in a stop of this world.
    fn collect(&self, spaces: &Spaces, kind: CollectionKind) {
        self.stopped(|stop| {
            Collector::new(spaces, self.roots(stop), &mut Worklist::new(8).unwrap()).collect(kind);
        });
    }
}

/// What a panic of `f` says.
fn panics(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it is refused");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast_ref::<&str>().expect("a panic with a message")).to_owned(),
    }
}

#[test]
fn a_stop_of_another_heap_is_refused() {
    let [one, other] = [World::new(), World::new()];
    for kind in CollectionKind::ALL {
        one.collect(&one.spaces, kind);
    }
    one.stopped(|stop| make_walkable(&one.spaces, stop));
    assert_eq!(panics(|| one.stopped(|stop| make_walkable(&other.spaces, stop))), REFUSED);
    let one = World::new();
    assert_eq!(panics(|| one.collect(&other.spaces, CollectionKind::Major)), REFUSED);
    // The refusal came before anything was touched: the other heap is as it was.
    other.collect(&other.spaces, CollectionKind::MemoryReducing);
}

/// A heap has one safepoint, so two stops of it exclude each other.
#[test]
fn spaces_have_one_safepoint() {
    let mut world = World::new();
    assert!(world.spaces.take_safepoint_key().is_none());
}

#[test]
fn a_poisoned_heap_is_not_collected() {
    let world = World::new();
    panics(|| world.stopped(|_| resume_unwind(Box::new("half-way"))));
    let said = panics(|| world.collect(&world.spaces, CollectionKind::Major));
    assert_eq!(said, "a poisoned heap is not collected");
}
