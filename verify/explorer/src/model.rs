//! How a model is explored: [`Builder`] and [`model`].

use std::rc::Rc;
use std::time::Duration;

use crate::failure::Failure;
use crate::journal::Journal;
use crate::runtime::replay;
use crate::stats::{Bound, Stats};
use crate::views::THREADS_MAX;

/// Explores every execution of `f`.
///
/// # Panics
///
/// If an execution fails, with the failure and the execution; or if the exploration is not complete since it reached
/// [`Builder::max_permutations`] or [`Builder::max_duration`].
///
/// # Examples
///
/// ```
/// use heaplab_explorer::sync::Arc;
/// use heaplab_explorer::sync::atomic::{AtomicUsize, Ordering};
/// use heaplab_explorer::thread;
///
/// heaplab_explorer::model(|| {
///     let count = Arc::new(AtomicUsize::new(0));
///     let other = count.clone();
///     let thread = thread::spawn(move || other.fetch_add(1, Ordering::Relaxed));
///     count.fetch_add(1, Ordering::Relaxed);
///     thread.join().unwrap();
///     assert_eq!(count.load(Ordering::Relaxed), 2);
/// });
/// ```
#[track_caller]
pub fn model<F: Fn() + 'static>(f: F) {
    Builder::new().check(f);
}

/// What an exploration may do. The defaults explore everything that is not said to have a budget.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Builder {
    /// Most threads of an execution, the one that runs the model included; at most [`MAX_THREADS`](crate::MAX_THREADS),
    /// which is the default. More are a failure.
    pub max_threads: usize,
    /// Most events of a thread, an RMW being two. More are a failure: most often a loop without an end. 100,000.
    pub max_branches: usize,
    /// Most executions, those that are blocked included; `None` is the default. [`Stats::bounds_met`] says if it was met.
    pub max_permutations: Option<usize>,
    /// Longest time; `None` is the default. [`Stats::bounds_met`] says if it was met.
    pub max_duration: Option<Duration>,
    /// Accepted for models that are written for loom. The exploration covers every number of preemptions.
    pub preemption_bound: Option<usize>,
    /// Most turns in a row of a loop that waits and that reads nothing new, if nobody else can go on. 4.
    ///
    /// Then the loop is taken for endless, and [`Stats::bounds_met`] names it.
    pub max_turns: usize,
    /// Most turns in a row of a loop that yields and has effects. More are a failure. 32.
    pub max_effect_turns: usize,
    /// Most wake-ups without a notification in an execution. 0.
    pub spurious_wakeups: usize,
    /// Most failures without a reason of `compare_exchange_weak` in an execution. 0.
    pub weak_failures: usize,
    /// Most times in an execution that [`alloc::alloc`](crate::alloc::alloc) may return memory that was freed before. 0.
    pub reuses: usize,
    /// Whether [`sync::Arc`](crate::sync::Arc) counts its owners in a word that is explored. It is, by default. Without it
    /// the last owner is whoever is last in the one order that the explorer runs.
    pub counted_arcs: bool,
    /// Explore waits for a mutex as any other read, without handing over in place. Slower; the executions are the same. For
    /// tests of the explorer.
    pub plain_locks: bool,
    /// Count complete executions that were seen before. There are none, unless the explorer has a fault. Costs a hash of each.
    pub check_unique: bool,
    /// Refuse executions at whose end a thread was not joined. Off: such threads run to their end.
    pub require_joins: bool,
    /// Bytes of a thread's stack. 1 MiB.
    pub stack_size: usize,
    /// Print what was explored, at the end of [`Builder::check`].
    pub log: bool,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    /// A builder with the defaults.
    #[must_use]
    pub fn new() -> Builder {
        Builder {
            max_threads: THREADS_MAX,
            max_branches: 100_000,
            max_permutations: None,
            max_duration: None,
            preemption_bound: None,
            max_turns: 4,
            max_effect_turns: 32,
            spurious_wakeups: 0,
            weak_failures: 0,
            reuses: 0,
            counted_arcs: true,
            plain_locks: false,
            check_unique: false,
            require_joins: false,
            stack_size: 1 << 20,
            log: false,
        }
    }

    /// Explores the executions of `f`.
    ///
    /// # Errors
    ///
    /// The first failure. That a bound cut executions off is no failure: look at [`Stats::is_complete`].
    ///
    /// # Panics
    ///
    /// If it is called within an exploration.
    ///
    /// # Examples
    ///
    /// ```
    /// use heaplab_explorer::model::Builder;
    /// use heaplab_explorer::sync::atomic::{AtomicBool, Ordering};
    /// use heaplab_explorer::{FailureKind, thread};
    /// use std::sync::Arc;
    ///
    /// let failure = Builder::new()
    ///     .explore(|| {
    ///         let flag = Arc::new(AtomicBool::new(false));
    ///         let other = Arc::clone(&flag);
    ///         thread::spawn(move || other.store(true, Ordering::Release));
    ///         assert!(!flag.load(Ordering::Acquire), "the other was first");
    ///     })
    ///     .unwrap_err();
    /// assert_eq!(failure.kind, FailureKind::Assertion);
    /// assert!(failure.message.contains("the other was first"));
    /// ```
    #[track_caller]
    pub fn explore<F: Fn() + 'static>(&self, f: F) -> Result<Stats, Failure> {
        replay::explore(self, Rc::new(f), |_| {})
    }

    /// As [`Builder::explore`], and shows each complete execution when it ended. Costs a journal of each.
    ///
    /// # Errors
    ///
    /// As [`Builder::explore`].
    #[track_caller]
    pub fn explore_each<F: Fn() + 'static>(
        &self,
        f: F,
        mut on_execution: impl FnMut(&Journal),
    ) -> Result<Stats, Failure> {
        replay::explore(self, Rc::new(f), move |journal| on_execution(&journal()))
    }

    /// Explores the executions of `f`, and panics where that fails.
    ///
    /// # Panics
    ///
    /// As [`model`].
    #[track_caller]
    pub fn check<F: Fn() + 'static>(&self, f: F) {
        let stats = match self.explore(f) {
            Ok(stats) => stats,
            Err(failure) => panic!("{failure}"),
        };
        if self.log {
            println!("{stats}");
        }
        let is_cut = |bound: &&Bound| matches!(bound, Bound::Executions(_) | Bound::Duration(_));
        if let Some(bound) = stats.bounds_met.iter().find(is_cut) {
            panic!("the exploration is not complete: {bound}");
        }
    }
}
