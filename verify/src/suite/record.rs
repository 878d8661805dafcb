//! What is known of the suite: `target/heaplab/certificate.json`.
//!
//! Each command adds what it found out: `models` the certificates, `weaken` and `mutants` the fates of mutants. The file is
//! about one state of the sources; what was found out about another one is dropped.

use crate::model::token::{CHECKER, COMMIT, FINGERPRINT};
use crate::model::{Certificate, artefact_path};
use heaplab::sync::Ordering;
use heaplab::sync::model_control::{Operand, Site, SiteUse};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;

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

impl From<&SiteUse> for SiteRecord {
    fn from(site: &SiteUse) -> SiteRecord {
        SiteRecord {
            file: site.site.file.to_owned(),
            line: site.site.line,
            column: site.site.column,
            operand: site.operand.name().to_owned(),
            written: format!("{:?}", site.written),
        }
    }
}

impl SiteRecord {
    /// As the checker's register has it.
    ///
    /// # Panics
    /// If it was not made from one.
    #[must_use]
    pub fn site_use(&self) -> SiteUse {
        // A campaign has a few hundred sites, and lives as long as its process.
        let file = Box::leak(self.file.clone().into_boxed_str());
        let operand = Operand::ALL.into_iter().find(|operand| operand.name() == self.operand);
        let written = [Ordering::Relaxed, Ordering::Acquire, Ordering::Release, Ordering::AcqRel, Ordering::SeqCst]
            .into_iter()
            .find(|ordering| format!("{ordering:?}") == self.written);
        SiteUse {
            site: Site { file, line: self.line, column: self.column },
            operand: operand.expect("a known operand"),
            written: written.expect("a known ordering"),
            count: 0,
        }
    }

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
    /// Where it is written.
    #[must_use]
    pub fn path() -> PathBuf {
        artefact_path("certificate.json")
    }

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

    /// What the file says about these sources; nothing if it speaks of others, or there is none.
    #[must_use]
    pub fn load() -> SuiteRecord {
        let text = std::fs::read_to_string(SuiteRecord::path()).unwrap_or_default();
        let known = serde_json::from_str(&text).ok();
        known.filter(|record: &SuiteRecord| record.fingerprint == FINGERPRINT).unwrap_or_else(SuiteRecord::empty)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self) -> io::Result<PathBuf> {
        let path = SuiteRecord::path();
        std::fs::create_dir_all(path.parent().expect("the path has a directory"))?;
        std::fs::write(&path, serde_json::to_string_pretty(self)? + "\n")?;
        Ok(path)
    }

    /// Mutants that a model killed, of both kinds.
    #[must_use]
    pub fn kills(&self, model: &str) -> usize {
        let is_kill = |one: &&MutantRecord| matches!(&one.fate, Fate::Killed { model: by, .. } if by == model);
        self.orderings.iter().chain(&self.protocol).filter(is_kill).count()
    }
}
