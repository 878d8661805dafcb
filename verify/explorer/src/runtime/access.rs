//! Reads and writes of locations: replayed as the graph has them, or added with all their alternatives.

use super::state::{Outcome, Pending, State, Step};
use crate::branch::Alternative;
use crate::event::{Event, Id, Kind, Op};
use crate::mutant::Mutant;

impl State {
    /// A load or an RMW: the value that it reads, and whether an RMW succeeded.
    pub(crate) fn read(&mut self, event: &Event) -> Step<(u64, bool)> {
        let is_granted = std::mem::take(&mut self.is_granted);
        if self.is_replayed() {
            return self.replay_read(event);
        }
        let pending = if event.op.waits() { Pending::Await(event.location, event.op) } else { Pending::Ready };
        if !self.takes_turn(pending, is_granted) {
            return self.wait(pending, event.place);
        }
        if self.is_too_long() {
            return self.fail_too_long(event.place);
        }
        if self.check_atomic(event.location, event.place).is_err() {
            return Step::Unwind;
        }
        self.add_read(event)
    }

    fn replay_read(&mut self, event: &Event) -> Step<(u64, bool)> {
        // First, since a plain write makes another location of the word, which would look like another program.
        if self.check_atomic(event.location, event.place).is_err() {
            return Step::Unwind;
        }
        let Ok(id) = self.replayed(event) else { return Step::Unwind };
        let source = self.graph.event(id).source;
        if !self.was_performed(source) {
            return self.wait(Pending::Source(source), event.place);
        }
        // Operands and values may be addresses, which this run has anew.
        let value = self.graph.value_of(event.location, source);
        let old = self.graph.event_mut(id);
        old.op = event.op;
        old.read = value;
        old.place = event.place;
        let new = old.apply(value, old.variant);
        let (was_exclusive, waits) = (old.is_exclusive, old.is_blocked_wait());
        if new.is_some() != was_exclusive {
            let message = format!(
                "{} by T{}.{} {} in an earlier run and does not do so in this one, reading {value:#x}",
                event.op.name(),
                id.thread,
                id.index,
                if was_exclusive { "succeeded" } else { "failed" },
            );
            return self.fail(crate::failure::FailureKind::Nondeterminism, message, &[event.place]);
        }
        if let Some(new) = new {
            if self.check_rmw_write(id).is_err() {
                return Step::Unwind;
            }
            let write = self.graph.event_mut(Id { index: id.index + 1, ..id });
            write.op = event.op;
            write.read = value;
            write.written = new;
            write.place = event.place;
        }
        if waits {
            return self.wait(Pending::Blocked, event.place);
        }
        self.performed[self.current] += 1 + u32::from(was_exclusive);
        Step::Done((value, was_exclusive))
    }

    fn add_read(&mut self, event: &Event) -> Step<(u64, bool)> {
        let (thread, location, place) = (self.current, event.location, event.place);
        self.graph.order_of_mut(location).initial = self.made[location as usize].initial;
        let id = self.graph.push(thread, *event);
        let (stamp, causes) = (self.graph.event(id).stamp, self.graph.clocks(id).causes);
        let bound = self.graph.lower_bound(&self.graph.before_of(id), location);
        let count = self.graph.order_of(location).writes.len();
        let mut chosen = None;
        let first_alternative = self.work.len();
        for position in (bound..=count).rev() {
            let source = self.graph.write_at(location, position);
            let value = self.graph.value_of(location, source);
            let succeeds = event.apply(value, 0).is_some();
            if event.op.waits_at(value) && position < count && !self.lacks(Mutant::WaitsForOld) {
                // To wait for what is over is no execution, and nothing that a revisit could begin from.
                continue;
            }
            for variant in (1..event.variants(value)).rev() {
                let has_variants =
                    !self.lacks(if event.is_weak { Mutant::WeakFailures } else { Mutant::NotifiedOthers });
                if has_variants
                    && self.may_vary(event)
                    && (event.is_weak || self.is_possible_source(id, &causes, position))
                {
                    self.work.push((stamp, Alternative::Source { read: id, position, variant }));
                }
            }
            if succeeds && !self.is_possible_source(id, &causes, position) {
                continue;
            }
            if chosen.is_none() {
                chosen = Some(position);
            } else if !self.lacks(Mutant::Sources) {
                self.work.push((stamp, Alternative::Source { read: id, position, variant: 0 }));
            }
        }
        self.work[first_alternative..].reverse();
        let position = chosen.expect("to read the newest write is consistent");
        self.graph.set_source(id, position, 0);
        self.graph.note_read(id);
        let event = self.graph.event(id);
        let (value, is_exclusive, waits) = (event.read, event.is_exclusive, event.is_blocked_wait());
        if waits {
            return self.wait(Pending::Blocked, place);
        }
        if is_exclusive && self.check_rmw_write(id).is_err() {
            return Step::Unwind;
        }
        self.performed[thread] += 1;
        if is_exclusive {
            let is_possible = self.add_rmw_write(id);
            debug_assert!(is_possible, "a source that another RMW has is not the newest write");
            self.performed[thread] += 1;
            self.reschedules |= self.is_awaited(location) && !self.lacks(Mutant::RmwsReschedule);
        }
        Step::Done((value, is_exclusive))
    }

    /// Whether an RMW may read from a position: nobody else's RMW does, or it can be made to read from this one.
    fn is_possible_source(&self, id: Id, causes: &crate::views::Clock, position: usize) -> bool {
        let location = self.graph.event(id).location;
        let Some(&next) = self.graph.order_of(location).writes.get(position) else { return true };
        if self.graph.event(next).kind != Kind::RmwWrite {
            return true;
        }
        let mut causes = *causes;
        let source = self.graph.write_at(location, position);
        if !source.is_initial() {
            causes.join(&self.graph.clocks(source).causes);
        }
        if self.lacks(Mutant::RivalSources) || self.lacks(Mutant::RivalsAreRevisitable) {
            return self.lacks(Mutant::RivalsAreRevisitable);
        }
        let rival = next.before();
        !causes.has(rival) && self.graph.is_revisitable(rival, &causes, Id::INITIAL)
    }

    /// Adds the write of the RMW whose read is the last event of its thread, and what it revisits. False if another RMW
    /// reads from the same write: then the graph is good for what it revisits only.
    pub(crate) fn add_rmw_write(&mut self, read: Id) -> bool {
        let (location, position, rival) = {
            let event = self.graph.event(read);
            let position = self.graph.position(event.location, event.source);
            let next = self.graph.order_of(event.location).writes.get(position).copied();
            let rival = next.filter(|&next| self.graph.event(next).kind == Kind::RmwWrite).map(Id::before);
            (event.location, position, rival)
        };
        let event = self.graph.event(read);
        let mut write = Event::new(Kind::RmwWrite, location, event.order, event.place);
        write.op = event.op;
        write.mask = event.mask;
        write.variant = event.variant;
        write.is_address = event.is_address;
        write.is_weak = event.is_weak;
        write.read = event.read;
        write.source = event.source;
        write.written = event.apply(event.read, event.variant).expect("the RMW succeeds");
        let write = self.graph.push(read.thread as usize, write);
        self.graph.put_write(write, position);
        self.add_revisits(write, rival);
        rival.is_none()
    }

    /// A store.
    pub(crate) fn write(&mut self, event: &Event) -> Step<()> {
        let is_granted = std::mem::take(&mut self.is_granted);
        let (location, place, is_unlock) = (event.location, event.place, event.is_unlock);
        if self.is_replayed() {
            if self.check_store(location, place).is_err() {
                return Step::Unwind;
            }
            let Ok(id) = self.replayed(event) else { return Step::Unwind };
            let old = self.graph.event_mut(id);
            old.written = event.written;
            old.place = place;
            self.performed[self.current] += 1;
            return Step::Done(());
        }
        if !self.takes_turn(Pending::Ready, is_granted) {
            return self.wait(Pending::Ready, place);
        }
        if self.is_too_long() {
            return self.fail_too_long(place);
        }
        if self.check_store(location, place).is_err() {
            return Step::Unwind;
        }
        self.graph.order_of_mut(location).initial = self.made[location as usize].initial;
        let id = self.graph.push(self.current, *event);
        let stamp = self.graph.event(id).stamp;
        let bound = self.graph.lower_bound(&self.graph.before_of(id), location);
        let count = self.graph.order_of(location).writes.len();
        for position in bound..count {
            if self.graph.is_gap(location, position) && !self.lacks(Mutant::Places) {
                self.work.push((stamp, Alternative::Place { write: id, position }));
            }
        }
        self.graph.put_write(id, count);
        self.performed[self.current] += 1;
        if !self.add_revisits(id, None) {
            // Somebody waits for this unlock and may not be told of it: another graph has this execution.
            self.abandon(Outcome::Wasted);
            return Step::Unwind;
        }
        self.reschedules |= (is_unlock || self.is_awaited(location)) && !self.lacks(Mutant::StoresReschedule);
        Step::Done(())
    }

    /// Whether a thread waits for a change of the location.
    fn is_awaited(&self, location: u32) -> bool {
        self.pending.iter().enumerate().any(|(thread, pending)| match *pending {
            Pending::Await(awaited, _) | Pending::Wake(awaited, _) => awaited == location && thread != self.current,
            _ => false,
        })
    }

    /// Whether the budget allows another variant that is not the default.
    pub(crate) fn may_vary(&self, event: &Event) -> bool {
        let is_budgeted = |event: &Event| event.is_weak && event.variant != 0;
        match event.op {
            Op::Cas(..) => {
                self.builder.weak_failures != 0 && self.lacks(Mutant::WeakBudget)
                    || self.graph.variants_count(is_budgeted) < self.builder.weak_failures
            }
            _ => true,
        }
    }
}
