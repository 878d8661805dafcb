//! Exploration: running one closure through every execution that an engine can make of it, and saying what came of it.
//!
//! The pass names the engine. The explorer counts the execution graphs of a model, each once, and apart from them the
//! runs that ended in a wait which another graph ends.
//!
//! loom's own limits end an exploration silently: `max_permutations` and `max_duration` are looked at only every
//! 20,000 executions, and then `check` returns as if all were well. So they are switched off here, and the limits of
//! [`ExploreOptions`] are applied at the start of each execution, exactly. An exploration that met a limit says so in
//! [`Exploration::truncated`].
//!
//! Nothing is silenced: under loom a panic prints through the panic hook as usual, and is then returned as
//! [`Exploration::outcome`]; the explorer records it, with its place, and it is returned alike.

use super::engine::Engine;
use super::model_control::{self, ExplorationGuard, Fault, FaultPoint, Pass};
use heaplab_explorer::{Bound, Route};
pub use heaplab_explorer::{Estimate, Shard};
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How to explore.
#[derive(Clone, Debug)]
pub struct ExploreOptions {
    /// Most preemptions in one execution; `None` for no bound. At most 255. To the explorer that a read is stale costs
    /// nothing, and an execution counts by the schedule that needs fewest.
    pub preemption_bound: Option<usize>,
    /// Most yields of a thread in one execution of the explorer; `None` for no bound. loom has no such bound.
    pub yields_max: Option<usize>,
    /// Most choices in one execution; a model that makes more panics. A load makes two, any other operation one or
    /// two. For the explorer, most events of a thread.
    pub branches_max: usize,
    /// The form of loads and stores.
    pub pass: Pass,
    /// What may fail once, at any point or never.
    pub fault: Option<Fault>,
    /// Stop, truncated, after so many executions.
    pub executions_max: Option<u64>,
    /// Stop, truncated, when an execution would begin later than this after the start.
    pub duration_max: Option<Duration>,
    /// Which part of the explorer's executions to explore; `None` for all. The counts of all parts add up. loom has no
    /// parts.
    pub shard: Option<Shard>,
    /// Most threads in one execution, the first included; starting more panics. At most
    /// [`ExploreOptions::THREADS_MAX`].
    pub threads_max: usize,
}

impl ExploreOptions {
    /// Threads that each engine can model, the first included.
    pub const THREADS_MAX: usize = loom::MAX_THREADS;
}

impl Default for ExploreOptions {
    /// Normal pass, no bounds but 10,000 choices an execution.
    fn default() -> Self {
        Self {
            preemption_bound: None,
            yields_max: None,
            branches_max: 10_000,
            pass: Pass::Normal,
            fault: None,
            executions_max: None,
            duration_max: None,
            shard: None,
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
    /// Runs of the body: executions, and for the explorer also the runs that are none.
    pub runs: u64,
    /// Runs of the explorer that ended in a wait which another execution ends. 0 under loom.
    pub blocked: u64,
    /// The thread that failed, where the engine tells; loom's panic hook has told by then.
    pub failed_thread: Option<usize>,
    /// The name of the explorer's execution that failed, by which [`replay`] runs it again.
    pub failed_graph: Option<GraphName>,
    /// Wall-clock time.
    pub duration: Duration,
    /// Operations of this module in the longest execution.
    pub operations_max: u64,
    /// Threads in the execution that had most, the first included.
    pub threads_max: usize,
    /// Whether a limit ended the exploration before every execution was seen.
    pub truncated: bool,
    /// What ended the exploration: a failed assertion, a deadlock, a data race (loom calls it "Causality violation"),
    /// or a model that makes too many choices. Of loom it is the message of a panic; the explorer's begins with the
    /// kind of the failure.
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
    assert_possible(options);
    let f: Body = Arc::new(f);
    let engine = match options.pass {
        Pass::Graphs => Engine::Graphs,
        Pass::Normal | Pass::ReadAsRmw => Engine::Loom,
    };
    let engine_guard = engine.enter();
    let guard = ExplorationGuard::enter(options.pass, options.fault, options.threads_max);
    let start = Instant::now();
    let explored = match engine {
        Engine::Loom => explore_by_loom(options, start, &f),
        Engine::Graphs => explore_graphs(options, start, &f),
    };
    let duration = start.elapsed();
    let counters = model_control::counters();
    drop(guard);
    drop(engine_guard);

    Exploration {
        executions: explored.executions.unwrap_or(counters.executions),
        runs: counters.executions,
        blocked: explored.blocked,
        failed_thread: explored.failed_thread,
        failed_graph: explored.failed_graph,
        duration,
        operations_max: counters.operations_max,
        threads_max: counters.threads_max,
        truncated: explored.truncated,
        outcome: explored.outcome,
    }
}

fn assert_possible(options: &ExploreOptions) {
    assert!(options.preemption_bound.unwrap_or(0) <= 255, "loom counts preemptions up to 255");
    assert!(
        options.threads_max <= ExploreOptions::THREADS_MAX,
        "an execution has at most {} threads, the first included; {} were asked for",
        ExploreOptions::THREADS_MAX,
        options.threads_max,
    );
}

type Body = Arc<dyn Fn() + Send + Sync>;

/// What an engine says of its exploration.
struct Explored {
    /// Executions, if they are not the runs of the body.
    executions: Option<u64>,
    blocked: u64,
    failed_thread: Option<usize>,
    failed_graph: Option<GraphName>,
    truncated: bool,
    outcome: Result<(), String>,
}

impl Default for Explored {
    fn default() -> Explored {
        Explored {
            executions: None,
            blocked: 0,
            failed_thread: None,
            failed_graph: None,
            truncated: false,
            outcome: Ok(()),
        }
    }
}

/// Explores without a strike of the fault, and then with one at each point where it can strike, as long as
/// `explore_all` says to go on. The exploration without a strike comes first, because it finds the points.
fn for_each_strike(mut explore_all: impl FnMut(Option<FaultPoint>) -> bool) {
    if !explore_all(None) {
        return;
    }
    for point in model_control::fault_points() {
        model_control::set_strike(point);
        if !explore_all(Some(point)) {
            return;
        }
    }
}

/// The name of an execution that the explorer made: where the fault strikes, and the decisions that lead to it.
///
/// It has a text, which is read again by `parse`. It holds for the sources and the options that it was made with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphName {
    strike: Option<FaultPoint>,
    route: Route,
}

impl fmt::Display for GraphName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((thread, point)) = self.strike {
            write!(f, "t{thread}.{point}:")?;
        }
        self.route.fmt(f)
    }
}

impl FromStr for GraphName {
    type Err = String;

    fn from_str(text: &str) -> Result<GraphName, String> {
        let Some((strike, route)) = text.split_once(':') else {
            return Ok(GraphName { strike: None, route: text.parse()? });
        };
        let point = strike.strip_prefix('t').and_then(|point| {
            let (thread, point) = point.split_once('.')?;
            Some((thread.parse().ok()?, point.parse().ok()?))
        });
        match point {
            Some((thread, _)) if thread >= ExploreOptions::THREADS_MAX => Err(format!("there is no thread {thread}")),
            Some(point) => Ok(GraphName { strike: Some(point), route: route.parse()? }),
            None => Err(format!("`{strike}` is no point where a fault strikes")),
        }
    }
}

/// Runs one execution of `f` again, and the few on the way to it: the one that the explorer called so, with these
/// options.
///
/// Blocks the calling thread meanwhile.
///
/// # Errors
///
/// `f` does not come to such an execution: it is not what the name was made of, or the options are others.
///
/// # Panics
///
/// As [`explore`].
pub fn replay(
    options: &ExploreOptions,
    name: &GraphName,
    f: impl Fn() + Send + Sync + 'static,
) -> Result<Exploration, String> {
    assert_possible(options);
    let engine = Engine::Graphs.enter();
    let guard = ExplorationGuard::enter(Pass::Graphs, options.fault, options.threads_max);
    if let Some(point) = name.strike {
        model_control::set_strike(point);
    }
    let start = Instant::now();
    let mut builder = heaplab_explorer::model::Builder::new();
    builder.max_branches = options.branches_max;
    builder.preemption_bound = options.preemption_bound;
    builder.max_yields = options.yields_max;
    let replayed = builder.replay(&name.route, move || {
        model_control::begin_execution();
        model_control::run_execution(&f);
    });
    let failure = replayed.err();
    let counters = model_control::counters();
    drop(guard);
    drop(engine);
    if let Some(failure) = &failure
        && failure.kind == heaplab_explorer::FailureKind::Misfit
    {
        return Err(text_of(failure));
    }
    Ok(Exploration {
        executions: 1,
        runs: counters.executions,
        blocked: 0,
        failed_thread: failure.as_ref().and_then(|failure| failure.thread),
        failed_graph: failure.is_some().then(|| name.clone()),
        duration: start.elapsed(),
        operations_max: counters.operations_max,
        threads_max: counters.threads_max,
        truncated: false,
        outcome: failure.map_or(Ok(()), |failure| Err(text_of(&failure))),
    })
}

/// Guesses how many executions the explorer finds in `f`, from at most `breadth` graphs at each distance from the first
/// one. See `heaplab_explorer::model::Builder::estimate`.
///
/// Blocks the calling thread meanwhile.
///
/// # Errors
///
/// What an execution that the guess ran says, if it fails.
///
/// # Panics
///
/// As [`explore`], and with a `breadth` of 0.
pub fn estimate(
    options: &ExploreOptions,
    breadth: usize,
    seed: u64,
    f: impl Fn() + Send + Sync + 'static,
) -> Result<Estimate, String> {
    assert_possible(options);
    let _engine = Engine::Graphs.enter();
    let _guard = ExplorationGuard::enter(Pass::Graphs, options.fault, options.threads_max);
    let f: Body = Arc::new(f);
    let mut sum = Estimate::default();
    sum.is_exact = true;
    let mut outcome = Ok(());
    for_each_strike(|_| {
        let mut builder = heaplab_explorer::model::Builder::new();
        builder.max_branches = options.branches_max;
        builder.preemption_bound = options.preemption_bound;
        builder.max_yields = options.yields_max;
        builder.shard = options.shard;
        let body = f.clone();
        let guess = builder.estimate(breadth, seed, move || {
            model_control::begin_execution();
            model_control::run_execution(&*body);
        });
        match guess {
            Ok(guess) => {
                sum.executions += guess.executions;
                sum.others += guess.others;
                sum.runs += guess.runs;
                sum.is_exact &= guess.is_exact;
            }
            Err(failure) => outcome = Err(text_of(&failure)),
        }
        outcome.is_ok()
    });
    outcome.map(|()| sum)
}

/// What a failure of the explorer says, without the execution, which the journal has.
fn text_of(failure: &heaplab_explorer::Failure) -> String {
    let places = failure.places.iter().map(|place| format!("\n  at {place}"));
    format!("{}: {}{}", failure.kind, failure.message, places.collect::<String>())
}

/// Explores the execution graphs of the body.
fn explore_graphs(options: &ExploreOptions, start: Instant, f: &Body) -> Explored {
    let mut executions = 0;
    let mut explored = Explored::default();
    for_each_strike(|strike| {
        let runs = model_control::counters().executions;
        if options.executions_max.is_some_and(|most| runs >= most) {
            explored.truncated = true;
            return false;
        }
        let mut builder = heaplab_explorer::model::Builder::new();
        builder.max_branches = options.branches_max;
        builder.preemption_bound = options.preemption_bound;
        builder.max_yields = options.yields_max;
        builder.shard = options.shard;
        builder.max_duration = options.duration_max.map(|most| most.saturating_sub(start.elapsed()));
        let runs_left = options.executions_max.map(|most| most - runs);
        builder.max_permutations = runs_left.map(|left| usize::try_from(left).unwrap_or(usize::MAX));
        let body = f.clone();
        let result = builder.explore(move || {
            model_control::begin_execution();
            model_control::run_execution(&*body);
        });
        match result {
            Ok(stats) => {
                executions += stats.executions;
                explored.blocked += stats.blocked;
                let is_within = |bound: &Bound| matches!(bound, Bound::Preemptions(_) | Bound::Yields(_));
                explored.truncated = !stats.bounds_met.iter().all(is_within);
            }
            Err(failure) => {
                executions += failure.stats.executions + 1;
                explored.blocked += failure.stats.blocked;
                explored.failed_thread = failure.thread;
                explored.outcome = Err(text_of(&failure));
                explored.failed_graph = Some(GraphName { strike, route: failure.route });
            }
        }
        !explored.truncated && explored.outcome.is_ok()
    });
    Explored { executions: Some(executions), ..explored }
}

/// Explores the interleavings of the body within the bound of preemptions.
fn explore_by_loom(options: &ExploreOptions, start: Instant, f: &Body) -> Explored {
    // Starting from `new` keeps what the environment says about logs and locations; every limit is set here.
    let mut builder = loom::model::Builder::new();
    builder.max_threads = ExploreOptions::THREADS_MAX;
    builder.max_branches = options.branches_max;
    builder.preemption_bound = options.preemption_bound;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.expect_explicit_explore = false;

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
        for_each_strike(|_| {
            explore_all();
            true
        });
    }));
    let (truncated, outcome) = match result {
        Ok(()) => (false, Ok(())),
        Err(payload) if payload.is::<LimitReached>() => (true, Ok(())),
        Err(payload) => (false, Err(message_of(payload.as_ref()))),
    };
    Explored { truncated, outcome, ..Explored::default() }
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
