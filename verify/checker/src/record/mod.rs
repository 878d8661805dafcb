//! What is known of the suite: `target/heaplab/certificate.json`.
//!
//! Each command adds what it found out: `models` the certificates, `weaken` and `mutants` the fates of mutants. The file is
//! about one state of the sources; what was found out about another one is dropped.

#[cfg(feature = "loom")]
mod kept;
#[cfg(feature = "loom")]
mod litmus;

use crate::build::{CHECKER, COMMIT, FINGERPRINT};
use crate::model::Certificate;
use heaplab_common::artefact::{artefact_directory, write_artefact};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The file's name among the artefacts.
pub const CERTIFICATE: &str = "certificate.json";

/// A call in the heap's sources that a model ran.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SiteRecord {
    /// Path of the file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Which of its operations.
    pub operand: String,
    /// The ordering in the source.
    pub written: String,
}

impl SiteRecord {
    /// `file:line:column`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Its name.
    pub name: String,
    /// One for each pass.
    pub certificates: Vec<Certificate>,
    /// What it ran of the heap's sources.
    pub sites: Vec<SiteRecord>,
    /// Why it is red, if it is.
    pub failure: Option<String>,
    /// Wall-clock time of all passes.
    pub seconds: f64,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
pub enum Fate {
    /// A model turned red.
    Killed {
        /// Which.
        model: String,
        /// How.
        why: String,
        /// How long it took that model.
        seconds: f64,
    },
    /// No model did, and a committed file says why.
    Explained {
        /// The reason.
        reason: String,
    },
    /// No model did.
    Survived {
        /// Models that gave up before they had seen everything.
        undecided: Vec<String>,
    },
}

/// One mutant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MutantRecord {
    /// `file:line:column,operand,change`.
    pub mutant: String,
    /// The call, by its name in the census.
    pub call: String,
    /// The operand.
    pub operand: String,
    /// The change.
    pub change: String,
    /// The ordering in the source.
    pub written: String,
    /// Models that run the site.
    pub models: usize,
    /// What became of it.
    #[serde(flatten)]
    pub fate: Fate,
    /// Wall-clock time of all tries.
    pub seconds_in_all: f64,
}

/// A program of the litmus table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LitmusRecord {
    /// Its name.
    pub name: String,
    /// The program, for people.
    pub program: String,
    /// Outcomes that the memory model allows.
    pub allowed: Vec<String>,
    /// Outcomes that each pass explores: pass, outcomes, verdict.
    pub explored: Vec<(String, Vec<String>, String)>,
}

/// Everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuiteRecord {
    /// The checker and its version.
    pub checker: String,
    /// The commit that the sources are based on.
    pub commit: String,
    /// The sources themselves.
    pub fingerprint: String,
    /// The models.
    #[serde(default)]
    pub models: Vec<ModelRecord>,
    /// The litmus table.
    #[serde(default)]
    pub litmus: Vec<LitmusRecord>,
    /// Ordering mutants.
    #[serde(default)]
    pub orderings: Vec<MutantRecord>,
    /// Protocol mutants.
    #[serde(default)]
    pub protocol: Vec<MutantRecord>,
    /// Calls with an ordering that no model runs.
    #[serde(default)]
    pub unexercised: Vec<String>,
}

impl SuiteRecord {
    /// Nothing, about these sources.
    #[must_use]
    pub fn empty() -> SuiteRecord {
        SuiteRecord {
            checker: CHECKER.to_owned(),
            commit: COMMIT.to_owned(),
            fingerprint: FINGERPRINT.to_owned(),
            models: Vec::new(),
            litmus: Vec::new(),
            orderings: Vec::new(),
            protocol: Vec::new(),
            unexercised: Vec::new(),
        }
    }

    /// The record in a file; `None` if there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or is no record of this version. Names the file.
    pub fn read(path: &Path) -> Result<Option<SuiteRecord>, String> {
        match std::fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| format!("{}: {error}", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// What the file says about these sources; nothing if it speaks of others, is damaged, or is not there.
    #[must_use]
    pub fn load() -> SuiteRecord {
        let known = SuiteRecord::read(&artefact_directory().join(CERTIFICATE)).ok().flatten();
        known.filter(|record| record.fingerprint == FINGERPRINT).unwrap_or_else(SuiteRecord::empty)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written; the error names it.
    pub fn save(&self) -> io::Result<PathBuf> {
        write_artefact(CERTIFICATE, &(serde_json::to_string_pretty(self)? + "\n"))
    }

    /// Mutants that a model killed, of both kinds.
    #[must_use]
    pub fn kills(&self, model: &str) -> usize {
        let is_kill = |one: &&MutantRecord| matches!(&one.fate, Fate::Killed { model: by, .. } if by == model);
        self.orderings.iter().chain(&self.protocol).filter(is_kill).count()
    }
}
