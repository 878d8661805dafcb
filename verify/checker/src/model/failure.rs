//! Why a model is red, and the refusal of one that cannot run at all.

use super::{Bound, Pass, Snapshot, Spec, THREADS_MAX};
use std::fmt;

/// Why a model is red.
#[derive(Clone, Debug)]
pub struct ModelFailure {
    /// The model.
    pub model: String,
    /// The pass. `None` if the model was refused before any pass.
    pub pass: Option<Pass>,
    /// The bound that the model ran at.
    pub bound: Bound,
    /// Executions run, the failing one included.
    pub executions: u64,
    /// What went wrong.
    pub message: String,
    /// Whether the model only met a limit: no execution failed, but not all were seen.
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
