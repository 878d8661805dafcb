//! The search: what is left to try, and how the next graph is made of it.
//!
//! Each event that is added notes its alternatives with its stamp: other sources of a read, other places of a write,
//! other choices, and the reads that a write may revisit. The search is depth first: the next alternative is the last
//! one noted, on the graph cut down to its stamp. A revisit deletes events that others' alternatives need, so that it
//! works on a copy, and the present graph becomes a branch that waits until the copy's executions are explored.

use crate::branch::{Alternative, Branch};
use crate::event::{Event, Id, Kind, Op, small};
use crate::graph::Graph;
use crate::mutant::Mutant;
use crate::route::{Decision, Route};
use crate::runtime::state::State;
use crate::stats::Bound;
use crate::views::THREADS_MAX;

impl State {
    pub(crate) fn copy_of_graph(&mut self) -> Graph {
        let mut graph = self.spare.pop().unwrap_or_default();
        graph.clone_from(&self.graph);
        graph
    }

    pub(crate) fn push_branch(&mut self, graph: Graph, work: Vec<(u32, Alternative)>, is_fresh: bool) {
        let route = self.route.clone();
        self.branches.push(Branch { graph, work, route, is_fresh });
        self.stats.depth_max = self.stats.depth_max.max(self.branches.len());
    }

    /// Makes the next graph that is to be run. False if nothing is left to try.
    pub(crate) fn next_graph(&mut self) -> bool {
        while self.make_graph() {
            if self.is_wanted() {
                return true;
            }
            self.work.truncate(self.work_below);
        }
        false
    }

    /// Whether the present graph, or one that is made of it, is one of those that the builder asks for.
    fn is_wanted(&mut self) -> bool {
        if self.builder.shard.is_some_and(|shard| !shard.has_below(&self.route, self.shard_depth)) {
            return false;
        }
        let Some(bound) = self.builder.preemption_bound else { return true };
        let lasting = if self.lacks(Mutant::LastingAlone) { self.graph.all() } else { self.graph.lasting() };
        let is_wanted = self.graph.is_within(bound, &lasting);
        if !is_wanted {
            self.stats.meet(Bound::Preemptions(bound));
        }
        is_wanted
    }

    /// Whether the present graph is within the bound of preemptions.
    pub(crate) fn is_within_bound(&self) -> bool {
        let Some(bound) = self.builder.preemption_bound else { return true };
        self.graph.is_within(bound, &self.graph.all()) || self.lacks(Mutant::BeyondTheBound)
    }

    /// Makes the next graph.
    fn make_graph(&mut self) -> bool {
        loop {
            self.work_below = self.work.len().saturating_sub(1);
            let Some((stamp, alternative)) = self.work.pop() else {
                let Some(branch) = self.branches.pop() else { return false };
                let done = std::mem::replace(&mut self.graph, branch.graph);
                if done.events_count() != 0 {
                    self.spare.push(done);
                }
                self.work = branch.work;
                self.route = branch.route;
                if branch.is_fresh {
                    self.work_below = 0;
                    return true;
                }
                continue;
            };
            self.graph.restrict(stamp);
            self.route.forget_from(stamp);
            match alternative {
                Alternative::Source { read, position, variant } => {
                    self.route.decide(stamp, Decision::Source { position: small(position), variant });
                    self.graph.set_source(read, position, variant);
                    if self.graph.event(read).is_exclusive
                        && !self.add_rmw_write(read)
                        && !self.lacks(Mutant::RivalGraphs)
                    {
                        continue;
                    }
                    if self.lacks(Mutant::ScOfSources) || self.graph.stays_sequentially_consistent(&[read]) {
                        return true;
                    }
                }
                Alternative::Place { write, position } => {
                    self.route.decide(stamp, Decision::Place { position: small(position) });
                    self.graph.move_write(write, position);
                    if self.lacks(Mutant::ScOfPlaces) || self.graph.stays_sequentially_consistent(&[write]) {
                        return true;
                    }
                }
                Alternative::Choice { choice, number } => {
                    self.route.decide(stamp, Decision::Choice { number });
                    self.graph.event_mut(choice).detail = number;
                    return true;
                }
                Alternative::Revisit { read, write } => {
                    if self.revisit(read, write) {
                        return true;
                    }
                }
            }
        }
    }

    /// Lets `r` read from the later write `a`, in each place of `a`. True if the present graph is a new one.
    fn revisit(&mut self, r: Id, a: Id) -> bool {
        let (location, causes, source_of_a) = {
            let write = self.graph.event(a);
            let source = (write.kind == Kind::RmwWrite).then(|| self.graph.event(a.before()).source);
            (write.location, self.graph.clocks(a).causes, source)
        };
        let stamp_of_a = self.graph.event(a).stamp;
        let stamp = self.graph.event(r).stamp;
        // With nothing else to try on it, the present graph need not wait.
        let is_last = self.work.is_empty();
        let mut base;
        if is_last {
            base = std::mem::take(&mut self.graph);
            base.restrict_but(stamp, &causes);
        } else {
            base = self.spare.pop().unwrap_or_default();
            base.copy_but(&self.graph, stamp, &causes);
        }
        base.order_of_mut(location).writes.retain(|&write| write != a);
        // A wait whose end is deleted is a wait again.
        let waits: Vec<(Id, Id)> = base
            .threads
            .iter()
            .enumerate()
            .filter_map(|(thread, events)| {
                let last = events.last()?;
                let id = Id::new(thread, events.len() - 1);
                last.waited.filter(|_| id != r && !base.has(last.source)).map(|waited| (id, waited))
            })
            .collect();
        let changed: Vec<Id> = [r, a].into_iter().chain(waits.iter().map(|&(id, _)| id)).collect();
        for (id, waited) in waits {
            let position = base.position(base.event(id).location, waited);
            base.event_mut(id).waited = None;
            base.set_source(id, position, 0);
        }
        base.event_mut(r).waited = None;

        let count = base.order_of(location).writes.len();
        let (from, to) = match source_of_a {
            Some(source) => {
                let position = base.position(location, source);
                (position, position)
            }
            None if self.lacks(Mutant::RevisitPlaces) => (count, count),
            None => (base.lower_bound(&base.before_of(a), location), count),
        };
        // `a` behind position p is at position p + 1, and the read may read its lower bound or later.
        let is_incoherent = self.lacks(Mutant::RevisitCoherence);
        let first = if is_incoherent { 0 } else { base.lower_bound(&base.before_of(r), location) };
        let value = base.event(a).written;
        let varies = self.may_vary(base.event(r)) && !self.lacks(Mutant::RevisitVariants);
        let variants = if varies { base.event(r).variants(value) } else { 1 };
        let places: Vec<usize> = (from..=to).filter(|&p| p + 1 > first && base.is_gap(location, p)).collect();

        if !is_last {
            let graph = std::mem::take(&mut self.graph);
            let work = std::mem::take(&mut self.work);
            self.push_branch(graph, work, false);
        }
        let below = self.branches.len();
        let Some(&last) = places.last() else {
            self.spare.push(base);
            return self.pop_new(below, is_last);
        };
        for position in places {
            for variant in (0..variants).rev() {
                if position == last && variant == 0 {
                    self.graph = std::mem::take(&mut base);
                } else {
                    self.graph = self.spare.pop().unwrap_or_default();
                    self.graph.clone_from(&base);
                }
                self.graph.put_write(a, position);
                self.graph.set_source(r, position + 1, variant);
                if self.graph.event(r).is_exclusive {
                    let is_possible = self.add_rmw_write(r);
                    debug_assert!(is_possible, "the revisited RMW's source is new, and nobody else's");
                }
                let work = std::mem::take(&mut self.work);
                let graph = std::mem::take(&mut self.graph);
                if self.lacks(Mutant::ScOfRevisits) || graph.stays_sequentially_consistent(&changed) {
                    let (thread, index, position) = (r.thread, r.index, small(position));
                    let decision = Decision::Revisit { thread, index, position, variant };
                    self.route.decide(stamp_of_a, decision);
                    self.push_branch(graph, work, true);
                    self.route.forget_from(stamp_of_a);
                } else {
                    self.spare.push(graph);
                }
            }
        }
        self.pop_new(below, is_last)
    }

    /// Takes the last graph that was made; true if it is new, and not the one that stands `below` the new ones. If that
    /// was the last one of its branch, it is not there.
    fn pop_new(&mut self, below: usize, is_last: bool) -> bool {
        let is_new = self.branches.len() > below;
        if !is_new && is_last {
            return false;
        }
        if let Some(branch) = self.branches.pop() {
            (self.graph, self.work, self.route) = (branch.graph, branch.work, branch.route);
            self.work_below = 0;
        }
        is_new
    }

    /// Makes the next graph of a route that is run: takes a decision on the graph of the run before, or several at
    /// once, where an RMW takes the source of another one, which is good only for what it revisits. False if there is
    /// no such decision.
    pub(crate) fn follow(&mut self, whole: &Route) -> bool {
        let Some(&(stamp, decision)) = whole.decisions.get(self.route.decisions.len()) else { return false };
        self.graph.restrict(stamp);
        let last = self.graph.ids().find(|&id| self.graph.event(id).stamp == stamp);
        let Some(event) = last else { return false };
        let Event { kind, location, op, .. } = *self.graph.event(event);
        let causes = self.graph.clocks(event).causes;
        let numbers = if let Op::Among(n) = op { n } else { 0 };
        let is_read = |id: Id| self.graph.event(id).is_read();
        let is_position = |position: u32| position as usize <= self.graph.order_of(location).writes.len();
        let alternative = match decision {
            Decision::Source { position, variant } if is_read(event) && is_position(position) => {
                Alternative::Source { read: event, position: position as usize, variant }
            }
            Decision::Place { position } if kind == Kind::Store && is_position(position + 1) => {
                Alternative::Place { write: event, position: position as usize }
            }
            Decision::Choice { number } if kind == Kind::Choice && number < numbers => {
                Alternative::Choice { choice: event, number }
            }
            Decision::Revisit { thread, index, .. } if matches!(kind, Kind::Store | Kind::RmwWrite) => {
                let read = Id { thread, index };
                let is_there = (thread as usize) < THREADS_MAX && self.graph.has(read) && is_read(read);
                if !is_there || self.graph.event(read).location != location || causes.has(read) {
                    return false;
                }
                Alternative::Revisit { read, write: event }
            }
            _ => return false,
        };
        self.work.clear();
        self.branches.clear();
        self.route.forget_from(stamp);
        self.work.push((stamp, alternative));
        // Several graphs may come of it; the others are passed over.
        while self.next_graph() {
            if whole.decisions.starts_with(&self.route.decisions) {
                self.work.clear();
                self.branches.clear();
                return true;
            }
        }
        false
    }
}
