//! The state of an exploration, and how an operation of the model enters it.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::accesses::Accesses;
use crate::branch::{Alternative, Branch};
use crate::builder::Builder;
use crate::event::{Event, Id, Kind, Op};
use crate::failure::{FailureKind, Place};
use crate::graph::Graph;
use crate::journal::Journal;
use crate::memory::Memory;
use crate::mutant::Mutant;
use crate::route::Route;
use crate::stats::{Bound, Stats};
use crate::views::{Clock, THREADS_MAX};

/// What became of one step of an operation.
pub(crate) enum Step<T> {
    Done(T),
    /// Another thread goes first; the step is tried again.
    Wait,
    /// The run was given up, and the thread unwinds.
    Unwind,
}

/// What a run does at present.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Replay,
    Forward,
    Abandoned,
}

/// How far a thread of an abandoned run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cleanup {
    /// It has not heard of it.
    None,
    /// It runs on to its end, as the graph is that of an execution so far.
    Finishing,
    Unwinding,
    /// It drops what its closure captured, as it has never begun.
    Dropping,
    /// It did too much on flat memory and is stopped for good.
    Stuck,
}

/// What a thread that is suspended wants.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Pending {
    /// There is no such thread.
    Absent,
    /// An operation that is always possible.
    Ready,
    /// In replay: that event first.
    Source(Id),
    /// An RMW that waits.
    Await(u32, Op),
    /// The end of a thread.
    Join(u32),
    /// A notification: the condition variable's location, and its own entry among the waiters.
    Wake(u32, u32),
    /// Waits in the graph, for a lock.
    Blocked,
    /// Waits for something else than what its loop read.
    Spin,
    /// Yielded once more than the bound allows.
    Cut,
    /// Assumed something that does not hold.
    Assume,
    Done,
}

/// What is known of a location beside the graph.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    /// The thread that made it, and how many events it had then.
    pub(crate) thread: u32,
    pub(crate) index: u32,
    /// The value that it was made with.
    pub(crate) initial: u64,
    /// The run in which `reads` counts.
    pub(crate) run: u32,
    /// The plain reads: of each thread how many events it had at the last one, plus one.
    pub(crate) reads: Clock,
    pub(crate) place: &'static Location<'static>,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Open,
    Complete,
    Blocked,
    /// Complete or blocked, and not one of those that are counted: another shard's, or over the bound of preemptions.
    Elsewhere,
    Wasted,
    Failed,
}

/// A failure before it is handed out.
pub(crate) struct Found {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) places: Vec<Place>,
    pub(crate) thread: Option<usize>,
}

/// A thread local by its key; `None` once it was dropped.
pub(crate) type Local = (usize, Option<Rc<dyn Any>>);

/// A thread that begins, and what it runs.
pub(crate) type Spawned = (usize, Box<dyn FnOnce()>);

pub(crate) struct State {
    pub(crate) builder: Builder,
    pub(crate) graph: Graph,
    /// What is left to try on the present graph, by the stamp of the event that it changes.
    pub(crate) work: Vec<(u32, Alternative)>,
    /// How many decisions from the first graph the roots of a shard's subtrees are.
    pub(crate) shard_depth: usize,
    /// How much of that is left from the graph that the present one was made of.
    pub(crate) work_below: usize,
    /// How the present graph came about.
    pub(crate) route: Route,
    /// The graphs below, which wait.
    pub(crate) branches: Vec<Branch>,
    /// Graphs whose memory can be used again.
    pub(crate) spare: Vec<Graph>,
    pub(crate) stats: Stats,
    pub(crate) seen: HashSet<u64>,
    pub(crate) began: Instant,

    /// The locations by the thread that makes them and by how many it made before: the same in all runs.
    pub(crate) interned: [Vec<u32>; THREADS_MAX],
    pub(crate) made: Vec<Made>,
    /// The numbers of each thread's children, by how many it spawned before: the same in all runs. 0: it has none.
    pub(crate) children: [Vec<u32>; THREADS_MAX],

    // The present run.
    pub(crate) run: u32,
    pub(crate) phase: Phase,
    pub(crate) outcome: Outcome,
    pub(crate) found: Option<Found>,
    /// A failure that is reported if no other one is found, and the run that it was found in.
    pub(crate) late: Option<(Found, Journal, Route)>,
    pub(crate) current: usize,
    /// The current thread was chosen by the scheduler, and adds its event whatever it waits for.
    pub(crate) is_granted: bool,
    /// The scheduler decides before the next event, since an unlock or a notification may have changed who is first.
    pub(crate) reschedules: bool,
    /// How many events of its thread were performed.
    pub(crate) performed: [u32; THREADS_MAX],
    pub(crate) locations_made: [u32; THREADS_MAX],
    pub(crate) spawns_made: [u32; THREADS_MAX],
    pub(crate) pending: [Pending; THREADS_MAX],
    pub(crate) pending_place: [Option<&'static Location<'static>>; THREADS_MAX],
    pub(crate) cleanup: [Cleanup; THREADS_MAX],
    pub(crate) flat_steps: [u32; THREADS_MAX],
    /// Flat memory by location; what is not there is as the graph has it.
    pub(crate) flat: Vec<Option<u64>>,
    /// How many operations were done on flat memory.
    pub(crate) flat_progress: u64,
    /// How often flat memory changed.
    pub(crate) flat_changes: u64,
    pub(crate) spawned: Vec<Spawned>,
    pub(crate) names: [Option<String>; THREADS_MAX],
    pub(crate) spawn_places: [Option<&'static Location<'static>>; THREADS_MAX],
    pub(crate) joined: u32,
    pub(crate) empty_turns: u32,
    /// Threads that were suspended while they panicked.
    pub(crate) panicking_threads: u32,
    /// Threads that began to panic and were not seen to have ended it.
    pub(crate) panics: u32,
    /// The thread of the host counted as panicking before the exploration began, or since a thread was forgotten.
    pub(crate) host_panics: bool,
    /// Threads whose coroutine has begun.
    pub(crate) started: u32,
    /// Threads whose coroutine is over.
    pub(crate) ended: u32,
    /// What a complete execution must not leave behind.
    pub(crate) live: Vec<Option<&'static Location<'static>>>,
    pub(crate) has_statics: bool,
    /// Whether leaks and such do not count, as the model said.
    pub(crate) is_skipped: bool,
    /// The locations that are the same for all threads, by their keys.
    pub(crate) keyed: HashMap<usize, u32>,
    /// The lazy statics of this run.
    pub(crate) statics: HashMap<usize, &'static dyn Any>,
    /// The thread locals of this run, by thread and key; `None` once they were dropped.
    pub(crate) locals: [Vec<Local>; THREADS_MAX],
    /// The owners' counts of values that were given out as raw pointers, by address.
    pub(crate) raw_counts: HashMap<usize, Arc<dyn Any + Send + Sync>>,
    pub(crate) cells: Vec<Accesses>,
    pub(crate) memory: Memory,
}

/// Operations of a thread on flat memory before it is stopped for good.
const FLAT_STEPS_MAX: u32 = 100_000;

/// How an operation goes on.
pub(crate) enum Entry {
    /// As an event.
    Event,
    /// On flat memory.
    Flat,
    Unwind,
    /// Never.
    Stuck,
}

impl State {
    pub(crate) fn new(builder: Builder) -> State {
        State {
            builder,
            graph: Graph::default(),
            work: Vec::new(),
            shard_depth: 0,
            work_below: 0,
            route: Route::default(),
            branches: Vec::new(),
            spare: Vec::new(),
            stats: Stats::default(),
            seen: HashSet::new(),
            began: Instant::now(),
            interned: Default::default(),
            made: Vec::new(),
            children: Default::default(),
            run: 0,
            phase: Phase::Replay,
            outcome: Outcome::Open,
            found: None,
            late: None,
            current: 0,
            is_granted: false,
            reschedules: false,
            performed: [0; THREADS_MAX],
            locations_made: [0; THREADS_MAX],
            spawns_made: [0; THREADS_MAX],
            pending: [Pending::Absent; THREADS_MAX],
            pending_place: [None; THREADS_MAX],
            cleanup: [Cleanup::None; THREADS_MAX],
            flat_steps: [0; THREADS_MAX],
            flat: Vec::new(),
            flat_progress: 0,
            flat_changes: 0,
            spawned: Vec::new(),
            names: Default::default(),
            spawn_places: [None; THREADS_MAX],
            joined: 0,
            empty_turns: 0,
            panicking_threads: 0,
            panics: 0,
            host_panics: std::thread::panicking(),
            started: 0,
            ended: 0,
            live: Vec::new(),
            has_statics: false,
            is_skipped: false,
            keyed: HashMap::new(),
            statics: HashMap::new(),
            locals: Default::default(),
            raw_counts: HashMap::new(),
            cells: Vec::new(),
            memory: Memory::default(),
        }
    }

    /// Forgets the last run.
    pub(crate) fn begin_run(&mut self, run: u32) {
        self.run = run;
        self.phase = Phase::Replay;
        self.outcome = Outcome::Open;
        self.is_granted = false;
        self.reschedules = false;
        self.performed = [0; THREADS_MAX];
        self.locations_made = [0; THREADS_MAX];
        self.spawns_made = [0; THREADS_MAX];
        self.pending = [Pending::Absent; THREADS_MAX];
        self.pending_place = [None; THREADS_MAX];
        self.cleanup = [Cleanup::None; THREADS_MAX];
        self.flat_steps = [0; THREADS_MAX];
        self.flat.clear();
        self.spawned.clear();
        self.names.fill(None);
        self.spawn_places = [None; THREADS_MAX];
        self.joined = 0;
        self.empty_turns = 0;
        self.panicking_threads = 0;
        self.panics = 0;
        self.started = 0;
        self.ended = 0;
        self.live.clear();
        self.has_statics = false;
        self.is_skipped = false;
        // Threads drop their locals; what is left belongs to threads that were forgotten, and is forgotten with them.
        for (_, value) in self.locals.iter_mut().flat_map(|locals| locals.drain(..)) {
            std::mem::forget(value);
        }
        self.statics.clear();
        self.raw_counts.clear();
        self.cells.clear();
        self.memory.release();
        self.stats.runs += 1;
    }

    /// Whether a rule of the engine is left out.
    #[inline]
    pub(crate) fn lacks(&self, rule: Mutant) -> bool {
        self.builder.mutant == Some(rule)
    }

    /// Decides how an operation of the current thread goes on.
    #[inline]
    pub(crate) fn enter(&mut self) -> Entry {
        if self.phase == Phase::Abandoned { self.enter_abandoned() } else { Entry::Event }
    }

    #[cold]
    fn enter_abandoned(&mut self) -> Entry {
        let thread = self.current;
        match self.cleanup[thread] {
            Cleanup::Dropping => {}
            Cleanup::Unwinding if self.is_panicking() => {}
            Cleanup::Finishing if self.flat_steps[thread] < FLAT_STEPS_MAX => {}
            Cleanup::Stuck => return Entry::Stuck,
            // It has not begun to unwind, or the model caught it, or it does not end.
            Cleanup::None | Cleanup::Unwinding | Cleanup::Finishing => {
                if self.cleanup[thread] == Cleanup::Finishing {
                    self.flat_steps[thread] = 0;
                }
                self.cleanup[thread] = Cleanup::Unwinding;
                self.flat_steps[thread] += FLAT_STEPS_MAX / 1000;
                if self.flat_steps[thread] > FLAT_STEPS_MAX {
                    self.cleanup[thread] = Cleanup::Stuck;
                    return Entry::Stuck;
                }
                return Entry::Unwind;
            }
        }
        self.flat_steps[thread] += 1;
        if self.flat_steps[thread] > FLAT_STEPS_MAX {
            self.cleanup[thread] = Cleanup::Stuck;
            return Entry::Stuck;
        }
        Entry::Flat
    }

    /// Gives the run up.
    pub(crate) fn abandon(&mut self, outcome: Outcome) {
        if self.outcome == Outcome::Open {
            self.outcome = outcome;
        }
        self.phase = Phase::Abandoned;
        self.reschedules = false;
        self.is_granted = false;
        // A thread that panics by itself unwinds already.
        if self.is_panicking() {
            self.cleanup[self.current] = Cleanup::Unwinding;
        }
    }

    /// Ends the run with a failure. The first one counts.
    #[cold]
    pub(crate) fn fail<T>(
        &mut self,
        kind: FailureKind,
        message: String,
        places: &[&'static Location<'static>],
    ) -> Step<T> {
        if self.found.is_none() && self.phase != Phase::Abandoned {
            let places = places.iter().map(|place| Place::new(place)).collect();
            let thread = (kind != FailureKind::Deadlock).then_some(self.current);
            self.found = Some(Found { kind, message, places, thread });
            self.outcome = Outcome::Failed;
        }
        self.abandon(Outcome::Failed);
        Step::Unwind
    }

    /// Whether the graph has the next event of the current thread already.
    #[inline]
    pub(crate) fn is_replayed(&self) -> bool {
        (self.performed[self.current] as usize) < self.graph.threads[self.current].len()
    }

    /// Whether an event was performed in this run.
    #[inline]
    pub(crate) fn was_performed(&self, id: Id) -> bool {
        id.is_initial() || id.index < self.performed[id.thread as usize]
    }

    /// Suspends the current thread.
    #[inline]
    pub(crate) fn wait<T>(&mut self, pending: Pending, place: &'static Location<'static>) -> Step<T> {
        self.pending[self.current] = pending;
        self.pending_place[self.current] = Some(place);
        if self.is_panicking() && self.phase == Phase::Forward && pending != Pending::Ready {
            return self.fail(
                FailureKind::Assertion,
                format!("T{} panicked, and a destructor waits: {}", self.current, super::panics::last_panic()),
                &[place],
            );
        }
        Step::Wait
    }

    /// Whether the current thread panics.
    ///
    /// The host's count is that of all coroutines. While it counts others, what the thread itself was seen to begin
    /// decides.
    #[inline]
    pub(crate) fn is_panicking(&self) -> bool {
        let others = self.panicking_threads & !(1 << self.current);
        if others == 0 && !self.host_panics {
            return std::thread::panicking();
        }
        self.panics >> self.current & 1 == 1
    }

    /// Whether the current thread runs on to its end, after the run was given up.
    pub(crate) fn is_finishing(&self) -> bool {
        self.cleanup[self.current] == Cleanup::Finishing
    }

    /// Whether the current thread may add an event; if not, it waits for its turn.
    #[inline]
    pub(crate) fn takes_turn(&mut self, pending: Pending, is_granted: bool) -> bool {
        is_granted || (self.phase == Phase::Forward && !self.reschedules && self.is_open(self.current, pending))
    }

    /// Refuses a thread that is too long.
    pub(crate) fn is_too_long(&self) -> bool {
        self.graph.threads[self.current].len() >= self.builder.max_branches
    }

    /// The failure of a thread that is too long.
    #[cold]
    pub(crate) fn fail_too_long<T>(&mut self, place: &'static Location<'static>) -> Step<T> {
        let message = format!(
            "T{} has {} events, as many as Builder::max_branches allows; a loop without an end?",
            self.current, self.builder.max_branches
        );
        self.fail(FailureKind::Limit, message, &[place])
    }

    /// The clock of what happens before the next event of the current thread.
    #[inline]
    pub(crate) fn before_now(&self) -> &Clock {
        &self.graph.clocks(Id { thread: self.current as u32, index: self.performed[self.current] - 1 }).before
    }

    /// The value that a location was made with.
    #[inline]
    pub(crate) fn initial(&self, location: u32) -> u64 {
        self.made.get(location as usize).map_or(0, |made| made.initial)
    }

    /// The newest value of a location.
    #[inline]
    pub(crate) fn newest(&self, location: u32) -> u64 {
        self.graph.newest(location, self.initial(location))
    }

    /// Compares an operation with the event that the graph has in its place.
    pub(crate) fn replayed(&mut self, new: &Event) -> Result<Id, Step<()>> {
        let id = Id { thread: self.current as u32, index: self.performed[self.current] };
        let old = self.graph.event(id);
        let is_same = old.kind == new.kind
            && old.location == new.location
            && old.order == new.order
            && old.failure_order == new.failure_order
            && old.mask == new.mask
            && old.is_weak == new.is_weak
            && old.is_unlock == new.is_unlock
            && (old.op == new.op || is_same_op(old, new.op))
            && (new.kind != Kind::Store || is_same_value(old, old.written, new.written))
            && (!matches!(new.kind, Kind::Join) || old.detail == new.detail);
        if is_same || self.lacks(Mutant::Nondeterminism) {
            return Ok(id);
        }
        let (was, is) = (describe(old), describe(new));
        let places = [old.place, new.place];
        let message = format!("T{}.{} was `{was}` in an earlier run and is `{is}` in this one", id.thread, id.index);
        Err(self.fail(FailureKind::Nondeterminism, message, &places))
    }

    /// Adds an event that neither reads nor writes, or finds it. True if it is new.
    pub(crate) fn simple(&mut self, event: Event) -> Step<(Id, bool)> {
        let is_granted = std::mem::take(&mut self.is_granted);
        if self.is_replayed() {
            return match self.replayed(&event) {
                Ok(id) => {
                    self.graph.event_mut(id).place = event.place;
                    self.performed[self.current] += 1;
                    Step::Done((id, false))
                }
                Err(_) => Step::Unwind,
            };
        }
        if !self.takes_turn(Pending::Ready, is_granted) {
            return self.wait(Pending::Ready, event.place);
        }
        if self.is_too_long() {
            return self.fail_too_long(event.place);
        }
        let id = self.graph.push(self.current, event);
        self.performed[self.current] += 1;
        Step::Done((id, true))
    }

    /// Whether the exploration has reached a limit, which is then named.
    pub(crate) fn has_reached_limit(&mut self) -> bool {
        let runs = self.stats.runs;
        if let Some(max) = self.builder.max_permutations
            && self.stats.executions + self.stats.blocked + self.stats.wasted >= max as u64
        {
            self.stats.meet(Bound::Executions(max as u64));
            return true;
        }
        if let Some(max) = self.builder.max_duration
            && runs.is_multiple_of(16)
            && self.began.elapsed() >= max
        {
            self.stats.meet(Bound::Duration(max));
            return true;
        }
        false
    }
}

/// Values from here on may be addresses, where a value of the event may be one.
const ADDRESS_MIN: u64 = 1 << 16;

/// Whether two runs used the same value. What may be an address differs from run to run.
fn is_same_value(event: &Event, old: u64, new: u64) -> bool {
    old == new || event.is_address && old >= ADDRESS_MIN && new >= ADDRESS_MIN
}

/// Whether two runs did the same to a value, with operands that may differ.
#[cold]
fn is_same_op(event: &Event, new: Op) -> bool {
    let ([old_x, old_y], [x, y]) = (event.op.operands(), new.operands());
    std::mem::discriminant(&event.op) == std::mem::discriminant(&new)
        && is_same_value(event, old_x, x)
        && is_same_value(event, old_y, y)
}

/// An event in a few words.
fn describe(event: &Event) -> String {
    let name = match event.kind {
        Kind::Store => format!("store {:#x}", event.written),
        Kind::RmwRead | Kind::RmwWrite => match event.op.operands() {
            [0, 0] => event.op.name().to_owned(),
            [x, 0] => format!("{} {x:#x}", event.op.name()),
            [x, y] => format!("{} {x:#x} {y:#x}", event.op.name()),
        },
        Kind::Choice => format!("choose among {}", event.op.operands()[0]),
        Kind::Join => format!("join T{}", event.detail),
        kind => format!("{kind:?}").to_lowercase(),
    };
    let order =
        if event.is_access() || event.kind == Kind::Fence { format!(" {:?}", event.order) } else { String::new() };
    if event.is_access() { format!("{name}{order} of x{}", event.location) } else { format!("{name}{order}") }
}
