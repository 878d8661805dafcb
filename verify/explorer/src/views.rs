//! Vector clocks: sets of events that are closed under program order.
//!
//! A clock holds, for each thread, how many of its events belong to the set. Every relation that consistency asks for
//! (happens-before, program order with reads-from, what a message carries) is kept as such a set beside each event, so
//! that "is `a` before `b`" is one comparison.

use crate::id::Id;

/// How many threads an execution may have, the one that runs the model included.
pub const THREADS_MAX: usize = 8;

/// The number of events of each thread that belong to a set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Clock([u32; THREADS_MAX]);

impl Clock {
    /// The set without an event.
    pub(crate) const EMPTY: Clock = Clock([0; THREADS_MAX]);

    /// Adds the events of another set.
    #[inline]
    pub(crate) fn join(&mut self, other: &Clock) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*other);
        }
    }

    /// Whether the event belongs to the set. The initial value of a location belongs to every set.
    #[inline]
    pub(crate) fn has(&self, event: Id) -> bool {
        event.is_initial() || event.index < self.0[event.thread as usize]
    }

    /// A thread, but for `except`, of which the other set has more events.
    #[inline]
    pub(crate) fn lacks_of(&self, other: &Clock, except: usize) -> Option<usize> {
        let mut lacking = 0_u32;
        for thread in 0..THREADS_MAX {
            lacking |= u32::from(self.0[thread] < other.0[thread]) << thread;
        }
        lacking &= !(1 << except);
        (lacking != 0).then(|| lacking.trailing_zeros() as usize)
    }

    /// How many events of a thread belong to the set.
    #[inline]
    pub(crate) fn count(&self, thread: usize) -> u32 {
        self.0[thread]
    }

    /// Says how many events of a thread belong to the set.
    #[inline]
    pub(crate) fn set(&mut self, thread: usize, count: u32) {
        self.0[thread] = count;
    }
}
