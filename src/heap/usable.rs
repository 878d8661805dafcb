//! Whether a heap serves a running local heap, and how the run is told if it does not.
//!
//! A heap is *poisoned* once a stop of it has unwound: the objects may be half-way. In that stop every root was made
//! to refer to an immortal empty object, and every local heap lost its memory to allocate from; so whatever a run
//! does, it reaches a slow path before it gets memory, and reads nothing stale. Each run that was in the stop is told
//! by a panic, once, by whichever slow path is first (`poll` and the end of `park`, which have no value to refuse by,
//! panic each time); then it is refused. Nobody is told while the thread unwinds: a second panic would end the
//! process.
//!
//! In a *fork* of the heap's process there are no other threads, and locks that they held stay locked. Nothing that
//! could block is done there; reading and writing objects, and what is left of a LAB, is the child's own copy.

use super::{RawLocalHeap, StopError};
use crate::words::AllocError;

impl RawLocalHeap {
    /// Whether the heap serves this local heap: on slow paths, after whatever may have waited for a stop to end.
    ///
    /// # Errors
    /// The heap is poisoned, or this process is a fork of the heap's.
    ///
    /// # Panics
    /// As [`tell_poison`](Self::tell_poison).
    ///
    /// # Safety
    ///
    pub(super) unsafe fn usable(self) -> Result<(), AllocError> {
        if self.inner().safepoint.is_forked() {
            return Err(AllocError::Forked);
        }
        // SAFETY: R-1, by the contract.
        if unsafe { self.with_data(|data| data.poisoned) } {
            // SAFETY: R-1, by the contract.
            unsafe { self.tell_poison() };
            return Err(AllocError::Poisoned);
        }
        Ok(())
    }

    /// Tells the run, once, that the heap is poisoned, so that the objects of the run are gone.
    ///
    /// # Panics
    /// The first time, unless the thread unwinds already.
    ///
    /// # Safety
    ///
    #[cold]
    pub(super) unsafe fn tell_poison(self) {
        // SAFETY: R-1, by the contract.
        if !unsafe { self.with_data(|data| core::mem::replace(&mut data.told, true)) } {
            self.unwind_poisoned();
        }
    }

    /// # Panics
    /// Unless the thread unwinds already.
    #[cold]
    #[inline(never)]
    fn unwind_poisoned(self) {
        if !crate::sync::thread::panicking() {
            panic!(
                "{}",
                self.inner().poison_message().unwrap_or_else(|| "an earlier stop of this heap unwound".into())
            );
        }
    }

    /// What a stop that this local heap began came to; the run is told if the heap is poisoned.
    ///
    /// # Errors
    /// The stop's.
    ///
    /// # Safety
    ///
    pub(super) unsafe fn told<R>(self, result: Result<R, StopError>) -> Result<R, StopError> {
        if matches!(result, Err(StopError::Poisoned)) {
            // SAFETY: R-1, by the contract.
            unsafe { self.tell_poison() };
        }
        result
    }

    /// A poll or the end of a park has found the heap poisoned: tells the run each time, since there is no value to
    /// refuse by.
    ///
    /// # Safety
    ///
    #[cold]
    pub(super) unsafe fn poisoned_while_waiting(self) {
        // SAFETY: R-1, by the contract.
        unsafe { self.with_data(|data| data.told = true) };
        self.unwind_poisoned();
    }
}
