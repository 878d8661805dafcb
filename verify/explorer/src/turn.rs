//! The end of a turn of a loop that waits.

use crate::place::here;
use crate::runtime::coroutine::perform;

/// Ends a turn of a loop that waits for another thread.
///
/// Of two turns that read the same and changed nothing, the second waits until it would read something else. A loop
/// that gives up by itself goes on if nobody else can, for as many turns as
/// [`Builder::max_turns`](crate::model::Builder::max_turns) allows.
///
/// # Panics
///
/// Outside of an exploration.
#[track_caller]
pub fn yield_now() {
    let place = here();
    let mut has_waited = false;
    perform(|state| state.flat_turn(&mut has_waited), |state| state.yield_now(place));
}
