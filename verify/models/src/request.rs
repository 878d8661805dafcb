//! P6, the request for a collection: threads that fail together collect once, and nobody waits for a collection that
//! never comes.
//!
//! Goal: two threads whose attempts fail together cause exactly one collection; a waiter returns only after a
//! collection that meets its request, of the same or a stronger kind, started after its attempt. Method: the
//! safepoint is asked as the heap asks it, with a wish that is looked at again under the collector lock; the counts
//! are asserted exactly. The last model asks a whole heap.

use super::worlds::{self, race};
use heaplab::Heap;
use heaplab::sync::{Arc, thread};
use heaplab::thread::{CollectionCounts, Local, Registry, Safepoint};
use heaplab::words::CollectionKind::{self, Major, MemoryReducing, Minor};
use heaplab::words::SafepointKey;
use heaplab_checker::model::Spec;
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "request":
    fail_vs_fail: Spec::two_threads(),
    fail_vs_fail_of_a_stronger_kind: Spec::two_threads(),
    fail_fail_vs_fail: Spec::two_threads(),
    fail_vs_park_unpark: Spec::two_threads(),
    fail_vs_fail_vs_fail_of_three_kinds: Spec::bounded(3, 3),
    fail_vs_fail_vs_fail: Spec::bounded(3, 3),
    heap_collect_vs_collect: Spec::two_threads(),
}

struct World {
    safepoint: Safepoint,
    locals: Vec<Arc<Local>>,
}

impl World {
    /// A world of `threads` attached threads, all running.
    fn new(threads: usize) -> Arc<World> {
        let mut world = World { safepoint: Safepoint::new(SafepointKey::new(), true), locals: Vec::new() };
        for _ in 0..threads {
            let local = world.safepoint.lock().attach(Local::new(1));
            // SAFETY: T-1: one thread of the model will have it.
            unsafe { world.safepoint.unpark(&local) };
            world.locals.push(local);
        }
        Arc::new(world)
    }

    /// The copy of the counts that a running thread has, which changes only in stops.
    fn counts(&self, index: usize) -> CollectionCounts {
        // SAFETY: the thread runs; the model checks it.
        unsafe { self.locals[index].data().with(|data| (*data).counts) }
    }

    /// Makes a failed attempt's request, as the heap makes it, and returns whether this thread collected.
    fn request(&self, index: usize, kind: CollectionKind) -> bool {
        let before = self.counts(index);
        let wanted = |registry: &Registry| !registry.counts().met_since(kind, &before);
        // SAFETY: T-1: the local heap is this thread's, and runs.
        let collected =
            unsafe { self.safepoint.stop(Some(&self.locals[index]), wanted, |stop| stop.count_collection(kind)) };
        assert!(self.counts(index).met_since(kind, &before), "back before a collection that meets the request");
        collected.is_some()
    }

    /// Makes a request of each kind in `kinds`, as after failed attempts, then parks. Returns which of them
    /// collected.
    fn fail(&self, index: usize, kinds: &[CollectionKind]) -> Vec<bool> {
        let collected = kinds.iter().map(|&kind| self.request(index, kind)).collect();
        // SAFETY: T-1: this thread's, running.
        unsafe { self.safepoint.park(&self.locals[index]) };
        collected
    }

    fn started(&self) -> [u64; 3] {
        let counts = self.safepoint.lock().counts();
        CollectionKind::ALL.map(|kind| counts.started(kind))
    }
}

/// Both were running when their attempts failed, so no collection lies between, and one serves both.
fn fail_vs_fail() {
    let world = World::new(2);
    let there = world.clone();
    let (a, b) = race(|| world.fail(0, &[Minor]), move || there.fail(1, &[Minor]));
    assert!(a[0] != b[0], "exactly one collects");
    claim_eq!(world.started(), [1, 0, 0], "the count of collections");
}

/// Of different kinds: the stronger one serves the weaker wish, but not the other way around. So the major one always
/// runs, and the minor one only if it comes first.
fn fail_vs_fail_of_a_stronger_kind() {
    let world = World::new(2);
    let there = world.clone();
    let (minor, major) = race(|| world.fail(0, &[Minor]), move || there.fail(1, &[Major]));
    assert!(major[0], "nobody else runs a major collection");
    claim_eq!(world.started(), [u64::from(minor[0]), 1, 0], "the count of collections");
}

/// Two rounds against one: the second round is served by a collection that started after it, never by the first. So two
/// collections run, and each was somebody's.
fn fail_fail_vs_fail() {
    let world = World::new(2);
    let there = world.clone();
    let (a, b) = race(|| world.fail(0, &[Minor, Minor]), move || there.fail(1, &[Minor]));
    let collected = a.iter().chain(&b).filter(|&&collected| collected).count();
    claim_eq!(collected, 2, "the number of requests that collected");
    claim_eq!(world.started(), [2, 0, 0], "the count of collections");
}

/// The other thread parks and comes back without a request, and delays nobody. Its copy of the counts has the one
/// collection, or none if it comes back before that.
fn fail_vs_park_unpark() {
    let world = World::new(2);
    let there = world.clone();
    let (a, ()) = race(
        || world.fail(0, &[Major]),
        move || {
            let local = there.locals[1].clone();
            let before = there.counts(1);
            // SAFETY: T-1: this thread's, running and then parked.
            unsafe {
                there.safepoint.park(&local);
                there.safepoint.unpark(&local);
            }
            let after = there.counts(1);
            let started = CollectionKind::ALL.map(|kind| after.started(kind) - before.started(kind));
            assert!([[0; 3], [0, 1, 0]].contains(&started), "no collection, or the one: {started:?}");
            // SAFETY: T-1: this thread's, running.
            unsafe { there.safepoint.park(&local) };
        },
    );
    assert!(a[0], "nobody else collects");
    claim_eq!(world.started(), [0, 1, 0], "the count of collections");
}

/// Three kinds at once: the strongest always runs; a weaker one runs only if it comes before every stronger one.
fn fail_vs_fail_vs_fail_of_three_kinds() {
    let world = World::new(3);
    let others: Vec<_> = [(1, Major), (2, MemoryReducing)]
        .into_iter()
        .map(|(index, kind)| {
            let world = world.clone();
            thread::spawn(move || world.fail(index, &[kind])[0])
        })
        .collect();
    let minor = world.fail(0, &[Minor])[0];
    let others: Vec<bool> = others.into_iter().map(|other| other.join().unwrap()).collect();
    assert!(others[1], "nobody else runs the strongest");
    claim_eq!(world.started(), [u64::from(minor), u64::from(others[0]), 1], "the count of collections");
}

/// Three fail together: one collection.
fn fail_vs_fail_vs_fail() {
    let world = World::new(3);
    let others: Vec<_> = (1..3)
        .map(|index| {
            let world = world.clone();
            thread::spawn(move || world.fail(index, &[Minor])[0])
        })
        .collect();
    let mut collected = usize::from(world.fail(0, &[Minor])[0]);
    collected += others.into_iter().map(|other| usize::from(other.join().unwrap())).sum::<usize>();
    claim_eq!(collected, 1, "the number of requests that collected");
    claim_eq!(world.started(), [1, 0, 0], "the count of collections");
}

/// The whole heap: both threads ask for a minor collection while they run, and one collection runs. No attempt has
/// failed, so no request is counted.
fn heap_collect_vs_collect() {
    let heap = Heap::new(worlds::config(1, 2)).expect("a small world");
    let (a, b) = (heap.attach_raw().unwrap(), heap.attach_raw().unwrap());
    // SAFETY: each local heap is used by one thread at a time; a parked one may move to another thread.
    unsafe {
        a.unpark();
        b.unpark();
    }
    let locals = race(
        move || {
            // SAFETY: R-1: running on this thread until parked.
            unsafe {
                a.collect(Minor).unwrap();
                a.park();
            }
            a
        },
        move || {
            // SAFETY: as above.
            unsafe {
                b.collect(Minor).unwrap();
                b.park();
            }
            b
        },
    );
    drop(locals);
    let statistics = heap.statistics().unwrap();
    claim_eq!((statistics.requests, statistics.collections), (0, [1, 0, 0]), "the count of requests and collections");
}
