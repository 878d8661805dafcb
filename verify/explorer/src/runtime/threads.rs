//! Threads of the model: spawn, end, join; and waits for a notification.

use std::panic::Location;
use std::sync::atomic::Ordering;

use super::coroutine::{perform, with_state};
use super::state::{Cleanup, Pending, State, Step};
use crate::event::{Clocks, Event, Id, Kind, NOWHERE};
use crate::failure::FailureKind;
use crate::mutant::Mutant;
use crate::views::THREADS_MAX;

type Place = &'static Location<'static>;

/// What a coroutine does: the thread's closure, the drop of its locals, its end.
pub(crate) fn run(thread: usize, body: Box<dyn FnOnce()>) {
    with_state(|state| {
        state.started |= 1 << thread;
        // The scheduler began the thread, and did not choose what it wants first.
        state.is_granted = false;
    });
    if with_state(|state| state.cleanup[thread] == Cleanup::Dropping) {
        drop(body);
        return;
    }
    {
        let _locals = DropLocals(thread);
        body();
    }
    perform(|_| Step::Done(()), |state| state.end());
}

/// Drops the locals of a thread at the end of a scope, by a panic too.
struct DropLocals(usize);

impl Drop for DropLocals {
    fn drop(&mut self) {
        crate::local::drop_all(self.0);
    }
}

impl State {
    /// Begins a thread, whose closure is handed in apart.
    pub(crate) fn spawn(&mut self, place: Place) -> Step<usize> {
        let event = Event::new(Kind::Spawn, NOWHERE, Ordering::Relaxed, place);
        let (id, is_new) = match self.simple(event) {
            Step::Done(added) => added,
            Step::Wait => return Step::Wait,
            Step::Unwind => return Step::Unwind,
        };
        let k = self.spawns_made[self.current] as usize;
        self.spawns_made[self.current] += 1;
        if is_new {
            let max = self.builder.max_threads.min(THREADS_MAX);
            let has_begun = |events: &&Vec<Event>| !events.is_empty();
            if self.graph.threads.iter().filter(has_begun).count() >= max {
                return self.fail(FailureKind::Limit, format!("more than {max} threads"), &[place]);
            }
            let child = self.name_child(self.current, k);
            self.graph.event_mut(id).detail = child as u32;
        }
        let spawn = self.graph.event(id);
        let child = spawn.detail as usize;
        let Clocks { before, causes, .. } = *self.graph.clocks(id);
        if self.graph.threads[child].is_empty() {
            let begin = self.graph.push(child, Event::new(Kind::Begin, NOWHERE, Ordering::Relaxed, place));
            let (orders, causes_it) = (!self.lacks(Mutant::SpawnEdge), !self.lacks(Mutant::CausesOfSpawns));
            let begin = self.graph.clocks_mut(begin);
            if orders {
                begin.before.join(&before);
            }
            if causes_it {
                begin.causes.join(&causes);
            }
        }
        self.performed[child] = 1;
        self.locations_made[child] = 0;
        self.pending[child] = Pending::Ready;
        self.spawn_places[child] = Some(place);
        Step::Done(child)
    }

    /// The number of the thread that is a thread's `k`-th child. It is the same in all executions, since the
    /// scheduler goes by it and must depend on the graph alone. Only where all executions together have more threads
    /// than one may have, a number stands for several.
    fn name_child(&mut self, parent: usize, k: usize) -> usize {
        let is_free = |child: usize, graph: &crate::graph::Graph| graph.threads[child].is_empty();
        if self.lacks(Mutant::ChildNames) {
            // The first number that is free, below.
        } else if let Some(&child) = self.children[parent].get(k) {
            let child = child as usize;
            if child != 0 && is_free(child, &self.graph) {
                return child;
            }
        } else {
            let taken = |child: usize| self.children.iter().flatten().any(|&other| other as usize == child);
            let unnamed = (1..THREADS_MAX).find(|&child| !taken(child) && is_free(child, &self.graph));
            let children = &mut self.children[parent];
            children.resize(k, 0);
            children.push(unnamed.unwrap_or(0) as u32);
            if let Some(child) = unnamed {
                return child;
            }
        }
        (1..THREADS_MAX).find(|&child| is_free(child, &self.graph)).expect("fewer threads than there may be")
    }

    /// Begins a thread of a run that was given up, if its threads finish.
    pub(crate) fn spawn_flat(&mut self, place: Place) -> Step<Option<usize>> {
        if !self.is_finishing() {
            return Step::Done(None);
        }
        let is_free = |&child: &usize| self.graph.threads[child].is_empty() && self.pending[child] == Pending::Absent;
        let Some(child) = (1..THREADS_MAX).find(is_free) else { return Step::Unwind };
        self.locations_made[child] = 0;
        self.pending[child] = Pending::Ready;
        self.spawn_places[child] = Some(place);
        Step::Done(Some(child))
    }

    fn end(&mut self) -> Step<()> {
        let place = self.spawn_places[self.current].unwrap_or(Location::caller());
        match self.simple(Event::new(Kind::End, NOWHERE, Ordering::Relaxed, place)) {
            Step::Done(_) => {
                self.pending[self.current] = Pending::Done;
                Step::Done(())
            }
            Step::Wait => Step::Wait,
            Step::Unwind => Step::Unwind,
        }
    }

    /// Waits for the end of a thread.
    pub(crate) fn join(&mut self, child: usize, place: Place) -> Step<()> {
        let mut event = Event::new(Kind::Join, NOWHERE, Ordering::Relaxed, place);
        event.detail = child as u32;
        self.joined |= 1 << child;
        let is_granted = std::mem::take(&mut self.is_granted);
        let thread = self.current;
        if self.is_replayed() {
            let Ok(id) = self.replayed(&event) else { return Step::Unwind };
            return self.replay_after_source(id, place);
        }
        let pending = Pending::Join(child as u32);
        if !self.takes_turn(pending, is_granted) {
            return self.wait(pending, place);
        }
        if self.is_too_long() {
            return self.fail_too_long(place);
        }
        let id = self.graph.push(thread, event);
        let source = Id::new(child, self.graph.threads[child].len() - 1);
        let Clocks { before, causes, .. } = *self.graph.clocks(source);
        let (orders, causes_it) = (!self.lacks(Mutant::JoinEdge), !self.lacks(Mutant::CausesOfJoins));
        self.graph.event_mut(id).source = source;
        let clocks = self.graph.clocks_mut(id);
        if orders {
            clocks.before.join(&before);
        }
        if causes_it {
            clocks.causes.join(&causes);
        }
        self.performed[thread] += 1;
        Step::Done(())
    }

    fn replay_after_source(&mut self, id: Id, place: Place) -> Step<()> {
        let source = self.graph.event(id).source;
        if !self.was_performed(source) {
            return self.wait(Pending::Source(source), place);
        }
        self.graph.event_mut(id).place = place;
        self.performed[self.current] += 1;
        Step::Done(())
    }

    /// Waits until a notification takes the thread's bit out of a condition variable's waiters. `entry` is the index of
    /// the event that put the bit there. It orders nothing: the mutex does.
    pub(crate) fn wake(&mut self, location: u32, entry: u32, place: Place) -> Step<()> {
        let event = Event::new(Kind::Wake, location, Ordering::Relaxed, place);
        let is_granted = std::mem::take(&mut self.is_granted);
        let thread = self.current;
        if self.is_replayed() {
            let Ok(id) = self.replayed(&event) else { return Step::Unwind };
            return self.replay_after_source(id, place);
        }
        let pending = Pending::Wake(location, entry);
        if !self.takes_turn(pending, is_granted) {
            return self.wait(pending, place);
        }
        let Some(source) = self.wake_source(location, thread, entry) else {
            return self.wait(pending, place);
        };
        if self.is_too_long() {
            return self.fail_too_long(place);
        }
        let id = self.graph.push(thread, event);
        let causes = self.graph.clocks(source).causes;
        let causes_it = !self.lacks(Mutant::CausesOfWakes);
        self.graph.event_mut(id).source = source;
        if causes_it {
            self.graph.clocks_mut(id).causes.join(&causes);
        }
        self.performed[thread] += 1;
        Step::Done(())
    }
}
