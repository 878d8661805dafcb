//! The runner: turns a closure and a [`Spec`] into certificates, or into a failure that names model, pass and bound.
//!
//! How a model runs is the build's matter: `explore` under the model checker, `drawn` under Shuttle, `native` without
//! either. What this file adds is the same for all three.

use super::failure::check;
use super::how::run_passes;
use super::{Certificate, ModelFailure, Spec};

/// Runs a model: explored in each of its passes under the model checker, else sampled, in random schedules or on real
/// threads.
///
/// Blocks until the model is done. Returns a certificate for each pass; without the model checker there are no
/// certificates.
///
/// # Panics
///
/// When the model is red; the message names model, pass, bound, executions and the failure inside. What the failing
/// execution did has been printed and drawn before.
#[track_caller]
pub fn model(name: &str, spec: Spec, f: impl Fn() + Send + Sync + 'static) -> Vec<Certificate> {
    match check(name, &spec).and_then(|()| run_passes(name, &spec, f, true)) {
        Ok(certificates) => certificates,
        Err(failure) => panic!("{failure}"),
    }
}

/// As [`model`], with failure as a value. For tests of the suite, which need models to fail.
///
/// Without the model checker a failing assertion still unwinds.
///
/// # Errors
///
/// Why the model is red. Certificates of passes that were green before the red one are printed and appended all the
/// same.
pub fn try_model(
    name: &str,
    spec: Spec,
    f: impl Fn() + Send + Sync + 'static,
) -> Result<Vec<Certificate>, ModelFailure> {
    check(name, &spec)?;
    run_passes(name, &spec, f, false)
}
