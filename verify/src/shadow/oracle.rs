//! The oracle: does one operation on the heap and on the shadow, and compares.

use super::outside::Outside;
use super::rivals::{Peak, Rivals};
use super::watch::{note_program, note_step};
use super::{
    Door, Fault, Graph, Happened, Held, Id, Need, Payload, ReserveGuard, ShadowObject, Slot, Source, Tally, Value,
    check_committed, may_refuse,
};
use crate::claim_eq;
use crate::ops::{Op, Program, ValueChoice, WorldSize};
use heaplab::heap::CollectionTrace;
use heaplab::heap::Internals as _;
use heaplab::words::PageIndex;
use heaplab::{AllocError, AllocationType, CollectionKind, Heap, Persistent, RootSet, SpaceKind, Statistics, Tagged};
use std::collections::BTreeSet;
use std::sync::Arc;

const ROOT_SET_SLOTS: usize = 4;
const PERSISTENTS_MAX: usize = 24;

/// What the operation that was just done leaves to check, once everything's whereabouts are known again.
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
    /// Somebody else may have collected as well.
    pub(super) fn stirred(&mut self) {
        if self.happened == Happened::Nothing {
            self.happened = Happened::Anything;
        }
    }
}

/// All roots, with what the heap has in them.
pub type Roots = Vec<(Value, Tagged)>;

/// A heap, its shadow, and what is known about both.
pub struct Oracle {
    pub(super) outside: Outside,
    pub(super) graph: Graph,
    /// The roots of each actor.
    pub(super) stacks: Vec<Vec<Value>>,
    pub(super) persistents: Vec<(Persistent<heaplab::Value>, Value)>,
    pub(super) root_set: RootSet,
    pub(super) root_values: Vec<Value>,
    pub(super) guards: Vec<ReserveGuard>,
    /// Pages whose free memory is out of reach since a space was made full.
    pub(super) full: [BTreeSet<PageIndex>; 5],
    /// If the present step has filled a page: its actor, the type whose space the page is of, and the bytes left free.
    filled: Option<(usize, AllocationType, usize)>,
    /// The same of the step before; `None` if that step, whatever it did, has filled no page.
    filled_before: Option<(usize, AllocationType, usize)>,
    /// Steps that do not collect are compared by their results, and every so often by everything.
    compare_interval: usize,
    /// Whether the heap is verified when a request has collected. A large one is full for hundreds of requests.
    pub(super) verifies_requests: bool,
    steps: usize,
    pub(super) tally: Tally,
    fault: Option<Fault>,
    /// Before this round.
    earlier: Statistics,
    /// What was alive when all was compared last, and has been added since.
    pub(super) alive: Peak,
    pub(super) peak: Peak,
}

fn root_set(heap: &Heap) -> (RootSet, Vec<Value>) {
    (heap.new_root_set(ROOT_SET_SLOTS), vec![Value::ZERO; ROOT_SET_SLOTS])
}

/// Each collection of a round has been traced, once, in its order.
fn check_trace(trace: &[CollectionTrace], now: &Statistics, earlier: &Statistics) {
    let before: u64 = earlier.collections.iter().sum();
    let numbers: Vec<u64> = trace.iter().map(|record| record.number).collect();
    claim_eq!(
        numbers,
        (before + 1..=before + trace.len() as u64).collect::<Vec<_>>(),
        "the list of traced collections"
    );
    for kind in CollectionKind::ALL {
        let traced = trace.iter().filter(|record| record.kind == kind).count() as u64;
        claim_eq!(
            traced,
            now.collections_of(kind) - earlier.collections_of(kind),
            "the number of traced collections, {kind},"
        );
    }
}

/// A number of `count`, from both ends: small operands count from the front, large ones from the back.
fn spread(operand: u8, count: usize) -> usize {
    match operand {
        0..128 => usize::from(operand) % count,
        128.. => count - 1 - usize::from(255 - operand) % count,
    }
}

impl Oracle {
    /// An oracle for `program`, on a heap of its world that nobody uses, with room for `actors` local heaps' roots.
    ///
    /// # Panics
    /// If the heap is used by somebody.
    #[must_use]
    pub fn new(program: &Program, heap: Heap, actors: usize, fault: Option<Fault>) -> Oracle {
        note_program(program);
        let outside = Outside::restored(heap, program.world);
        let earlier = outside.heap.statistics().expect("a sound heap");
        Fault::arm(fault, &outside.heap);
        Oracle { fault, earlier, ..Oracle::on(program, outside, actors) }
    }

    /// The oracle of one of several threads that share a heap.
    pub(super) fn joined(program: &Program, heap: Heap, rivals: Arc<Rivals>) -> Oracle {
        Oracle::on(program, Outside::joined(heap, rivals), 1)
    }

    fn on(program: &Program, outside: Outside, actors: usize) -> Oracle {
        let (root_set, root_values) = root_set(&outside.heap);
        let is_alone = outside.rivals.is_none();
        Oracle {
            outside,
            graph: Graph::default(),
            stacks: vec![Vec::new(); actors],
            persistents: Vec::new(),
            root_set,
            root_values,
            guards: Vec::new(),
            full: Default::default(),
            filled: None,
            filled_before: None,
            compare_interval: if program.world.size == WorldSize::Small { 32 } else { 6 },
            verifies_requests: program.world.size != WorldSize::Small && is_alone,
            steps: 0,
            tally: Tally::default(),
            fault: None,
            earlier: Statistics::default(),
            alive: Peak::default(),
            peak: Peak::default(),
        }
    }

    pub(super) fn heap(&self) -> &Heap {
        &self.outside.heap
    }

    /// The number of the next step. `parked` calls its argument while every local heap is parked.
    pub(super) fn begin(&mut self, index: usize, parked: impl FnOnce(&mut dyn FnMut())) {
        note_step(index, &self.outside.heap, parked);
        self.steps += 1;
        self.filled_before = self.filled.take();
        if self.outside.rivals.is_some() {
            // A rival may have stopped the world since the last step.
            self.stopped(true);
        }
    }

    /// What a root is supposed to hold, and what it does, for every root that belongs to no local heap; `words` has
    /// those that do. `peek` reads persistent handles and slots of the root set.
    pub(super) fn shared_roots(
        &self,
        mut persistent: impl FnMut(&Persistent<heaplab::Value>) -> Tagged,
        mut slot: impl FnMut(&RootSet, usize) -> Tagged,
    ) -> Roots {
        let mut roots: Roots = self.persistents.iter().map(|(handle, value)| (*value, persistent(handle))).collect();
        roots.extend(self.root_values.iter().enumerate().map(|(index, &value)| (value, slot(&self.root_set, index))));
        roots
    }

    /// Nothing to check but what is checked after every operation.
    pub(super) fn quiet(&self, happened: Happened) -> Aftermath {
        Aftermath { happened, refused: None, exactly: None, reduced: false, roots_bytes: 0, live: None }
    }

    /// A local heap has been left for good, or a scope: its later roots are gone.
    pub(super) fn truncate(&mut self, actor: usize, roots: usize) {
        self.stacks[actor].truncate(roots);
    }

    /// Whether [`finish`](Self::finish) is going to compare.
    pub(super) fn compares(&self, after: &Aftermath) -> bool {
        self.steps.is_multiple_of(self.compare_interval)
            || after.happened != Happened::Nothing
            || after.refused.is_some()
            || after.live.is_some()
    }

    /// Checks what an operation left to check. `roots` are all roots there are, or nothing if
    /// [`compares`](Self::compares) said no.
    pub(super) fn finish(&mut self, roots: &Roots, after: &Aftermath) {
        let (committed, hard) = self.outside.committed_and_hard_limit();
        assert!(committed <= hard, "{committed} pages are committed, the hard limit is {hard}");
        self.outside.check_hard_limit();
        if !self.compares(after) {
            return;
        }
        self.tally.compared += 1;
        let spaces = self.outside.heap.spaces();
        let census = self.graph.compare(spaces, roots, after.happened);
        self.alive = Peak { objects: census.objects as usize, run_pages: census.run_pages(), ..Peak::default() };
        if let Some(rivals) = &self.outside.rivals {
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
        assert!(self.outside.rivals.is_none(), "with rivals nobody knows what is held");
        let spaces = self.outside.heap.spaces();
        // SAFETY: there are no rivals: nobody else runs in this heap.
        let held = unsafe { Held::of(spaces, self.reserved_pages()) };
        let refused = self.outside.releases_refused || matches!(self.fault, Some(Fault::Release(_)));
        if refused { held.with_refused_releases(spaces) } else { held }
    }

    fn reserved_pages(&self) -> usize {
        self.guards.iter().map(|guard| guard.pages).sum()
    }

    /// A collection may have happened, or another stop.
    pub(super) fn stopped(&mut self, collected: bool) {
        for guard in &mut self.guards {
            guard.stopped();
        }
        if collected {
            self.full = Default::default();
        }
    }

    fn source(&self, actor: usize, operand: ValueChoice) -> (Source, Value) {
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
    fn root(&self, actor: usize, handle: u8) -> Option<usize> {
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

    /// Does one operation, other than those of the frames: scopes, attaching, detaching.
    pub(super) fn step<D: Door>(&mut self, actor: usize, door: &mut D, op: Op) -> Aftermath {
        let filled = self.filled_before;
        match op {
            Op::Allocate { ty, object, size } => self.allocate(actor, door, ty, object, size, filled),
            Op::Load { host, slot } => {
                self.load(actor, door, host, slot);
                self.quiet(Happened::Nothing)
            }
            Op::Store { host, slot, value } => {
                self.store(actor, door, host, slot, value);
                self.quiet(Happened::Nothing)
            }
            Op::Write { host, index, value } => {
                self.write(actor, door, host, index, value);
                self.quiet(Happened::Nothing)
            }
            Op::Make(operand) => {
                let (source, value) = self.source(actor, operand);
                door.push(source);
                self.stacks[actor].push(value);
                self.quiet(Happened::Nothing)
            }
            Op::Persist(_) | Op::Open(_) | Op::Drop(_) | Op::StoreRoot { .. } | Op::LoadRoot(_) | Op::RenewRoots => {
                self.share(actor, door, op);
                self.quiet(Happened::Nothing)
            }
            Op::FullSpace(space) => self.make_full(door, space),
            Op::FillPage { ty, granules } => {
                self.fill(actor, door, ty, usize::from(granules) * 8);
                self.quiet(Happened::Nothing)
            }
            Op::Collect(kind) => {
                door.collect(kind);
                self.collected(door, kind)
            }
            Op::CollectParked(kind) => {
                let heap = self.heap().clone();
                if D::IS_SAFE {
                    assert!(
                        heap.collect(kind).is_err(),
                        "a thread that runs a local heap stops the world from outside"
                    );
                }
                door.parked(|| heap.collect(kind)).expect("a parked thread may collect");
                self.collected(door, kind)
            }
            Op::Verify => {
                let found = self.verify(door);
                assert!(
                    found >= super::IMMORTAL_OBJECTS,
                    "the verifier finds {found} objects, less than the built-in ones"
                );
                let live = self.survey(door, found);
                Aftermath { live, ..self.quiet(Happened::Nothing) }
            }
            Op::Poll => {
                door.poll();
                self.quiet(Happened::Nothing)
            }
            Op::Park => {
                let happened = self.outside.park(door);
                self.stopped(happened != Happened::Nothing);
                self.quiet(happened)
            }
            Op::Statistics => {
                self.statistics(door);
                self.quiet(Happened::Nothing)
            }
            Op::GcInterval(_)
            | Op::VerifyHeap(_)
            | Op::Concurrent(_)
            | Op::FailAttempt(_)
            | Op::FailCommit(_)
            | Op::FailRelease(_)
            | Op::FailSpawn(_)
            | Op::NearLimit(_) => {
                self.stopped(false);
                self.outside.set_flag(door, op);
                self.quiet(Happened::Nothing)
            }
            Op::Stress(on) => {
                let happened = self.outside.stress(door, on);
                self.stopped(happened != Happened::Nothing);
                self.quiet(happened)
            }
            Op::Attach => {
                self.outside.attach_extra(door);
                self.quiet(Happened::Nothing)
            }
            // The frames' business.
            Op::Detach | Op::OpenScope { .. } | Op::CloseScope | Op::EnterAlways(_) | Op::LeaveAlways => {
                self.quiet(Happened::Nothing)
            }
        }
    }

    fn verify<D: Door>(&mut self, door: &mut D) -> u64 {
        self.stopped(false);
        let heap = self.heap().clone();
        let verification = match door.verify() {
            Some(verification) => verification,
            None => door.parked(|| heap.verify()).expect("a parked thread may verify"),
        };
        assert!(verification.is_sound(), "{}", verification.describe());
        verification.objects
    }

    /// Verifies after a stop that changed the heap. Under a checker nobody looks: it would be one more stop among those
    /// that are explored.
    pub(super) fn verify_stop<D: Door>(&mut self, door: &mut D) {
        if !heaplab::sync::MODEL {
            let found = self.verify(door);
            assert!(
                found >= super::IMMORTAL_OBJECTS,
                "the verifier finds {found} objects, less than the built-in ones"
            );
        }
    }

    /// Fills a page, which does not climb: it is refused at once, and only for want of a page.
    fn fill<D: Door>(&mut self, actor: usize, door: &mut D, ty: AllocationType, bytes: usize) {
        let valid = bytes.is_multiple_of(ty.granule_bytes()) && bytes <= self.outside.layout.regular_bytes_max();
        let armed = self.armed(door.attempts_before_failure());
        let answer = door.fill_page_but(ty, bytes);
        let struck = self.struck(armed, door.attempts_before_failure());
        match answer {
            Ok(()) => {
                assert!(valid, "a page was filled but for {bytes} bytes");
                self.filled = Some((actor, ty, bytes));
                self.tally.filled += 1;
                let own = self.guards.iter_mut().filter(|guard| guard.owner == actor);
                own.for_each(|guard| guard.filled(ty));
            }
            Err(AllocError::InvalidSize { size_bytes }) => {
                assert!(!valid, "a page cannot be filled but for {bytes} bytes, a good size");
                claim_eq!(size_bytes, bytes, "the size that a refusal names");
            }
            Err(AllocError::OutOfMemory { allocation_type, size_bytes }) => {
                assert!(valid, "a page is to be filled but for {bytes} bytes, and a bad size is out of memory");
                claim_eq!((allocation_type, size_bytes), (ty, bytes), "what a refusal names");
                self.tally.fills_refused += 1;
                if !struck && let Err(reason) = self.outside.may_refuse_a_page(ty, bytes) {
                    panic!("a page for {ty:?}, to be filled but for {bytes} bytes, was refused although {reason}");
                }
            }
            Err(error) => panic!("filling a page: {error}"),
        }
        // Reserves may be drawn on.
        self.stopped(false);
    }

    /// Surveys a heap in which the verifier has just found so many objects, and returns how many of them are live. Under a
    /// checker nobody looks: it would be one more stop among those that are explored.
    fn survey<D: Door>(&mut self, door: &mut D, objects: u64) -> Option<u64> {
        if heaplab::sync::MODEL {
            return None;
        }
        self.stopped(false);
        let heap = self.heap().clone();
        let survey = match door.survey() {
            Some(survey) => survey,
            None => door.parked(|| heap.survey()).expect("a parked thread may survey"),
        };
        self.outside.check_survey(&survey, objects).then_some(survey.objects_live)
    }

    fn statistics<D: Door>(&mut self, door: &mut D) {
        self.stopped(false);
        let heap = self.heap().clone();
        let statistics = match door.statistics() {
            Some(statistics) => statistics,
            None => door.parked(|| heap.statistics()).expect("a parked thread may ask"),
        };
        self.outside.check_statistics(&statistics);
        if self.outside.rivals.is_none() {
            let large = statistics.allocation.large_objects - self.earlier.allocation.large_objects;
            claim_eq!(large, self.tally.allocated_large, "the heap's count of large objects that were allocated");
        }
        for (kind, counted) in self.tally.collections.iter_mut().enumerate() {
            let now = statistics.collections[kind] - self.earlier.collections[kind];
            assert!(now >= *counted, "collections are counted up");
            *counted = now;
        }
    }

    /// After a collection that was asked for by its kind.
    fn collected<D: Door>(&mut self, door: &mut D, kind: CollectionKind) -> Aftermath {
        self.stopped(true);
        if kind == CollectionKind::Minor {
            self.verify_stop(door);
            return self.quiet(Happened::Minor);
        }
        let exactly = Some(self.verify(door));
        let reduced = kind == CollectionKind::MemoryReducing;
        // Beside rivals nothing of it is compared, and another stop would cost a checker executions.
        let roots_bytes = if self.outside.rivals.is_some() { 0 } else { self.roots_bytes(door) };
        Aftermath { exactly, reduced, roots_bytes, ..self.quiet(Happened::Major) }
    }

    fn roots_bytes<D: Door>(&self, door: &mut D) -> usize {
        let heap = self.heap().clone();
        let statistics = door.statistics();
        statistics.unwrap_or_else(|| door.parked(|| heap.statistics()).expect("a parked thread may ask")).roots_bytes
    }

    fn make_full<D: Door>(&mut self, door: &mut D, space: SpaceKind) -> Aftermath {
        self.stopped(false);
        let heap = self.heap().clone();
        if door.simulate_full_space(space).is_none() {
            door.parked(|| heap.simulate_full_space(space)).expect("a parked thread may make a space full");
        }
        self.full[space as usize].extend(self.outside.pages_out_of_reach(space));
        self.quiet(Happened::Nothing)
    }

    fn share<D: Door>(&mut self, actor: usize, door: &mut D, op: Op) {
        let persistent = |this: &Oracle, number: u8| {
            let count = this.persistents.len();
            (count != 0).then(|| count - 1 - spread(number, count))
        };
        match op {
            Op::Persist(handle) => {
                if self.persistents.len() < PERSISTENTS_MAX
                    && let Some(root) = self.root(actor, handle)
                    && let Some(made) = door.persist(root)
                {
                    self.persistents.push((made, self.stacks[actor][root]));
                }
            }
            Op::Open(number) => {
                if let Some(index) = persistent(self, number)
                    && door.open(&self.persistents[index].0).is_some()
                {
                    self.stacks[actor].push(self.persistents[index].1);
                }
            }
            Op::Drop(number) => {
                if let Some(index) = persistent(self, number) {
                    self.persistents.remove(index);
                }
            }
            Op::StoreRoot { slot, value } => {
                let slot = usize::from(slot) % ROOT_SET_SLOTS;
                let (source, value) = self.source(actor, value);
                if door.store_root(&self.root_set, slot, source) {
                    self.root_values[slot] = value;
                }
            }
            Op::LoadRoot(slot) => {
                let slot = usize::from(slot) % ROOT_SET_SLOTS;
                if door.load_root(&self.root_set, slot).is_some() {
                    self.stacks[actor].push(self.root_values[slot]);
                }
            }
            _ => (self.root_set, self.root_values) = root_set(self.heap()),
        }
    }

    fn load<D: Door>(&mut self, actor: usize, door: &mut D, host: u8, slot: u8) {
        if let Some((root, id)) = self.host(actor, host, |object| object.slots_count() != 0) {
            let object = self.graph.object(id);
            let slot = object.slot(spread(slot, object.slots_count()));
            let value = object.load(slot);
            let word = door.load(root, slot);
            self.expect_word(value, word);
            self.stacks[actor].push(value);
        }
        if let Some((root, id)) = self.host(actor, host, |object| object.payload_count() != 0) {
            let place = self.place(id, slot);
            let count = self.bytes_from(id, place);
            claim_eq!(door.read(root, place, count), self.payload(id, place, count), "what #{id} holds, {place:?},");
        }
    }

    fn expect_word(&self, value: Value, word: Tagged) {
        let expected = match value {
            Value::Small(value) => Tagged::small(value).expect("shadow integers are small"),
            Value::Immortal(root) => root.tagged(),
            // Where it is may not be known yet, but what it is will be compared.
            Value::Object(_) => return assert!(word.is_reference(), "{word:?} where {value:?} belongs"),
        };
        claim_eq!(word, expected, "the word for {value:?}");
    }

    fn store<D: Door>(&mut self, actor: usize, door: &mut D, host: u8, slot: u8, value: ValueChoice) {
        if let Some((root, id)) = self.host(actor, host, |object| object.slots_count() != 0) {
            let object = self.graph.object(id);
            let slot: Slot = object.slot(spread(slot, object.slots_count()));
            let (source, value) = self.source(actor, value);
            door.store(root, slot, source);
            self.graph.object_mut(id).store(slot, value);
        }
    }

    fn place(&self, id: Id, index: u8) -> Payload {
        let object = self.graph.object(id);
        object.payload(spread(index, object.payload_count()))
    }

    /// Bytes that one operation writes or reads, at most four.
    fn bytes_from(&self, id: Id, place: Payload) -> usize {
        match place {
            Payload::Raw(..) => 4,
            Payload::Byte(start) => (self.graph.object(id).bytes_count() - start).min(4),
        }
    }

    fn payload(&self, id: Id, place: Payload, count: usize) -> [u8; 4] {
        let object = self.graph.object(id);
        let mut data = [0; 4];
        match place {
            Payload::Raw(_, word) => data = object.load_raw(word).to_le_bytes(),
            Payload::Byte(start) => {
                for (index, byte) in data[..count].iter_mut().enumerate() {
                    *byte = object.load_byte(start + index);
                }
            }
        }
        data
    }

    fn write<D: Door>(&mut self, actor: usize, door: &mut D, host: u8, index: u8, value: u8) {
        if let Some((root, id)) = self.host(actor, host, |object| object.payload_count() != 0) {
            let place = self.place(id, index);
            let count = self.bytes_from(id, place).min(1 + usize::from(value % 4));
            let data = [value, value.wrapping_add(1), !value, value | 1];
            door.write(root, place, &data, count);
            let object = self.graph.object_mut(id);
            match place {
                Payload::Raw(_, word) => object.store_raw(word, u32::from_le_bytes(data)),
                Payload::Byte(start) => {
                    for (offset, byte) in data[..count].iter().enumerate() {
                        object.store_byte(start + offset, *byte);
                    }
                }
            }
            let read = if matches!(place, Payload::Raw(..)) { 4 } else { count };
            claim_eq!(door.read(root, place, read), self.payload(id, place, read), "what #{id} holds, {place:?},");
        }
    }

    /// More may be alive than the shadow says: a reserve of this thread.
    pub(super) fn raise_peak(&mut self, by: Peak) {
        let reserved_pages = self.reserved_pages() + by.reserved_pages;
        self.peak.raise(Peak { reserved_pages, ..self.alive });
    }

    /// Drops everything, and leaves the heap to the other threads.
    pub(super) fn leave(self) -> Tally {
        let Oracle { outside, persistents, root_set, tally, peak, .. } = self;
        drop((persistents, root_set));
        outside.rivals.as_ref().expect("another thread has the heap").ended(peak);
        outside.leave();
        tally
    }

    /// Drops everything, collects twice, and sees that nothing is left. Every local heap is detached.
    pub(super) fn end(mut self) -> (Heap, Tally) {
        let left = self.outside.commit_fault_in();
        let until = match self.fault {
            Some(Fault::Commit(k)) => k + 1,
            _ => usize::MAX as u64,
        };
        self.tally.commits = until.saturating_sub(left.map_or(0, |left| left.get() as u64));
        self.tally.commit_refused = left.is_none();
        let left = self.outside.release_fault_in();
        let until = match self.fault {
            Some(Fault::Release(k)) => k + 1,
            _ => isize::MAX as u64,
        };
        self.tally.releases = until.saturating_sub(left.map_or(0, |left| left.get() as u64));
        self.tally.release_refused = left.is_none();
        self.tally.spawns = self.outside.spawns_refused;
        let Oracle { outside, persistents, root_set, mut tally, earlier, .. } = self;
        drop((persistents, root_set));
        let (heap, statistics) = outside.end();
        for (kind, counted) in tally.collections.iter_mut().enumerate() {
            *counted = statistics.collections[kind] - earlier.collections[kind];
        }
        check_trace(&heap.take_collection_trace().expect("a sound heap"), &statistics, &earlier);
        tally.attempts = statistics.allocation.attempts - earlier.allocation.attempts;
        (heap, tally)
    }
}
