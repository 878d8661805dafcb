//! What a new write revisits, and how an unlock hands its mutex over.
//!
//! With [`Builder::plain_locks`](crate::model::Builder::plain_locks), which is on by default, a wait for a mutex is
//! revisited as any read. The rest of this text is about the switch off, which is not right yet.
//!
//! A write may become the source of each read of its location that is no cause of it and that maximality lets it
//! revisit. A wait for a mutex is a read of the write that holds it. Two rules keep the graphs few that end in such a
//! wait:
//!
//! * The scheduler runs the holder of an awaited mutex first. So between the wait and the unlock there is nothing but
//!   the holder's doing, which is a cause of the unlock, and other waits.
//! * Then the unlock hands over *in place*: the oldest waiter reads from it at once, in a graph of its own, and the
//!   old graph keeps its alternatives and is not run to a wait without an end. The read remembers what it waited on,
//!   for maximality.

use super::state::{Pending, State};
use crate::branch::Alternative;
use crate::event::{Id, Kind, Op};
use crate::mutant::Mutant;
use crate::views::{Clock, THREADS_MAX};

impl State {
    /// Notes which reads the new write `a` revisits. `rival` is the read of another RMW with the same source: then only
    /// revisits count that take it away. False if the graph cannot become an execution.
    pub(crate) fn add_revisits(&mut self, a: Id, rival: Option<Id>) -> bool {
        let write = self.graph.event(a);
        let (stamp, is_unlock, location) = (write.stamp, write.is_unlock, write.location);
        let causes = self.graph.clocks(a).causes;
        let rival_stamp = rival.map(|rival| self.graph.event(rival).stamp);
        let revisits =
            !self.lacks(Mutant::Revisits) && (write.kind != Kind::RmwWrite || !self.lacks(Mutant::RevisitsByRmws));
        let hands_over = !self.builder.plain_locks;
        let mut waiter: Option<Id> = None;
        for &read in &self.graph.order_of(location).reads {
            if causes.has(read) && !self.lacks(Mutant::RevisitsOfCauses) {
                continue;
            }
            let event = self.graph.event(read);
            if hands_over && event.op == Op::Lock && event.is_blocked_wait() {
                if is_unlock && waiter.is_none_or(|oldest| event.stamp < self.graph.event(oldest).stamp) {
                    waiter = Some(read);
                }
                continue;
            }
            if rival_stamp.is_some_and(|rival| event.stamp > rival) && !self.lacks(Mutant::RivalRevisits) {
                continue;
            }
            if revisits && self.graph.is_revisitable(read, &causes, a) {
                self.work.push((stamp, Alternative::Revisit { read, write: a }));
            }
        }
        let Some(waiter) = waiter else { return true };
        if !self.graph.is_revisitable(waiter, &causes, a) {
            return false;
        }
        match self.waiters_after(waiter, &causes) {
            Some(others) => {
                self.hand_over(a, waiter, &others);
                true
            }
            None => {
                self.work.push((stamp, Alternative::Revisit { read: waiter, write: a }));
                false
            }
        }
    }

    /// The threads that began to wait after `waiter`, if nothing else was added after it that is no cause.
    fn waiters_after(&self, waiter: Id, causes: &Clock) -> Option<Vec<(usize, u32)>> {
        let stamp = self.graph.event(waiter).stamp;
        let mut others = Vec::new();
        for thread in 0..THREADS_MAX {
            for id in self.graph.deleted_of(thread, stamp, causes) {
                let event = self.graph.event(id);
                let is_last = id.index as usize + 1 == self.graph.threads[thread].len();
                if event.op != Op::Lock || !event.is_blocked_wait() || !is_last {
                    return None;
                }
                others.push((thread, event.location));
            }
        }
        Some(others)
    }

    fn hand_over(&mut self, unlock: Id, waiter: Id, others: &[(usize, u32)]) {
        if !self.work.is_empty() {
            let graph = self.copy_of_graph();
            let work = std::mem::take(&mut self.work);
            self.push_branch(graph, work, false);
        }
        for &(thread, location) in others {
            self.graph.pop(thread);
            self.pending[thread] = Pending::Await(location, Op::Lock);
        }
        let location = self.graph.event(unlock).location;
        let position = self.graph.position(location, unlock);
        let waited = self.graph.event(waiter).source;
        self.graph.set_source(waiter, position, 0);
        self.graph.event_mut(waiter).waited = Some(waited);
        self.add_rmw_write(waiter);
        self.pending[waiter.thread as usize] = Pending::Ready;
    }
}
