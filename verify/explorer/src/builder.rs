//! The settings of an exploration.

use std::time::Duration;

use crate::mutant::Mutant;
use crate::shard::Shard;
use crate::views::THREADS_MAX;

/// What an exploration may do. The defaults explore everything that is not said to have a budget.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Builder {
    /// Most threads of an execution, the one that runs the model included; at most [`MAX_THREADS`](crate::MAX_THREADS),
    /// which is the default. More are a failure.
    pub max_threads: usize,
    /// Most events of a thread, an RMW being two. More are a failure: most often a loop without an end. 100,000.
    pub max_branches: usize,
    /// Most executions, those that are blocked included; `None` is the default.
    /// [`Stats::bounds_met`](crate::Stats::bounds_met) says if it was met.
    pub max_permutations: Option<usize>,
    /// Longest time; `None` is the default. [`Stats::bounds_met`](crate::Stats::bounds_met) says if it was met.
    pub max_duration: Option<Duration>,
    /// Most preemptions of an execution, in the schedule that needs fewest; `None`, for all executions, is the default.
    ///
    /// A preemption ends the turn of a thread that could go on: one that does not wait and did not yield. That a read
    /// is stale costs nothing. The bound is complete up to itself: every execution within it is explored, once.
    /// [`Stats::bounds_met`](crate::Stats::bounds_met) says if it left executions out. A failure that is come upon
    /// beyond it is returned as any other.
    pub preemption_bound: Option<usize>,
    /// Which part of the exploration this is; `None`, for all of it, is the default. The counts of all shards add up to
    /// those of the whole. It begins with an estimate, of about 16 runs for each decision of the longest way to an
    /// execution.
    pub shard: Option<Shard>,
    /// Most turns in a row of a loop that waits and that reads nothing new, if nobody else can go on. 4.
    ///
    /// So it is with a loop whose turns have effects, if they are alike and the last one read something old. Then the
    /// loop is taken for endless, and [`Stats::bounds_met`](crate::Stats::bounds_met) names it.
    pub max_turns: usize,
    /// Most turns in a row of a loop that yields and has effects. More are a failure. 32.
    pub max_effect_turns: usize,
    /// Most yields of a thread in an execution; `None` is the default. The bound is complete up to itself: every
    /// execution with no more yields is explored. [`Stats::bounds_met`](crate::Stats::bounds_met) says if it left
    /// executions out.
    ///
    /// For loops that yield and have effects, which have executions of any length.
    pub max_yields: Option<usize>,
    /// Most wake-ups without a notification in an execution. 0.
    pub spurious_wakeups: usize,
    /// Most failures without a reason of `compare_exchange_weak` in an execution. 0.
    pub weak_failures: usize,
    /// Most times in an execution that [`alloc::alloc`](crate::alloc::alloc) may return memory that was freed before.
    /// 0.
    pub reuses: usize,
    /// Whether [`sync::Arc`](crate::sync::Arc) counts its owners in a word that is explored. It is, by default.
    /// Without it the last owner is whoever is last in the one order that the explorer runs.
    pub counted_arcs: bool,
    /// Explore waits for a mutex as any other read. It does so by default. Without it an unlock hands over in place
    /// to the oldest waiter, which is faster and **not right yet**: runs are wasted, and executions lost, where
    /// threads with sections in one another start threads. For tests of the explorer, which name such programs.
    pub plain_locks: bool,
    /// Count complete executions that were seen before. There are none, unless the explorer has a fault. Costs a hash
    /// of each, which is kept.
    pub check_unique: bool,
    /// Refuse executions at whose end a thread was not joined. Off: such threads run to their end.
    pub require_joins: bool,
    /// Bytes of a thread's stack. 1 MiB.
    pub stack_size: usize,
    /// Print what was explored, at the end of [`Builder::check`].
    pub log: bool,
    /// A rule that the engine leaves out: for its tests, which must turn red.
    #[doc(hidden)]
    pub mutant: Option<Mutant>,
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
            shard: None,
            max_turns: 4,
            max_effect_turns: 32,
            max_yields: None,
            spurious_wakeups: 0,
            weak_failures: 0,
            reuses: 0,
            counted_arcs: true,
            plain_locks: true,
            check_unique: false,
            require_joins: false,
            stack_size: 1 << 20,
            log: false,
            mutant: None,
        }
    }
}
