//! Operations of a run that was given up: on flat memory, which holds the newest values.
//!
//! A run is given up in one of two ways.
//!
//! * *The graph is that of an execution so far*, and only a wait in it has no end: another graph has the execution in
//!   which it ends. The threads *finish*: they run on to their end with the newest values, one after another, and
//!   wait as in the model. To read the newest value and to write behind it is consistent always, so that what they do
//!   is an execution too, and none of their own assertions can fail in it that does not fail in a graph that is
//!   explored. Their destructors meet what they meet in an execution. Such a run that comes to an end at which
//!   threads wait for each other is a deadlock that the exploration has not seen as such, and is one.
//! * *The run failed, or a thread assumed what does not hold*, so that it cannot go on. Then each thread unwinds,
//!   what it does while it unwinds does not wait, but for locks and for ends of threads, and nothing is judged.

use super::state::{Cleanup, Found, Outcome, Pending, State, Step};
use crate::event::Event;
use crate::failure::{FailureKind, Place};
use crate::journal::Journal;
use crate::mutant::Mutant;
use crate::views::THREADS_MAX;

impl State {
    pub(crate) fn flat_value(&self, location: u32) -> u64 {
        self.flat.get(location as usize).copied().flatten().unwrap_or_else(|| {
            match self.lacks(Mutant::FinishingReads) {
                true => self.initial(location),
                false => self.newest(location),
            }
        })
    }

    pub(crate) fn flat_set(&mut self, location: u32, value: u64) {
        self.flat_changes += u64::from(self.flat_value(location) != value);
        let index = location as usize;
        if self.flat.len() <= index {
            self.flat.resize(index + 1, None);
        }
        self.flat[index] = Some(value);
    }

    /// The end of a turn of a loop. Where threads finish, each of the others has a turn.
    pub(crate) fn flat_turn(&mut self, has_waited: &mut bool) -> Step<()> {
        if self.is_finishing() && !std::mem::replace(has_waited, true) {
            // It waits for nothing, so this is no deadlock.
            self.flat_progress += 1;
            return Step::Wait;
        }
        Step::Done(())
    }

    /// The end of a turn of a loop that changed nothing. Where threads finish, the next one begins when something
    /// changed; what the turn read that the run ended in may be old.
    pub(crate) fn flat_spin(&mut self, changes: &mut Option<u64>) -> Step<()> {
        let is_old = std::mem::replace(&mut self.pending[self.current], Pending::Ready) == Pending::Spin;
        if !self.is_finishing() || is_old || *changes.get_or_insert(self.flat_changes) != self.flat_changes {
            return Step::Done(());
        }
        Step::Wait
    }

    /// An RMW or a load. What waits in the model waits where threads finish. Who may have a lock is decided beside
    /// the model.
    pub(crate) fn flat_read(&mut self, event: &Event) -> Step<(u64, bool)> {
        let value = self.flat_value(event.location);
        let new = event.apply(value, 0);
        match new {
            Some(new) => self.flat_set(event.location, new),
            None if event.op.waits_at(value) && self.is_finishing() => return Step::Wait,
            None => {}
        }
        Step::Done((value, new.is_some()))
    }

    /// Something is assumed that does not hold: no execution goes on from there, so no thread does.
    pub(crate) fn assume_flat(&mut self) -> Step<()> {
        if !self.is_finishing() || self.lacks(Mutant::FinishingAssumptions) {
            return Step::Done(());
        }
        for cleanup in self.cleanup.iter_mut().filter(|cleanup| **cleanup == Cleanup::Finishing) {
            *cleanup = Cleanup::None;
        }
        Step::Unwind
    }

    /// Whether the threads of the run that was given up may finish.
    pub(crate) fn may_finish(&self) -> bool {
        matches!(self.outcome, Outcome::Blocked | Outcome::Wasted)
            && self.pending.iter().all(|pending| !matches!(pending, Pending::Assume))
            && !self.lacks(Mutant::Finishing)
    }

    /// Threads that should finish do not: they unwind instead. False if there are none. If they wait for each other,
    /// and nobody else can end that, it is a deadlock. Most often there is a graph in which it is seen as such, with
    /// who holds what; so it is reported if no other failure is found.
    pub(crate) fn give_finish_up(&mut self, is_deadlock: bool) -> bool {
        let waits = |thread: &usize| self.ended >> thread & 1 == 0 && self.cleanup[*thread] == Cleanup::Finishing;
        let waiting: Vec<usize> =
            (0..THREADS_MAX).filter(|&t| self.pending[t] != Pending::Absent).filter(waits).collect();
        for thread in &waiting {
            self.cleanup[*thread] = Cleanup::None;
        }
        let is_excused = self.cleanup.contains(&Cleanup::Unwinding) || self.late.is_some();
        if is_deadlock && !waiting.is_empty() && !is_excused && !self.lacks(Mutant::LateDeadlocks) {
            let names: Vec<_> = waiting.iter().map(|thread| format!("T{thread}")).collect();
            let places: Vec<_> = waiting.iter().filter_map(|&thread| self.pending_place[thread]).collect();
            let message = format!(
                "{} wait for each other, or for a change that nobody makes, once all that was written is seen",
                names.join(" and ")
            );
            let places = places.into_iter().map(Place::new).collect();
            self.late = Some((
                Found { kind: FailureKind::Deadlock, message, places, thread: None },
                Journal::of(self),
                self.route.clone(),
            ));
        }
        !waiting.is_empty()
    }
}
