//! A model as a test runs it in a build without the model checker: a smoke test, in this process.

use crate::model::{self, Certificate, Model};

/// Runs a model of a table; without the model checker there is no certificate.
///
/// # Panics
///
/// As [`model`](crate::model::model).
#[track_caller]
pub fn run(of: &Model, _test: &str) -> Vec<Certificate> {
    model::model(of.name, of.spec, of.body)
}
