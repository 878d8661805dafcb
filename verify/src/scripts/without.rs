//! A build that has no scripts.

use heaplab_scenarios::Scenario;
use std::fmt;

/// The scenarios that run scripts.
pub(super) const SCENARIOS: &[Scenario] = &[];

/// A script that the target `script_ops` has drawn: there is none.
#[derive(Clone, Copy, Debug)]
pub enum DrawnScript {}

impl DrawnScript {
    /// What these bytes are for the target.
    ///
    /// # Errors
    /// This build cannot run them; the text says which one can.
    pub fn decode(_bytes: &[u8]) -> Result<DrawnScript, String> {
        Err("an input of script_ops, and this build has no scripts: build with the feature `script`, a default one"
            .to_owned())
    }

    /// Runs the script on three heaps.
    pub fn check(&self) {
        match *self {}
    }
}

impl fmt::Display for DrawnScript {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}
