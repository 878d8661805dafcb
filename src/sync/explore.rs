//! Exploration: running one closure through every execution that loom can make of it, and saying what came of it.
//!
//! loom's own limits end an exploration silently: `max_permutations` and `max_duration` are looked at only every
//! 20,000 executions, and then `check` returns as if all were well. So they are switched off here, and the limits of
//! [`ExploreOptions`] are applied at the start of each execution, exactly. An exploration that met a limit says so in
//! [`Exploration::truncated`].
//!
//! Nothing is silenced: a panic prints through the panic hook as usual, and is then returned as
//! [`Exploration::outcome`].

use super::model_control::{self, ExplorationGuard, Fault, Pass};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How to explore.
#[derive(Clone, Debug)]
pub struct ExploreOptions {
    /// Most preemptions in one execution; `None` for no bound. At most 255.
    pub preemption_bound: Option<usize>,
    /// Most choices in one execution; a model that makes more panics. A load makes two, any other operation one or two.
    pub branches_max: usize,
    /// The form of loads and stores.
    pub pass: Pass,
    /// What may fail once, at any point or never.
    pub fault: Option<Fault>,
    /// Stop, truncated, after so many executions.
    pub executions_max: Option<u64>,
    /// Stop, truncated, when an execution would begin later than this after the start.
    pub duration_max: Option<Duration>,
    /// Most threads in one execution, the first included; starting more panics. At most
    /// [`ExploreOptions::THREADS_MAX`].
    pub threads_max: usize,
}

impl ExploreOptions {
    /// Threads loom can model, the first included.
    pub const THREADS_MAX: usize = loom::MAX_THREADS;
}

impl Default for ExploreOptions {
    /// Normal pass, no bounds but 10,000 choices an execution.
    fn default() -> Self {
        Self {
            preemption_bound: None,
            branches_max: 10_000,
            pass: Pass::Normal,
            fault: None,
            executions_max: None,
            duration_max: None,
            threads_max: Self::THREADS_MAX,
        }
    }
}

/// What came of an exploration.
#[derive(Clone, Debug)]
#[must_use = "a failed or truncated exploration returns like a good one"]
pub struct Exploration {
    /// Executions run, the failing one included.
    pub executions: u64,
    /// Wall-clock time.
    pub duration: Duration,
    /// Operations of this module in the longest execution.
    pub operations_max: u64,
    /// Threads in the execution that had most, the first included.
    pub threads_max: usize,
    /// Whether a limit ended the exploration before every execution was seen.
    pub truncated: bool,
    /// The message of the panic that ended the exploration: a failed assertion, a deadlock, a data race ("Causality
    /// violation"), or a model that makes too many choices.
    pub outcome: Result<(), String>,
}

impl Exploration {
    /// Whether every execution was seen and none failed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.truncated && self.outcome.is_ok()
    }
}

/// The payload of the unwinding that ends an exploration at a limit. No panic hook runs for that unwinding.
struct LimitReached;

/// Explores `f`, which must be deterministic but for what this module makes of it.
///
/// `f` runs once for each execution. Blocks the calling thread until all executions have run, one has failed, or a
/// limit is met.
///
/// # Panics
///
/// - Inside another exploration on the same thread.
/// - When `preemption_bound` exceeds 255 or `threads_max` exceeds [`ExploreOptions::THREADS_MAX`].
pub fn explore(options: &ExploreOptions, f: impl Fn() + Send + Sync + 'static) -> Exploration {
    assert!(options.preemption_bound.unwrap_or(0) <= 255, "loom counts preemptions up to 255");
    assert!(
        options.threads_max <= ExploreOptions::THREADS_MAX,
        "loom models at most {} threads, the first included; {} were asked for",
        ExploreOptions::THREADS_MAX,
        options.threads_max,
    );

    // Starting from `new` keeps what the environment says about logs and locations; every limit is set here.
    let mut builder = loom::model::Builder::new();
    builder.max_threads = ExploreOptions::THREADS_MAX;
    builder.max_branches = options.branches_max;
    builder.preemption_bound = options.preemption_bound;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.expect_explicit_explore = false;

    let f = Arc::new(f);
    let guard = ExplorationGuard::enter(options.pass, options.fault, options.threads_max);
    let start = Instant::now();
    let executions_max = options.executions_max.unwrap_or(u64::MAX);
    let duration_max = options.duration_max;
    let explore_all = || {
        let f = f.clone();
        builder.check(move || {
            let is_late = duration_max.is_some_and(|most| start.elapsed() >= most);
            if is_late || model_control::counters().executions >= executions_max {
                resume_unwind(Box::new(LimitReached));
            }
            model_control::begin_execution();
            model_control::run_execution(&*f);
        });
    };
    let result = catch_unwind(AssertUnwindSafe(|| {
        // The exploration without a strike comes first, because it finds the points at which the fault can strike.
        explore_all();
        for point in model_control::fault_points() {
            model_control::set_strike(point);
            explore_all();
        }
    }));
    let duration = start.elapsed();
    let counters = model_control::counters();
    drop(guard);

    let (truncated, outcome) = match result {
        Ok(()) => (false, Ok(())),
        Err(payload) if payload.is::<LimitReached>() => (true, Ok(())),
        Err(payload) => (false, Err(message_of(payload.as_ref()))),
    };
    Exploration {
        executions: counters.executions,
        duration,
        operations_max: counters.operations_max,
        threads_max: counters.threads_max,
        truncated,
        outcome,
    }
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(message) = payload.downcast_ref::<String>() {
        message.clone()
    } else if let Some(message) = payload.downcast_ref::<&str>() {
        (*message).to_owned()
    } else {
        // loom's coroutines report an overflowed stack this way, after printing it.
        "a panic without a message; if a stack overflowed (printed above), note that a model's first thread has 32 KiB"
            .to_owned()
    }
}
