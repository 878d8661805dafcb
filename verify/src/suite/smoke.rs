//! A model as a test runs it in a build without the model checker: a smoke test, in this process.

use crate::model::{self, Model};

/// Runs a model of a table.
///
/// # Panics
///
/// As [`model`](crate::model::model).
#[track_caller]
pub fn run(of: &Model, _test: &str) {
    drop(model::model(of.name, of.spec, of.body));
}
