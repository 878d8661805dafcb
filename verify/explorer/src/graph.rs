//! The execution graph: events in program order, what each read reads from, and the modification order of each
//! location.
//!
//! A graph grows and shrinks like a stack: each event has the stamp of when it was added, and [`Graph::restrict`]
//! takes off what came later. In a modification order position 0 is the initial value, position `p` the write at
//! index `p - 1`.
//!
//! Consistency asks for an event's clocks more often than for the rest of it, so that they are kept apart.
//!
//! * **GR-1** A graph has an entry for each location that an event accesses, and may have entries for others, which
//!   then have no events. The location's number leads to the entry.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::{Clocks, Event, Id, Kind, small};
use crate::mutant::Mutant;
use crate::views::{Clock, THREADS_MAX};

/// What a graph knows of a location.
#[derive(Default, Debug)]
pub(crate) struct LocationOrder {
    pub(crate) location: u32,
    /// The value before any write, as the present run has it.
    pub(crate) initial: u64,
    /// The writes in modification order.
    pub(crate) writes: Vec<Id>,
    pub(crate) reads: Vec<Id>,
}

impl Clone for LocationOrder {
    fn clone(&self) -> LocationOrder {
        LocationOrder {
            location: self.location,
            initial: self.initial,
            writes: self.writes.clone(),
            reads: self.reads.clone(),
        }
    }

    fn clone_from(&mut self, other: &LocationOrder) {
        self.location = other.location;
        self.initial = other.initial;
        self.writes.clone_from(&other.writes);
        self.reads.clone_from(&other.reads);
    }
}

#[derive(Default, Debug)]
pub(crate) struct Graph {
    /// The events of each thread.
    pub(crate) threads: [Vec<Event>; THREADS_MAX],
    /// The clocks of each event.
    clocks: [Vec<Clocks>; THREADS_MAX],
    /// The entries of the locations, in the order in which the graph got to know them.
    pub(crate) locations: Vec<LocationOrder>,
    /// By location, one more than the index of its entry; 0, or nothing, if it has none (GR-1).
    entries: Vec<u32>,
    pub(crate) stamp: u32,
    /// How many events may be sequentially consistent.
    pub(crate) sequential: u32,
    /// The rule that the engine leaves out.
    pub(crate) mutant: Option<Mutant>,
}

impl Clone for Graph {
    fn clone(&self) -> Graph {
        let mut graph = Graph::default();
        graph.clone_from(self);
        graph
    }

    fn clone_from(&mut self, other: &Graph) {
        for (own, other) in self.threads.iter_mut().zip(&other.threads) {
            own.clone_from(other);
        }
        for (own, other) in self.clocks.iter_mut().zip(&other.clocks) {
            own.clone_from(other);
        }
        self.locations.clone_from(&other.locations);
        self.entries.clone_from(&other.entries);
        self.stamp = other.stamp;
        self.sequential = other.sequential;
        self.mutant = other.mutant;
    }
}

static NEVER_SEEN: LocationOrder = LocationOrder { location: 0, initial: 0, writes: Vec::new(), reads: Vec::new() };

impl Graph {
    /// Whether a rule is left out.
    #[inline]
    pub(crate) fn lacks(&self, rule: Mutant) -> bool {
        self.mutant == Some(rule)
    }

    #[inline]
    pub(crate) fn event(&self, id: Id) -> &Event {
        &self.threads[id.thread as usize][id.index as usize]
    }

    #[inline]
    pub(crate) fn event_mut(&mut self, id: Id) -> &mut Event {
        &mut self.threads[id.thread as usize][id.index as usize]
    }

    #[inline]
    pub(crate) fn clocks(&self, id: Id) -> &Clocks {
        &self.clocks[id.thread as usize][id.index as usize]
    }

    /// The index of the first event of a thread that happens after `id`, which the later ones do as well.
    pub(crate) fn first_after(&self, id: Id, thread: usize) -> usize {
        self.clocks[thread].partition_point(|clocks| !clocks.before.has(id))
    }

    #[inline]
    pub(crate) fn clocks_mut(&mut self, id: Id) -> &mut Clocks {
        &mut self.clocks[id.thread as usize][id.index as usize]
    }

    /// Whether the graph has the event.
    #[inline]
    pub(crate) fn has(&self, id: Id) -> bool {
        id.is_initial() || (id.index as usize) < self.threads[id.thread as usize].len()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> {
        self.threads.iter().enumerate().flat_map(|(t, events)| (0..events.len()).map(move |i| Id::new(t, i)))
    }

    pub(crate) fn events_count(&self) -> usize {
        self.threads.iter().map(Vec::len).sum()
    }

    /// The index of a location's entry, if it has one.
    #[inline]
    pub(crate) fn entry_of(&self, location: u32) -> Option<usize> {
        (*self.entries.get(location as usize)? as usize).checked_sub(1)
    }

    #[inline]
    pub(crate) fn order_of(&self, location: u32) -> &LocationOrder {
        self.entry_of(location).map_or(&NEVER_SEEN, |entry| &self.locations[entry])
    }

    #[inline]
    pub(crate) fn order_of_mut(&mut self, location: u32) -> &mut LocationOrder {
        let entry = self.entry_of(location).unwrap_or_else(|| self.add_entry(location));
        &mut self.locations[entry]
    }

    #[cold]
    fn add_entry(&mut self, location: u32) -> usize {
        self.locations.push(LocationOrder { location, ..LocationOrder::default() });
        let index = location as usize;
        if self.entries.len() <= index {
            self.entries.resize(index + 1, 0);
        }
        self.entries[index] = small(self.locations.len());
        self.locations.len() - 1
    }

    /// The entries of the locations that were written, by location.
    pub(crate) fn written_locations(&self) -> Vec<&LocationOrder> {
        let mut written: Vec<_> = self.locations.iter().filter(|order| !order.writes.is_empty()).collect();
        written.sort_unstable_by_key(|order| order.location);
        written
    }

    /// The position of a write in its location's modification order.
    #[inline]
    pub(crate) fn position(&self, location: u32, write: Id) -> usize {
        if write.is_initial() {
            return 0;
        }
        let index = self.order_of(location).writes.iter().rposition(|&w| w == write);
        1 + index.expect("a write of the graph is in a modification order")
    }

    /// The write at a position of a modification order.
    #[inline]
    pub(crate) fn write_at(&self, location: u32, position: usize) -> Id {
        if position == 0 { Id::INITIAL } else { self.order_of(location).writes[position - 1] }
    }

    /// The value of a write, or the initial one.
    #[inline]
    pub(crate) fn value_of(&self, location: u32, write: Id) -> u64 {
        if write.is_initial() { self.order_of(location).initial } else { self.event(write).written }
    }

    /// The newest value that events wrote to a location, or else `initial`.
    #[inline]
    pub(crate) fn newest(&self, location: u32, initial: u64) -> u64 {
        self.order_of(location).writes.last().map_or(initial, |&write| self.event(write).written)
    }

    /// Adds an event to the end of a thread, with the clocks of the one before it.
    pub(crate) fn push(&mut self, thread: usize, mut event: Event) -> Id {
        self.stamp += 1;
        event.stamp = self.stamp;
        self.sequential += u32::from(event.may_be_sequential());
        let events = &mut self.threads[thread];
        let id = Id { thread: small(thread), index: small(events.len()) };
        event.released = events.last().map_or(0, |last| last.released);
        events.push(event);
        self.clocks[thread].push(Clocks::EMPTY);
        self.inherit(id);
        id
    }

    /// Gives an event the clocks of the one before it, but for its message, and has it in its own.
    pub(crate) fn inherit(&mut self, id: Id) {
        let thread = id.thread as usize;
        let (earlier, rest) = self.clocks[thread].split_at_mut(id.index as usize);
        let clocks = &mut rest[0];
        if let Some(last) = earlier.last() {
            clocks.before = last.before;
            clocks.causes = last.causes;
        }
        clocks.before.set(thread, id.index + 1);
        clocks.causes.set(thread, id.index + 1);
    }

    /// Takes the last event of a thread off.
    pub(crate) fn pop(&mut self, thread: usize) {
        let Some(event) = self.threads[thread].pop() else { return };
        self.clocks[thread].pop();
        let id = Id::new(thread, self.threads[thread].len());
        self.sequential -= u32::from(event.may_be_sequential());
        if event.is_access() {
            let order = self.order_of_mut(event.location);
            let list = if event.is_read() { &mut order.reads } else { &mut order.writes };
            if let Some(at) = list.iter().rposition(|&other| other == id) {
                list.remove(at);
            }
        }
    }

    /// Takes off what was added after `stamp`.
    pub(crate) fn restrict(&mut self, stamp: u32) {
        for thread in 0..THREADS_MAX {
            while self.threads[thread].last().is_some_and(|event| event.stamp > stamp) {
                self.pop(thread);
            }
        }
        self.stamp = stamp;
    }

    /// What is left without the events that were added after `stamp` and are in none of `causes`.
    fn all_but(&self, stamp: u32, causes: &Clock) -> Clock {
        let mut kept = Clock::EMPTY;
        for (thread, events) in self.threads.iter().enumerate() {
            let caused = (causes.count(thread) as usize).min(events.len());
            let later = events[caused..].iter().rev().take_while(|event| event.stamp > stamp).count();
            kept.set(thread, small(events.len() - later));
        }
        kept
    }

    /// Takes off what was added after `stamp` and is in none of `causes`.
    pub(crate) fn restrict_but(&mut self, stamp: u32, causes: &Clock) {
        let kept = self.all_but(stamp, causes);
        for thread in 0..THREADS_MAX {
            let count = kept.count(thread) as usize;
            let deleted = self.threads[thread][count..].iter().filter(|event| event.may_be_sequential());
            self.sequential -= small(deleted.count());
            self.threads[thread].truncate(count);
            self.clocks[thread].truncate(count);
        }
        self.forget_all_but(&kept);
    }

    /// Takes the accesses that are not kept off the locations.
    fn forget_all_but(&mut self, kept: &Clock) {
        for order in &mut self.locations {
            order.writes.retain(|&write| kept.has(write));
            order.reads.retain(|&read| kept.has(read));
        }
    }

    /// As [`Graph::restrict_but`] of a copy of another graph.
    pub(crate) fn copy_but(&mut self, other: &Graph, stamp: u32, causes: &Clock) {
        let kept = other.all_but(stamp, causes);
        for thread in 0..THREADS_MAX {
            let count = kept.count(thread) as usize;
            self.threads[thread].clear();
            self.threads[thread].extend_from_slice(&other.threads[thread][..count]);
            self.clocks[thread].clear();
            self.clocks[thread].extend_from_slice(&other.clocks[thread][..count]);
        }
        let is_deleted = |(thread, events): (usize, &Vec<Event>)| {
            let deleted = events[kept.count(thread) as usize..].iter();
            deleted.filter(|event| event.may_be_sequential()).count()
        };
        self.sequential = other.sequential - small(other.threads.iter().enumerate().map(is_deleted).sum());
        self.locations.clone_from(&other.locations);
        self.forget_all_but(&kept);
        self.entries.clone_from(&other.entries);
        self.stamp = other.stamp;
        self.mutant = other.mutant;
    }

    /// How many reads have another variant than the default, of those that `counts` selects.
    pub(crate) fn variants_count(&self, counts: impl Fn(&Event) -> bool) -> usize {
        self.threads.iter().flatten().filter(|event| counts(event)).count()
    }

    /// A hash of what makes a graph another graph. Values are left out: addresses differ from run to run.
    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for events in &self.threads {
            events.len().hash(&mut hasher);
            for event in events {
                let Event { kind, location, source, detail, variant, is_exclusive, .. } = event;
                (kind, location, source, detail, variant, is_exclusive).hash(&mut hasher);
            }
        }
        for order in self.written_locations() {
            (order.location, &order.writes).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The last event of a thread, if the thread waits in it.
    pub(crate) fn blocked_wait(&self, thread: usize) -> Option<&Event> {
        self.threads[thread].last().filter(|event| event.is_blocked_wait() || event.kind == Kind::Block)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;
    use std::sync::atomic::Ordering;

    use super::Graph;
    use crate::event::{Event, Id, Kind};
    use crate::mutant::Mutant;

    /// A graph with two writes and a read of each of some locations, and with what else a graph may have.
    fn graph(locations: &[u32], mutant: Option<Mutant>) -> Graph {
        let mut graph = Graph { mutant, ..Graph::default() };
        let place = Location::caller();
        for (thread, kind) in [(0, Kind::Begin), (1, Kind::Begin), (1, Kind::Fence)] {
            graph.push(thread, Event::new(kind, crate::event::NOWHERE, Ordering::SeqCst, place));
        }
        for &location in locations {
            graph.order_of_mut(location).initial = u64::from(location);
            for position in 0..2 {
                let write = graph.push(0, Event::new(Kind::Store, location, Ordering::Release, place));
                graph.put_write(write, position);
            }
            let read = graph.push(1, Event::new(Kind::Load, location, Ordering::Acquire, place));
            graph.set_source(read, 1, 0);
            graph.note_read(read);
        }
        graph
    }

    // Goal: a graph whose memory is used again is the copy that it should be. Method: copies over graphs with fewer,
    // more, and other locations and events, compared with the original field by field, as their text.
    #[test]
    fn a_copy_over_another_graph_has_nothing_of_that() {
        let graphs = [
            Graph::default(),
            graph(&[3], None),
            graph(&[1, 2, 4], None),
            graph(&[1, 3, 5, 7], Some(Mutant::Atomicity)),
            graph(&[2, 3], None),
        ];
        for original in &graphs {
            for other in &graphs {
                let mut copy = other.clone();
                copy.clone_from(original);
                assert_eq!(format!("{copy:?}"), format!("{original:?}"));
            }
        }
    }

    // Goal: each event is in its own clocks, as is said of them. Method: a graph with each kind of event, and a read
    // whose source changes.
    #[test]
    fn an_event_is_in_its_own_clocks() {
        let mut graph = graph(&[1, 2], None);
        let read = Id::new(1, graph.threads[1].len() - 1);
        for position in 0..=2 {
            graph.set_source(read, position, 0);
            for id in graph.ids() {
                let clocks = graph.clocks(id);
                assert!(clocks.before.has(id) && clocks.causes.has(id), "{id:?}");
            }
            // What is read again does not add to what was read before.
            let of_writer = u32::from(position > 0) + position as u32;
            assert_eq!(graph.clocks(read).causes.count(0) - graph.clocks(read.before()).causes.count(0), of_writer);
        }
    }
}
