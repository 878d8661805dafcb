//! The runner: turns a closure and a [`Spec`] into certificates, or into a failure that says where it stands.
//!
//! How a model runs is the build's matter: `explore` under the model checker, `drawn` under Shuttle, `native` without
//! either. What this file adds is the same for all three.

use super::how::{Snapshot, run_passes};
use super::{Bound, Certificate, Pass, Spec, THREADS_MAX};
use std::fmt;

/// Why a model is red.
#[derive(Clone, Debug)]
pub struct ModelFailure {
    /// The model.
    pub model: String,
    /// The pass, if it came to one.
    pub pass: Option<Pass>,
    /// The bound it ran at.
    pub bound: Bound,
    /// Executions run, the failing one included.
    pub executions: u64,
    /// What went wrong.
    pub message: String,
    /// Whether it only met a limit: no execution failed, but not all were seen.
    pub truncated: bool,
    /// The execution that failed, if one did and the model checker saw it.
    pub snapshot: Option<Box<Snapshot>>,
}

impl fmt::Display for ModelFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pass {
            None => write!(f, "model {} cannot run: {}", self.model, self.message),
            Some(pass) => write!(
                f,
                "model {} fails in the {pass} pass ({}) after {} executions: {}",
                self.model, self.bound, self.executions, self.message,
            ),
        }
    }
}

impl std::error::Error for ModelFailure {}

/// Runs a model: explored in each of its passes under the model checker, else repeated on real threads.
///
/// Blocks until the model is done. Returns a certificate for each pass; without the model checker there are no certificates.
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

/// As [`model`], with failure as a value. For the tests of the tests, which need models to fail.
///
/// Without the model checker a failing assertion still unwinds: a repeated program is not contained.
///
/// # Errors
///
/// Why the model is red. Certificates of passes that were green before it are printed and recorded all the same.
pub fn try_model(
    name: &str,
    spec: Spec,
    f: impl Fn() + Send + Sync + 'static,
) -> Result<Vec<Certificate>, ModelFailure> {
    check(name, &spec)?;
    run_passes(name, &spec, f, false)
}

/// Refuses a model that cannot run at all.
pub(super) fn check(name: &str, spec: &Spec) -> Result<(), ModelFailure> {
    if (1..=THREADS_MAX).contains(&spec.threads) {
        return Ok(());
    }
    Err(ModelFailure {
        model: name.to_owned(),
        pass: None,
        bound: spec.bound,
        executions: 0,
        message: format!("it declares {} threads; a model has 1 to {THREADS_MAX}, its first included", spec.threads),
        truncated: false,
        snapshot: None,
    })
}
