//! Runs of the model, one after another, until nothing is left to try.

use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::coroutine::{Running, is_running};
use super::estimate;
use super::state::{Found, Outcome, Pending, Phase, State};
use crate::builder::Builder;
use crate::event::{Event, Kind, NOWHERE};
use crate::failure::{Failure, FailureKind};
use crate::journal::Journal;
use crate::mutant::Mutant;
use crate::route::Route;
use crate::shard::depth_of_roots;
use crate::stats::{Bound, Stats};
use crate::views::THREADS_MAX;

/// Graphs of each level that the estimate for a shard is made from.
const SHARD_BREADTH: usize = 16;

/// The number of a run, unlike that of any other run of the process, so that its values are known by it.
///
/// # Panics
/// There are no more numbers. Zero stands for no run.
fn next_run() -> u32 {
    static RUNS: AtomicU32 = AtomicU32::new(1);
    // Relaxed: the number alone counts.
    let next = RUNS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |run| run.checked_add(1));
    next.expect("a process explores fewer than 4,294,967,295 executions: go on in another one")
}

/// Explores every execution of `f`, and shows each complete one.
#[track_caller]
pub(crate) fn explore(
    builder: &Builder,
    f: Rc<dyn Fn()>,
    mut on_execution: impl FnMut(&dyn Fn() -> Journal, &Route),
) -> Result<Stats, Failure> {
    assert!(!is_running(), "explorations do not nest");
    let place = Location::caller();
    let running = Running::new(State::new(builder.clone()));
    if let Some(shard) = builder.shard {
        let (_, levels) = estimate::estimate(builder, Rc::clone(&f), SHARD_BREADTH, 0)?;
        running.with(|state| state.shard_depth = depth_of_roots(&levels, shard.count()));
    }
    loop {
        running.run_entered(&f, place);
        let result =
            running.with(|state| {
                if state.settle() == Outcome::Complete {
                    on_execution(&|| Journal::of(state), &state.route);
                }
                if let Some(found) = state.found.take() {
                    return Some(Err(state.failure_here(found)));
                }
                // In this order: a limit that the last execution meets has cut nothing off.
                if state.next_graph() && !state.has_reached_limit() {
                    return None;
                }
                state.stats.elapsed = state.began.elapsed();
                let late = state.late.take();
                Some(late.map_or(Ok(state.stats.clone()), |(found, journal, route)| {
                    Err(state.failure(found, journal, route))
                }))
            });
        if let Some(result) = result {
            return result;
        }
    }
}

/// Runs the execution that a route leads to, and those on the way. Returns its journal, and whether it is complete.
#[track_caller]
pub(crate) fn follow(builder: &Builder, f: Rc<dyn Fn()>, route: &Route) -> Result<(Journal, bool), Failure> {
    assert!(!is_running(), "explorations do not nest");
    let place = Location::caller();
    let running = Running::new(State::new(builder.clone()));
    loop {
        running.run_entered(&f, place);
        let result = running.with(|state| {
            let outcome = state.settle();
            if state.route == *route {
                let found = state.found.take().or_else(|| state.late.take().map(|(found, ..)| found));
                return Some(match found {
                    Some(found) => Err(state.failure_here(found)),
                    None => Ok((Journal::of(state), outcome == Outcome::Complete)),
                });
            }
            // Runs on the way that fail are not what is asked for.
            (state.found, state.late) = (None, None);
            let left = route.decisions.len() - state.route.decisions.len();
            if state.follow(route) {
                return None;
            }
            let message = format!("the route does not fit the model: its last {left} decisions cannot be taken");
            let found = Found { kind: FailureKind::Misfit, message, places: Vec::new(), thread: None };
            Some(Err(state.failure_here(found)))
        });
        if let Some(result) = result {
            return result;
        }
    }
}

impl State {
    /// What was found in the present run, as a failure.
    pub(super) fn failure_here(&mut self, found: Found) -> Failure {
        let journal = Journal::of(self);
        let route = self.route.clone();
        self.failure(found, journal, route)
    }

    fn failure(&mut self, found: Found, journal: Journal, route: Route) -> Failure {
        self.stats.elapsed = self.began.elapsed();
        let Found { kind, message, places, thread } = found;
        let (journal, stats) = (Box::new(journal), Box::new(self.stats.clone()));
        Failure { kind, message, places, thread, route, journal, stats }
    }
}

impl Running {
    /// One run, with this as the exploration that operations use.
    pub(super) fn run_entered(&self, f: &Rc<dyn Fn()>, place: &'static Location<'static>) {
        let guard = self.enter();
        self.run(f, place);
        drop(guard);
    }

    /// One run: replay, forward, and what is left of it.
    fn run(&self, f: &Rc<dyn Fn()>, place: &'static Location<'static>) {
        self.with(|state| {
            state.begin_run(next_run());
            state.graph.mutant = state.builder.mutant;
            if state.graph.threads[0].is_empty() {
                state.graph.push(0, Event::new(Kind::Begin, NOWHERE, Ordering::Relaxed, place));
            }
            state.performed[0] = 1;
            state.pending[0] = Pending::Ready;
            state.spawn_places[0] = Some(place);
            let f = Rc::clone(f);
            state.spawned.push((0, Box::new(move || f())));
        });
        self.proceed(|state| state.pick_replayed());
        self.with(State::end_replay);
        self.proceed(|state| {
            let next = state.pick();
            state.reschedules = false;
            state.is_granted = next.is_some();
            next
        });
        self.with(State::judge);
        self.clean_up();
    }

    /// Resumes the threads that `pick` names, until there is none or the run is given up.
    fn proceed(&self, mut pick: impl FnMut(&mut State) -> Option<usize>) {
        loop {
            self.start_spawned();
            let next = self.with(|state| if state.phase == Phase::Abandoned { None } else { pick(state) });
            let Some(thread) = next else { return };
            self.resume(thread);
        }
    }
}

impl State {
    /// Every event of the graph must have been performed.
    fn end_replay(&mut self) {
        if self.phase == Phase::Abandoned {
            return;
        }
        for thread in 0..THREADS_MAX {
            let waits = usize::from(self.pending[thread] == Pending::Blocked);
            let events = &self.graph.threads[thread];
            if self.performed[thread] as usize + waits == events.len() {
                continue;
            }
            let Some(missed) = events.get(self.performed[thread] as usize) else { continue };
            let (kind, place) = (missed.kind, missed.place);
            let message =
                format!("T{thread} ended or waits in this run before what it did in an earlier one: {kind:?}");
            let _ = self.fail::<()>(FailureKind::Nondeterminism, message, &[place]);
            return;
        }
        self.phase = Phase::Forward;
    }

    /// Nobody goes on: says how the run ended.
    fn judge(&mut self) {
        if self.outcome != Outcome::Open {
            return;
        }
        let is_over = |pending: &Pending| matches!(pending, Pending::Done | Pending::Absent);
        if self.pending.iter().all(is_over) {
            self.outcome = Outcome::Complete;
            self.check_end();
            return;
        }
        let is_excused = |thread: usize| match self.pending[thread] {
            Pending::Cut => true,
            Pending::Assume => !self.lacks(Mutant::BlockedAssumptions),
            Pending::Spin => self.is_stale(thread) && !self.lacks(Mutant::BlockedSpins),
            Pending::Blocked if self.lacks(Mutant::BlockedLocks) => false,
            Pending::Blocked => self.graph.threads[thread].last().is_some_and(|event| {
                self.graph.position(event.location, event.source) != self.graph.order_of(event.location).writes.len()
            }),
            _ => false,
        };
        if (0..THREADS_MAX).any(is_excused) || self.lacks(Mutant::Deadlocks) {
            self.outcome = Outcome::Blocked;
            return;
        }
        self.fail_deadlock();
    }

    /// Who waits for what.
    fn fail_deadlock(&mut self) {
        let mut lines = Vec::new();
        let mut places = Vec::new();
        for thread in 0..THREADS_MAX {
            let name = |thread: usize| match &self.names[thread] {
                Some(name) => format!("T{thread} ({name})"),
                None => format!("T{thread}"),
            };
            let holder = |location: u32| {
                let order = self.graph.order_of(location);
                let held = order.writes.last().filter(|&&write| self.graph.event(write).written != 0);
                held.map_or(String::new(), |write| format!(", which {} holds", name(write.thread as usize)))
            };
            let what = match self.pending[thread] {
                Pending::Blocked => match self.graph.threads[thread].last() {
                    Some(event) => format!("{} of x{}{}", event.op.name(), event.location, holder(event.location)),
                    None => continue,
                },
                Pending::Await(location, op) => format!("{} of x{location}{}", op.name(), holder(location)),
                Pending::Join(child) => format!("the end of {}", name(child as usize)),
                Pending::Wake(location, _) => format!("a notification of the condition variable x{location}"),
                Pending::Spin => "a change of what its loop reads, which is the newest there is".to_owned(),
                _ => continue,
            };
            lines.push(format!("{} waits for {what}", name(thread)));
            places.extend(self.pending_place[thread]);
        }
        let _ = self.fail::<()>(FailureKind::Deadlock, lines.join("; "), &places);
    }

    /// What a complete execution must not leave behind.
    fn check_end(&mut self) {
        if self.is_skipped {
            return;
        }
        if self.builder.require_joins {
            let open = (1..THREADS_MAX).find(|&t| self.pending[t] == Pending::Done && self.joined >> t & 1 == 0);
            if let Some(thread) = open {
                let places: Vec<_> = self.spawn_places[thread].into_iter().collect();
                let _ = self.fail::<()>(FailureKind::NotJoined, format!("T{thread} is not joined"), &places);
                return;
            }
        }
        let left: Vec<_> = self.live.iter().flatten().copied().collect();
        if left.is_empty() {
            return;
        }
        if self.has_statics {
            self.stats.meet(Bound::LeaksOfStatics);
            return;
        }
        let message = format!("{} values are left over at the end of the execution", left.len());
        let _ = self.fail::<()>(FailureKind::Leak, message, &left);
    }

    /// Counts the run that ended.
    pub(super) fn settle(&mut self) -> Outcome {
        self.stats.events_max = self.stats.events_max.max(self.graph.events_count());
        if matches!(self.outcome, Outcome::Complete | Outcome::Blocked) {
            if self.builder.shard.is_some_and(|shard| !shard.has(&self.route, self.shard_depth)) {
                self.outcome = Outcome::Elsewhere;
            } else if self.outcome == Outcome::Complete && !self.is_within_bound() {
                self.outcome = Outcome::Elsewhere;
                self.stats.beyond += 1;
                self.stats.meet(Bound::Preemptions(self.builder.preemption_bound.unwrap_or_default()));
            }
        }
        match self.outcome {
            Outcome::Complete => {
                self.stats.executions += 1;
                if self.builder.check_unique {
                    let hash = self.graph.hash();
                    self.stats.duplicates += u64::from(!self.seen.insert(hash));
                }
            }
            Outcome::Blocked => self.stats.blocked += 1,
            Outcome::Wasted => self.stats.wasted += 1,
            Outcome::Open | Outcome::Failed | Outcome::Elsewhere => {}
        }
        self.outcome
    }
}
