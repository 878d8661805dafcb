//! The end of a turn of a loop that waits.

use std::panic::Location;

use crate::runtime::coroutine::perform;
use crate::runtime::state::Step;

/// Ends a turn of a loop that waits for another thread.
///
/// Of two turns that read the same and changed nothing, the second waits until it would read something else. A loop that
/// gives up by itself goes on if nobody else can, for as many turns as
/// [`Builder::max_turns`](crate::model::Builder::max_turns) allows.
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn yield_now() {
    let place = Location::caller();
    perform(|_| Step::Done(()), |state| state.yield_now(place));
}
