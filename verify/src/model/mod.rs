//! Models: small concurrent programs, explored completely or red.
//!
//! A model is a closure over `heaplab::sync` and a [`Spec`] that says how large it is. [`model`] runs it:
//!
//! | build | what [`model`] does |
//! |---|---|
//! | feature `loom` | explores every execution within the bound, in each pass; certifies it, or panics |
//! | feature `shuttle` | runs the closure in a few hundred random schedules: a sample that certifies nothing |
//! | otherwise | runs the closure a few hundred times on real threads: a smoke test that certifies nothing |
//!
//! # When a model is green
//!
//! - R-1: every pass of its [`Passes`] has run, and each has seen every execution within the bound. A run that met a limit
//!   is red, whoever set the limit.
//! - R-2: no execution failed an assertion, deadlocked, or raced.
//! - R-3: it ran with exactly the threads it declares; else its certificate would claim a larger or a smaller world.
//!
//! A green pass leaves a [`Certificate`]: one printed line, and one line of JSON in `target/heaplab/certificates.jsonl` when
//! the environment has `HEAPLAB_CERTIFICATES`. It names the bound and what the checker cannot see ([`blind_spots`],
//! [`TRUSTED`]), because "complete" means complete within those.
//!
//! Whether the models would notice a weaker ordering is measured by the module `weaken`, which exists with the feature.
//!
//! # Examples
//!
//! ```
//! use heaplab::sync::{Arc, AtomicU32, Ordering, thread};
//! use heaplab_verify::model::{Spec, model};
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

mod certificate;
mod runner;
#[cfg(feature = "loom")]
pub mod weaken;

pub use certificate::{Certificate, TRUSTED, blind_spots};
pub use runner::{Failure, model, try_model};

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

/// How large a model is, and how to run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Threads it runs, its first included: exactly so many in its largest execution.
    pub threads: usize,
    /// Preemptions explored.
    pub bound: Bound,
    /// Passes run.
    pub passes: Passes,
    /// Choices an execution may make; more is red. It catches a loop that spins without yielding.
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
            branches_max: 10_000,
            executions_max: None,
            smoke_runs: 200,
        }
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
