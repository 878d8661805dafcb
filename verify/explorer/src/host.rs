//! What a facade over the explorer asks while an execution runs. The answers are no operations of the model.

use std::panic::Location;

use crate::runtime::coroutine::try_state;
use crate::runtime::state::{Phase, State};

/// Whether an exploration runs on this thread of the host.
#[must_use]
#[inline]
pub fn is_exploring() -> bool {
    crate::runtime::coroutine::is_running()
}

/// Whether the present execution was given up: it failed, or it waits for what another execution does.
///
/// What its threads do from then on, while they unwind, is no part of it, and is not to be counted or noted.
#[must_use]
#[inline]
pub fn is_given_up() -> bool {
    try_state(|state| state.phase == Phase::Abandoned).unwrap_or(false)
}

/// The number of the thread of the model that runs, as [`ThreadId::index`](crate::thread::ThreadId::index) has it; 0
/// outside of an exploration.
#[must_use]
#[inline]
pub fn thread_index() -> usize {
    try_state(|state| state.current).unwrap_or(0)
}

/// The number of the thread of the model that runs, if what it does is part of the execution: which is not
/// [given up](is_given_up), and the thread does not panic.
#[must_use]
#[inline]
pub fn acting_thread() -> Option<usize> {
    let acts = |state: &mut State| state.phase != Phase::Abandoned && !state.is_panicking();
    try_state(|state| acts(state).then_some(state.current)).unwrap_or_else(|| (!std::thread::panicking()).then_some(0))
}

/// Lets the next operation count as called from `place`: where the facade's own caller is.
#[inline]
pub fn at(place: &'static Location<'static>) {
    crate::place::set_next(place);
}
