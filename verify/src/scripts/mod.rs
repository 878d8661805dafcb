//! What the suite does with scripts: a scenario, and the inputs of the target that draws them. A build for a checker
//! has no scripts, as its heaps exist inside of the checker only; nor has a build without the feature `script`.

#[cfg_attr(all(feature = "script", not(any(feature = "loom", feature = "shuttle"))), path = "with.rs")]
#[cfg_attr(not(all(feature = "script", not(any(feature = "loom", feature = "shuttle")))), path = "without.rs")]
mod these;

pub use these::DrawnScript;

use heaplab_scenarios::{SCENARIOS, Scenario};

/// All scenarios that this build can run.
pub fn scenarios() -> impl Iterator<Item = Scenario> {
    SCENARIOS.iter().chain(these::SCENARIOS).copied()
}
