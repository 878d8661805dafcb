//! Hints.

use crate::place::here;
use crate::runtime::coroutine::perform;
use crate::runtime::state::Pending;

/// Ends a turn of a loop that waits for another thread: as [`thread::yield_now`](crate::thread::yield_now).
#[track_caller]
pub fn spin_loop() {
    crate::thread::yield_now();
}

/// Ends a turn of a loop that waits until something that it read changes, and that changed nothing itself.
///
/// The thread does not go on: the executions in which it reads something else are explored instead of it. That costs
/// nothing and needs no bound, but it is right for such loops only. If what the turn read is the newest there is and
/// nobody else goes on, it is a deadlock.
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn spin_wait() {
    let place = here();
    let mut changes = None;
    perform(|state| state.flat_spin(&mut changes), |state| state.block(Pending::Spin, place));
}

/// Fails the execution: the place was thought to be out of reach.
///
/// # Safety
///
/// None in a model. It is unsafe as in the standard library, where reaching it is undefined behaviour.
///
/// # Panics
///
/// Always.
#[track_caller]
pub unsafe fn unreachable_unchecked() -> ! {
    panic!("unreachable_unchecked was reached");
}
