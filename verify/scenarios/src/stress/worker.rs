//! A worker: allocates, checks, exchanges, and survives everything the others do.

use super::churn::{BATCH, all_types, churn_bytes, churn_list};
use super::contents::small_of;
use super::graph;
use super::parcel::{self, ObjectSizes};
use super::pulse::{Act, Pulse};
use super::shadow::{Node, NodeId, NodeKind, SHAPES_COUNT, Shadow, Word, random_plain};
use heaplab::{
    AllocError, AllocationType, Array, AttachError, Attachment, CollectionKind, Handle, Heap, Map, Persistent, Ref,
    Reserve, RootSet, Scope, SpaceKind, Tail, Value,
};
use heaplab_common::Dice;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Roots of a worker's graph. The first [`MAPS`] hold maps.
const ROOTS: usize = 64;
const MAPS: usize = 6;
/// Slots of the root set; the first holds the shared array.
pub(super) const BOARD_SLOTS: usize = 16;
/// Elements of the shared array.
pub(super) const SHARED_ELEMENTS: usize = 64;
/// Persistent handles under way between threads, at most.
const MAILBOX_MAX: usize = 32;
/// Steps of one run, at most.
const STEPS_MAX: usize = 4000;

/// What all threads of a stress share.
pub(super) struct World {
    pub(super) heap: Heap,
    pub(super) board: RootSet,
    pub(super) mailbox: Mutex<Vec<Persistent<Array>>>,
    pub(super) stop: AtomicBool,
    pub(super) sizes: ObjectSizes,
    /// Whether ST-4 is checked: then no failures are injected.
    pub(super) promise: bool,
    /// Bytes that each worker keeps alive at most.
    pub(super) live_bytes_max: usize,
    pub(super) seed: u64,
}

impl World {
    pub(super) fn is_over(&self) -> bool {
        // Relaxed: a request to end, which orders nothing; the join does.
        self.stop.load(Ordering::Relaxed)
    }

    pub(super) fn mailbox(&self) -> std::sync::MutexGuard<'_, Vec<Persistent<Array>>> {
        // A panic of another thread is a finding of its own, and leaves the handles whole.
        self.mailbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Why a thread ends before its time.
#[derive(Debug)]
pub(super) enum Halt {
    Finding(String),
    /// The heap is poisoned; whoever poisoned it reports that.
    Poisoned,
}

impl From<String> for Halt {
    fn from(text: String) -> Halt {
        Halt::Finding(text)
    }
}

/// What a worker counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WorkerCounts {
    pub(super) allocations: u64,
    pub(super) out_of_memory: u64,
    pub(super) scopes: u64,
    pub(super) attachments: u64,
    pub(super) shadow_checks: u64,
    pub(super) parcel_checks: u64,
    /// Bytes of the graph when it was greatest.
    pub(super) live_bytes_peak: u64,
}

/// What a deliberate unwinding carries.
struct Unwinding;

pub(super) struct Worker<'w> {
    world: &'w World,
    pulse: &'w Pulse,
    dice: Dice,
    shadow: Shadow,
    /// The array of the graph's roots, which outlives attachments.
    roots: Option<Persistent<Array>>,
    /// Whether to drop a part of the graph, because a request found no memory.
    shed: bool,
    pub(super) counts: WorkerCounts,
}

impl<'w> Worker<'w> {
    pub(super) fn new(world: &'w World, pulse: &'w Pulse, index: u64) -> Worker<'w> {
        Worker {
            world,
            pulse,
            dice: Dice::new(world.seed, index),
            shadow: Shadow::new(ROOTS),
            roots: None,
            shed: false,
            counts: WorkerCounts::default(),
        }
    }

    /// Works until the stress is over.
    pub(super) fn work(&mut self) -> Result<(), Halt> {
        loop {
            self.pulse.beat(Act::Attach);
            match self.world.heap.attach() {
                Ok(mut attachment) => {
                    self.counts.attachments += 1;
                    for _ in 0..1 + self.dice.below(3) {
                        self.run(&mut attachment)?;
                    }
                    self.pulse.beat(Act::Detach);
                }
                // The heap's stress thread came first. There is room for that thread and every worker, except while
                // another one of it ends.
                Err(AttachError::TooManyThreads { .. }) => std::thread::yield_now(),
                Err(AttachError::Poisoned) => return Err(Halt::Poisoned),
                Err(error) => return Err(Halt::Finding(format!("attaching: {error}"))),
            }
            if self.world.is_over() {
                return Ok(());
            }
        }
    }

    fn run(&mut self, attachment: &mut Attachment) -> Result<(), Halt> {
        let ran = catch_unwind(AssertUnwindSafe(|| attachment.run(|scope| self.session(scope))));
        match ran {
            Ok(Ok(result)) => result,
            Ok(Err(heaplab::RunError::Poisoned)) => Err(Halt::Poisoned),
            Ok(Err(error)) => Err(Halt::Finding(format!("running: {error}"))),
            Err(payload) if payload.is::<Unwinding>() => Ok(()),
            Err(payload) => resume_unwind(payload),
        }
    }

    fn session(&mut self, scope: &mut Scope<'_, '_>) -> Result<(), Halt> {
        let Some(roots) = self.open_roots(scope)? else { return Ok(()) };
        if self.dice.one_in(4) {
            self.check_all(scope, roots)?;
        }
        for _ in 0..self.dice.below(STEPS_MAX) {
            if self.world.is_over() {
                break;
            }
            let act = self.dice.weighted(&[
                (160, Act::Churn),
                (400, Act::Grow),
                (100, Act::Link),
                (10, Act::Cut),
                (30, Act::Post),
                (40, Act::Take),
                (40, Act::Poll),
                (6, Act::Park),
                (1, Act::Collect),
                (4, Act::Scope),
                (1, Act::Unwind),
                (1, Act::CheckAll),
            ]);
            self.pulse.beat(act);
            scope.nested(|scope| self.act(scope, roots, act))?;
            if std::mem::take(&mut self.shed) {
                self.cut_some(scope, roots, 2);
            }
            if self.shadow.bytes() > self.world.live_bytes_max {
                self.check_all(scope, roots)?;
                // Bounded: after so many halvings hardly a root is left.
                for _ in 0..16 {
                    if self.shadow.bytes() <= self.world.live_bytes_max / 4 * 3 {
                        break;
                    }
                    self.cut_some(scope, roots, 2);
                    self.shadow.sweep();
                }
            }
        }
        self.check_all(scope, roots)
    }

    fn act<'s, 'o: 's>(&mut self, scope: &mut Scope<'s, 'o>, roots: Handle<'s, Array>, act: Act) -> Result<(), Halt> {
        let result = match act {
            Act::Churn => return self.churn(scope),
            Act::Grow => self.grow(scope, roots)?,
            Act::Post => self.post(scope),
            Act::Link => return self.link(scope, roots),
            Act::Take => return self.take(scope),
            Act::Scope => return self.always_allocate(scope),
            Act::CheckAll => return self.check_all(scope, roots),
            Act::Cut => {
                let index = self.dice.below(ROOTS);
                self.set_root(scope, roots, index, Word::Small(index as i32), None);
                Ok(())
            }
            Act::Park => {
                self.park(scope);
                Ok(())
            }
            Act::Collect => {
                scope
                    .collect(self.dice.weighted(&[
                        (6, CollectionKind::Minor),
                        (2, CollectionKind::Major),
                        (1, CollectionKind::MemoryReducing),
                    ]))
                    .unwrap();
                Ok(())
            }
            Act::Unwind => resume_unwind(Box::new(Unwinding)),
            _ => {
                (0..16).for_each(|_| scope.poll());
                Ok(())
            }
        };
        self.survive(result)
    }

    /// Goes on after `OutOfMemory`, and notes to drop a part of the graph; any other error ends the worker.
    fn survive(&mut self, result: Result<(), AllocError>) -> Result<(), Halt> {
        match result {
            Ok(()) => Ok(()),
            Err(AllocError::OutOfMemory { .. }) => {
                self.counts.out_of_memory += 1;
                self.shed = true;
                Ok(())
            }
            Err(AllocError::Poisoned) => Err(Halt::Poisoned),
            Err(error) => Err(Halt::Finding(format!("allocating: {error}"))),
        }
    }

    fn open_roots<'s, 'o: 's>(&mut self, scope: &mut Scope<'s, 'o>) -> Result<Option<Handle<'s, Array>>, Halt> {
        if let Some(roots) = &self.roots {
            return scope.open(roots).map(Some).map_err(|error| Halt::Finding(error.to_string()));
        }
        match scope.new_array_in(ROOTS, if self.dice.one_in(2) { AllocationType::Old } else { AllocationType::Young }) {
            Ok(roots) => {
                self.counts.allocations += 1;
                self.roots = Some(scope.persist(roots));
                self.shadow.roots = vec![Word::Small(0); ROOTS];
                Ok(Some(roots))
            }
            Err(error) => self.survive(Err(error)).map(|()| None),
        }
    }

    fn set_root<'s>(
        &mut self,
        scope: &Scope<'s, '_>,
        roots: Handle<'s, Array>,
        index: usize,
        word: Word,
        value: Option<Ref<'_, Value>>,
    ) {
        self.shadow.roots[index] = word;
        match value.or_else(|| graph::plain(scope, word)) {
            Some(value) => scope.store(scope.get(roots), index, value),
            None => unreachable!("a node comes with its object"),
        }
    }

    fn cut_some<'s>(&mut self, scope: &Scope<'s, '_>, roots: Handle<'s, Array>, one_in: usize) {
        for index in 0..ROOTS {
            if self.dice.one_in(one_in) {
                self.set_root(scope, roots, index, Word::Small(-1), None);
            }
        }
    }

    fn check_all<'s>(&mut self, scope: &Scope<'s, '_>, roots: Handle<'s, Array>) -> Result<(), Halt> {
        self.counts.shadow_checks += graph::check_all(scope, &self.shadow, scope.get(roots))?;
        self.shadow.sweep();
        self.counts.live_bytes_peak = self.counts.live_bytes_peak.max(self.shadow.bytes() as u64);
        Ok(())
    }

    /// Makes objects that live for a moment only: a list, or byte arrays that hold their number.
    fn churn(&mut self, scope: &mut Scope<'_, '_>) -> Result<(), Halt> {
        let (seed, ty) =
            (self.dice.word(), if self.dice.one_in(16) { AllocationType::Old } else { AllocationType::Young });
        let result = if self.dice.one_in(4) { churn_bytes(scope, seed, ty) } else { churn_list(scope, seed, ty) };
        match result {
            Ok(Ok(())) => {
                self.counts.allocations += BATCH as u64;
                Ok(())
            }
            Ok(Err(text)) => Err(Halt::Finding(text)),
            Err(error) => self.survive(Err(error)),
        }
    }

    /// Adds a node, below a root or below a node that is found by wandering.
    fn grow<'s, 'o: 's>(
        &mut self,
        scope: &mut Scope<'s, 'o>,
        roots: Handle<'s, Array>,
    ) -> Result<Result<(), AllocError>, Halt> {
        let ty = if self.dice.one_in(4) { AllocationType::Old } else { AllocationType::Young };
        let seed = self.dice.word();
        let (kind, map) = self.pick(scope, roots)?;
        let node = Node::new(kind, seed);
        let host = self.wander(scope, roots)?;
        let target = self.wander(scope, roots)?;
        let object = match graph::create(scope, &node, map, ty) {
            Ok(object) => object,
            Err(error) => return Ok(Err(error)),
        };
        self.counts.allocations += 1;
        let id = self.shadow.add(node);
        if let Some((target_id, target)) = target {
            self.set_edge(scope, id, scope.get(object), target_id, scope.get(target));
        }
        self.hang(scope, roots, (id, scope.get(object)), host.map(|(id, host)| (id, scope.get(host))));
        Ok(Ok(()))
    }

    /// What the next node is, and, for a record, its map, which a root holds. Where the root holds no map, the next
    /// node is a map.
    fn pick<'s>(
        &mut self,
        scope: &Scope<'s, '_>,
        roots: Handle<'s, Array>,
    ) -> Result<(NodeKind, Option<Handle<'s, Map>>), Halt> {
        let ObjectSizes { small_bytes, large_bytes, large } = self.world.sizes;
        if self.dice.below(8) != 0 {
            return Ok((random_plain(&mut self.dice, small_bytes, large.then_some(large_bytes)), None));
        }
        let index = self.dice.below(MAPS);
        let Word::Node(id) = self.shadow.roots[index] else {
            return Ok((NodeKind::Map { shape: self.dice.below(SHAPES_COUNT) }, None));
        };
        let NodeKind::Map { shape } = self.shadow.node(id).kind else { unreachable!("roots of maps") };
        let found = scope.load(scope.get(roots), index);
        let Some(map) = scope.downcast::<Map>(found) else {
            return Err(Halt::Finding(format!("root {index} holds {found:?}, which is no map")));
        };
        let tail = super::shadow::shape(shape).tail();
        let len = if tail == Tail::None { 0 } else { self.dice.below(small_bytes / 4) };
        Ok((NodeKind::Record { map: id, shape, len }, Some(scope.handle(map))))
    }

    /// Makes something lead to a new node: to a map, a root of maps; to another node, an edge of `host`, or a root.
    fn hang<'s>(
        &mut self,
        scope: &Scope<'s, '_>,
        roots: Handle<'s, Array>,
        (id, object): (NodeId, Ref<'_, Value>),
        host: Option<(NodeId, Ref<'_, Value>)>,
    ) {
        match host {
            _ if matches!(self.shadow.node(id).kind, NodeKind::Map { .. }) => {
                let index = self.dice.below(MAPS);
                self.set_root(scope, roots, index, Word::Node(id), Some(object));
            }
            Some((host_id, host)) if !self.shadow.node(host_id).edges().is_empty() && !self.dice.one_in(3) => {
                let index = self.dice.below(self.shadow.node(host_id).edges().len());
                let old = self.shadow.node(host_id).edges()[index];
                self.inherit(scope, id, object, old, graph::load(scope, self.shadow.node(host_id), host, index));
                let node = self.shadow.node_mut(host_id);
                node.set_edge(index, Word::Node(id));
                graph::store(scope, node, host, index, object);
            }
            _ => {
                let index = MAPS + self.dice.below(ROOTS - MAPS);
                self.inherit(scope, id, object, self.shadow.roots[index], scope.load(scope.get(roots), index));
                self.set_root(scope, roots, index, Word::Node(id), Some(object));
            }
        }
    }

    fn wander<'s>(
        &mut self,
        scope: &Scope<'s, '_>,
        roots: Handle<'s, Array>,
    ) -> Result<Option<(NodeId, Handle<'s, Value>)>, Halt> {
        let found = graph::wander(scope, &self.shadow, scope.get(roots), &mut self.dice)?;
        Ok(found.map(|(id, object)| (id, scope.handle(object))))
    }

    /// Makes an edge of a new node lead to what was in the slot that will lead to the node, so that the graph grows.
    fn inherit(
        &mut self,
        scope: &Scope<'_, '_>,
        id: NodeId,
        object: Ref<'_, Value>,
        word: Word,
        value: Ref<'_, Value>,
    ) {
        if let Word::Node(old) = word {
            self.set_edge(scope, id, object, old, value);
        }
    }

    /// Makes a random edge of `from` lead to `to`; does nothing if `from` has no edges.
    fn set_edge(
        &mut self,
        scope: &Scope<'_, '_>,
        from: NodeId,
        host: Ref<'_, Value>,
        to: NodeId,
        object: Ref<'_, Value>,
    ) {
        let node = self.shadow.node_mut(from);
        if node.edges().is_empty() {
            return;
        }
        let index = self.dice.below(node.edges().len());
        node.set_edge(index, Word::Node(to));
        graph::store(scope, node, host, index, object);
    }

    /// Makes a random edge lead to another node, or to no node.
    fn link<'s>(&mut self, scope: &Scope<'s, '_>, roots: Handle<'s, Array>) -> Result<(), Halt> {
        let roots = scope.get(roots);
        let Some((from, host)) = graph::wander(scope, &self.shadow, roots, &mut self.dice)? else { return Ok(()) };
        if self.dice.one_in(4) {
            let node = self.shadow.node_mut(from);
            if !node.edges().is_empty() {
                let index = self.dice.below(node.edges().len());
                let word = match self.dice.below(3) {
                    0 => Word::True,
                    1 => Word::Undefined,
                    _ => Word::Small(small_of(self.dice.word(), 0)),
                };
                node.set_edge(index, word);
                graph::store(scope, node, host, index, graph::plain(scope, word).expect("no node"));
            }
            return Ok(());
        }
        if let Some((to, object)) = graph::wander(scope, &self.shadow, roots, &mut self.dice)? {
            self.set_edge(scope, from, host, to, object);
        }
        Ok(())
    }

    /// Makes a parcel and leaves it where the others find it.
    fn post(&mut self, scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
        let parcel = parcel::build(scope, self.dice.word(), &self.world.sizes)?;
        self.counts.allocations += 2;
        let (world, index) = (self.world, self.dice.below(SHARED_ELEMENTS));
        match self.dice.below(3) {
            0 => {
                let index = 1 + index % (BOARD_SLOTS - 1);
                scope.store_root(&world.board, index, scope.get(parcel).into()).expect("the board is this heap's");
            }
            1 => {
                let shared = scope.load_root(&world.board, 0).expect("the board is this heap's");
                if let Some(shared) = scope.downcast::<Array>(shared) {
                    scope.store(shared, index, scope.get(parcel).into());
                }
            }
            _ => {
                let letter = scope.persist(parcel);
                let mut mailbox = world.mailbox();
                if mailbox.len() < MAILBOX_MAX {
                    mailbox.push(letter);
                } else {
                    let index = index % mailbox.len();
                    mailbox[index] = letter;
                }
            }
        }
        Ok(())
    }

    /// Looks at what the others left, and checks it.
    fn take(&mut self, scope: &mut Scope<'_, '_>) -> Result<(), Halt> {
        let (world, index) = (self.world, self.dice.below(SHARED_ELEMENTS));
        let found: Handle<'_, Value> = match self.dice.below(3) {
            0 => {
                let index = 1 + index % (BOARD_SLOTS - 1);
                scope.handle(scope.load_root(&world.board, index).expect("the board is this heap's"))
            }
            1 => {
                let shared = scope.load_root(&world.board, 0).expect("the board is this heap's");
                match scope.downcast::<Array>(shared) {
                    Some(shared) => scope.handle(scope.load(shared, index)),
                    None => return Ok(()),
                }
            }
            _ => {
                let letter = {
                    let mut mailbox = world.mailbox();
                    if mailbox.is_empty() {
                        return Ok(());
                    }
                    let index = index % mailbox.len();
                    mailbox.swap_remove(index)
                };
                let parcel = scope.open(&letter).map_err(|error| error.to_string())?;
                if self.dice.one_in(2) {
                    world.mailbox().push(letter);
                }
                parcel.any()
            }
        };
        if scope.get(found).as_small().is_none() {
            self.counts.parcel_checks += parcel::check(scope, scope.get(found), &world.sizes)?;
        }
        Ok(())
    }

    fn park(&mut self, scope: &mut Scope<'_, '_>) {
        let (heap, choice, time) = (&self.world.heap, self.dice.below(8), self.dice.below(200));
        scope.park(|| match choice {
            0 => drop(heap.collect(CollectionKind::Minor)),
            1 => drop(heap.simulate_full_space(SpaceKind::New)),
            2..=4 => std::thread::sleep(Duration::from_micros(time as u64)),
            _ => std::thread::yield_now(),
        });
    }

    /// Allocates an object of each type in an always-allocate scope, which its reserve covers, and checks ST-4.
    fn always_allocate(&mut self, scope: &mut Scope<'_, '_>) -> Result<(), Halt> {
        let sizes = self.world.sizes;
        let large_bytes = if sizes.large { sizes.large_bytes.next_multiple_of(8) } else { 0 };
        let full = [SpaceKind::New, SpaceKind::Old, SpaceKind::Map, SpaceKind::Code][self.dice.below(4)];
        let (simulate, unwind) = (self.dice.one_in(8), self.dice.one_in(16));
        let entered = scope.always_allocate(Reserve::one_of_each(large_bytes), |scope| {
            if simulate {
                scope.simulate_full_space(full).unwrap();
            }
            let before = scope.own_requests();
            let made = all_types(scope, &sizes);
            let after = scope.own_requests();
            if unwind {
                resume_unwind(Box::new(Unwinding));
            }
            (made, after.collections_in_scope - before.collections_in_scope, after.retries - before.retries)
        });
        self.counts.scopes += u64::from(entered.is_ok());
        match entered {
            Ok((Err(AllocError::Poisoned), ..)) => Err(Halt::Poisoned),
            Ok((made, collections, retries))
                if self.world.promise && (made.is_err() || collections != 0 || retries != 0) =>
            {
                Err(Halt::Finding(format!(
                    "in an always-allocate scope: {made:?}, {collections} collections requested, {retries} retries"
                )))
            }
            Ok((made, ..)) => {
                self.counts.allocations += 5;
                self.survive(made)
            }
            Err(error) => self.survive(Err(error)),
        }
    }
}
