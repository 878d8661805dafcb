//! What is known of the suite: `target/heaplab/certificate.json`.
//!
//! Each command adds what it found out: `models` the certificates, `weaken` and `mutants` the fates of mutants. The
//! file is about one state of the sources, and what was found out about another state is dropped.

#[cfg(feature = "loom")]
mod kept;
#[cfg(feature = "loom")]
mod litmus;

use crate::as_text;
use crate::build::{CHECKER, COMMIT, FINGERPRINT};
use crate::model::{Certificate, LitmusVerdict, Pass};
use heaplab::sync::Ordering;
use heaplab::sync::terms::{Change, Operand};
use heaplab_common::artefact::{artefact_directory, write_artefact};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::{cmp, io};

/// The file's name among the artefacts.
pub const CERTIFICATE: &str = "certificate.json";

/// A call in the heap's sources that a model ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SiteRecord {
    /// Path of the file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// Which of the call's operations.
    #[serde(with = "as_text")]
    pub operand: Operand,
    /// The ordering in the source.
    #[serde(with = "as_text::ordering")]
    pub written: Ordering,
}

impl SiteRecord {
    /// `file:line:column`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }

    /// What sites are sorted by: place, then operand and ordering by their texts.
    fn key(&self) -> (&str, u32, u32, &str, String) {
        (&self.file, self.line, self.column, self.operand.name(), format!("{:?}", self.written))
    }
}

impl Ord for SiteRecord {
    fn cmp(&self, other: &SiteRecord) -> cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for SiteRecord {
    fn partial_cmp(&self, other: &SiteRecord) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
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
pub enum MutantFate {
    /// A model turned red.
    Killed {
        /// The model.
        model: String,
        /// The first failure that it reported.
        why: String,
        /// Wall-clock time of that model's run.
        seconds: f64,
    },
    /// No model turned red, and a committed file says why.
    Explained {
        /// The reason.
        reason: String,
    },
    /// No model turned red.
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
    #[serde(with = "as_text")]
    pub operand: Operand,
    /// The change.
    #[serde(with = "as_text")]
    pub change: Change,
    /// The ordering in the source.
    #[serde(with = "as_text::ordering")]
    pub written: Ordering,
    /// Models that run the site.
    pub models: usize,
    /// What became of it.
    #[serde(flatten)]
    pub fate: MutantFate,
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
    /// What each pass explores.
    pub explored: Vec<ExploredRecord>,
}

/// What a pass explores of a program of the litmus table: the pass, the outcomes, and the verdict on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExploredRecord(
    #[serde(with = "as_text")] pub Pass,
    pub Vec<String>,
    #[serde(with = "as_text")] pub LitmusVerdict,
);

/// Everything that is known of the suite.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuiteRecord {
    /// The checker and its version.
    pub checker: String,
    /// The commit that the sources are based on.
    pub commit: String,
    /// The fingerprint of the sources.
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
    /// A record of these sources that says nothing yet.
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
    /// The file cannot be read, or is no record of this version; the error names the file.
    pub fn read(path: &Path) -> Result<Option<SuiteRecord>, String> {
        match std::fs::read(path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| format!("{}: {error}", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    /// What the file says about these sources. The record is empty if the file speaks of other sources, is damaged,
    /// or is missing.
    #[must_use]
    pub fn load() -> SuiteRecord {
        let known = SuiteRecord::read(&artefact_directory().join(CERTIFICATE)).ok().flatten();
        known.filter(|record| record.fingerprint == FINGERPRINT).unwrap_or_else(SuiteRecord::empty)
    }

    /// Writes the file and returns its path.
    ///
    /// # Errors
    /// The file cannot be written. The error names it.
    pub fn save(&self) -> io::Result<PathBuf> {
        write_artefact(CERTIFICATE, &(serde_json::to_string_pretty(self)? + "\n"))
    }

    /// Mutants that a model killed, of both kinds.
    #[must_use]
    pub fn kills(&self, model: &str) -> usize {
        let is_kill = |one: &&MutantRecord| matches!(&one.fate, MutantFate::Killed { model: by, .. } if by == model);
        self.orderings.iter().chain(&self.protocol).filter(is_kill).count()
    }
}
