//! A thread's attachment to a heap.

use super::{LocalHeap, RunError, Scope};
use crate::sync::run_marker;
use crate::thread::HandleMark;
use core::fmt;
use core::marker::PhantomData;

/// A local heap, parked. [`run`](Self::run) makes it run for the time of a closure.
///
/// Dropping it detaches the local heap; forgetting it leaks one parked record, for which no stop waits.
pub struct Attachment {
    heap: LocalHeap,
    /// Not `Send`: simple to reason about, and a thread can always attach anew.
    _not_send: PhantomData<*mut ()>,
}

/// Ends a run: drops its handles, parks, and unmarks the thread. Also on unwind.
struct RunGuard<'a> {
    heap: &'a mut LocalHeap,
    mark: HandleMark,
}

impl Drop for RunGuard<'_> {
    fn drop(&mut self) {
        // SAFETY: R-1: the local heap runs on this thread; its handles died with the scope.
        unsafe {
            self.heap.reset_handles(self.mark);
            self.heap.park();
        }
        run_marker::leave();
    }
}

impl Attachment {
    pub(super) fn new(heap: LocalHeap) -> Attachment {
        Attachment { heap, _not_send: PhantomData }
    }

    /// Runs `f` with this local heap running. Waits for a stop to end; parks again when `f` returns or unwinds.
    ///
    /// # Errors
    /// The thread already runs a local heap, of this or another heap, or this heap is poisoned.
    pub fn run<R>(&mut self, f: impl for<'s> FnOnce(&mut Scope<'s, 'static>) -> R) -> Result<R, RunError> {
        if !run_marker::try_enter() {
            return Err(RunError::AlreadyRunning);
        }
        // SAFETY: R-1: this thread has the local heap, and by the marker runs no other.
        let guard = unsafe {
            self.heap.unpark();
            let mark = self.heap.handle_mark();
            RunGuard { heap: &mut self.heap, mark }
        };
        // SAFETY: R-1: running; the borrow ends here.
        if unsafe { guard.heap.data() }.poisoned {
            return Err(RunError::Poisoned);
        }
        // SAFETY: H-1 by the marker; the local heap outlives the closure, and runs for its time.
        Ok(f(&mut unsafe { Scope::new(guard.heap.raw()) }))
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").finish_non_exhaustive()
    }
}
