//! What each model came to on these sources, a file for each: `target/heaplab/models/NAME.json`.
//!
//! A model that is complete is kept by whoever explored it, a test or the binary. `models --resume` explores only the
//! models without such a record: those that an interrupted run did not reach. After a green `cargo test --features
//! loom` every model has a record. A record of other sources, by another checker or of a red model counts as missing.

use super::ModelRecord;
use crate::build::{CHECKER, FINGERPRINT};
use heaplab_common::artefact::{artefact_directory, write_artefact};
use serde::{Deserialize, Serialize};
use std::io;

/// The directory, among the artefacts.
const DIRECTORY: &str = "models";

#[derive(Serialize, Deserialize)]
struct Kept {
    fingerprint: String,
    checker: String,
    model: ModelRecord,
}

fn file(model: &str) -> String {
    format!("{DIRECTORY}/{}.json", model.replace("::", ".").replace(' ', ".").replace('/', "-of-"))
}

impl ModelRecord {
    /// Keeps the record of a model that is complete. The record of a red model is not kept.
    ///
    /// # Errors
    /// The file cannot be written; the error names it.
    pub fn keep(&self) -> io::Result<()> {
        if self.failure.is_some() {
            return Ok(());
        }
        let kept = Kept { fingerprint: FINGERPRINT.to_owned(), checker: CHECKER.to_owned(), model: self.clone() };
        write_artefact(&file(&self.name), &serde_json::to_string(&kept)?).map(drop)
    }

    /// The record that was kept of a model on these sources, if there is one.
    #[must_use]
    pub fn kept(model: &str) -> Option<ModelRecord> {
        let text = std::fs::read(artefact_directory().join(file(model))).ok()?;
        let kept: Kept = serde_json::from_slice(&text).ok()?;
        let is_this = kept.fingerprint == FINGERPRINT && kept.checker == CHECKER && kept.model.name == model;
        (is_this && kept.model.failure.is_none()).then_some(kept.model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, failure: Option<&str>) -> ModelRecord {
        let failure = failure.map(ToOwned::to_owned);
        ModelRecord { name: name.to_owned(), certificates: Vec::new(), sites: Vec::new(), failure, seconds: 0.5 }
    }

    fn is_kept(name: &str) -> bool {
        ModelRecord::kept(name).is_some_and(|record| record.name == name)
    }

    #[test]
    fn complete_models_are_kept_and_red_ones_are_not() {
        record("kept::green", None).keep().unwrap();
        record("kept::red", Some("it failed")).keep().unwrap();
        assert!(is_kept("kept::green") && !is_kept("kept::red") && !is_kept("kept::none"));
    }

    #[test]
    fn what_speaks_of_other_sources_or_is_damaged_is_not_there() {
        let change = |name: &str, from: &str, to: &str| {
            record(name, None).keep().unwrap();
            assert!(is_kept(name));
            let path = artefact_directory().join(file(name));
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{text}");
            std::fs::write(&path, text.replace(from, to)).unwrap();
            is_kept(name)
        };
        assert!(!change("kept::sources", FINGERPRINT, "0123"));
        assert!(!change("kept::checker", CHECKER, "loom 0.0"));
        assert!(!change("kept::damaged", "{", "["));
        assert!(!change("kept::name", "kept::name", "kept::other"));
    }
}
