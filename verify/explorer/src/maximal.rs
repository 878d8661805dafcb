//! Maximality: which event may be deleted by a revisit (TruSt, POPL'22).
//!
//! A revisit lets a read `r` read from a write `a` that was added later, and deletes what was added after `r` and is
//! no cause of `a`. Many graphs lead to the same result; the one in which everything that is deleted was added
//! *maximally* is the one that may do it, so that each graph is made once. A read is maximal if it reads from the
//! newest write that was there, a write if it is the newest and nobody who was there reads from it, a choice or a
//! variant at its default only. That the source of a read was there is not asked: a source that came later is a write
//! that is deleted too, and the read was there and reads from it.

use crate::event::{Id, Kind};
use crate::graph::Graph;
use crate::mutant::Mutant;
use crate::views::{Clock, THREADS_MAX};

impl Graph {
    /// Whether an event was added maximally, seen from what was there before it or is a cause of `a`.
    fn is_maximal(&self, id: Id, causes: &Clock, a: Id) -> bool {
        let event = self.event(id);
        let has = |rule: Mutant| !self.lacks(rule);
        let is_older = |x: Id| self.event(x).stamp <= event.stamp && has(Mutant::WasThereBefore);
        let is_cause = |x: Id| causes.has(x) && has(Mutant::WasThereAsCause);
        let was_there = |x: Id| x.is_initial() || (x != a && (is_older(x) || is_cause(x)));
        let is_newest = |position: usize| {
            !self.order_of(event.location).writes[position..].iter().any(|&write| write != a && was_there(write))
        };
        match event.kind {
            Kind::Load | Kind::RmwRead => {
                // A wait that an unlock ended in place is a wait as long as that unlock may be deleted.
                let source = match event.waited {
                    Some(waited) if !was_there(event.source) => waited,
                    _ => event.source,
                };
                (event.variant == 0 || !has(Mutant::MaximalVariants))
                    && (is_newest(self.position(event.location, source)) || !has(Mutant::MaximalSources))
            }
            Kind::Store | Kind::RmwWrite => {
                let reads_it = |&read: &Id| {
                    let read_event = self.event(read);
                    let reads = read_event.source == id && read_event.waited.is_none() || read_event.waited == Some(id);
                    reads && was_there(read)
                };
                (is_newest(self.position(event.location, id)) || !has(Mutant::MaximalPlaces))
                    && !(has(Mutant::MaximalUnread) && self.order_of(event.location).reads.iter().any(reads_it))
            }
            Kind::Choice => event.detail == 0 || !has(Mutant::MaximalChoices),
            _ => true,
        }
    }

    /// Whether the read `r` may be revisited by `a`, whose causes are given.
    pub(crate) fn is_revisitable(&self, r: Id, causes: &Clock, a: Id) -> bool {
        if !self.is_maximal(r, causes, a) && !self.lacks(Mutant::MaximalRevisited) {
            return false;
        }
        let stamp = self.event(r).stamp;
        self.lacks(Mutant::MaximalDeleted)
            || (0..THREADS_MAX).all(|thread| {
                self.deleted_of(thread, stamp, causes).all(|id| id == a || self.is_maximal(id, causes, a))
            })
    }

    /// The events of a thread that a revisit deletes, the last one first: added after `stamp`, and no causes.
    pub(crate) fn deleted_of(&self, thread: usize, stamp: u32, causes: &Clock) -> impl Iterator<Item = Id> {
        let events = &self.threads[thread];
        (0..events.len())
            .rev()
            .map(move |index| Id::new(thread, index))
            .take_while(move |&id| events[id.index as usize].stamp > stamp && !causes.has(id))
    }
}
