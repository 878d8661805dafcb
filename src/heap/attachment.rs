//! A thread's attachment to a heap.

use super::running::RunGuard;
use super::{LocalHeap, RunError, Scope};
use core::fmt;
use core::marker::PhantomData;

/// A local heap, parked. [`run`](Self::run) makes it run for the time of a closure.
///
/// Dropping it detaches the local heap, and may wait for a stop to end. Forgetting it leaks a parked record, for
/// which no stop waits, with its place among `threads_max` and its reference to the heap.
pub struct Attachment {
    heap: LocalHeap,
    /// Not `Send`: simple to reason about, and a thread can always attach anew.
    _not_send: PhantomData<*mut ()>,
}

impl Attachment {
    pub(super) fn new(heap: LocalHeap) -> Attachment {
        Attachment { heap, _not_send: PhantomData }
    }

    /// Runs `f` with this local heap running. Waits for a stop to end; parks again when `f` returns or unwinds.
    ///
    /// # Errors
    /// The thread already runs a local heap, of this or another heap, this heap is poisoned, or this process is a
    /// fork of the heap's.
    ///
    /// # Panics
    /// Passes on a panic of `f`. If a stop of this heap unwinds meanwhile, in whatever thread, the run is told by a
    /// panic wherever it waits for stops to end: in `poll`, at the end of `park`, in what allocates or collects. Each
    /// handle of the run refers to an empty object from then on. Later such calls are refused with an error value;
    /// `poll` and `park`, which return no error, panic again.
    pub fn run<R>(&mut self, f: impl for<'s> FnOnce(&mut Scope<'s, 'static>) -> R) -> Result<R, RunError> {
        let guard = RunGuard::enter(&mut self.heap)?;
        // SAFETY: H-1 by the marker; the local heap outlives the closure, and runs for its time.
        Ok(f(&mut unsafe { Scope::new(guard.raw()) }))
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").finish_non_exhaustive()
    }
}

// Between its runs an attachment is parked, and whole.
impl core::panic::UnwindSafe for Attachment {}
impl core::panic::RefUnwindSafe for Attachment {}
