//! Preemptions: how many a schedule needs to make an execution, and a bound on them that is complete up to itself.
//!
//! A *schedule* of a graph runs its events one after another, each after its causes (program order and reads-from).
//! That a read is stale costs nothing: who reads an old value need not run before it was overwritten. A *preemption*
//! ends the turn of a thread that could go on: one that does not wait (for a lock that is held then, a notification,
//! the end of a thread), did not yield, and has more events. An execution is *within* the bound `k` if one of its
//! schedules has at most `k` preemptions.
//!
//! # Which schedules are looked at
//!
//! Whoever has the turn runs as far as it can: to its end, to a wait, or to a read whose source has not run, which
//! costs a preemption. So does a lock that is free and that the execution gives to somebody else first. To run on never
//! keeps another thread from anything, so that a schedule that ends a turn earlier is no better, but in two places.
//! After a yield a turn ends for nothing. And before a thread gives a lock back, or notifies, the turn may end for a
//! preemption, so that those who come to wait for it lose theirs for nothing. These are choices, as is who is next.
//!
//! # Why nothing within the bound is lost
//!
//! * **PB-1** A set of events of a graph that has the causes of each needs no more preemptions than the graph: leave
//!   the other events out of a schedule, and each turn that ends with a preemption ended with one before.
//! * **PB-2** An event that was not added maximally, seen from what is older than it, is never deleted by a revisit
//!   ([`crate::maximal`]), nor are its causes. A write that a revisit let an older read read from is such an event, so
//!   that this holds for the graphs that revisits make as well.
//!
//! So a graph whose *lasting* events need more than `k` preemptions has no execution below it that is within the bound,
//! and is not run. What is run and turns out to need more is not counted as an execution. A bound never changes which
//! graphs the others lead to, so each execution within it is run once.

use std::collections::HashMap;

use crate::event::{Id, Kind, Op};
use crate::graph::Graph;
use crate::mutant::Mutant;
use crate::views::{Clock, THREADS_MAX};

/// How many events of each thread have run.
type Progress = [u32; THREADS_MAX];

/// A place in a thread where its turn may end.
#[derive(Clone, Copy, Debug)]
struct Stop {
    /// The index of the event before which the turn ends.
    index: u32,
    why: Why,
}

#[derive(Clone, Copy, Debug)]
enum Why {
    /// It yielded.
    Yield,
    /// It is about to end a wait.
    BeforeHelp,
    /// It waits for something to have run.
    Wait(Clock),
    /// It takes a lock of a location, after something has run; it waits if the lock is held.
    Lock(Clock, u32, Op),
    /// It reads from something that has to have run.
    Read(Clock),
}

/// The threads of a graph as far as schedules are concerned.
struct Turns<'a> {
    graph: &'a Graph,
    stops: [Vec<Stop>; THREADS_MAX],
    /// How many events each thread has.
    ends: Progress,
    /// The fewest preemptions with which a thread got its turn at a progress.
    seen: HashMap<(Progress, usize), usize>,
}

impl Graph {
    /// Whether some schedule of the events in `part`, which has the causes of each, has at most `bound` preemptions.
    pub(crate) fn is_within(&self, bound: usize, part: &Clock) -> bool {
        let mut awaited: Vec<u32> = Vec::new();
        let mut turns = Turns { graph: self, stops: Default::default(), ends: [0; THREADS_MAX], seen: HashMap::new() };
        for thread in 0..THREADS_MAX {
            let end = part.count(thread) as usize;
            turns.ends[thread] = part.count(thread);
            let mut known = Clock::EMPTY;
            for (index, event) in self.threads[thread][..end].iter().enumerate() {
                let event_causes = self.clocks(Id::new(thread, index)).causes;
                let is_new = |other: usize| other != thread && event_causes.count(other) > known.count(other);
                let has_yielded = index > 0 && self.threads[thread][index - 1].kind == Kind::Yield;
                if has_yielded && !self.lacks(Mutant::YieldsAreFree) {
                    turns.stops[thread].push(Stop { index: index as u32, why: Why::Yield });
                }
                if (0..THREADS_MAX).any(is_new) {
                    let mut causes = event_causes;
                    causes.set(thread, 0);
                    if event.kind == Kind::Wake || event.op.waits() {
                        awaited.push(event.location);
                    }
                    let why = match event.kind {
                        Kind::RmwRead if event.op.waits() => Why::Lock(causes, event.location, event.op),
                        Kind::Load | Kind::RmwRead => Why::Read(causes),
                        _ => Why::Wait(causes),
                    };
                    turns.stops[thread].push(Stop { index: index as u32, why });
                }
                known = event_causes;
            }
        }
        for thread in 0..THREADS_MAX {
            for (index, event) in self.threads[thread][..turns.ends[thread] as usize].iter().enumerate() {
                let helps = event.is_write() && !event.op.waits() && awaited.contains(&event.location);
                if helps && !self.lacks(Mutant::StopsBeforeHelp) {
                    let begin = index - usize::from(event.kind == Kind::RmwWrite);
                    turns.stops[thread].push(Stop { index: begin as u32, why: Why::BeforeHelp });
                }
            }
            turns.stops[thread].sort_by_key(|stop| stop.index);
        }
        turns.can_end([0; THREADS_MAX], 0, bound, 0)
    }

    /// All events.
    pub(crate) fn all(&self) -> Clock {
        let mut all = Clock::EMPTY;
        for (thread, events) in self.threads.iter().enumerate() {
            all.set(thread, events.len() as u32);
        }
        all
    }

    /// The events that every graph has that is made of this one (PB-2).
    pub(crate) fn lasting(&self) -> Clock {
        let mut lasting = Clock::EMPTY;
        for order in &self.locations {
            // The oldest of the writes behind each position.
            let mut oldest_behind = vec![u32::MAX; order.writes.len() + 1];
            for (position, &write) in order.writes.iter().enumerate().rev() {
                oldest_behind[position] = oldest_behind[position + 1].min(self.event(write).stamp);
            }
            let mut oldest_reader = vec![u32::MAX; order.writes.len() + 1];
            for &id in &order.reads {
                let event = self.event(id);
                let source = self.position(order.location, event.source);
                oldest_reader[source] = oldest_reader[source].min(event.stamp);
                if event.variant != 0 || oldest_behind[source] < event.stamp {
                    lasting.join(&self.clocks(id).causes);
                }
            }
            for (position, &write) in order.writes.iter().enumerate() {
                let event = self.event(write);
                if oldest_behind[position + 1].min(oldest_reader[position + 1]) < event.stamp {
                    lasting.join(&self.clocks(write).causes);
                }
            }
        }
        for id in self.ids() {
            let event = self.event(id);
            if event.kind == Kind::Choice && event.detail != 0 {
                lasting.join(&self.clocks(id).causes);
            }
        }
        lasting
    }
}

impl Turns<'_> {
    /// Whether a schedule that has come to `progress` with `spent` preemptions, and that gives the turn to `thread`,
    /// can come to its end within the bound.
    fn can_end(&mut self, mut progress: Progress, thread: usize, bound: usize, spent: usize) -> bool {
        match self.seen.get_mut(&(progress, thread)) {
            Some(least) if *least <= spent => return false,
            Some(least) => *least = spent,
            None => _ = self.seen.insert((progress, thread), spent),
        }
        let first = self.stops[thread].partition_point(|stop| stop.index < progress[thread]);
        // Where else the turn may end, and what that costs. The last yield before a place is as good as any earlier
        // one.
        let mut earlier: Vec<(u32, usize)> = Vec::new();
        let mut last_yield: Option<u32> = None;
        let mut cost = 0;
        let mut end = self.ends[thread];
        for stop in &self.stops[thread][first..] {
            let has_run = |causes: &Clock| (0..THREADS_MAX).all(|other| causes.count(other) <= progress[other]);
            match stop.why {
                Why::Yield if stop.index > progress[thread] => last_yield = Some(stop.index),
                Why::BeforeHelp if stop.index > progress[thread] => {
                    earlier.extend(last_yield.take().map(|at| (at, 0)));
                    earlier.push((stop.index, 1));
                }
                Why::Wait(causes) if !has_run(&causes) => end = stop.index,
                Why::Lock(causes, location, op) if !has_run(&causes) => {
                    let mut then = progress;
                    then[thread] = stop.index;
                    (end, cost) = (stop.index, usize::from(!self.is_held(location, op, &then)));
                }
                Why::Read(causes) if !has_run(&causes) => (end, cost) = (stop.index, 1),
                _ => continue,
            }
            if end == stop.index {
                break;
            }
        }
        if cost != 0 {
            earlier.extend(last_yield.map(|at| (at, 0)));
        }
        if end == progress[thread] && end != self.ends[thread] {
            // It has no turn, as it cannot go on.
            return false;
        }
        if spent + cost <= bound {
            progress[thread] = end;
            if progress == self.ends || self.others_can_end(progress, thread, bound, spent + cost) {
                return true;
            }
        }
        earlier.into_iter().any(|(at, cost)| {
            progress[thread] = at;
            spent + cost <= bound && self.others_can_end(progress, thread, bound, spent + cost)
        })
    }

    /// Whether a lock is held, so that `op` waits for it. Of the writes of a lock each has the one before it among its
    /// causes, so those that have run are the first ones.
    fn is_held(&self, location: u32, op: Op, progress: &Progress) -> bool {
        if self.graph.lacks(Mutant::WaitsAreFree) {
            return false;
        }
        let order = self.graph.order_of(location);
        let has_run = |write: &&Id| write.index < progress[write.thread as usize];
        let newest = order.writes.iter().take_while(has_run).last();
        let value = newest.map_or(order.initial, |&write| self.graph.event(write).written);
        op.waits_at(value)
    }

    fn others_can_end(&mut self, progress: Progress, thread: usize, bound: usize, spent: usize) -> bool {
        (0..THREADS_MAX).any(|other| {
            other != thread && progress[other] < self.ends[other] && self.can_end(progress, other, bound, spent)
        })
    }
}
