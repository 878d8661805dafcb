//! The runner under Shuttle: a model runs in a few hundred drawn schedules, and certifies nothing.

use super::sample::sample;
use super::{Certificate, ModelFailure, Spec};
use heaplab::sync::shuttle_config;
use shuttle::Runner;
use shuttle::scheduler::RandomScheduler;

/// The seed of the schedules, which are therefore the same in every run.
const SEED: u64 = 0x1ab;

/// Runs a model in as many random schedules as its specification says.
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
