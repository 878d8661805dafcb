//! The safepoint: stopping all local heaps, and the register of local heaps that makes it possible.
//!
//! One lock, one count, one condition variable. O-3 and O-4 say what orders a stop after the work of a thread that was
//! parked already, and a thread's work after a stop; for threads that park because of the stop, the mutex of
//! `outstanding` orders one way and the collector lock the other.

use super::{CollectionCounts, Local, LocalData};
use crate::space::{Spaces, Stopped};
use crate::sync::{Arc, Condvar, Mutex, MutexGuard, YieldPoint, fork, yield_point};
use crate::words::{CollectionKind, HeapId, SafepointKey};
use core::marker::PhantomData;
use core::ops::Deref;

/// The attached local heaps, and what changes only under the collector lock.
#[derive(Debug)]
pub struct Registry {
    heap: HeapId,
    locals: Vec<Arc<Local>>,
    counts: CollectionCounts,
    poisoned: bool,
    concurrent_allocation: bool,
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

    /// Whether more than one local heap may be attached.
    #[must_use]
    pub fn concurrent_allocation(&self) -> bool {
        self.concurrent_allocation
    }
}

/// The collector lock, held: no stop runs, and none begins. The guard changes the register, and cannot exchange it
/// for another heap's.
#[derive(Debug)]
pub struct RegistryGuard<'a>(MutexGuard<'a, Registry>);

impl RegistryGuard<'_> {
    /// Adds a local heap, which is parked. The local heap is taken by value: such a value is attached nowhere yet, so
    /// each local heap belongs to one heap.
    pub fn attach(&mut self, mut local: Local) -> Arc<Local> {
        let data = local.data_mut();
        data.counts = self.0.counts;
        data.poisoned = self.0.poisoned;
        let local = Arc::new(local);
        self.0.locals.push(Arc::clone(&local));
        yield_point(YieldPoint::LocalAttached);
        local
    }

    /// Switches whether more than one local heap may be attached.
    pub fn set_concurrent_allocation(&mut self, on: bool) {
        self.0.concurrent_allocation = on;
    }

    /// Removes every local heap that was abandoned, and lets `f` give its memory up.
    pub fn detach_abandoned(&mut self, mut f: impl FnMut(&mut LocalData)) {
        let poisoned = self.0.poisoned;
        self.0.locals.retain(|local| {
            let abandoned = local.state().is_abandoned();
            // Nobody looks at the memory of a poisoned heap again.
            if abandoned && !poisoned {
                // SAFETY: the owner has gone, and no stop runs while the collector lock is held.
                unsafe { local.data().with_mut(|data| f(&mut *data)) };
            }
            !abandoned
        });
    }

    /// Removes a local heap, and lets `f` give its memory up.
    ///
    /// # Panics
    /// If it runs: then a stop would not wait for its thread. If it is not attached here.
    ///
    /// # Safety
    /// T-1: the caller is the owner of the local heap; no borrow of its data is alive.
    pub unsafe fn detach(&mut self, local: &Local, f: impl FnOnce(&mut LocalData)) {
        assert!(!local.state().is_running(), "T-4: a local heap detaches parked");
        let index = self.0.locals.iter().position(|other| core::ptr::eq(&**other, local));
        let index = index.expect("a local heap detaches once, where it was attached");
        if !self.0.poisoned {
            // SAFETY: the owner is the caller, and no stop runs while the collector lock is held.
            unsafe { local.data().with_mut(|data| f(&mut *data)) };
        }
        yield_point(YieldPoint::LocalRetired);
        self.0.locals.swap_remove(index);
    }
}

impl Deref for RegistryGuard<'_> {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.0
    }
}

/// The safepoint of a heap. What an owner does to its local heap's state - park, unpark, poll, abandon, stop from
/// it - is `unsafe`, since a thread cannot prove that a local heap is its own. Where these contracts are kept, a
/// [`Stop`] is the proof that nobody runs.
#[derive(Debug)]
pub struct Safepoint {
    collector: Mutex<Registry>,
    /// Threads that were found running and have not parked yet. Negative while threads park before they are added.
    outstanding: Mutex<isize>,
    all_stopped: Condvar,
    /// How many forks this process came from when the heap was built.
    born: u32,
}

impl Safepoint {
    /// A safepoint without local heaps. The key makes sure that a heap has no other safepoint.
    #[must_use]
    pub fn new(key: SafepointKey, concurrent_allocation: bool) -> Safepoint {
        Safepoint {
            collector: Mutex::new(Registry {
                heap: key.into_heap(),
                locals: Vec::new(),
                counts: CollectionCounts::default(),
                poisoned: false,
                concurrent_allocation,
            }),
            outstanding: Mutex::new(0),
            all_stopped: Condvar::new(),
            born: fork::generation_watched(),
        }
    }

    /// The register, with the collector lock held. Blocks until a stop has ended; the caller is parked or not attached.
    pub fn lock(&self) -> RegistryGuard<'_> {
        RegistryGuard(self.collector.lock())
    }

    /// Running to parked. Does not block.
    ///
    /// # Safety
    /// T-1: `local` is attached to this safepoint, the caller is its owner, and it is running. From here on the
    /// caller does nothing that only a running thread may do: no borrow of the local heap's data is alive.
    #[inline]
    pub unsafe fn park(&self, local: &Local) {
        // SAFETY: T-1, by the contract.
        unsafe {
            if local.state().try_park().is_err() {
                self.park_slow(local);
            }
        }
    }

    /// # Safety
    /// As [`park`](Self::park), after a stop was asked for.
    #[cold]
    unsafe fn park_slow(&self, local: &Local) {
        yield_point(YieldPoint::ParkRefused);
        // SAFETY: T-1, by the contract; the thread counts itself below. X-6: the first word.
        let counts = unsafe { local.state().set_parked() };
        // In a fork the collector of that stop does not exist, so nobody waits for the count.
        if !counts || self.is_forked() {
            return;
        }
        yield_point(YieldPoint::ParkUncounted);
        // the second word, whose mutex is the edge.
        let mut outstanding = self.outstanding.lock();
        *outstanding -= 1;
        if *outstanding == 0 {
            // Under the mutex, so the collector is either waiting or has not looked yet.
            self.all_stopped.notify_one();
        }
    }

    /// Parked to running; returns whether the heap is poisoned, and even then the local heap runs. Blocks while a stop
    /// runs.
    ///
    /// # Safety
    /// T-1: `local` is attached to this safepoint, the caller is its owner, and it is parked.
    #[inline]
    pub unsafe fn unpark(&self, local: &Local) -> bool {
        // SAFETY: T-1, by the contract.
        unsafe { local.state().try_unpark().is_err() && self.unpark_slow(local) }
    }

    /// # Safety
    /// As [`unpark`](Self::unpark), after a stop was asked for.
    #[cold]
    unsafe fn unpark_slow(&self, local: &Local) -> bool {
        yield_point(YieldPoint::UnparkRefused);
        if self.is_forked() {
            // The thread that holds the collector lock may not exist in this process.
            // SAFETY: T-1, by the contract; nobody else is there.
            return unsafe { local.state().set_running() };
        }
        // T-2: no STOP while this thread holds the lock.
        let registry = self.collector.lock();
        // SAFETY: T-1, by the contract; the collector lock is held.
        let poisoned = unsafe { local.state().set_running() };
        drop(registry);
        poisoned
    }

    /// Lets a stop begin, if one is asked for, and blocks until its end; returns whether the heap is poisoned. The
    /// fast path is one Relaxed load.
    ///
    /// # Safety
    /// As [`park`](Self::park).
    #[inline(always)]
    pub unsafe fn poll(&self, local: &Local) -> bool {
        // SAFETY: T-1, by the contract.
        local.state().stop_requested() && unsafe { self.poll_slow(local) }
    }

    /// # Safety
    /// As [`poll`](Self::poll), after a stop was asked for.
    #[cold]
    unsafe fn poll_slow(&self, local: &Local) -> bool {
        // SAFETY: T-1, by the contract: running, then parked.
        unsafe {
            self.park_slow(local);
            yield_point(YieldPoint::PollParked);
            self.unpark_slow(local)
        }
    }

    /// Whether this process is a fork of the one that built the heap. In a fork, threads that hold the heap's locks,
    /// or that a stop waits for, may not exist, so nothing that could block is done. Costs one load.
    #[inline(always)]
    #[must_use]
    pub fn is_forked(&self) -> bool {
        fork::generation() != self.born
    }

    /// Gives a parked local heap up, where its thread cannot wait for the collector lock: whoever next [looks for
    /// abandoned local heaps](RegistryGuard::detach_abandoned) detaches it. Does not block.
    ///
    /// # Safety
    /// T-1: the caller is the owner of `local`, which is parked, and never touches it again.
    pub unsafe fn abandon(&self, local: &Local) {
        // SAFETY: T-1, by the contract.
        unsafe { local.state().abandon() };
    }

    /// [`stop`](Self::stop), begun by a thread that runs no local heap of this heap: a thread that runs one would
    /// wait for itself.
    ///
    /// # Panics
    /// As [`stop`](Self::stop).
    pub fn stop_from_outside<R>(
        &self,
        wanted: impl FnOnce(&Registry) -> bool,
        f: impl FnOnce(&mut Stop<'_>) -> R,
    ) -> Option<R> {
        // SAFETY: no local heap of the caller's is touched.
        unsafe { self.stop(None, wanted, f) }
    }

    /// Stops the world for `f`, unless `wanted` finds, under the collector lock, that nobody wants the stop any more:
    /// then `f` does not run, and the result is `None`.
    ///
    /// `initiator` is the caller's running local heap, if it has one. The initiator is parked while it waits for its
    /// turn, and running again before any other thread is (T-6). Blocks until every local heap is parked.
    ///
    /// # Panics
    /// Passes on a panic of `f`, after it has poisoned the heap and released every waiter.
    ///
    /// # Safety
    /// As [`park`](Self::park), of the initiator.
    pub unsafe fn stop<R>(
        &self,
        initiator: Option<&Local>,
        wanted: impl FnOnce(&Registry) -> bool,
        f: impl FnOnce(&mut Stop<'_>) -> R,
    ) -> Option<R> {
        if let Some(local) = initiator {
            // SAFETY: the caller's contract.
            unsafe { self.park(local) };
        }
        let mut registry = self.collector.lock();
        if !wanted(&registry) {
            if let Some(local) = initiator {
                // SAFETY: T-1, by the contract; the collector lock is held (O-4). That it parked before that is
                // relied on by nobody here.
                unsafe { local.state().set_running() };
            }
            return None;
        }
        // the lock is the edge: the last stop's initiator runs already.
        yield_point(YieldPoint::StopLocked);
        // SAFETY: T-2: the collector lock is held; those that run are waited for below. In which order they are asked
        // is relied on by nobody.
        let running = registry.locals.iter().filter(|local| unsafe { local.state().request_stop() }).count();
        yield_point(YieldPoint::StopArmed);
        let mut outstanding = self.outstanding.lock();
        *outstanding += isize::try_from(running).expect("a count of threads");
        while *outstanding != 0 {
            outstanding = self.all_stopped.wait(outstanding);
        }
        // the sum is 0, so every thread that was counted has parked before.
        drop(outstanding);
        yield_point(YieldPoint::StopReached);
        let mut stop = Stop { registry: &mut registry, initiator, completed: false, _collector: PhantomData };
        let result = f(&mut stop);
        stop.completed = true;
        Some(result)
        // `stop` ends here, then the lock is released.
    }
}

/// A time in which no local heap runs, and the proof of it: of this heap alone, which [`assert_of`](Self::assert_of)
/// checks. Whoever has a stop may touch everything. A stop can neither poll nor climb the ladder, since it has no
/// method for either.
pub struct Stop<'a> {
    registry: &'a mut Registry,
    initiator: Option<&'a Local>,
    /// Whether the work of the stop has returned, not unwound. (Asking whether the thread is panicking would not do:
    /// a destructor that runs during a panic may stop the world and return.)
    completed: bool,
    /// Neither `Send` nor `Sync`: a stop is of the thread that collects in it.
    _collector: PhantomData<*const ()>,
}

impl<'s> Stop<'s> {
    /// The heap's spaces, with the proof for the layers below that the heap is stopped for as long as this stop lasts.
    ///
    /// # Panics
    /// If they are another heap's.
    #[track_caller]
    pub fn spaces<'a>(&self, spaces: &'a Spaces) -> Stopped<'a>
    where
        's: 'a,
    {
        self.assert_of(spaces.heap());
        // SAFETY: SW-1: no local heap runs for all of `'s`, whose end only `Safepoint::stop` sees; a stop stays with
        // its thread, so the caller is its collector.
        unsafe { Stopped::new(spaces) }
    }

    /// Checks that this is a stop of `heap`: the stop of another heap proves nothing about this one.
    ///
    /// # Panics
    /// If it is a stop of another heap.
    #[track_caller]
    pub fn assert_of(&self, heap: &HeapId) {
        assert!(self.registry.heap.is(heap), "a stop of another heap is refused");
    }

    /// Calls `f` with the data of every local heap.
    ///
    /// # Safety
    /// `f` leaves data that a local heap of this heap may have: see [`LocalData`].
    pub unsafe fn for_each_local(&mut self, mut f: impl FnMut(&mut LocalData)) {
        for local in &self.registry.locals {
            // SAFETY: the owner is parked, and no other stop runs.
            unsafe { local.data().with_mut(|data| f(&mut *data)) };
        }
    }

    /// Calls `f` with the data of the initiator, if it is a local heap.
    ///
    /// # Safety
    /// As [`for_each_local`](Self::for_each_local).
    pub unsafe fn with_initiator<R>(&mut self, f: impl FnOnce(&mut LocalData) -> R) -> Option<R> {
        // SAFETY: the initiator's thread is here, and its data is not borrowed while it waits for a stop.
        self.initiator.map(|local| unsafe { local.data().with_mut(|data| f(&mut *data)) })
    }

    /// Local heaps that are attached and not abandoned.
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
    #[must_use]
    pub fn registry(&self) -> &Registry {
        self.registry
    }
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        if !self.completed {
            self.registry.poisoned = true;
            // Before anybody runs: no allocator has memory left, and every poll and unpark says that the heap is
            // poisoned.
            // SAFETY: an allocator without memory is data that a local heap may have.
            unsafe { self.for_each_local(|data| data.allocator.forget()) };
            // SAFETY: T-2: the stop holds the collector lock.
            self.registry.locals.iter().for_each(|local| unsafe { local.state().poison() });
        }
        let (counts, poisoned) = (self.registry.counts, self.registry.poisoned);
        // T-5: each local heap has the counts before it runs again.
        // SAFETY: neither roots nor memory are changed.
        unsafe {
            self.for_each_local(|data| {
                data.counts = counts;
                data.poisoned = poisoned;
            });
        }
        // T-6, X-7: first the initiator, then everyone.
        if let Some(local) = self.initiator {
            // SAFETY: T-1: its owner is this thread, which holds the collector lock.
            unsafe { local.state().set_running() };
        }
        yield_point(YieldPoint::StopLeft);
        for local in &self.registry.locals {
            // SAFETY: T-2: the collector lock is held. X-7: the second word, on which the next stop waits
            // through that lock.
            unsafe { local.state().clear_stop() };
            yield_point(YieldPoint::StopReleased);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::check;

    /// T-5: a count is seen in the stop and after it, by local heaps that were attached before the stop or come later.
    #[test]
    fn everyone_learns_what_a_stop_has_counted() {
        check(|| {
            let safepoint = Safepoint::new(SafepointKey::new(), true);
            let early = safepoint.lock().attach(Local::new(1));
            let in_stop = safepoint.stop_from_outside(
                |_| true,
                |stop| {
                    stop.count_collection(CollectionKind::Major);
                    stop.counts()
                },
            );
            let mut expected = CollectionCounts::default();
            expected.start(CollectionKind::Major);
            assert_eq!(in_stop, Some(expected));
            assert_eq!(safepoint.lock().counts(), expected);
            let late = safepoint.lock().attach(Local::new(1));
            for local in [early, late] {
                // SAFETY: this thread owns both local heaps, and no stop runs.
                assert_eq!(unsafe { local.data().with(|data| (*data).counts) }, expected);
            }
        });
    }

    /// A stop is a proof of its own heap only.
    #[test]
    #[should_panic(expected = "a stop of another heap is refused")]
    fn a_stop_proves_nothing_of_another_heap() {
        check(|| {
            let [key, other] = [SafepointKey::new(), SafepointKey::new()];
            let heap = key.heap().clone();
            let safepoint = Safepoint::new(key, true);
            safepoint.stop_from_outside(
                |_| true,
                |stop| {
                    stop.assert_of(&heap);
                    stop.assert_of(other.heap());
                },
            );
        });
    }

    /// A stop whose work unwinds leaves a heap that is poisoned, and that does not hang.
    #[test]
    fn a_stop_that_unwinds_poisons_the_heap() {
        check(|| {
            let safepoint = Safepoint::new(SafepointKey::new(), true);
            let local = safepoint.lock().attach(Local::new(1));
            assert_eq!(safepoint.stop_from_outside(|_| true, |_| ()), Some(()));
            assert!(!safepoint.lock().is_poisoned());
            // What remains of the stop when its work unwinds.
            let mut registry = safepoint.collector.lock();
            // SAFETY: T-2: the collector lock is held, and it is parked.
            assert!(!unsafe { local.state().request_stop() }, "it is parked");
            drop(Stop { registry: &mut registry, initiator: None, completed: false, _collector: PhantomData });
            drop(registry);
            assert!(safepoint.lock().is_poisoned());
            // SAFETY: this thread owns the local heap, and no stop runs.
            assert!(unsafe { local.data().with(|data| (*data).poisoned) });
            // SAFETY: T-1: this thread owns it.
            unsafe {
                assert!(safepoint.unpark(&local), "it runs, and is told");
                assert!(safepoint.poll(&local), "and told again");
                safepoint.park(&local);
            }
        });
    }

    /// T-3: a thread that polls counts itself once for a stop that waits for it, and runs on when the collector lock is
    /// free. Here the stop is made by hand, so nothing waits.
    #[test]
    fn a_poll_lets_a_stop_begin() {
        check(|| {
            let safepoint = Safepoint::new(SafepointKey::new(), true);
            let local = safepoint.lock().attach(Local::new(1));
            // SAFETY: T-1: this thread owns it, and has parked it.
            unsafe { safepoint.unpark(&local) };
            // SAFETY: T-1: it runs.
            let poll = || unsafe { safepoint.poll(&local) };
            poll();
            assert_eq!(*safepoint.outstanding.lock(), 0, "no stop was asked for");
            // SAFETY: T-2: no thread begins a stop but this one, by hand.
            assert!(unsafe { local.state().request_stop() }, "it runs");
            poll();
            assert_eq!(*safepoint.outstanding.lock(), -1);
            // SAFETY: T-2: no thread ends a stop but this one, by hand.
            unsafe { local.state().clear_stop() };
            assert!(!local.state().stop_requested(), "it runs again");
            // SAFETY: T-1: it runs.
            unsafe { safepoint.park(&local) };
        });
    }
}
