//! What a failing execution did, as the watch over the exploration saw it.

#[cfg(feature = "loom")]
use heaplab::sync::GraphName;
#[cfg(feature = "loom")]
use heaplab::sync::model_control::{JournalEntry, Site};

/// The failing execution, or one that was replayed.
#[cfg(feature = "loom")]
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Its number, from 1.
    pub execution: u64,
    /// Its name, if the explorer made it.
    pub graph: Option<GraphName>,
    /// The thread that failed, if one did.
    pub thread: Option<usize>,
    /// The message of the failure; empty if there was none.
    pub message: String,
    /// The journal of the execution.
    pub journal: Vec<JournalEntry>,
    /// Where each thread stood at the end.
    pub whereabouts: Vec<(usize, Site)>,
}

/// A failing execution that was watched. Has no value, since nothing watches a sample.
#[cfg(not(feature = "loom"))]
#[derive(Clone, Debug)]
pub enum Snapshot {}
