//! P8, simulating a full space against allocation and collection: the mission's three-way race.
//!
//! Goal: nothing that is allocated after the simulation, and before the next collection, lies in memory of the space
//! that was free at the stop; and whatever the order, the heap stays sound. Method: the shipping heap through its raw
//! API, which shows addresses. Two flags outside of the model say what is over: they are read and written between
//! operations, where no thread is switched, and add no edge.

use super::worlds;
use heaplab::object::Root;
use heaplab::sync::{Arc, thread};
use heaplab::words::Offset;
use heaplab::{AllocationOrigin, AllocationType, CollectionKind, Heap, LocalHeap, SpaceKind};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;
use std::sync::atomic::{AtomicBool, Ordering};

models! {
    "full_space":
    simulate_vs_allocate: Spec::bounded(2, 3),
    simulate_new_vs_allocate: Spec::bounded(2, 3),
    simulate_vs_collect: Spec::bounded(2, 3),
    simulate_vs_allocate_vs_collect: Spec::bounded(3, 3),
    simulate_vs_allocate_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    simulate_vs_allocate_with_a_spurious_failure: Spec::bounded(2, 3).with_fault(Fault::WeakExchange),
}

struct World {
    heap: Heap,
    /// The space has been made full: an allocation that begins now must not get memory that was free then.
    is_full: AtomicBool,
    /// A collection may have begun, which frees memory again.
    may_be_freed: AtomicBool,
}

impl World {
    fn new(others: usize) -> Arc<World> {
        World::unless_refused(others).expect("a small world")
    }

    fn unless_refused(others: usize) -> Option<Arc<World>> {
        Some(Arc::new(World {
            heap: worlds::heap_unless_refused(worlds::config(1, others))?,
            is_full: AtomicBool::new(false),
            may_be_freed: AtomicBool::new(false),
        }))
    }

    /// Attaches a local heap, which runs.
    fn attach(&self) -> LocalHeap {
        let local = self.heap.attach_raw().expect("a place for all");
        // SAFETY: R-1: this thread has it.
        unsafe { local.unpark() };
        local
    }

    /// Allocates an old object of 24 bytes, and returns its address. May collect.
    ///
    /// # Safety
    ///
    unsafe fn allocate(&self, local: &LocalHeap) -> Option<Offset> {
        // SAFETY: the caller's contract; the object is written at once.
        unsafe {
            let at = local.allocate_raw(24, AllocationType::Old, AllocationOrigin::Runtime, 8).ok()?;
            local.view().write(at, Root::ByteArrayMap.tagged().bits());
            local.view().write(at.word(1), 16 << 1);
            Some(at)
        }
    }

    /// Allocates while the space may become full, and returns whether the object is in `page`. Asserts that an object
    /// begun after that is not, unless a collection may have freed memory again. May collect.
    ///
    /// # Safety
    ///
    unsafe fn allocate_checked(&self, local: &LocalHeap, page: usize) -> bool {
        let was_full = self.is_full.load(Ordering::Acquire);
        // SAFETY: the caller's contract.
        let at = unsafe { self.allocate(local) }.expect("there is a page for each");
        let is_in_page = self.heap.layout().page_of(at).index() == page;
        let may_be_freed = self.may_be_freed.load(Ordering::Acquire);
        assert!(!was_full || may_be_freed || !is_in_page, "{at:?} was free when the space was made full");
        is_in_page
    }

    fn end(&self) {
        let verification = self.heap.verify().expect("a sound heap");
        assert!(verification.is_sound(), "{}", verification.describe());
    }
}

/// Puts one object into an old page and leaves the rest of the page as a hole. Returns the page.
fn prepare(world: &World) -> usize {
    let local = world.attach();
    // SAFETY: R-1: running until parked.
    unsafe {
        let at = world.allocate(&local).expect("an empty heap has room");
        local.park();
        world.heap.layout().page_of(at).index()
    }
}

/// Makes old space full, and returns the number of bytes wasted.
fn fill_old_space(world: &World) -> usize {
    let wasted = world.heap.simulate_full_space(SpaceKind::Old).expect("a sound heap");
    world.is_full.store(true, Ordering::Release);
    wasted
}

/// What lies in the old page was allocated before the stop, and what the page had left then is wasted; the other
/// objects lie in another page, for which nobody collects.
fn simulate_vs_allocate() {
    let world = World::new(3);
    let page = prepare(&world);
    let other = thread::spawn({
        let world = world.clone();
        move || {
            let local = world.attach();
            // SAFETY: R-1: running until parked; nothing is held over what may collect.
            unsafe {
                let in_page = [(); 2].map(|()| usize::from(world.allocate_checked(&local, page)));
                local.park();
                in_page[0] + in_page[1]
            }
        }
    });
    let wasted = fill_old_space(&world);
    let in_page = other.join().unwrap();
    claim_eq!(
        wasted,
        worlds::PAGE - 24 * (1 + in_page),
        "the number of bytes wasted beside {in_page} objects and another"
    );
    let statistics = world.heap.statistics().expect("a sound heap");
    claim_eq!((statistics.requests, statistics.collections), (0, [0; 3]), "the count of requests and collections");
    world.end();
}

/// New space: what the current page has left is out of reach as well, so whoever is served after the stop has
/// collected, once, and whoever was served before has not, and its LAB is not wasted.
fn simulate_new_vs_allocate() {
    let world = World::new(1);
    // One LAB is carved and given up; the page has a rest.
    assert!(served_young(&world), "an empty heap has room");
    let other = thread::spawn({
        let world = world.clone();
        move || {
            let was_full = world.is_full.load(Ordering::Acquire);
            assert!(served_young(&world), "a minor collection starts the frontier again");
            was_full
        }
    });
    let wasted = world.heap.simulate_full_space(SpaceKind::New).expect("a sound heap");
    world.is_full.store(true, Ordering::Release);
    let was_full = other.join().unwrap();
    let statistics = world.heap.statistics().expect("a sound heap");
    claim_eq!(statistics.collections, [statistics.requests, 0, 0], "the count of collections");
    assert!(statistics.requests <= 1, "one minor collection serves it: {}", statistics.requests);
    let labs = 2 - statistics.requests as usize;
    claim_eq!(wasted, worlds::PAGE - labs * 48, "the number of bytes wasted, where {labs} LABs were carved before,");
    assert!(!was_full || statistics.requests == 1, "served from memory that was free when the space was made full");
    world.end();
}

/// Attaches, allocates a young object of 24 bytes, and leaves. Returns whether the request was served. May collect.
fn served_young(world: &World) -> bool {
    let local = world.attach();
    // SAFETY: R-1: running until parked; the object is written at once.
    unsafe {
        let at = local.allocate_raw(24, AllocationType::Young, AllocationOrigin::Runtime, 8);
        if let Ok(at) = at {
            local.view().write(at, Root::ByteArrayMap.tagged().bits());
            local.view().write(at.word(1), 16 << 1);
        }
        local.park();
        at.is_ok()
    }
}

/// The page has one dead object. Its rest is wasted, or nothing if the collection has freed the page before; no
/// request fails.
fn simulate_vs_collect() {
    let world = World::new(2);
    prepare(&world);
    let other = thread::spawn({
        let world = world.clone();
        move || world.heap.collect(CollectionKind::Major).expect("a sound heap")
    });
    let wasted = fill_old_space(&world);
    other.join().unwrap();
    assert!(wasted == worlds::PAGE - 24 || wasted == 0, "the page's rest, or nothing if it was freed before: {wasted}");
    let statistics = world.heap.statistics().expect("a sound heap");
    claim_eq!((statistics.requests, statistics.collections), (0, [0, 1, 0]), "the count of requests and collections");
    world.end();
}

/// All three: the allocating thread's memory is taken from it, given back, and never handed out twice. Nobody asks for
/// a second collection.
fn simulate_vs_allocate_vs_collect() {
    let world = World::new(3);
    let page = prepare(&world);
    let allocator = thread::spawn({
        let world = world.clone();
        move || {
            let local = world.attach();
            // SAFETY: R-1: running until parked; nothing is held over what may collect.
            unsafe {
                let in_page = world.allocate_checked(&local, page);
                local.park();
                in_page
            }
        }
    });
    let collector = thread::spawn({
        let world = world.clone();
        move || {
            world.may_be_freed.store(true, Ordering::Release);
            world.heap.collect(CollectionKind::Major).expect("a sound heap");
        }
    });
    let wasted = fill_old_space(&world);
    let in_page = allocator.join().unwrap();
    collector.join().unwrap();
    let statistics = world.heap.statistics().expect("a sound heap");
    // Full before both; after the object, before or after the collection, which frees the page for it; or full and then
    // freed.
    let page_bytes = worlds::PAGE;
    let possible = [(false, page_bytes - 24), (true, page_bytes - 48), (true, page_bytes - 24), (true, 0)];
    assert!(possible.contains(&(in_page, wasted)), "{wasted} bytes wasted, the object in the page of then: {in_page}");
    claim_eq!((statistics.requests, statistics.collections), (0, [0, 1, 0]), "the count of requests and collections");
    world.end();
}

/// A refused request collects, once, which frees the space again. So whether it used memory that was free at the stop
/// is judged at the end, if nobody collected.
fn simulate_vs_allocate_with_one_refusal() {
    let Some(world) = World::unless_refused(3) else { return };
    let page = prepare(&world);
    let before = world.heap.statistics().expect("a sound heap").requests;
    let other = thread::spawn({
        let world = world.clone();
        move || {
            let local = world.attach();
            let was_full = world.is_full.load(Ordering::Acquire);
            // SAFETY: R-1: running until parked; nothing is held over what may collect.
            let at = unsafe {
                let at = world.allocate(&local);
                local.park();
                at
            };
            (was_full, world.heap.layout().page_of(at.expect("one refusal is mended by one collection")).index())
        }
    });
    let wasted = fill_old_space(&world);
    let (was_full, used) = other.join().unwrap();
    let statistics = world.heap.statistics().expect("a sound heap");
    let requests = statistics.requests - before;
    assert!(requests <= 1, "one refusal: {requests}");
    claim_eq!(statistics.collections, [0, statistics.requests, 0], "the count of collections");
    // The collection has freed the page, which is the first one that serves then.
    assert!(requests == 0 || used == page, "page {used} serves after a collection, not page {page}");
    let in_page = usize::from(requests == 0 && used == page);
    claim_eq!(
        wasted,
        worlds::PAGE - 24 * (1 + in_page),
        "the number of bytes wasted beside {in_page} objects and another"
    );
    assert!(requests == 1 || !was_full || used != page, "page {used} was free when the space was made full");
    world.end();
}

/// An exchange fails for no reason while old space is made full: nobody collects for that.
fn simulate_vs_allocate_with_a_spurious_failure() {
    simulate_vs_allocate();
}
