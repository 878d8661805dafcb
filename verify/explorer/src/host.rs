//! What a facade over the explorer asks while an execution runs. The answers are no operations of the model.

use crate::runtime::coroutine::try_state;
use crate::runtime::state::Phase;

/// Whether an exploration runs on this thread of the host.
#[must_use]
pub fn is_exploring() -> bool {
    crate::runtime::coroutine::is_running()
}

/// Whether the present execution was given up: it failed, or it waits for what another execution does.
///
/// What its threads do from then on, while they unwind, is no part of it, and is not to be counted or noted.
#[must_use]
pub fn is_given_up() -> bool {
    try_state(|state| state.phase == Phase::Abandoned).unwrap_or(false)
}
