//! What a scenario reports. What is wrong is a line of the report, not a panic.

use super::{HeapPicture, Moment};
use heaplab::{CollectionKind, Statistics, Survey};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether other threads allocate during a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Concurrent allocation is off: there is one local heap, and a second one is refused.
    Off,
    /// Rivals allocate all the time.
    On {
        /// How many.
        rivals: usize,
    },
    /// The heap's own stress thread (`stress_concurrent_allocation`) is the rival.
    StressFlag,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Off => f.write_str("off"),
            Mode::On { rivals: 1 } => f.write_str("on, 1 rival"),
            Mode::On { rivals } => write!(f, "on, {rivals} rivals"),
            Mode::StressFlag => f.write_str("on, stress flag"),
        }
    }
}

/// What a scenario's body counts and finds while it runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Allocations inside the always-allocate scope.
    pub allocations: u64,
    /// Allocations of large arrays that filled the heap up to the soft limit.
    pub large_allocations: u64,
    /// Times the scope had to be entered until its reserve was there.
    pub entries: u64,
    /// Whether the large arrays reached the soft limit. Rivals that collect may prevent it.
    pub soft_limit_reached: bool,
    /// Collections that the owner asked for inside the scope.
    pub collections_in_scope: u64,
    /// Allocations of the owner inside the scope whose first attempt failed.
    pub retries: u64,
    /// Objects the verifier looked at.
    pub objects_verified: u64,
    /// Pictures of the heap, if any are wanted. Each costs a stop.
    pub pictures: Option<Vec<HeapPicture>>,
    /// What is wrong; empty if the scenario holds.
    pub violations: Vec<String>,
}

impl Tally {
    /// A tally that takes pictures.
    #[must_use]
    pub fn with_pictures() -> Tally {
        Tally { pictures: Some(Vec::new()), ..Tally::default() }
    }

    /// Adds a picture, if any are wanted and there is none of this moment. A heap that cannot be surveyed is a
    /// violation.
    pub(super) fn picture<E: fmt::Display>(&mut self, moment: Moment, survey: impl FnOnce() -> Result<Survey, E>) {
        let Some(pictures) = &mut self.pictures else { return };
        if pictures.iter().any(|known| known.moment == moment) {
            return;
        }
        match survey() {
            Ok(survey) => pictures.push(HeapPicture::of(moment, &survey)),
            Err(error) => self.violation(format!("the survey {moment:?}: {error}")),
        }
    }

    /// Notes something that is wrong.
    pub fn violation(&mut self, text: impl Into<String>) {
        self.violations.push(text.into());
    }

    /// Adds what a verification found.
    pub fn verified(&mut self, when: &str, verification: &heaplab::Verification) {
        self.objects_verified += verification.objects;
        if !verification.is_sound() {
            self.violation(format!("the verifier {when}: {}", verification.describe()));
        }
    }
}

/// One row of the table: a scenario in a mode, and how it went.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ScenarioReport {
    /// The scenario's name.
    pub name: String,
    /// Whether others allocated meanwhile.
    pub mode: Mode,
    /// The hard limit of the heap in bytes.
    pub heap_bytes: usize,
    /// Allocations inside the always-allocate scope.
    pub allocations: u64,
    /// Allocations of large arrays that filled the heap up to the soft limit.
    pub large_allocations: u64,
    /// Whether the large arrays reached the soft limit.
    pub soft_limit_reached: bool,
    /// Allocations of the rivals.
    pub rival_allocations: u64,
    /// Minor, major and memory-reducing collections, whoever asked for them.
    pub collections: [u64; 3],
    /// Collections that the owner asked for inside the scope: 0, or the scenario fails.
    pub collections_in_scope: u64,
    /// Allocations of the owner inside the scope whose first attempt failed: 0, or the scenario fails.
    pub retries: u64,
    /// Objects the verifier looked at.
    pub objects_verified: u64,
    /// What is wrong.
    pub violations: Vec<String>,
    /// The heap before, when every space is full, and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<HeapPicture>,
}

impl ScenarioReport {
    pub(super) fn new(name: &str, mode: Mode, heap_bytes: usize, tally: Tally) -> ScenarioReport {
        ScenarioReport {
            name: name.to_owned(),
            mode,
            heap_bytes,
            allocations: tally.allocations,
            large_allocations: tally.large_allocations,
            soft_limit_reached: tally.soft_limit_reached,
            rival_allocations: 0,
            collections: [0; 3],
            collections_in_scope: tally.collections_in_scope,
            retries: tally.retries,
            objects_verified: tally.objects_verified,
            violations: tally.violations,
            pictures: tally.pictures.unwrap_or_default(),
        }
    }

    pub(super) fn add_collections(&mut self, before: &Statistics, after: &Statistics) {
        self.collections = CollectionKind::ALL.map(|kind| after.collections_of(kind) - before.collections_of(kind));
    }

    /// Whether everything held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.violations.is_empty()
    }
}
