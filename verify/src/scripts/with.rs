//! A build that has scripts.

use arbitrary::{Arbitrary as _, Unstructured};
use heaplab_scenarios::Scenario;
use heaplab_script::generate::{Script, check};
use std::fmt;

/// The scenarios that run scripts.
pub(super) const SCENARIOS: &[Scenario] = &[heaplab_script::STRESS_JS];

/// A script that the target `script_ops` has drawn.
#[derive(Clone, Debug)]
pub struct DrawnScript(Script);

impl DrawnScript {
    /// What these bytes are for the target; where they end, zeroes follow.
    ///
    /// # Errors
    /// None: any bytes are a script.
    pub fn decode(bytes: &[u8]) -> Result<DrawnScript, String> {
        let script = Script::arbitrary_take_rest(Unstructured::new(bytes));
        Ok(DrawnScript(script.unwrap_or_else(|_| Script(String::new()))))
    }

    /// Runs the script on three heaps.
    ///
    /// # Panics
    /// The script does not do the same on all three.
    pub fn check(&self) {
        check(&self.0);
    }
}

impl fmt::Display for DrawnScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.0)
    }
}
