//! Consistency under RC11 of what is added: coherence, atomicity, and the clocks that events get.
//!
//! Coherence is a lower bound: a read that is after a write, or after a read of it, reads that write or a later one.
//! Atomicity is kept by never putting a write between an RMW and what it reads. A release sequence is, as in C++20, a
//! write and the RMWs that read from it, so that an RMW's write passes on what its read got. RC11 has no cycles of
//! program order and reads-from, which holds as an event reads from events that are in the graph already. The order
//! of sequentially consistent events is in [`crate::psc`].

use crate::event::{Id, Kind, is_acquire, is_release};
use crate::graph::Graph;
use crate::mutant::Mutant;
use crate::views::Clock;

impl Graph {
    /// The first position of a location's modification order that an event after `before` may read, or write behind.
    pub(crate) fn lower_bound(&self, before: &Clock, location: u32) -> usize {
        let order = self.order_of(location);
        let mut bound = order.writes.iter().rposition(|&write| before.has(write)).map_or(0, |index| index + 1);
        if self.lacks(Mutant::CoherenceOfWrites) {
            bound = 0;
        }
        if bound < order.writes.len() && !self.lacks(Mutant::CoherenceOfReads) {
            for &read in order.reads.iter().filter(|&&read| before.has(read)) {
                bound = bound.max(self.position(location, self.event(read).source));
            }
        }
        bound
    }

    /// The clock of what happens before the event, without itself.
    pub(crate) fn before_of(&self, id: Id) -> Clock {
        self.clocks(id.before()).before
    }

    /// Lets a read read from the write at a position, in a variant, and computes its clocks.
    pub(crate) fn set_source(&mut self, id: Id, position: usize, variant: u32) {
        let location = self.event(id).location;
        let source = self.write_at(location, position);
        let value = self.value_of(location, source);
        let (message, causes_of_source) = if source.is_initial() {
            (Clock::EMPTY, Clock::EMPTY)
        } else {
            let write = self.clocks(source);
            (write.message, write.causes)
        };
        let (ignores_failure, acquires) = (self.lacks(Mutant::FailureOrders), !self.lacks(Mutant::AcquireReads));
        let has_cause = !self.lacks(Mutant::CausesOfSources);
        self.inherit(id);
        let event = self.event_mut(id);
        event.source = source;
        event.read = value;
        event.variant = variant;
        event.is_exclusive = event.apply(value, variant).is_some();
        let order = if ignores_failure { event.order } else { event.effective_order() };
        let clocks = self.clocks_mut(id);
        if has_cause {
            clocks.causes.join(&causes_of_source);
        }
        if acquires && is_acquire(order) {
            clocks.before.join(&message);
        }
        clocks.message = message;
    }

    /// Notes that a new event reads its location.
    pub(crate) fn note_read(&mut self, id: Id) {
        let location = self.event(id).location;
        self.order_of_mut(location).reads.push(id);
    }

    /// Puts a write behind a position of its location's modification order, and computes its message.
    pub(crate) fn put_write(&mut self, id: Id, position: usize) {
        let event = self.event(id);
        let location = event.location;
        let is_release = is_release(event.order) && !self.lacks(Mutant::ReleaseWrites);
        let mut message = match event.released {
            _ if is_release => self.clocks(id).before,
            0 => Clock::EMPTY,
            count => self.clocks(Id { index: count - 1, ..id }).before,
        };
        if event.kind == Kind::RmwWrite && !self.lacks(Mutant::ReleaseSequences) {
            message.join(&self.clocks(id.before()).message);
        }
        self.clocks_mut(id).message = message;
        self.order_of_mut(location).writes.insert(position, id);
    }

    /// Puts a write that is in the modification order already behind another position.
    pub(crate) fn move_write(&mut self, id: Id, position: usize) {
        let location = self.event(id).location;
        self.order_of_mut(location).writes.retain(|&write| write != id);
        self.put_write(id, position);
    }

    /// Whether a write may stand behind a position: not between an RMW and what it reads.
    pub(crate) fn is_gap(&self, location: u32, position: usize) -> bool {
        self.lacks(Mutant::Atomicity)
            || self.order_of(location).writes.get(position).is_none_or(|&next| self.event(next).kind != Kind::RmwWrite)
    }

    /// Gives a fence at the end of its thread its clocks.
    pub(crate) fn settle_fence(&mut self, id: Id) {
        let (acquires, releases) = (!self.lacks(Mutant::AcquireFences), !self.lacks(Mutant::ReleaseFences));
        let order = self.event(id).order;
        if acquires && is_acquire(order) {
            // What the reads before it would have got. Those before an earlier acquire fence have come with that.
            let mut before = self.clocks(id).before;
            for index in (0..id.index).rev() {
                let earlier = Id { index, ..id };
                let event = self.event(earlier);
                if event.is_read() {
                    before.join(&self.clocks(earlier).message);
                } else if event.kind == Kind::Fence && is_acquire(event.order) {
                    break;
                }
            }
            self.clocks_mut(id).before = before;
        }
        if releases && is_release(order) {
            self.event_mut(id).released = id.index + 1;
        }
    }
}
