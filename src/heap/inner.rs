//! What all references to a heap share: the layers wired together, and what the heap does in a stop.

use super::initiator::Initiator;
use super::object_set::NoMemory;
use super::survey::{self, Survey};
use super::verify::{self, Verification};
use super::{BuildError, CollectionTrace, HeapConfig, LimitError, Statistics, StopError};
use crate::collection::policy::{Charge, Ineffective};
use crate::collection::{Collector, ROOT_BYTES_FREE, Roots, Worklist, make_walkable};
use crate::memory::Fault;
use crate::object::{POISON, Root, Tagged};
use crate::space::Spaces;
use crate::sync::{Arc, Mutex, YieldPoint, caught, yield_point};
use crate::thread::{LocalData, LocalFlags, PersistentHandles, Registry, RegistryGuard, RootSets, Safepoint, Stop};
use crate::words::{CollectionKind, Limit, SpaceKind};
use core::any::Any;
use core::panic::Location;

/// What the near-limit callback is told, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct NearLimit {
    /// The hard limit now.
    pub hard_limit_bytes: usize,
    /// The hard limit that was configured.
    pub hard_limit_bytes_initial: usize,
    /// The greatest hard limit that the reservation allows.
    pub hard_limit_bytes_max: usize,
    /// Committed bytes now.
    pub committed_bytes: usize,
}

/// A callback that returns the new hard limit in bytes, which is rounded up to whole pages; at most
/// [`hard_limit_bytes_max`](NearLimit::hard_limit_bytes_max) counts. A value that is not greater than the limit
/// changes nothing: of two threads that ask together, the higher answer stands. What came of the answers stands in
/// [`Statistics`]: `near_limit_calls`, `near_limit_raises`.
pub type NearLimitCallback = dyn Fn(NearLimit) -> usize + Send + Sync;

/// What a [`Heap`](super::Heap) refers to.
pub(crate) struct HeapInner {
    pub(crate) spaces: Spaces,
    pub(crate) safepoint: Safepoint,
    pub(crate) persistent: Arc<PersistentHandles>,
    pub(crate) root_sets: Arc<RootSets>,
    pub(crate) config: HeapConfig,
    /// The refusal of a thread's start that a test asked for.
    pub(crate) spawn_fault: Fault,
    /// Locked by the collector for its work in a stop, and by others for a moment: so a thread that runs never waits
    /// for a collection here.
    collector: Mutex<CollectorState>,
    pub(crate) near_limit: Mutex<Option<Arc<NearLimitCallback>>>,
    /// What the stop that unwound met, and where it was begun.
    poison: Mutex<Option<String>>,
}

struct CollectorState {
    worklist: Worklist,
    verify_heap: bool,
    flags: HeapFlags,
    /// Of detached local heaps, and of all collections.
    statistics: Statistics,
    /// What the hard limit returns to, in pages: as configured or last set.
    hard_limit_base: usize,
    /// Major collections in a row that left next to nothing.
    ineffective: Ineffective,
    /// Bytes by which the memory of each kind of roots may grow after a major collection before it asks for the next
    /// one.
    roots_allowance: usize,
    /// The collections since the trace was last taken, if one is wanted.
    trace: Option<Vec<CollectionTrace>>,
}

/// Flags that every local heap gets a copy of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeapFlags {
    pub(crate) gc_interval: u64,
    pub(crate) fail_after: Option<u64>,
}

/// Collections of a last resort: the second one gets what the first one's evacuation made free.
const LAST_RESORT_ROUNDS: usize = 2;

impl HeapInner {
    pub(crate) fn new(config: HeapConfig) -> Result<HeapInner, BuildError> {
        let layout = config.layout().map_err(BuildError::Config)?;
        let mut spaces = Spaces::new(&layout, config.page_source, config.page_set_bits).map_err(BuildError::Memory)?;
        let key = spaces.take_safepoint_key().expect("new spaces have their key");
        let worklist = Worklist::new(layout.worklist_entries()).map_err(BuildError::Memory)?;
        let committed = layout.root_pages() + layout.new_pages();
        let left = layout.soft_limit_pages().saturating_sub(committed) * layout.page_bytes();
        let roots_allowance = left.max(ROOT_BYTES_FREE);
        let (persistent, root_sets) = (PersistentHandles::new(config.handle_block_slots), RootSets::new());
        persistent.allow(roots_allowance);
        root_sets.allow(roots_allowance);
        Ok(HeapInner {
            spaces,
            safepoint: Safepoint::new(key, config.concurrent_allocation),
            persistent,
            root_sets,
            collector: Mutex::new(CollectorState {
                worklist,
                verify_heap: config.verify_heap,
                flags: HeapFlags::default(),
                statistics: Statistics::default(),
                hard_limit_base: layout.hard_limit_pages(),
                ineffective: Ineffective::default(),
                roots_allowance,
                trace: None,
            }),
            near_limit: Mutex::new(None),
            spawn_fault: Fault::new(),
            poison: Mutex::new(None),
            config,
        })
    }

    /// The roots of this heap, where a collection starts.
    fn roots<'a, 's>(&'a self, stop: &'a mut Stop<'s>) -> Roots<'a, 's> {
        stop.assert_of(self.spaces.heap());
        // SAFETY: all of them are this heap's, which is the one that is stopped.
        unsafe { Roots::new(stop, &self.persistent, &self.root_sets) }
    }

    fn collect_in_stop(&self, stop: &mut Stop<'_>, state: &mut CollectorState, kind: CollectionKind) {
        if state.verify_heap {
            self.require_sound(stop, state, "before a collection");
        }
        let page_bytes = self.spaces.layout().page_bytes();
        let committed_bytes_before = self.charge(stop).committed * page_bytes;
        let roots = self.roots(stop);
        let summary = Collector::new(&self.spaces, roots, &mut state.worklist).collect(kind);
        state.statistics.add_collection(kind, &summary);
        let charge = self.charge(stop);
        if let Some(trace) = &mut state.trace {
            let number = state.statistics.collections.iter().sum();
            let committed_bytes_after = charge.committed * page_bytes;
            trace.push(CollectionTrace { number, kind, committed_bytes_before, committed_bytes_after, summary });
        }
        if kind >= CollectionKind::Major {
            self.allow_roots(stop, state, &charge);
            state.ineffective.count(charge.is_effective(summary.hole_bytes, page_bytes));
        }
        self.assert_within_hard_limit(stop);
        self.spaces.budget.assert_settled();
        if state.verify_heap {
            self.require_sound(stop, state, "after a collection");
        }
    }

    /// After a major collection: roots may grow by what the soft limit leaves, or by as much as they take now.
    fn allow_roots(&self, stop: &mut Stop<'_>, state: &mut CollectorState, charge: &Charge) {
        let soft = stop.spaces(&self.spaces).limit(Limit::Soft);
        let left = charge.left(soft) * self.spaces.layout().page_bytes();
        let mut roots = self.roots(stop);
        state.roots_allowance = left.max(roots.bytes()).max(ROOT_BYTES_FREE);
        roots.allow(state.roots_allowance);
    }

    /// Begins or ends to trace collections.
    pub(crate) fn set_trace_collections(&self, _stop: &mut Stop<'_>, on: bool) {
        self.collector.lock().trace = on.then(Vec::new);
    }

    /// The trace so far, if there is one. A new trace begins.
    pub(crate) fn take_collection_trace(&self, _stop: &mut Stop<'_>) -> Vec<CollectionTrace> {
        self.collector.lock().trace.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// What is committed at this moment of the stop.
    fn charge(&self, stop: &Stop<'_>) -> Charge {
        Charge::of(stop.spaces(&self.spaces))
    }

    /// Checks S-1, in every stop: what is counted as committed is within the hard limit.
    fn assert_within_hard_limit(&self, stop: &Stop<'_>) {
        let Charge { committed, hard, .. } = self.charge(stop);
        assert!(committed <= hard, "S-1: {committed} pages are committed, the hard limit is {hard}");
    }

    /// A stop for `f`, unless `wanted` finds that nobody wants it any more. A stop that unwinds poisons the heap, and
    /// goes on unwinding.
    ///
    /// # Panics
    /// If the initiator is a local heap of another heap.
    #[track_caller]
    fn stop<R>(
        &self,
        initiator: Initiator<'_>,
        wanted: impl FnOnce(&Registry) -> bool,
        f: impl FnOnce(&mut Stop<'_>) -> R,
    ) -> Result<Option<R>, StopError> {
        if self.safepoint.is_forked() {
            return Err(StopError::Forked);
        }
        let begun_at = Location::caller();
        let mut poisoned = false;
        let wanted = |registry: &Registry| {
            poisoned = registry.is_poisoned();
            !poisoned && wanted(registry)
        };
        let guarded = |stop: &mut Stop<'_>| match caught(|| f(stop)) {
            Ok(result) => result,
            Err(payload) => {
                self.poison(stop, &*payload, begun_at);
                std::panic::resume_unwind(payload)
            }
        };
        let initiator = initiator.local_of(&self.safepoint);
        // SAFETY: T-1, by the initiator (SI-1).
        let result = unsafe { self.safepoint.stop(initiator, wanted, guarded) };
        if poisoned { Err(StopError::Poisoned) } else { Ok(result) }
    }

    /// Leaves nothing to read that may be half-way, in the stop that has unwound: every root becomes a reference to
    /// an immortal empty object. Each run that was in the stop is told by a panic (`RawLocalHeap::tell_poison`), and
    /// one that catches the panic may still read its roots.
    #[cold]
    fn poison(&self, stop: &mut Stop<'_>, payload: &(dyn Any + Send), begun_at: &Location<'_>) {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("a panic without a text");
        *self.poison.lock() =
            Some(format!("an earlier stop of this heap unwound: {text}, at {begun_at}; build a new heap"));
        // The initiator needs no telling: the panic itself goes on through it.
        // SAFETY: the data is left as it is, but for a flag.
        unsafe { stop.with_initiator(|data| data.told = true) };
        // SAFETY: SW-1, by `stop`; the built-in objects are committed.
        Root::write_poison(unsafe { stop.spaces(&self.spaces).spaces().view() });
        // SAFETY: the roots are this heap's; what they become is an object of every heap, immortal.
        unsafe { Roots::new(stop, &self.persistent, &self.root_sets).visit(|_| Tagged::reference(POISON)) };
    }

    /// What a stop that unwound met, and where it was begun.
    pub(crate) fn poison_message(&self) -> Option<String> {
        if self.safepoint.is_forked() { None } else { self.poison.lock().clone() }
    }

    /// Collects, unless a collection of `kind` or a stronger one was started since `before`.
    #[track_caller]
    pub(crate) fn collect(
        &self,
        initiator: Initiator<'_>,
        kind: CollectionKind,
        before: Option<crate::thread::CollectionCounts>,
    ) -> Result<(), StopError> {
        yield_point(YieldPoint::RequestFailed);
        let wanted = |registry: &Registry| before.is_none_or(|before| !registry.counts().met_since(kind, &before));
        let collection = |stop: &mut Stop<'_>| {
            let state = &mut *self.collector.lock();
            self.collect_in_stop(stop, state, kind);
            self.restore_hard_limit(stop, state, kind);
        };
        self.stop(initiator, wanted, collection).map(drop)
    }

    /// Whether recent collections left next to nothing.
    pub(crate) fn is_thrashing(&self) -> bool {
        self.collector.lock().ineffective.is_thrashing()
    }

    /// The last resort: raises the hard limit by the callback's answer, if there was one, then collects and attempts,
    /// all in one stop. `None` if that served nothing, or there was no stop.
    ///
    /// # Safety
    /// `attempt` leaves data that the initiator may have: see [`LocalData`].
    pub(crate) unsafe fn last_resort<R>(
        &self,
        initiator: Initiator<'_>,
        answer_bytes: Option<usize>,
        mut attempt: impl FnMut(&mut LocalData) -> Option<R>,
    ) -> Option<R> {
        yield_point(YieldPoint::LastResortBegun);
        let rounds = |stop: &mut Stop<'_>| {
            let state = &mut *self.collector.lock();
            if let Some(bytes) = answer_bytes {
                state.statistics.near_limit_calls += 1;
                state.statistics.near_limit_raises += u64::from(self.raise_hard_limit(stop, bytes));
            }
            // A raised limit is not restored here, before the request has had what it was raised for.
            (0..LAST_RESORT_ROUNDS).find_map(|_| {
                self.collect_in_stop(stop, state, CollectionKind::MemoryReducing);
                yield_point(YieldPoint::LastResortCollected);
                // SAFETY: what `attempt` leaves, by the contract.
                let result = unsafe { stop.with_initiator(&mut attempt) }.flatten();
                self.assert_within_hard_limit(stop);
                self.spaces.budget.assert_settled();
                result
            })
        };
        self.stop(initiator, |_| true, rounds).ok().flatten().flatten()
    }

    /// Raises the hard limit to `bytes`, rounded up to whole pages, as far as the reservation allows; whether that is
    /// more than before.
    fn raise_hard_limit(&self, stop: &Stop<'_>, bytes: usize) -> bool {
        let (layout, spaces) = (self.spaces.layout(), stop.spaces(&self.spaces));
        let now = spaces.limit(Limit::Hard);
        // The limit is looked at here, not when the callback was asked: a rival may have raised it further meanwhile.
        let hard = bytes.div_ceil(layout.page_bytes()).min(layout.hard_limit_pages_max()).max(now);
        spaces.set_limits(spaces.limit(Limit::Soft), hard);
        hard > now
    }

    /// After a major collection: takes back what the callback has raised, once the heap fits again and if configured
    /// so.
    fn restore_hard_limit(&self, stop: &Stop<'_>, state: &CollectorState, kind: CollectionKind) {
        let spaces = stop.spaces(&self.spaces);
        let Charge { committed, hard, .. } = Charge::of(spaces);
        let fits = committed <= state.hard_limit_base && state.hard_limit_base < hard;
        if self.config.restore_hard_limit && kind >= CollectionKind::Major && fits {
            spaces.set_limits(spaces.limit(Limit::Soft), state.hard_limit_base);
        }
    }

    /// The least hard limit that works, in pages: what the configuration had to have, too.
    pub(crate) fn hard_limit_pages_min(&self) -> usize {
        let (config, layout) = (&self.config, self.spaces.layout());
        let for_threads = config.pages_per_thread_min.max(1).saturating_mul(config.threads_max + 1);
        for_threads.max(layout.root_pages() + layout.new_pages())
    }

    /// Sets the hard limit to `pages` pages, in a stop, and collects if that is needed to fit.
    #[track_caller]
    pub(crate) fn set_hard_limit(&self, pages: usize) -> Result<usize, LimitError> {
        let layout = self.spaces.layout();
        let fits = |stop: &Stop<'_>| self.charge(stop).committed <= pages;
        let set = |stop: &mut Stop<'_>| {
            let state = &mut *self.collector.lock();
            for _ in 0..LAST_RESORT_ROUNDS {
                if !fits(stop) {
                    self.collect_in_stop(stop, state, CollectionKind::MemoryReducing);
                }
            }
            if fits(stop) {
                state.hard_limit_base = pages;
                let spaces = stop.spaces(&self.spaces);
                spaces.set_limits(spaces.limit(Limit::Soft), pages);
                self.assert_within_hard_limit(stop);
            }
            (fits(stop), self.charge(stop).committed * layout.page_bytes())
        };
        match self.stopped(Initiator::OUTSIDE, set)? {
            (true, _) => Ok(pages * layout.page_bytes()),
            (false, committed_bytes) => Err(LimitError::DoesNotFit { committed_bytes }),
        }
    }

    /// Stops the world for `f`, after every page was made walkable.
    #[track_caller]
    pub(crate) fn stopped<R>(
        &self,
        initiator: Initiator<'_>,
        f: impl FnOnce(&mut Stop<'_>) -> R,
    ) -> Result<R, StopError> {
        let settled = |stop: &mut Stop<'_>| {
            let result = f(stop);
            self.spaces.budget.assert_settled();
            result
        };
        self.walkable(initiator, settled)
    }

    /// Verifies in a stop of its own, which leaves it to the verifier to compare what is counted with what is
    /// committed.
    ///
    /// # Errors
    /// The world cannot be stopped, or the Rust allocator has no memory for the walk.
    #[track_caller]
    pub(crate) fn verify(&self, initiator: Initiator<'_>) -> Result<Verification, StopError> {
        let found = self.walkable(initiator, |stop| self.verify_with(stop, &mut self.collector.lock()));
        found?.map_err(|NoMemory| StopError::OutOfMemory)
    }

    /// Surveys in a stop of its own.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    ///
    /// # Panics
    /// If an invariant is broken: see [`survey::survey`].
    #[track_caller]
    pub(crate) fn survey(&self, initiator: Initiator<'_>) -> Result<Survey, StopError> {
        let found = self.stopped(initiator, |stop| self.survey_in_stop(stop));
        found?.map_err(|NoMemory| StopError::OutOfMemory)
    }

    /// As [`stopped`](Self::stopped), without comparing what is counted with what is committed.
    #[track_caller]
    fn walkable<R>(&self, initiator: Initiator<'_>, f: impl FnOnce(&mut Stop<'_>) -> R) -> Result<R, StopError> {
        let prepared = |stop: &mut Stop<'_>| {
            make_walkable(&self.spaces, stop);
            let result = f(stop);
            self.assert_within_hard_limit(stop);
            result
        };
        let result = self.stop(initiator, |_| true, prepared)?;
        Ok(result.expect("a stop that is always wanted"))
    }

    fn verify_with(&self, stop: &mut Stop<'_>, state: &mut CollectorState) -> Result<Verification, NoMemory> {
        make_walkable(&self.spaces, stop);
        let verification = verify::verify(&self.spaces, self.roots(stop))?;
        state.statistics.objects_verified += verification.objects;
        Ok(verification)
    }

    fn survey_in_stop(&self, stop: &mut Stop<'_>) -> Result<Survey, NoMemory> {
        make_walkable(&self.spaces, stop);
        survey::survey(&self.spaces, self.roots(stop))
    }

    /// Verifies, if the Rust allocator has memory for the walk.
    ///
    /// # Panics
    /// If the verifier finds a violation: an invariant is broken.
    fn require_sound(&self, stop: &mut Stop<'_>, state: &mut CollectorState, when: &str) {
        let Ok(verification) = self.verify_with(stop, state) else { return };
        assert!(verification.violations.is_empty(), "heap verification {when}: {}", verification.describe());
    }

    pub(crate) fn statistics_in_stop(&self, stop: &mut Stop<'_>) -> Statistics {
        let mut statistics = self.collector.lock().statistics;
        // SAFETY: neither roots nor memory change.
        unsafe { stop.for_each_local(|data| statistics.add_local(data)) };
        let page_bytes = self.spaces.layout().page_bytes();
        let charge = self.charge(stop);
        statistics.committed_bytes = charge.committed * page_bytes;
        statistics.pooled_bytes = charge.free * page_bytes;
        let spaces = stop.spaces(&self.spaces);
        statistics.soft_limit_bytes = spaces.limit(Limit::Soft) * page_bytes;
        statistics.hard_limit_bytes = spaces.limit(Limit::Hard) * page_bytes;
        statistics.roots_bytes = self.roots(stop).bytes();
        statistics.attached = stop.locals_count();
        statistics
    }

    /// In a stop: sets the flag, and each local heap's copy. Other flags' countdowns go on.
    pub(crate) fn set_gc_interval(&self, stop: &mut Stop<'_>, interval: u64) {
        self.collector.lock().flags.gc_interval = interval;
        // SAFETY: neither roots nor memory change.
        unsafe { stop.for_each_local(|data| HeapInner::apply_gc_interval(interval, data)) };
    }

    /// In a stop: arms or disarms the failure of every local heap. Other flags' countdowns go on.
    pub(crate) fn set_fail_allocation(&self, stop: &mut Stop<'_>, attempts: Option<u64>) {
        self.collector.lock().flags.fail_after = attempts;
        // SAFETY: neither roots nor memory change.
        unsafe { stop.for_each_local(|data| data.allocator.fail_after(attempts)) };
    }

    pub(crate) fn set_verify_heap(&self, on: bool) {
        self.collector.lock().verify_heap = on;
    }

    fn apply_gc_interval(interval: u64, data: &mut LocalData) {
        data.flags = LocalFlags { gc_interval: interval, countdown: interval };
        data.allocator.set_window(interval == 0);
    }

    /// Under the collector lock: gives a local heap its first copy of the flags, and its allowance for handles.
    pub(crate) fn prepare_local(&self, data: &mut LocalData) {
        let (flags, roots_allowance) = {
            let state = self.collector.lock();
            (state.flags, state.roots_allowance)
        };
        data.handles.allow(roots_allowance);
        HeapInner::apply_gc_interval(flags.gc_interval, data);
        data.allocator.fail_after(flags.fail_after);
    }

    /// Locks the register, and detaches local heaps whose owners have gone. Waits for a stop to end; the caller is
    /// parked.
    pub(crate) fn lock_registry(&self) -> RegistryGuard<'_> {
        let mut registry = self.safepoint.lock();
        registry.detach_abandoned(|data| self.retire_local(data));
        registry
    }

    /// Under the collector lock: takes a detaching local heap's memory back, and adds its counters to the statistics.
    pub(crate) fn retire_local(&self, data: &mut LocalData) {
        // SAFETY: L-5, as the collector lock is held and the local heap is one of this heap.
        unsafe {
            data.allocator.give_up(&self.spaces);
            data.allocator.give_back_reserve(&self.spaces, crate::allocation::ScopeMark::default());
        }
        self.collector.lock().statistics.add_local(data);
    }

    /// Makes a space full: no memory that is free now serves any later allocation before the next collection of it.
    /// Returns the bytes that are wasted.
    pub(crate) fn simulate_full_space(&self, stop: &mut Stop<'_>, space: SpaceKind) -> usize {
        make_walkable(&self.spaces, stop);
        let (spaces, layout) = (stop.spaces(&self.spaces), self.spaces.layout());
        let paged = match space {
            // SAFETY: SW-1; `make_walkable` was called above (F-3).
            SpaceKind::New => return unsafe { spaces.new.exhaust(layout) },
            SpaceKind::Large => return spaces.large.exhaust() * layout.page_bytes(),
            SpaceKind::Old => &spaces.old,
            SpaceKind::Map => &spaces.map,
            SpaceKind::Code => &spaces.code,
        };
        // SAFETY: S-3: every page of a paged space is the collector's, by SW-1.
        unsafe {
            paged.clear();
            (0..layout.paged_pages())
                .map(crate::words::PageIndex::new)
                .filter(|&page| spaces.kind(page) == paged.kind())
                .map(|page| spaces.holes(page).drop_all())
                .sum()
        }
    }
}

impl Drop for HeapInner {
    fn drop(&mut self) {
        let verifies = self.collector.get_mut().verify_heap && !crate::sync::thread::panicking();
        if verifies && let Ok(verification) = self.verify(Initiator::OUTSIDE) {
            assert!(verification.violations.is_empty(), "heap verification at drop: {}", verification.describe());
        }
    }
}
