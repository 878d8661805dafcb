//! What an exploration finds wrong, and where.

use std::fmt;

pub use crate::place::Place;

use crate::journal::Journal;
use crate::route::Route;
use crate::stats::Stats;

/// What kind of failure it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// A panic of the model, most often of an assertion.
    Assertion,
    /// Two accesses, one of them a write and one of them plain, without an order between them.
    Race,
    /// Two accesses to a cell at the same time: one began within the other.
    Overlap,
    /// Threads wait, and nobody is left who could end it. The message says who waits for what.
    Deadlock,
    /// A run did something else than an earlier one, though all that it read was the same.
    Nondeterminism,
    /// A value of the explorer was used outside of the execution that made it, or after its memory was freed.
    Foreign,
    /// A lock's guard was dropped by another thread than the one that locked.
    GuardMoved,
    /// A loop that waits changed something in each turn, for more turns than [`Builder::max_effect_turns`] allows.
    ///
    /// [`Builder::max_effect_turns`]: crate::model::Builder::max_effect_turns
    SpinWithEffects,
    /// A thread was not joined, and [`Builder::require_joins`] asks for it.
    ///
    /// [`Builder::require_joins`]: crate::model::Builder::require_joins
    NotJoined,
    /// A limit of the builder, or of the explorer itself, was reached.
    Limit,
    /// Something that the model made is left over at the end of an execution.
    Leak,
    /// An argument that the operation has no meaning for, such as a load with the ordering `Release`.
    Misuse,
    /// A route has a decision that the model does not come to.
    Misfit,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FailureKind::Assertion => "assertion",
            FailureKind::Race => "data race",
            FailureKind::Overlap => "overlapping accesses",
            FailureKind::Deadlock => "deadlock",
            FailureKind::Nondeterminism => "the model is not deterministic",
            FailureKind::Foreign => "used outside of its execution",
            FailureKind::GuardMoved => "a guard moved to another thread",
            FailureKind::SpinWithEffects => "a loop that waits has effects",
            FailureKind::NotJoined => "a thread is not joined",
            FailureKind::Limit => "limit",
            FailureKind::Leak => "leak",
            FailureKind::Misuse => "misuse",
            FailureKind::Misfit => "not of this model",
        })
    }
}

/// Why an exploration ended: the failure, the execution that has it, and what was explored before.
///
/// Shown by `Display`: the kind, the message and the places, then the execution.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The kind of the failure.
    pub kind: FailureKind,
    /// What happened, for people. A panic's own message is in it.
    pub message: String,
    /// Where it happened; of two accesses that race, both.
    pub places: Vec<Place>,
    /// The thread that ran when it happened; none if no thread goes on.
    pub thread: Option<usize>,
    /// The name of the execution, by which [`Builder::replay`](crate::model::Builder::replay) runs it again.
    pub route: Route,
    /// The execution up to the failure.
    pub journal: Box<Journal>,
    /// What was explored, the failing execution not counted.
    pub stats: Box<Stats>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        for place in &self.places {
            write!(f, "\n  at {place}")?;
        }
        write!(f, "\nafter {} executions; the one that fails:\n{}", self.stats.executions, self.journal)
    }
}

impl std::error::Error for Failure {}
