//! The order of sequentially consistent events: RC11's `psc` has no cycle.
//!
//! `psc` relates sequentially consistent accesses and fences. An edge from `a` to `b` is an edge of `scb` from an
//! event that `a` reaches to one that reaches `b`; a fence reaches what happens after it and is reached from what
//! happens before it, an access only itself. `scb` is program order; happens-before on one location; modification
//! order and from-read; and happens-before between neighbours in program order that are of other locations. Between
//! two fences happens-before is an edge, and so is the extended coherence order between what they reach.
//!
//! Of the edges from and to fences those of coherence are enough. For take a cycle. Happens-before has none, so it is
//! runs of happens-before with edges of coherence between them. Of a run with a fence that fence is enough: the write
//! that the run begins with is ahead of the fence, and what the run ends with is behind it, so that the edges of
//! coherence to the one and from the other are edges of the fence. (That leads from a fence to itself only where
//! coherence is broken already.)
//!
//! Coherence between accesses of one location is a comparison of keys: the position in the modification order, then
//! reads behind the write that they read. So what a fence reaches is one least key a location, and what reaches it
//! one greatest.
//!
//! A graph in which the events had an order loses it by new edges alone, so that a cycle is looked for from where those
//! begin or end. What an event leads to is found when the search comes to it: the newest events lead to few.

use crate::event::{Id, Kind, NOWHERE};
use crate::graph::Graph;
use crate::mutant::Mutant;
use crate::views::THREADS_MAX;

/// A position in the extended coherence order: in the modification order, and whether it is a read.
type Key = (u32, bool);

/// What is needed of an event more than once.
struct Seen {
    location: u32,
    key: Key,
    is_write: bool,
    /// The next and the last event of the thread that is of another location.
    next_other: Option<Id>,
    last_other: Option<Id>,
}

/// The reach of a sequentially consistent event.
struct Reach {
    id: Id,
    is_fence: bool,
    /// By entry of the location: the least key of an access that a fence reaches.
    first: Vec<Option<Key>>,
    /// The greatest key of an access, and of a write, that reaches a fence.
    last: Vec<Option<Key>>,
    last_write: Vec<Option<Key>>,
}

struct Relations<'a> {
    graph: &'a Graph,
    seen: [Vec<Seen>; THREADS_MAX],
}

impl Graph {
    /// Whether the sequentially consistent events have an order, if they had one before the last events of some
    /// threads, `new`, came about.
    ///
    /// Nothing happens after such an event, or after the write of an RMW that it is the read of. So an edge that is new
    /// begins or ends in one of them, or begins in a fence that reaches one of them.
    pub(crate) fn stays_sequentially_consistent(&self, new: &[Id]) -> bool {
        if self.sequential < 2 {
            return true;
        }
        // A revisit by an RMW's write may be the first to ask about what the RMW reads.
        let first_of = |new: Id| new.index - u32::from(self.event(new).kind == Kind::RmwWrite);
        let is_new = |id: Id| new.iter().any(|&new| new.thread == id.thread && first_of(new) <= id.index);
        let reaches_new = |id: Id| {
            self.event(id).kind == Kind::Fence
                && !self.lacks(Mutant::ScBehindFences)
                && new.iter().any(|&new| self.happens_before(id, new))
        };
        let ids: Vec<Id> = self.ids().filter(|&id| self.event(id).is_sequential()).collect();
        let starts: Vec<usize> = (0..ids.len()).filter(|&x| is_new(ids[x]) || reaches_new(ids[x])).collect();
        if starts.is_empty() {
            return true;
        }
        let relations = Relations::of(self);
        let events: Vec<Reach> = ids.into_iter().map(|id| relations.reach(id)).collect();
        !reaches_cycle(events.len(), starts, |x, y| relations.has_edge(&events[x], &events[y]))
    }

    fn happens_before(&self, a: Id, b: Id) -> bool {
        a != b && self.clocks(b).before.has(a)
    }
}

/// Whether a path from one of `starts` comes to a cycle, among so many events with these edges.
fn reaches_cycle(count: usize, starts: Vec<usize>, has_edge: impl Fn(usize, usize) -> bool) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Never,
        /// It is on the path that the search is at.
        OnPath,
        /// All that it leads to was searched.
        Done,
    }
    let mut seen = vec![Seen::Never; count];
    // The path, and of each event on it where its edges go on to be looked for.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for start in starts {
        if seen[start] == Seen::Never {
            seen[start] = Seen::OnPath;
            path.push((start, 0));
        }
        while let Some((from, next)) = path.last_mut() {
            let to = (*next..count).find(|&to| to != *from && seen[to] != Seen::Done && has_edge(*from, to));
            let Some(to) = to else {
                seen[*from] = Seen::Done;
                path.pop();
                continue;
            };
            *next = to + 1;
            if seen[to] == Seen::OnPath {
                return true;
            }
            seen[to] = Seen::OnPath;
            path.push((to, 0));
        }
    }
    false
}

impl Relations<'_> {
    fn of(graph: &Graph) -> Relations<'_> {
        let mut positions: [Vec<u32>; THREADS_MAX] = std::array::from_fn(|thread| vec![0; graph.threads[thread].len()]);
        for order in &graph.locations {
            for (&write, position) in order.writes.iter().zip(1..) {
                positions[write.thread as usize][write.index as usize] = position;
            }
        }
        let position =
            |write: Id| if write.is_initial() { 0 } else { positions[write.thread as usize][write.index as usize] };
        let mut seen: [Vec<Seen>; THREADS_MAX] = Default::default();
        for (thread, events) in graph.threads.iter().enumerate() {
            // The last event, and the last one of another location than that.
            let (mut last, mut last_of_other): (Option<Id>, Option<Id>) = (None, None);
            for (index, event) in events.iter().enumerate() {
                // An event without a location is of another one than each access, whose neighbours alone are asked for.
                let location = if event.is_access() { event.location } else { NOWHERE };
                let id = Id::new(thread, index);
                let key = if event.is_write() {
                    (position(id), false)
                } else if event.is_read() {
                    (position(event.source), true)
                } else {
                    (0, false)
                };
                let location_of = |other: Id| seen[thread][other.index as usize].location;
                if last.is_some_and(|other| location_of(other) != location || graph.lacks(Mutant::ScOtherLast)) {
                    last_of_other = last;
                }
                let last_other = last_of_other;
                seen[thread].push(Seen { location, key, is_write: event.is_write(), next_other: None, last_other });
                last = Some(id);
            }
            let mut next_of_other: Option<Id> = None;
            let mut next: Option<Id> = None;
            for index in (0..events.len()).rev() {
                let location = seen[thread][index].location;
                let location_of = |other: Id| seen[thread][other.index as usize].location;
                if next.is_some_and(|other| location_of(other) != location || graph.lacks(Mutant::ScOtherNext)) {
                    next_of_other = next;
                }
                seen[thread][index].next_other = next_of_other;
                next = Some(Id::new(thread, index));
            }
        }
        Relations { graph, seen }
    }

    fn seen(&self, id: Id) -> &Seen {
        &self.seen[id.thread as usize][id.index as usize]
    }

    fn reach(&self, id: Id) -> Reach {
        let graph = self.graph;
        let is_fence = graph.event(id).kind == Kind::Fence;
        let mut reach = Reach { id, is_fence, first: Vec::new(), last: Vec::new(), last_write: Vec::new() };
        if !is_fence {
            return reach;
        }
        let none = vec![None; graph.locations.len()];
        (reach.first, reach.last, reach.last_write) = (none.clone(), none.clone(), none);
        // Of each thread, what happens before the fence comes first, and what happens after it last.
        let before = graph.clocks(id).before;
        for (thread, seen) in self.seen.iter().enumerate() {
            for other in &seen[..before.count(thread) as usize] {
                let Some(index) = graph.entry_of(other.location) else { continue };
                let last = &mut reach.last[index];
                *last = (*last).max(Some(other.key));
                if other.is_write {
                    let last = &mut reach.last_write[index];
                    *last = (*last).max(Some(other.key));
                }
            }
            for other in &seen[graph.first_after(id, thread)..] {
                let Some(index) = graph.entry_of(other.location) else { continue };
                let first = &mut reach.first[index];
                *first = Some(first.map_or(other.key, |key: Key| key.min(other.key)));
            }
        }
        reach
    }

    /// The part of `scb` that is program order or happens-before, between accesses.
    fn is_ordered(&self, a: Id, b: Id) -> bool {
        if a.thread == b.thread {
            return a.index < b.index && !self.graph.lacks(Mutant::ScProgramOrder);
        }
        let (from, to) = (self.seen(a), self.seen(b));
        let has = |rule: Mutant| !self.graph.lacks(rule);
        if from.location == to.location && self.graph.happens_before(a, b) && has(Mutant::ScSameLocation) {
            return true;
        }
        matches!((from.next_other, to.last_other), (Some(u), Some(v)) if self.graph.happens_before(u, v))
            && has(Mutant::ScNeighbours)
    }

    fn has_edge(&self, a: &Reach, b: &Reach) -> bool {
        let less = |x: Option<Key>, y: Option<Key>| matches!((x, y), (Some(x), Some(y)) if x < y);
        let (from, to) = (self.seen(a.id), self.seen(b.id));
        let has = |rule: Mutant| !self.graph.lacks(rule);
        match (a.is_fence, b.is_fence) {
            (false, false) => {
                let same = from.location == to.location && has(Mutant::ScCoherence);
                has(Mutant::ScAccesses) && (self.is_ordered(a.id, b.id) || same && to.is_write && from.key < to.key)
            }
            (false, true) => {
                let is_behind = |index: usize| less(Some(from.key), b.last_write[index]);
                has(Mutant::ScCoherenceToFence) && self.graph.entry_of(from.location).is_some_and(is_behind)
            }
            (true, false) => {
                let is_before = |index: usize| less(a.first[index], Some(to.key));
                has(Mutant::ScCoherenceFromFence)
                    && to.is_write
                    && self.graph.entry_of(to.location).is_some_and(is_before)
            }
            (true, true) => {
                // The extended coherence order has modification order and from-read in it.
                has(Mutant::ScFencesCoherence) && a.first.iter().zip(&b.last).any(|(first, last)| less(*first, *last))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reaches_cycle;

    // Goal: a cycle is seen from each event that leads to it, and from no other. Method: rings of some lengths behind a
    // path, with and without the edge that closes the ring.
    #[test]
    fn a_cycle_is_seen_from_what_leads_to_it() {
        for count in [2_usize, 3, 64, 130] {
            let path = count / 3;
            let is_next = |x: usize, y: usize| y == x + 1;
            let is_ring = |x: usize, y: usize| is_next(x, y) || (x, y) == (count - 1, path);
            for start in 0..count {
                assert!(!reaches_cycle(count, vec![start], is_next), "a path of {count}");
                assert!(reaches_cycle(count, vec![start], is_ring), "a ring of {}", count - path);
                // No edge begins or ends in the last event.
                assert!(!reaches_cycle(count + 1, vec![count], is_ring));
                assert!(reaches_cycle(count + 1, vec![count, start], is_ring));
            }
        }
    }
}
