//! Scenes of builds that have one: see `scene.rs`.

use super::SCHEDULED;

/// Whether a value that is made here and now is one of a checker: natively never, in the scheduled face always, since
/// its values are of no use outside of a run.
#[inline(always)]
#[must_use]
pub fn is_modelled() -> bool {
    SCHEDULED
}

/// As [`is_modelled`].
#[inline(always)]
pub(super) fn is_known_modelled() -> bool {
    SCHEDULED
}
