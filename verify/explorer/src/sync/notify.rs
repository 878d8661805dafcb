//! A notification that waits to be taken.

use std::fmt;
use std::sync::atomic::Ordering;

use super::atomic::Atomic;
use crate::event::Op;
use crate::handle::Handle;
use crate::place::here;

/// A token that one thread leaves and another one takes, as loom's type of this name.
pub struct Notify {
    token: Atomic<u64>,
}

impl Notify {
    /// No token.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new() -> Notify {
        Notify { token: Atomic::of(Handle::new(0)) }
    }

    /// Leaves the token. What came before is ordered before the end of the wait that takes it.
    #[track_caller]
    pub fn notify(&self) {
        self.token.rmw(Op::Swap(1), Ordering::AcqRel, here());
    }

    /// Waits for the token and takes it.
    #[track_caller]
    pub fn wait(&self) {
        self.token.attempt(Op::Take, Ordering::AcqRel, Ordering::Relaxed, here());
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Notify {
        Notify::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").field("location", &self.token.location()).finish()
    }
}
