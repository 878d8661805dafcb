//! A sample of a model's executions, in builds without the model checker: a smoke test, which certifies nothing.

use super::{Certificate, ModelFailure, Spec};
use std::time::Instant;

/// Lets `run` make as many executions as the specification says, and prints that they were made, and `how`.
///
/// # Errors
/// Never: a failing assertion unwinds.
#[expect(clippy::unnecessary_wraps, reason = "the explored form can fail")]
pub(super) fn sample(
    name: &str,
    spec: &Spec,
    how: &str,
    run: impl FnOnce(usize),
) -> Result<Vec<Certificate>, ModelFailure> {
    let start = Instant::now();
    run(spec.smoke_runs);
    println!("model {name}: {} runs {how}, {:.2} s, certifies nothing", spec.smoke_runs, start.elapsed().as_secs_f64());
    Ok(Vec::new())
}
