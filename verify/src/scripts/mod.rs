//! What the suite does with scripts: a scenario, and the inputs of the target that draws them. Which builds have
//! scripts, `build.rs` says.

#[cfg_attr(heaplab_scripts, path = "with.rs")]
#[cfg_attr(not(heaplab_scripts), path = "without.rs")]
mod these;

pub use these::DrawnScript;

use heaplab_scenarios::{SCENARIOS, Scenario};

/// All scenarios that this build can run.
pub fn scenarios() -> impl Iterator<Item = Scenario> {
    SCENARIOS.iter().chain(these::SCENARIOS).copied()
}
