//! The runner without a checker: a model runs a few hundred times on real threads, and certifies nothing.

use super::sample::sample;
use super::{Certificate, ModelFailure, Spec};

/// Runs a model as often as its specification says, one run after the other.
///
/// # Errors
/// Never: a failing assertion unwinds.
pub(super) fn run_passes(
    name: &str,
    spec: &Spec,
    f: impl Fn() + Send + Sync + 'static,
    _loud: bool,
) -> Result<Vec<Certificate>, ModelFailure> {
    sample(name, spec, "on real threads", |runs| {
        for _ in 0..runs {
            f();
        }
    })
}
