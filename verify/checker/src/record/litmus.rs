//! What a program of the litmus table shows, for the report.

use super::{ExploredRecord, LitmusRecord};
use crate::model::Pass;
use crate::model::litmus::{Litmus, Values, verdict};
use std::collections::BTreeSet;

impl Litmus {
    /// Explores each pass, for the report.
    ///
    /// # Errors
    /// As [`explore`](Self::explore), or the outcomes are not the expected ones: the checker has changed.
    pub fn record(&self) -> Result<LitmusRecord, String> {
        let text = |outcomes: &BTreeSet<Values>| outcomes.iter().map(|values| shown(values)).collect();
        let (mut explored, mut changed) = (Vec::new(), Vec::new());
        for pass in Pass::ALL {
            let (seen, executions) = self.explore(pass)?;
            if (&seen, executions) != (&self.expected(pass), self.expected_executions(pass)) {
                changed.push(format!(
                    "litmus {}, {pass} pass: the checker explores {seen:?} in {executions} executions, and explored \
                     {:?} in {} when the table was written: its version has changed; look at \
                     verify/models/src/litmus.rs",
                    self.name,
                    self.expected(pass),
                    self.expected_executions(pass),
                ));
            }
            explored.push(ExploredRecord(pass, text(&seen), verdict(&self.allowed(), &seen)));
        }
        if !changed.is_empty() {
            return Err(changed.join("\n"));
        }
        Ok(LitmusRecord {
            name: self.name.to_owned(),
            program: self.program.to_owned(),
            allowed: text(&self.allowed()),
            explored,
        })
    }
}

/// An outcome as text.
fn shown(values: &[u32]) -> String {
    values.iter().map(u32::to_string).collect::<Vec<_>>().join(" ")
}
