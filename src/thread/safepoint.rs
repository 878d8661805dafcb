//! The safepoint: stopping all local heaps, and the register of local heaps that makes it possible.
//!
//! One lock, one count, one condition variable. O-3 and O-4 say what orders a stop after the work of a thread that was
//! parked already, and a thread's work after a stop; for threads that park because of the stop, the mutex of
//! `outstanding` orders one way and the collector lock the other.

use super::{Local, LocalData};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, YieldPoint, yield_point};
use crate::words::CollectionKind;

/// Collections started, per kind. Changes in stops only (T-5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CollectionCounts {
    started: [u64; 3],
}

impl CollectionCounts {
    /// Collections of exactly this kind that were started.
    #[must_use]
    pub fn started(&self, kind: CollectionKind) -> u64 {
        self.started[kind as usize]
    }

    /// Whether a collection that meets a request for `kind` was started since `before`.
    #[must_use]
    pub fn met_since(&self, kind: CollectionKind, before: &CollectionCounts) -> bool {
        CollectionKind::ALL.into_iter().any(|k| k >= kind && self.started(k) > before.started(k))
    }

    fn start(&mut self, kind: CollectionKind) {
        self.started[kind as usize] += 1;
    }
}

/// The attached local heaps, and what changes only under the collector lock.
#[derive(Debug)]
pub struct Registry {
    locals: Vec<Arc<Local>>,
    counts: CollectionCounts,
    poisoned: bool,
    /// Whether more than one local heap may be attached.
    pub concurrent_allocation: bool,
}

impl Registry {
    /// The attached local heaps.
    #[must_use]
    pub fn locals(&self) -> &[Arc<Local>] {
        &self.locals
    }

    /// Collections started so far.
    #[must_use]
    pub fn counts(&self) -> CollectionCounts {
        self.counts
    }

    /// Whether a stop has panicked.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Adds a parked local heap. No stop can be going on: the caller holds the collector lock.
    pub fn attach(&mut self, local: Arc<Local>) {
        // SAFETY: the local heap is not yet known to anyone else.
        unsafe {
            local.data().with_mut(|data| {
                (*data).counts = self.counts;
                (*data).poisoned = self.poisoned;
            });
        }
        self.locals.push(local);
        yield_point(YieldPoint::LocalAttached);
    }

    /// Removes every local heap that was abandoned, and lets `f` give its memory up. Not in a stop.
    pub fn detach_abandoned(&mut self, mut f: impl FnMut(&mut LocalData)) {
        self.locals.retain(|local| {
            let abandoned = local.state().is_abandoned();
            if abandoned {
                // SAFETY: the owner has gone, and no stop runs while the collector lock is held.
                unsafe { local.data().with_mut(|data| f(&mut *data)) };
            }
            !abandoned
        });
    }

    /// Removes a parked local heap, and lets `f` give its memory up: no stop runs, and its thread is here.
    ///
    /// # Panics
    /// If it runs: then a stop would not wait for its thread.
    pub fn detach(&mut self, local: &Local, f: impl FnOnce(&mut LocalData)) {
        assert!(!local.state().is_running(), "T-4: a local heap detaches parked");
        let index = self.locals.iter().position(|other| core::ptr::eq(&**other, local));
        // SAFETY: the owner is the caller, and no stop runs while the collector lock is held.
        unsafe { local.data().with_mut(|data| f(&mut *data)) };
        yield_point(YieldPoint::LocalRetired);
        self.locals.swap_remove(index.expect("a local heap detaches once"));
    }
}

/// The safepoint of a heap.
#[derive(Debug)]
pub struct Safepoint {
    collector: Mutex<Registry>,
    /// Threads that were found running and have not parked yet. Negative while threads park before they are added.
    outstanding: Mutex<isize>,
    all_stopped: Condvar,
}

impl Safepoint {
    /// A safepoint without local heaps.
    #[must_use]
    pub fn new(concurrent_allocation: bool) -> Safepoint {
        Safepoint {
            collector: Mutex::new(Registry {
                locals: Vec::new(),
                counts: CollectionCounts::default(),
                poisoned: false,
                concurrent_allocation,
            }),
            outstanding: Mutex::new(0),
            all_stopped: Condvar::new(),
        }
    }

    /// The register, under the collector lock. Waits for a stop to end; the caller is parked or not attached.
    pub fn lock(&self) -> MutexGuard<'_, Registry> {
        self.collector.lock()
    }

    /// Running to parked. Does not block.
    #[inline]
    pub fn park(&self, local: &Local) {
        if local.state().try_park().is_err() {
            self.park_slow(local);
        }
    }

    #[cold]
    fn park_slow(&self, local: &Local) {
        yield_point(YieldPoint::ParkRefused);
        local.state().set_parked();
        yield_point(YieldPoint::ParkUncounted);
        let mut outstanding = self.outstanding.lock();
        *outstanding -= 1;
        if *outstanding == 0 {
            // Under the mutex, so the collector is either waiting or has not looked yet.
            self.all_stopped.notify_one();
        }
    }

    /// Parked to running. Blocks while a stop runs.
    #[inline]
    pub fn unpark(&self, local: &Local) {
        if local.state().try_unpark().is_err() {
            self.unpark_slow(local);
        }
    }

    #[cold]
    fn unpark_slow(&self, local: &Local) {
        yield_point(YieldPoint::UnparkRefused);
        // T-2: no STOP while this thread holds the lock.
        let registry = self.collector.lock();
        local.state().set_running();
        drop(registry);
    }

    /// Lets a stop begin, if one is asked for, and waits for its end. The fast path is one Relaxed load.
    #[inline(always)]
    pub fn poll(&self, local: &Local) {
        if local.state().stop_requested() {
            self.poll_slow(local);
        }
    }

    #[cold]
    fn poll_slow(&self, local: &Local) {
        self.park_slow(local);
        yield_point(YieldPoint::PollParked);
        self.unpark_slow(local);
    }

    /// Stops the world for `f`, unless `wanted` finds, under the collector lock, that nobody wants it any more.
    ///
    /// `initiator` is the caller's running local heap, if it has one. It is parked while it waits for its turn, and
    /// running again before any other thread is (T-6). Blocks until every local heap is parked.
    ///
    /// # Panics
    /// Passes on a panic of `f`, after it has poisoned the heap and released every waiter.
    pub fn stop<R>(
        &self,
        initiator: Option<&Local>,
        wanted: impl FnOnce(&Registry) -> bool,
        f: impl FnOnce(&mut Stop<'_>) -> R,
    ) -> Option<R> {
        if let Some(local) = initiator {
            self.park(local);
        }
        let mut registry = self.collector.lock();
        if !wanted(&registry) {
            if let Some(local) = initiator {
                local.state().set_running();
            }
            return None;
        }
        yield_point(YieldPoint::StopLocked);
        let running = registry.locals.iter().filter(|local| local.state().request_stop()).count();
        yield_point(YieldPoint::StopArmed);
        let mut outstanding = self.outstanding.lock();
        *outstanding += isize::try_from(running).expect("a count of threads");
        while *outstanding != 0 {
            outstanding = self.all_stopped.wait(outstanding);
        }
        drop(outstanding);
        yield_point(YieldPoint::StopReached);
        let mut stop = Stop { registry: &mut registry, initiator, completed: false };
        let result = f(&mut stop);
        stop.completed = true;
        Some(result)
        // `stop` ends here, then the lock is released.
    }
}

/// A time in which no local heap runs. Whoever has one may touch everything; it cannot poll or allocate by the ladder,
/// because neither exists here.
pub struct Stop<'a> {
    registry: &'a mut Registry,
    initiator: Option<&'a Local>,
    /// Whether its work has returned, not unwound. (Asking whether the thread is panicking would not do: a destructor
    /// that runs during a panic may stop the world and return.)
    completed: bool,
}

impl Stop<'_> {
    /// Calls `f` with the data of every local heap.
    pub fn for_each_local(&mut self, mut f: impl FnMut(&mut LocalData)) {
        for local in &self.registry.locals {
            // SAFETY: the owner is parked, and no other stop runs.
            unsafe { local.data().with_mut(|data| f(&mut *data)) };
        }
    }

    /// Calls `f` with the data of the initiator, if it is a local heap.
    pub fn with_initiator<R>(&mut self, f: impl FnOnce(&mut LocalData) -> R) -> Option<R> {
        // SAFETY: the initiator's thread is here, and its data is not borrowed while it waits for a stop.
        self.initiator.map(|local| unsafe { local.data().with_mut(|data| f(&mut *data)) })
    }

    /// Local heaps attached now.
    #[must_use]
    pub fn locals_count(&self) -> usize {
        self.registry.locals.iter().filter(|local| !local.state().is_abandoned()).count()
    }

    /// Counts a collection as started.
    pub fn count_collection(&mut self, kind: CollectionKind) {
        self.registry.counts.start(kind);
    }

    /// Collections started so far.
    #[must_use]
    pub fn counts(&self) -> CollectionCounts {
        self.registry.counts
    }

    /// The register.
    pub fn registry(&mut self) -> &mut Registry {
        self.registry
    }
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        if !self.completed {
            self.registry.poisoned = true;
        }
        let (counts, poisoned) = (self.registry.counts, self.registry.poisoned);
        // T-5: each local heap has the counts before it runs again.
        self.for_each_local(|data| {
            data.counts = counts;
            data.poisoned = poisoned;
        });
        // T-6: first the initiator, then everyone.
        if let Some(local) = self.initiator {
            local.state().set_running();
        }
        yield_point(YieldPoint::StopLeft);
        for local in &self.registry.locals {
            local.state().clear_stop();
            yield_point(YieldPoint::StopReleased);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::check;

    fn counts(started: &[CollectionKind]) -> CollectionCounts {
        let mut counts = CollectionCounts::default();
        started.iter().for_each(|&kind| counts.start(kind));
        counts
    }

    #[test]
    fn a_request_is_met_by_a_later_collection_of_its_kind_or_a_greater_one() {
        use CollectionKind::{Major, MemoryReducing, Minor};
        let before = counts(&[Minor, MemoryReducing]);
        let after = counts(&[Minor, Major, MemoryReducing, Major]);
        assert_eq!(CollectionKind::ALL.map(|kind| after.started(kind)), [1, 2, 1]);
        assert_eq!(CollectionKind::ALL.map(|kind| after.met_since(kind, &before)), [true, true, false]);
        assert_eq!(CollectionKind::ALL.map(|kind| after.met_since(kind, &after)), [false; 3]);
    }

    /// T-5: in the stop, after it, and for who was there or comes later.
    #[test]
    fn everyone_learns_what_a_stop_has_counted() {
        check(|| {
            let safepoint = Safepoint::new(true);
            let locals = [(); 2].map(|()| Arc::new(Local::new(1)));
            safepoint.lock().attach(Arc::clone(&locals[0]));
            let in_stop = safepoint.stop(
                None,
                |_| true,
                |stop| {
                    stop.count_collection(CollectionKind::Major);
                    stop.counts()
                },
            );
            let expected = counts(&[CollectionKind::Major]);
            assert_eq!(in_stop, Some(expected));
            assert_eq!(safepoint.lock().counts(), expected);
            safepoint.lock().attach(Arc::clone(&locals[1]));
            for local in &locals {
                // SAFETY: this thread owns both local heaps, and no stop runs.
                assert_eq!(unsafe { local.data().with(|data| (*data).counts) }, expected);
            }
        });
    }

    /// A stop whose work does not come to its end leaves a poisoned heap, and none that hangs.
    #[test]
    fn a_stop_that_unwinds_poisons_the_heap() {
        check(|| {
            let safepoint = Safepoint::new(true);
            let local = Arc::new(Local::new(1));
            safepoint.lock().attach(Arc::clone(&local));
            assert_eq!(safepoint.stop(None, |_| true, |_| ()), Some(()));
            assert!(!safepoint.lock().is_poisoned());
            // What remains of the stop when its work unwinds.
            let mut registry = safepoint.lock();
            assert!(!local.state().request_stop(), "it is parked");
            drop(Stop { registry: &mut registry, initiator: None, completed: false });
            drop(registry);
            assert!(safepoint.lock().is_poisoned());
            // SAFETY: this thread owns the local heap, and no stop runs.
            assert!(unsafe { local.data().with(|data| (*data).poisoned) });
            safepoint.unpark(&local);
        });
    }

    /// T-3: a thread that polls counts itself once for a stop that waits for it, and runs on when the collector lock is
    /// free. Here the stop is made by hand, so nothing waits.
    #[test]
    fn a_poll_lets_a_stop_begin() {
        check(|| {
            let safepoint = Safepoint::new(true);
            let local = Arc::new(Local::new(1));
            safepoint.lock().attach(Arc::clone(&local));
            safepoint.unpark(&local);
            safepoint.poll(&local);
            assert_eq!(*safepoint.outstanding.lock(), 0, "no stop was asked for");
            assert!(local.state().request_stop(), "it runs");
            safepoint.poll(&local);
            assert_eq!(*safepoint.outstanding.lock(), -1);
            local.state().clear_stop();
            assert!(!local.state().stop_requested(), "it runs again");
            safepoint.park(&local);
        });
    }
}
