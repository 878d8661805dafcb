//! The runner under Shuttle: a model runs in some hundred drawn schedules, and certifies nothing.

use super::sample::sample;
use super::{Certificate, ModelFailure, Spec};
use heaplab::sync::shuttle_config;
use shuttle::Runner;
use shuttle::scheduler::RandomScheduler;

/// The schedules are the same ones every time.
const SEED: u64 = 0x1ab;

/// Runs a model in so many schedules.
///
/// # Errors
/// Never: a failing assertion unwinds.
pub(super) fn run_passes(
    name: &str,
    spec: &Spec,
    f: impl Fn() + Send + Sync + 'static,
    _loud: bool,
) -> Result<Vec<Certificate>, ModelFailure> {
    sample(name, spec, "in random schedules", |runs| {
        let scheduler = RandomScheduler::new_from_seed(SEED, runs);
        Runner::new(scheduler, shuttle_config()).run(f);
    })
}
