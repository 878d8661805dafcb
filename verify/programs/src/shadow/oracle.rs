//! The oracle: does one operation on the heap and on the shadow, and compares.
//!
//! ```text
//! begin    a step begins; a rival may have stopped the world since the last one
//! step     one operation on both; each answer is judged at once, as far as it can be
//! finish   what the operation left to judge, its Aftermath, with all roots there are
//! ```
//!
//! An answer that depends on what is alive (a refusal, the number of objects after a major collection) waits for
//! `finish`, where the whole graph has been compared and counted. The parts are in files of their own:
//!
//! | file | operations |
//! |---|---|
//! | `request` | allocation: size it, predict it, judge it |
//! | `page_request` | `fill`; what the next request finds in the page is in `filling` |
//! | `reserves` | always-allocate scopes |
//! | `contents` | `load`, `store`, `write` |
//! | `sharing` | persistent handles and the root set |
//! | `inspection` | collections, full spaces, the verifier, surveys, statistics |
//! | `heap_state` | flags, faults, other local heaps |
//!
//! At the end everything has been dropped, and `round` says what the round did.
//!
//! Each claim about the heap as a whole asks first what a rival may have done ([`MayHave`]): alone, the claim is exact.

use super::filling::Fillings;
use super::heap_state::HeapState;
use super::rivals::{Deed, MayHave, Population, Rivals};
use super::round::Round;
use super::shared_roots::{Roots, SharedRoots, spread};
use super::watch::{note_program, note_step};
use super::{
    Door, Graph, Happened, Held, Id, Need, ReserveGuard, RoundFault, ShadowObject, Source, Tally, Value,
    check_committed, may_refuse,
};
use crate::ops::{Op, Program, ValueChoice, WorldSize};
use heaplab::Heap;
use heaplab::heap::Internals as _;
use heaplab::words::PageIndex;
use heaplab_common::claim_eq;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the operation that was just done leaves to check, once it is known where each object is.
#[derive(Clone, Debug)]
pub(super) struct Aftermath {
    pub(super) happened: Happened,
    /// A refusal, to be justified.
    pub(super) refused: Option<Need>,
    /// Objects that the verifier found after a major collection.
    pub(super) exactly: Option<u64>,
    /// Whether that collection was memory-reducing.
    pub(super) reduced: bool,
    /// Bytes that roots took of the Rust allocator when a major collection was over.
    pub(super) roots_bytes: usize,
    /// Objects that a survey found to be live.
    pub(super) live: Option<u64>,
}

impl Aftermath {
    /// Notes that a rival may have collected as well.
    pub(super) fn stirred(&mut self) {
        if self.happened == Happened::Nothing {
            self.happened = Happened::Anything;
        }
    }
}

/// A heap, its shadow, and what is known about both.
pub struct Oracle {
    pub(super) state: HeapState,
    pub(super) graph: Graph,
    /// The roots of each actor.
    pub(super) stacks: Vec<Vec<Value>>,
    pub(super) shared: SharedRoots,
    pub(super) guards: Vec<ReserveGuard>,
    /// Pages whose free memory is out of reach since a space was made full.
    pub(super) full: [BTreeSet<PageIndex>; 5],
    pub(super) fillings: Fillings,
    pub(super) pace: Pace,
    pub(super) population: Population,
    pub(super) round: Round,
    pub(super) tally: Tally,
}

/// How often everything is compared, and the heap verified.
#[derive(Debug)]
pub(super) struct Pace {
    /// Steps so far.
    steps: usize,
    /// After a step that does not collect its result is compared, and after one step in so many everything.
    compare_interval: usize,
    /// Whether the heap is verified when a request has collected. A large heap is full for hundreds of requests, which
    /// would all be slow.
    pub(super) verifies_requests: bool,
}

impl Oracle {
    /// An oracle for `program`, on a heap of its world that nobody uses, with room for `actors` local heaps' roots.
    ///
    /// # Panics
    /// If a local heap is attached.
    #[must_use]
    pub fn new(program: &Program, heap: Heap, actors: usize, fault: Option<RoundFault>) -> Oracle {
        note_program(program);
        let state = HeapState::restored(heap, program.world);
        let round = Round::begin(&state.heap, fault);
        Oracle { round, ..Oracle::on(program, state, actors) }
    }

    /// The oracle of one of several threads that share a heap.
    pub(super) fn joined(program: &Program, heap: Heap, rivals: Arc<Rivals>) -> Oracle {
        Oracle::on(program, HeapState::joined(heap, rivals), 1)
    }

    fn on(program: &Program, state: HeapState, actors: usize) -> Oracle {
        // This is the world of 4 MiB.
        let has_many_pages = program.world.size == WorldSize::Small;
        let is_alone = !state.rivals.may_have(Deed::UsedTheHeap);
        Oracle {
            graph: Graph::default(),
            stacks: vec![Vec::new(); actors],
            shared: SharedRoots::new(&state.heap),
            guards: Vec::new(),
            full: Default::default(),
            fillings: Fillings::default(),
            pace: Pace {
                steps: 0,
                compare_interval: if has_many_pages { 32 } else { 6 },
                verifies_requests: !has_many_pages && is_alone,
            },
            population: Population::default(),
            round: Round::default(),
            tally: Tally::default(),
            state,
        }
    }

    pub(super) fn heap(&self) -> &Heap {
        &self.state.heap
    }

    /// Begins the step with this number. `parked` calls its argument while every local heap is parked.
    pub(super) fn begin(&mut self, index: usize, parked: impl FnOnce(&mut dyn FnMut())) {
        note_step(index, &self.state.heap, parked);
        self.pace.steps += 1;
        self.fillings.begin_step();
        if self.state.rivals.may_have(Deed::UsedTheHeap) {
            // A rival may have stopped the world since the last step.
            self.stopped(true);
        }
    }

    /// Nothing to check but what is checked after every operation.
    pub(super) fn quiet(&self, happened: Happened) -> Aftermath {
        Aftermath { happened, refused: None, exactly: None, reduced: false, roots_bytes: 0, live: None }
    }

    /// Forgets the later roots of an actor, which has left its local heap for good, or a scope.
    pub(super) fn truncate(&mut self, actor: usize, roots: usize) {
        self.stacks[actor].truncate(roots);
    }

    /// Whether [`finish`](Self::finish) is going to compare.
    pub(super) fn compares(&self, after: &Aftermath) -> bool {
        self.pace.steps.is_multiple_of(self.pace.compare_interval)
            || after.happened != Happened::Nothing
            || after.refused.is_some()
            || after.live.is_some()
    }

    /// Checks what an operation left to check. `roots` are all roots there are, or nothing if
    /// [`compares`](Self::compares) said no.
    pub(super) fn finish(&mut self, roots: &Roots, after: &Aftermath) {
        let (committed, hard) = self.state.committed_and_hard_limit();
        assert!(committed <= hard, "{committed} pages are committed, the hard limit is {hard}");
        self.state.check_hard_limit();
        if !self.compares(after) {
            return;
        }
        self.tally.compared += 1;
        let spaces = self.state.heap.spaces();
        let census = self.graph.compare(spaces, roots, after.happened);
        self.population.recount(&census);
        if let Some(rivals) = &self.state.rivals {
            assert!(after.exactly.is_none_or(|found| found >= census.objects), "fewer objects than are this thread's");
            after.refused.into_iter().for_each(|need| rivals.refused(need));
            return;
        }
        if let Some(found) = after.exactly {
            let alive = census.objects + super::IMMORTAL_OBJECTS;
            claim_eq!(found, alive, "the number of objects after a major collection, those alive,");
            // SAFETY: there are no rivals: nobody else runs in this heap.
            unsafe { check_committed(&census, &self.held(), spaces, after.reduced, after.roots_bytes) };
        }
        if let Some(live) = after.live {
            claim_eq!(live, census.objects, "the number of objects that the survey calls live");
        }
        if let Some(need) = after.refused {
            // SAFETY: as above.
            let answer = unsafe { may_refuse(need, &census, &self.held(), spaces) };
            answer.unwrap_or_else(|reason| panic!("{reason}; alive: {census:?}"));
        }
    }

    /// What is held of the committed pages beside objects, which is known without rivals only.
    fn held(&self) -> Held {
        let is_shared = self.state.rivals.may_have(Deed::UsedTheHeap);
        assert!(!is_shared, "with rivals nobody knows what is held");
        let spaces = self.state.heap.spaces();
        // SAFETY: there are no rivals: nobody else runs in this heap.
        let held = unsafe { Held::of(spaces, self.reserved_pages()) };
        let refused = self.state.releases_refused || matches!(self.round.fault, Some(RoundFault::Release(_)));
        if refused { held.with_refused_releases(spaces) } else { held }
    }

    /// Notes a stop, in which, with `collected`, a collection may have happened.
    pub(super) fn stopped(&mut self, collected: bool) {
        for guard in &mut self.guards {
            guard.stopped();
        }
        if collected {
            self.full = Default::default();
        }
    }

    pub(super) fn source(&self, actor: usize, operand: ValueChoice) -> (Source, Value) {
        let stack = &self.stacks[actor];
        match operand {
            ValueChoice::Handle(_) if stack.is_empty() => (Source::Small(0), Value::ZERO),
            ValueChoice::Handle(handle) => {
                let root = self.root(actor, handle).expect("not empty");
                (Source::Root(root), stack[root])
            }
            ValueChoice::Small(n) => (Source::Small(ValueChoice::small(n)), Value::Small(ValueChoice::small(n))),
            ValueChoice::Immortal(n) => {
                (Source::Immortal(ValueChoice::immortal(n)), Value::Immortal(ValueChoice::immortal(n)))
            }
        }
    }

    /// The root that a number means: 0 is the youngest.
    pub(super) fn root(&self, actor: usize, handle: u8) -> Option<usize> {
        let count = self.stacks[actor].len();
        (count != 0).then(|| count - 1 - spread(handle, count))
    }

    /// The first root, from the one that `handle` means on, whose object is `wanted`.
    pub(super) fn host(&self, actor: usize, handle: u8, wanted: impl Fn(&ShadowObject) -> bool) -> Option<(usize, Id)> {
        let stack = &self.stacks[actor];
        let first = self.root(actor, handle)?;
        (0..stack.len()).map(|step| (first + step) % stack.len()).find_map(|root| match stack[root] {
            Value::Object(id) if wanted(self.graph.object(id)) => Some((root, id)),
            _ => None,
        })
    }

    /// Does one operation, other than those that the engines do: scopes and detaching.
    pub(super) fn step<D: Door>(&mut self, actor: usize, door: &mut D, op: Op) -> Aftermath {
        match op {
            Op::Allocate { ty, object, size } => return self.allocate(actor, door, ty, object, size),
            Op::Load { host, slot } => self.load(actor, door, host, slot),
            Op::Store { host, slot, value } => self.store(actor, door, host, slot, value),
            Op::Write { host, index, value } => self.write(actor, door, host, index, value),
            Op::Make(value) => {
                let (source, value) = self.source(actor, value);
                door.push(source);
                self.stacks[actor].push(value);
            }
            Op::Persist(_) | Op::Open(_) | Op::Drop(_) | Op::StoreRoot { .. } | Op::LoadRoot(_) | Op::RenewRoots => {
                self.share(actor, door, op);
            }
            Op::FullSpace(space) => self.make_full(door, space),
            Op::FillPage { ty, granules } => self.fill(actor, door, ty, usize::from(granules) * 8),
            Op::Collect(kind) => {
                door.collect(kind);
                return self.collected(door, kind);
            }
            Op::CollectParked(kind) => {
                self.collect_parked(door, kind);
                return self.collected(door, kind);
            }
            Op::Verify => {
                let found = self.verify(door);
                let live = self.survey(door, found);
                return Aftermath { live, ..self.quiet(Happened::Nothing) };
            }
            Op::Poll => door.poll(),
            Op::Park => {
                let happened = self.state.park(door);
                self.stopped(happened != Happened::Nothing);
                return self.quiet(happened);
            }
            Op::Statistics => self.statistics(door),
            Op::GcInterval(_)
            | Op::VerifyHeap(_)
            | Op::Concurrent(_)
            | Op::FailAttempt(_)
            | Op::FailCommit(_)
            | Op::FailRelease(_)
            | Op::FailSpawn(_)
            | Op::NearLimit(_) => {
                self.stopped(false);
                self.state.set_flag(door, op);
            }
            Op::Stress(on) => {
                let happened = self.state.stress(door, on);
                self.stopped(happened != Happened::Nothing);
                return self.quiet(happened);
            }
            Op::Attach => self.state.attach_extra(door),
            // The engines do these.
            Op::Detach | Op::OpenScope { .. } | Op::CloseScope | Op::EnterAlways(_) | Op::LeaveAlways => {}
        }
        self.quiet(Happened::Nothing)
    }

    /// Drops everything, collects twice, and checks that nothing is left. Every local heap is detached already.
    pub(super) fn end(mut self) -> (Heap, Tally) {
        let fault = self.round.fault;
        let left = self.state.commit_fault_in();
        let until = if let Some(RoundFault::Commit(k)) = fault { k + 1 } else { usize::MAX as u64 };
        self.tally.commits = until.saturating_sub(left.map_or(0, |left| left.get() as u64));
        self.tally.commit_refused = left.is_none();
        let left = self.state.release_fault_in();
        let until = if let Some(RoundFault::Release(k)) = fault { k + 1 } else { isize::MAX as u64 };
        self.tally.releases = until.saturating_sub(left.map_or(0, |left| left.get() as u64));
        self.tally.release_refused = left.is_none();
        self.tally.spawns = self.state.spawns_refused;
        let Oracle { state, shared, mut tally, round, .. } = self;
        drop(shared);
        let (heap, statistics) = state.end();
        tally.collections = round.collections(&statistics);
        round.check_trace(&heap.take_collection_trace().expect("a sound heap"), &statistics);
        tally.attempts = statistics.allocation.attempts - round.earlier.allocation.attempts;
        (heap, tally)
    }

    /// Drops everything, and leaves the heap to the other threads.
    pub(super) fn leave(self) -> Tally {
        let Oracle { state, shared, tally, population, .. } = self;
        drop(shared);
        state.rivals.as_ref().expect("another thread has the heap").ended(population.peak());
        state.leave();
        tally
    }
}
