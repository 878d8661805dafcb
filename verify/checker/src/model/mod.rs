//! Models: small concurrent programs, explored completely or red.
//!
//! A [`Model`] is a body over `heaplab::sync` and a [`Spec`] that says how large it is. The models of the suite are listed
//! in tables, one for each protocol (the macro [`models!`](crate::models), in `verify/models/src/`); from such a table come both
//! the tests and the registry that the binary works on. [`model`] runs one:
//!
//! | build | what [`model`] does |
//! |---|---|
//! | feature `loom` | explores every execution within the bound, in each pass; certifies it, or panics |
//! | feature `shuttle` | runs the closure in a few hundred random schedules: a sample that certifies nothing |
//! | otherwise | runs the closure a few hundred times on real threads: a smoke test that certifies nothing |
//!
//! # When a model is green
//!
//! - MD-1: every pass of its [`Passes`] has run, and each has seen every execution within the bound. A run that met a limit
//!   is red, whoever set the limit.
//! - MD-2: no execution failed an assertion, deadlocked, or raced.
//! - MD-3: it ran with exactly the threads it declares; else its certificate would claim a larger or a smaller world.
//! - MD-4: a model of a table ran about as many executions as the committed baseline says: a model that shrinks to a tenth
//!   has lost its race, one that grows tenfold will soon not end (`baseline`).
//!
//! What a refusal, a count and a bound must be, the doc comment of a model's function says, and its assertions hold
//! exactly that. A test refuses a model of a table without such a comment (`verify/tests/model_docs.rs`).
//!
//! A green pass leaves a [`Certificate`]. It names the bound and what the checker cannot see ([`blind_spots`],
//! [`TRUSTED`]), because "complete" means complete within those.
//!
//! Whether the models would notice a weaker ordering, or a step of a protocol that is missing, is measured by mutants
//! (`mutation`, with the feature).
//!
//! # Examples
//!
//! ```
//! use heaplab::sync::{Arc, AtomicU32, Ordering, thread};
//! use heaplab_checker::model::{Spec, model};
//!
//! model("add_vs_add", Spec::two_threads().smoke_runs(10), || {
//!     let count = Arc::new(AtomicU32::new(0));
//!     let other = thread::spawn({
//!         let count = count.clone();
//!         move || count.fetch_add(1, Ordering::Relaxed)
//!     });
//!     let mine = count.fetch_add(1, Ordering::Relaxed);
//!     assert_ne!(mine, other.join().unwrap());
//! });
//! ```

#[cfg(feature = "loom")]
pub mod baseline;
#[cfg(feature = "loom")]
pub mod census;
mod certificate;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
mod drawn;
#[cfg(feature = "loom")]
mod explore;
#[cfg(feature = "loom")]
pub mod litmus;
#[cfg(feature = "loom")]
pub mod mutation;
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod native;
mod runner;
#[cfg(not(feature = "loom"))]
mod sample;
#[cfg(feature = "loom")]
pub mod token;
mod verdict;
#[cfg(feature = "loom")]
mod watch;

#[cfg(all(feature = "shuttle", not(feature = "loom")))]
use drawn as how;
#[cfg(feature = "loom")]
use explore as how;
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
use native as how;

pub use certificate::{Certificate, TRUSTED, blind_spots};
#[cfg(feature = "loom")]
pub use explore::{OnExecution, PassOptions, explore_once, explore_pass, passes, try_loud_model, write_picture};
pub use heaplab::sync::terms::{Fault, Pass};
pub use how::Snapshot;
pub use runner::{ModelFailure, model, try_model};
pub use verdict::LitmusVerdict;

use std::fmt;

/// Threads a model may have, its first included. The checker has room for no more.
pub const THREADS_MAX: usize = 5;

/// Preemptions that an execution may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Any number.
    Unbounded,
    /// At most so many.
    Preemptions(usize),
}

impl Bound {
    /// The number, where there is one.
    #[must_use]
    pub fn preemptions(self) -> Option<usize> {
        match self {
            Self::Unbounded => None,
            Self::Preemptions(count) => Some(count),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbounded => f.write_str("unbounded"),
            Self::Preemptions(1) => f.write_str("at most 1 preemption"),
            Self::Preemptions(count) => write!(f, "at most {count} preemptions"),
        }
    }
}

/// The passes that certify a model; `heaplab::sync` says why there are two.
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

/// The path by which the harness of tests knows a test: that of the function, without the crate.
#[doc(hidden)]
#[must_use]
pub fn test_path(path: &'static str) -> &'static str {
    path.split_once("::").map_or(path, |(_, path)| path)
}

/// How large a model is, and how to run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Threads it runs, its first included: exactly so many in its largest execution.
    pub threads: usize,
    /// Preemptions explored.
    pub bound: Bound,
    /// Passes run.
    pub passes: Passes,
    /// What may fail once in each execution.
    pub fault: Option<Fault>,
    /// Choices an execution may make. More are red, so that a loop is caught that spins without yielding.
    pub branches_max: usize,
    /// Executions after which to give up, red. `None`: run to the end.
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

    /// Leaves the second pass out.
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

    /// Lets `fault` strike once, at any point or never. Only the model checker can: natively nothing fails.
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

    /// Gives up, red, after so many executions.
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
