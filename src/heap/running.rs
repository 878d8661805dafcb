//! The two guards between running and parked: whatever unwinds, state word, run marker and handle stack are restored.
//!
//! ```text
//! outside --RunGuard::enter--> running --ParkGuard::park--> parked, inside a run
//!         <------drop--------          <------drop-------
//! ```
//!
//! Every thread of a heap goes through them, the heap's own included. Nothing else in the safe API unparks or parks.

use super::{LocalHeap, Persistent, RawLocalHeap, RootSet, RunError};
use crate::sync::run_marker::{self, RunToken, Suspended};
use crate::thread::HandleMark;
use core::marker::PhantomData;
use core::panic::{RefUnwindSafe, UnwindSafe};

/// A local heap that runs on this thread. Dropping it forgets the handles that were made meanwhile, parks the local
/// heap, and unmarks the thread.
pub(super) struct RunGuard<'a> {
    heap: RawLocalHeap,
    mark: HandleMark,
    /// Dropped after the guard's own work: the thread is marked while the local heap runs.
    _token: RunToken,
    _heap: PhantomData<&'a mut LocalHeap>,
}

impl<'a> RunGuard<'a> {
    /// Makes a parked local heap run. Waits for a stop to end.
    ///
    /// # Errors
    /// The thread runs a local heap already, the heap is poisoned, or this process is a fork of the heap's.
    #[inline(always)]
    pub(super) fn enter(heap: &'a mut LocalHeap) -> Result<RunGuard<'a>, RunError> {
        let heap = heap.raw();
        if heap.inner().safepoint.is_forked() {
            return Err(RunError::Forked);
        }
        let Some(token) = run_marker::try_enter() else { return Err(RunError::AlreadyRunning) };
        // Not by `RawLocalHeap::unpark`, which unwinds if the heap is poisoned: here an error says so.
        // SAFETY: R-1: this thread has the local heap, by the borrow, and by the marker runs no other.
        let poisoned = unsafe { heap.inner().safepoint.unpark(heap.local()) };
        // SAFETY: R-1: this thread has the local heap, by the borrow, and by the marker runs no other.
        let mark = unsafe { heap.handle_mark() };
        let guard = RunGuard { heap, mark, _token: token, _heap: PhantomData };
        if poisoned { Err(RunError::Poisoned) } else { Ok(guard) }
    }

    /// The local heap, running while this guard exists.
    #[inline(always)]
    pub(super) fn raw(&self) -> RawLocalHeap {
        self.heap
    }
}

impl Drop for RunGuard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: R-1: the local heap runs on this thread; what made handles since is over.
        unsafe {
            self.heap.reset_handles(self.mark);
            self.heap.park();
        }
    }
}

/// A local heap that is parked inside its run. Dropping it makes the local heap run again, and waits for a stop to
/// end. If the heap is poisoned by then, the drop unwinds, unless the thread does already.
pub(super) struct ParkGuard {
    heap: RawLocalHeap,
    suspended: Option<Suspended>,
}

impl ParkGuard {
    /// Parks a running local heap.
    ///
    /// # Safety
    /// R-1, R-2: `heap` runs on this thread, by a [`RunGuard`] that outlives this, and is not touched until this is
    /// dropped.
    #[inline(always)]
    pub(super) unsafe fn park(heap: RawLocalHeap) -> ParkGuard {
        // SAFETY: R-1, R-2, the token of the run guard is kept.
        unsafe {
            heap.park();
            ParkGuard { heap, suspended: Some(run_marker::suspend()) }
        }
    }
}

impl Drop for ParkGuard {
    #[inline(always)]
    fn drop(&mut self) {
        drop(self.suspended.take());
        // SAFETY: R-1: parked by `park`, on this thread, which is marked again.
        unsafe { self.heap.unpark() };
    }
}

// Unwinding leaves no half-way state to see. The embedder's own code runs with no lock held, and between guards that
// restore state word, marker and handle stack; a stop that unwinds poisons the heap, which refuses everything from
// then on. What an embedder's closure has half done to *objects* is the embedder's, as it is for atomics.
impl UnwindSafe for LocalHeap {}
impl RefUnwindSafe for LocalHeap {}
// Words that change by atomic operations, whole.
impl<T> UnwindSafe for Persistent<T> {}
impl<T> RefUnwindSafe for Persistent<T> {}
impl UnwindSafe for RootSet {}
impl RefUnwindSafe for RootSet {}
