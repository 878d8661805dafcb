//! A model, and how large it is.

use super::{Fault, Pass};
use std::fmt;

/// Threads a model may have, its first included. The checker has room for no more.
pub const THREADS_MAX: usize = 5;

/// What an execution may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Anything.
    Unbounded,
    /// At most so many preemptions.
    Preemptions(usize),
    /// At most so many yields of a thread. The explorer alone has this bound.
    Yields(usize),
}

impl Bound {
    /// The number of preemptions, where that is bounded.
    #[must_use]
    pub fn preemptions(self) -> Option<usize> {
        match self {
            Self::Preemptions(count) => Some(count),
            Self::Unbounded | Self::Yields(_) => None,
        }
    }

    /// The number of yields, where that is bounded.
    #[must_use]
    pub fn yields(self) -> Option<usize> {
        match self {
            Self::Yields(count) => Some(count),
            Self::Unbounded | Self::Preemptions(_) => None,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbounded => f.write_str("unbounded"),
            Self::Preemptions(1) => f.write_str("at most 1 preemption"),
            Self::Preemptions(count) => write!(f, "at most {count} preemptions"),
            Self::Yields(1) => f.write_str("at most 1 yield of a thread"),
            Self::Yields(count) => write!(f, "at most {count} yields of a thread"),
        }
    }
}

/// The passes of loom that certify a model; `heaplab::sync` says why there are two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passes {
    /// Normal, then read-as-RMW.
    Both,
    /// The normal pass alone.
    NormalOnly {
        /// Why the second pass would say nothing, or something false.
        reason: &'static str,
    },
}

/// Whether the explorer explores a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Graphs {
    /// All its execution graphs, without a bound.
    Explored,
    /// Those within a bound that is complete up to itself.
    Within {
        /// The bound.
        bound: Bound,
        /// Why not all.
        reason: &'static str,
    },
    /// Not at all: loom's passes alone certify the model.
    Left {
        /// Why.
        reason: &'static str,
    },
}

/// A model of a table.
#[derive(Clone, Copy)]
pub struct Model {
    /// `protocol::race`.
    pub name: &'static str,
    /// How large it is.
    pub spec: Spec,
    /// One execution.
    pub body: fn(),
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("name", &self.name).field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// How large a model is, and how to run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Threads that the model runs, its first included: exactly so many in its largest execution.
    pub threads: usize,
    /// Whether the explorer explores it.
    pub graphs: Graphs,
    /// Preemptions that loom explores.
    pub bound: Bound,
    /// Passes that loom runs.
    pub passes: Passes,
    /// What may fail once in each execution.
    pub fault: Option<Fault>,
    /// Choices an execution may make. An execution that makes more is red, which catches a loop that spins without
    /// yielding.
    pub branches_max: usize,
    /// Executions after which the model is given up and red. `None`: run to the end.
    pub executions_max: Option<u64>,
    /// Repetitions in a build without the model checker.
    pub smoke_runs: usize,
}

impl Spec {
    /// Two threads, every execution.
    #[must_use]
    pub const fn two_threads() -> Self {
        Self {
            threads: 2,
            graphs: Graphs::Explored,
            bound: Bound::Unbounded,
            passes: Passes::Both,
            fault: None,
            branches_max: 10_000,
            executions_max: None,
            smoke_runs: 200,
        }
    }

    /// One thread, every execution: for what a fault alone decides.
    #[must_use]
    pub const fn alone() -> Self {
        Self { threads: 1, ..Self::two_threads() }
    }

    /// `threads` threads, every execution of at most `preemptions` preemptions.
    #[must_use]
    pub const fn bounded(threads: usize, preemptions: usize) -> Self {
        Self { threads, bound: Bound::Preemptions(preemptions), ..Self::two_threads() }
    }

    /// The bound of a pass: the explorer has none, but where a model says why.
    #[must_use]
    pub fn bound_of(&self, pass: Pass) -> Bound {
        match pass {
            Pass::Graphs => match self.graphs {
                Graphs::Within { bound, .. } => bound,
                Graphs::Explored | Graphs::Left { .. } => Bound::Unbounded,
            },
            Pass::Normal | Pass::ReadAsRmw => self.bound,
        }
    }

    /// Bounds what the explorer explores.
    ///
    /// # Panics
    ///
    /// When `reason` is empty, or the bound is none.
    #[must_use]
    pub const fn graphs_within(mut self, bound: Bound, reason: &'static str) -> Self {
        assert!(!reason.is_empty(), "a bound of the explorer needs a reason");
        assert!(!matches!(bound, Bound::Unbounded), "without a bound there is nothing to say");
        self.graphs = Graphs::Within { bound, reason };
        self
    }

    /// The same without a bound of the explorer.
    #[must_use]
    pub const fn with_all_graphs(mut self) -> Self {
        self.graphs = Graphs::Explored;
        self
    }

    /// Leaves the model to loom.
    ///
    /// # Panics
    ///
    /// When `reason` is empty.
    #[must_use]
    pub const fn loom_only(mut self, reason: &'static str) -> Self {
        assert!(!reason.is_empty(), "leaving the explorer out needs a reason");
        self.graphs = Graphs::Left { reason };
        self
    }

    /// Leaves the second pass of loom out.
    ///
    /// # Panics
    ///
    /// When `reason` is empty.
    #[must_use]
    pub const fn normal_only(mut self, reason: &'static str) -> Self {
        assert!(!reason.is_empty(), "leaving a pass out needs a reason");
        self.passes = Passes::NormalOnly { reason };
        self
    }

    /// Lets `fault` strike once, at any point or never. Only the model checker injects the fault; in other builds
    /// nothing fails.
    #[must_use]
    pub const fn with_fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Allows so many choices in one execution.
    #[must_use]
    pub const fn branches_max(mut self, count: usize) -> Self {
        self.branches_max = count;
        self
    }

    /// Gives the model up after so many executions; it is red then.
    #[must_use]
    pub const fn executions_max(mut self, count: u64) -> Self {
        self.executions_max = Some(count);
        self
    }

    /// Repeats so often in a build without the model checker.
    #[must_use]
    pub const fn smoke_runs(mut self, count: usize) -> Self {
        self.smoke_runs = count;
        self
    }
}
