//! Condition variables.
//!
//! The waiters are the bits of a word that RMWs change, a bit a thread. A wait puts its bit there under the mutex,
//! gives the mutex back, ends at the first change that has its bit clear, and takes the mutex again. One that ends by
//! itself is never among the waiters: where a notification meets it, it is an ordinary one. So a wake-up that is lost
//! is a deadlock. Whom `notify_one` wakes is a choice among those who wait, in one step with the change.

use std::fmt;
use std::panic::Location;
use std::sync::LockResult;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::atomic::Atomic;
use super::mutex::MutexGuard;
use crate::choice::Budget;
use crate::event::{Event, Kind, Op};
use crate::handle::Handle;
use crate::mutant::Mutant;
use crate::place::here;
use crate::runtime::coroutine::{perform, with_state};
use crate::runtime::state::{State, Step};

type Place = &'static Location<'static>;

/// How a wait with a timeout ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

/// A condition variable, as `std::sync::Condvar`.
///
/// Wake-ups without a notification are explored within the budget
/// [`Builder::spurious_wakeups`](crate::model::Builder::spurious_wakeups).
pub struct Condvar {
    waiters: Atomic<u64>,
}

impl Condvar {
    /// A condition variable.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new() -> Condvar {
        Condvar { waiters: Atomic::of(Handle::new(0)) }
    }

    /// Gives the mutex back, waits for a notification, and takes the mutex again.
    ///
    /// # Errors
    ///
    /// A thread panicked with the mutex; the error has the guard.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_at(guard, 2, here()).0
    }

    /// Waits until the condition does not hold.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut *guard) {
            guard = self.wait_at(guard, 2, here()).0?;
        }
        Ok(guard)
    }

    /// As [`Condvar::wait`]. Time does not pass in a model: where the budget
    /// [`Builder::spurious_wakeups`](crate::model::Builder::spurious_wakeups) lets the wait end by itself, that the
    /// time is over is explored, and that it is not.
    ///
    /// # Errors
    ///
    /// As [`Condvar::wait`].
    #[track_caller]
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        _time: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (result, end) = self.wait_at(guard, 3, here());
        let with_result = |guard| (guard, WaitTimeoutResult(end == 2));
        match result {
            Ok(guard) => Ok(with_result(guard)),
            Err(poisoned) => Err(std::sync::PoisonError::new(with_result(poisoned.into_inner()))),
        }
    }

    /// Waits. Also how the wait ended, as one of `ends` numbers: 0 by a notification, others by itself.
    fn wait_at<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        ends: u32,
        place: Place,
    ) -> (LockResult<MutexGuard<'a, T>>, u32) {
        let mutex = guard.mutex();
        let thread = with_state(|state| state.current);
        if with_state(|state| state.builder.spurious_wakeups != 0) {
            let flat = |state: &mut State| Step::Done(u32::from(!state.is_finishing()));
            let end = perform(flat, |state| state.choose(ends, Budget::Wakeups, place));
            if end != 0 {
                // A notification that met this thread is the wake-up that is none of its own; so it waits for none.
                guard.unlock(place);
                return (mutex.lock_at(place), end);
            }
        }
        let mut entry = Event::new(Kind::RmwRead, self.waiters.location(), Ordering::Relaxed, place);
        entry.op = Op::Or(1 << thread);
        self.waiters.read(&mut entry);
        // A thread that began on flat memory has no events, and nobody asks for the index there.
        let index = with_state(|state| state.performed[thread].saturating_sub(1));
        guard.unlock(place);
        let location = self.waiters.location();
        perform(
            |state| {
                let waits = state.is_finishing()
                    && state.flat_value(location) >> thread & 1 == 1
                    && !state.lacks(Mutant::FinishingWakes);
                if waits { Step::Wait } else { Step::Done(()) }
            },
            |state| state.wake(location, index, place),
        );
        (mutex.lock_at(place), 0)
    }

    /// Wakes one of the threads that wait: each choice is explored.
    #[track_caller]
    pub fn notify_one(&self) {
        self.waiters.rmw(Op::ClearOne, Ordering::Relaxed, here());
    }

    /// Wakes all threads that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        self.waiters.rmw(Op::Swap(0), Ordering::Relaxed, here());
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").field("location", &self.waiters.location()).finish()
    }
}
