//! A counterexample: a failed execution and its journal, as it was taken.

use heaplab::sync::model_control::{JournalEntry, Site};
use heaplab::sync::terms::Pass;

/// One failed execution of a model, and how it came about.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The model.
    pub model: String,
    /// The pass.
    pub pass: Pass,
    /// The bound on preemptions, in words.
    pub bound: String,
    /// The number of the failing execution, from 1.
    pub execution: u64,
    /// The message of the panic: an assertion, a race, a deadlock.
    pub message: String,
    /// The thread that panicked, if it is known.
    pub failed_thread: Option<usize>,
    /// What replays the execution; may be empty.
    pub token: String,
    /// The mutant it ran under, by its name.
    pub mutant: Option<String>,
    /// What happened, in order.
    pub journal: Vec<JournalEntry>,
    /// The operation that each thread had begun last, by thread: what was refused, or blocks.
    pub whereabouts: Vec<(usize, Site)>,
}
