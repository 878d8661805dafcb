//! Loops that wait: what becomes of a thread that yields in one.
//!
//! A *turn* is what a thread does between two yields. Of a turn that read what the turn before read, and changed
//! nothing, the next one could only do the same: the thread waits in the graph, and the executions in which it reads
//! something else are made by revisits. A loop may give up by itself, counting its turns natively: so if nobody else
//! can go on, the thread does, for as many turns as the bound allows, which the result then names.
//!
//! A loop whose turns change something goes last, and its turns are not taken for one another: others may read what
//! each of them wrote. It ends by the same bound where its turns are alike, that is read and write the same values, and
//! the last one read something old: it waits for what it could have read. Where its turns are of one shape and not
//! alike, or have read all that there is, it is a failure after as many turns, since its executions have no end.
//!
//! A bound on the yields of a thread ends any loop: a thread that yields once more does not go on, as if it assumed
//! what does not hold, so that every execution with no more yields is explored.

use super::state::{Pending, State, Step};
use crate::event::{Event, Id, Kind, NOWHERE};
use crate::failure::{FailureKind, Place};
use crate::mutant::Mutant;
use crate::stats::Bound;
use crate::views::THREADS_MAX;

use std::panic::Location;
use std::sync::atomic::Ordering;

/// How often the threads of a run may yield without having done anything.
const EMPTY_TURNS_MAX: u32 = 10_000;

/// What the last turns of a thread have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Turns {
    /// The last two turns did the same and changed nothing.
    are_idle: bool,
    /// The last turn changed something.
    have_effects: bool,
    /// How many turns in a row did the same, sources of reads included, and changed nothing.
    same: usize,
    /// How many turns in a row read and wrote the same values.
    alike: usize,
    /// How many turns in a row had the same kinds of events on the same locations.
    shaped: usize,
}

impl State {
    /// How often a thread yielded.
    pub(crate) fn turns_of(&self, thread: usize) -> usize {
        self.graph.threads[thread].iter().filter(|event| event.kind == Kind::Yield).count()
    }

    /// The turns of a thread whose last event is a yield, latest first, as ranges of events without the yields.
    fn turns(&self, thread: usize) -> impl Iterator<Item = (usize, usize)> {
        let events = &self.graph.threads[thread];
        let mut end = events.len() - 1;
        std::iter::from_fn(move || {
            if end == 0 {
                return None;
            }
            let is_border = |event: &Event| matches!(event.kind, Kind::Yield | Kind::Lift);
            let start = events[..end].iter().rposition(is_border).map_or(1, |at| at + 1);
            let turn = (start, end);
            end = start - 1;
            if events[end].kind == Kind::Lift {
                end -= 1;
            }
            Some(turn)
        })
    }

    fn compare_turns(&self, thread: usize) -> Turns {
        let events = &self.graph.threads[thread];
        let mut turns = self.turns(thread);
        let mut found = Turns { are_idle: false, have_effects: false, same: 1, alike: 1, shaped: 1 };
        let Some((mut start, end)) = turns.next() else { return found };
        let length = end - start;
        let changes = |start: usize| events[start..start + length].iter().any(Event::has_effect);
        found.have_effects = changes(start);
        let (mut still_same, mut still_alike) = (!found.have_effects, true);
        // Each turn is compared with the one before it.
        for (index, (from, to)) in turns.enumerate() {
            // The first turn of a loop begins with what came before the loop.
            let Some(from) = to.checked_sub(length).filter(|&at| at >= from) else { break };
            let is_shaped = (0..length).all(|k| {
                let (a, b) = (&events[start + k], &events[from + k]);
                a.kind == b.kind && a.location == b.location
            });
            if !is_shaped {
                break;
            }
            found.shaped += 1;
            let reads_same = |k: usize| {
                let (a, b) = (&events[start + k], &events[from + k]);
                // An RMW that changes nothing reads from itself in the turn before.
                let own = Id::new(thread, from + k + 1);
                a.source == b.source && a.detail == b.detail
                    || a.kind == Kind::RmwRead && a.source == own
                    || a.kind == Kind::RmwWrite
            };
            let is_alike = |k: usize| {
                let (a, b) = (&events[start + k], &events[from + k]);
                a.read == b.read && a.written == b.written && a.detail == b.detail
            };
            still_same &= !changes(from) && (0..length).all(reads_same);
            still_alike &= (0..length).all(is_alike);
            found.alike += usize::from(still_alike);
            if still_same {
                found.same += 1;
                found.are_idle |= index == 0;
            }
            start = from;
        }
        found
    }

    /// A turn of a loop that waits ends.
    pub(crate) fn yield_now(&mut self, place: &'static Location<'static>) -> Step<()> {
        let thread = self.current;
        if self.pending[thread] == Pending::Spin {
            if self.is_too_long() {
                return self.fail_too_long(place);
            }
            // The scheduler lets the loop go on.
            self.is_granted = false;
            self.pending[thread] = Pending::Ready;
            self.graph.push(thread, Event::new(Kind::Lift, NOWHERE, Ordering::Relaxed, place));
            self.performed[thread] += 1;
            return Step::Done(());
        }
        let last = &self.graph.threads[thread][self.performed[thread] as usize - 1];
        if matches!(last.kind, Kind::Yield | Kind::Lift) {
            // A turn without an event tells nothing, and a loop of them has no end that the explorer could see.
            self.empty_turns += 1;
            if self.empty_turns > EMPTY_TURNS_MAX {
                let message =
                    format!("T{thread} yields again and again without reading anything that the explorer sees");
                return self.fail(FailureKind::Limit, message, &[place]);
            }
            return Step::Done(());
        }
        let event = Event::new(Kind::Yield, NOWHERE, Ordering::Relaxed, place);
        match self.simple(event) {
            Step::Done(_) => {}
            Step::Wait => return Step::Wait,
            Step::Unwind => return Step::Unwind,
        }
        if let Some(next) = self.graph.threads[thread].get(self.performed[thread] as usize) {
            self.performed[thread] += u32::from(next.kind == Kind::Lift);
            return Step::Done(());
        }
        self.reschedules = true;
        if let Some(most) = self.builder.max_yields
            && self.turns_of(thread) > most
            && !self.lacks(Mutant::YieldsEnd)
        {
            self.stats.meet(Bound::Yields(most));
            return self.wait(Pending::Cut, place);
        }
        let turns = self.compare_turns(thread);
        if turns.are_idle && !self.lacks(Mutant::IdleTurns) {
            return self.wait(Pending::Spin, place);
        }
        let is_long = turns.have_effects && turns.alike >= self.builder.max_turns;
        if is_long && self.is_stale(thread) && !self.lacks(Mutant::AlikeTurns) {
            return self.wait(Pending::Spin, place);
        }
        if turns.have_effects && turns.shaped > self.builder.max_effect_turns {
            let message = format!(
                "T{thread} turned {} times in a row and changed something each time: a loop that waits must change \
                 nothing, or end within Builder::max_effect_turns",
                turns.shaped
            );
            return self.fail(FailureKind::SpinWithEffects, message, &[place]);
        }
        Step::Done(())
    }

    /// A loop that waits, that did so for fewer turns than the bound, and that may give up by itself.
    pub(crate) fn pick_spinner(&mut self) -> Option<usize> {
        for thread in 0..THREADS_MAX {
            if self.pending[thread] != Pending::Spin || self.graph.threads[thread].last()?.kind != Kind::Yield {
                continue;
            }
            let Turns { have_effects, same, alike, .. } = self.compare_turns(thread);
            if !have_effects && same < self.builder.max_turns && !self.lacks(Mutant::Lifts) {
                return Some(thread);
            }
            let turns = if have_effects { alike } else { same };
            if let Some(place) = self.pending_place[thread] {
                self.stats.meet(Bound::Turns { place: Place::new(place), turns });
            }
        }
        None
    }

    /// Whether a loop could still read something newer than its last turn did.
    pub(crate) fn is_stale(&self, thread: usize) -> bool {
        let events = &self.graph.threads[thread];
        let Some((mut start, end)) = self.turns(thread).next() else { return false };
        if events[end].kind != Kind::Yield {
            // Of a loop that has no turns the last one is what came after the last effect.
            start += events[start..end].iter().rposition(Event::has_effect).map_or(0, |at| at + 1);
        }
        let is_behind = |event: &Event| {
            let position = self.graph.position(event.location, event.source);
            let newer = &self.graph.order_of(event.location).writes[position..];
            newer.iter().any(|write| write.thread as usize != thread)
        };
        events[start..end].iter().filter(|event| event.is_read()).any(is_behind)
    }
}
