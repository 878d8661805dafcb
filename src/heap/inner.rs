//! The heap behind its handles: the layers wired together, and everything that happens in a stop.

use super::object_set::NoMemory;
use super::survey::{self, Survey};
use super::verify::{self, Verification};
use super::{BuildError, CollectionTrace, HeapConfig, Statistics, StopError};
use crate::collection::policy::{Charge, Ineffective};
use crate::collection::{Collector, ROOT_BYTES_FREE, Roots, Worklist, make_walkable};
use crate::memory::Fault;
use crate::space::Spaces;
use crate::sync::{Arc, Mutex, YieldPoint, yield_point};
use crate::thread::{
    Local, LocalData, LocalFlags, PersistentHandles, Registry, RegistryGuard, RootSets, Safepoint, Stop,
};
use crate::words::{CollectionKind, Limit, SpaceKind};

/// Numbers for the near-heap-limit callback. Bytes.
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

/// Returns the new hard limit in bytes; a value that is not greater changes nothing.
pub type NearLimitCallback = dyn Fn(NearLimit) -> usize + Send + Sync;

/// A heap.
pub(crate) struct HeapInner {
    pub(crate) spaces: Spaces,
    pub(crate) safepoint: Safepoint,
    pub(crate) persistent: Arc<PersistentHandles>,
    pub(crate) root_sets: Arc<RootSets>,
    pub(crate) config: HeapConfig,
    /// The refusal of a thread's start that a test asked for.
    pub(crate) spawn_fault: Fault,
    /// Locked in stops only, by their collector, so never contended.
    collector: Mutex<CollectorState>,
    pub(crate) near_limit: Mutex<Option<Arc<NearLimitCallback>>>,
}

struct CollectorState {
    worklist: Worklist,
    verify_heap: bool,
    flags: HeapFlags,
    /// Of detached local heaps, and of all collections.
    statistics: Statistics,
    /// Major collections in a row that left next to nothing.
    ineffective: Ineffective,
    /// How much more memory for roots is allowed since the last major collection before it asks for the next, in bytes.
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
                ineffective: Ineffective::default(),
                roots_allowance,
                trace: None,
            }),
            near_limit: Mutex::new(None),
            spawn_fault: Fault::new(),
            config,
        })
    }

    /// Where a collection starts.
    fn roots<'a, 's>(&'a self, stop: &'a mut Stop<'s>) -> Roots<'a, 's> {
        stop.assert_of(self.spaces.heap());
        // SAFETY: all of them are this heap's, which is the one that is stopped.
        unsafe { Roots::new(stop, &self.persistent, &self.root_sets) }
    }

    fn collect_in_stop(&self, stop: &mut Stop<'_>, state: &mut CollectorState, kind: CollectionKind) {
        if state.verify_heap {
            self.require_sound(stop, state, "before a collection");
        }
        let committed_bytes = || self.spaces.budget.committed() * self.spaces.layout().page_bytes();
        let committed_bytes_before = committed_bytes();
        let roots = self.roots(stop);
        let summary = Collector::new(&self.spaces, roots, &mut state.worklist).collect(kind);
        state.statistics.add_collection(kind, &summary);
        if let Some(trace) = &mut state.trace {
            let number = state.statistics.collections.iter().sum();
            let committed_bytes_after = committed_bytes();
            trace.push(CollectionTrace { number, kind, committed_bytes_before, committed_bytes_after, summary });
        }
        if kind >= CollectionKind::Major {
            self.allow_roots(stop, state);
            let page_bytes = self.spaces.layout().page_bytes();
            // SAFETY: in a stop.
            let charge = unsafe { Charge::of(&self.spaces) };
            state.ineffective.count(charge.is_effective(summary.hole_bytes, page_bytes));
        }
        self.assert_within_hard_limit();
        self.spaces.budget.assert_settled();
        if state.verify_heap {
            self.require_sound(stop, state, "after a collection");
        }
    }

    /// After a major collection: roots may take what the soft limit leaves, or as much again as they take now.
    fn allow_roots(&self, stop: &mut Stop<'_>, state: &mut CollectorState) {
        let (budget, page_bytes) = (&self.spaces.budget, self.spaces.layout().page_bytes());
        // SAFETY: the world is stopped.
        let soft = unsafe { budget.limit(Limit::Soft) };
        let free = self.spaces.fresh.pooled() + self.spaces.large.kept_pages();
        let left = (soft + free).saturating_sub(budget.committed()) * page_bytes;
        let mut roots = self.roots(stop);
        state.roots_allowance = left.max(roots.bytes()).max(ROOT_BYTES_FREE);
        roots.allow(state.roots_allowance);
    }

    /// Begins or ends to trace collections.
    pub(crate) fn set_trace_collections(&self, _stop: &mut Stop<'_>, on: bool) {
        self.collector.lock().trace = on.then(Vec::new);
    }

    /// The trace so far; it begins anew.
    pub(crate) fn take_collection_trace(&self, _stop: &mut Stop<'_>) -> Vec<CollectionTrace> {
        self.collector.lock().trace.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// S-1, checked in every stop. At the end of one, what is counted is also compared with what is committed.
    fn assert_within_hard_limit(&self) {
        // SAFETY: called in a stop.
        let (committed, hard) = (self.spaces.budget.committed(), unsafe { self.spaces.budget.limit(Limit::Hard) });
        assert!(committed <= hard, "S-1: {committed} pages are committed, the hard limit is {hard}");
    }

    /// A collection of `kind` or stronger, unless one was started since `before`. Whether the heap is usable.
    ///
    /// # Safety
    /// `initiator` is a local heap of this heap, running on this thread; no borrow of its data is alive.
    pub(crate) unsafe fn collect(
        &self,
        initiator: Option<&Local>,
        kind: CollectionKind,
        before: Option<crate::thread::CollectionCounts>,
    ) -> bool {
        yield_point(YieldPoint::RequestFailed);
        let mut usable = true;
        let wanted = |registry: &Registry| {
            usable = !registry.is_poisoned();
            usable && before.is_none_or(|before| !registry.counts().met_since(kind, &before))
        };
        // SAFETY: R-1, by the contract.
        unsafe {
            self.safepoint.stop(initiator, wanted, |stop| self.collect_in_stop(stop, &mut self.collector.lock(), kind))
        };
        usable
    }

    /// Whether recent collections left next to nothing.
    pub(crate) fn is_thrashing(&self) -> bool {
        self.collector.lock().ineffective.is_thrashing()
    }

    /// The last resort: raises the hard limit if asked, then collects and attempts, all in one stop.
    ///
    /// # Safety
    /// `initiator` is a local heap of this heap, running on this thread; no borrow of its data is alive. `attempt` leaves
    /// data that it may have.
    pub(crate) unsafe fn last_resort<R>(
        &self,
        initiator: &Local,
        raised_limit_bytes: Option<usize>,
        mut attempt: impl FnMut(&mut LocalData) -> Option<R>,
    ) -> Option<R> {
        yield_point(YieldPoint::LastResortBegun);
        let rounds = |stop: &mut Stop<'_>| {
            let state = &mut *self.collector.lock();
            if let Some(bytes) = raised_limit_bytes {
                self.raise_hard_limit(bytes);
            }
            (0..LAST_RESORT_ROUNDS).find_map(|_| {
                self.collect_in_stop(stop, state, CollectionKind::MemoryReducing);
                yield_point(YieldPoint::LastResortCollected);
                // SAFETY: the caller's contract.
                let result = unsafe { stop.with_initiator(&mut attempt) }.flatten();
                self.assert_within_hard_limit();
                self.spaces.budget.assert_settled();
                result
            })
        };
        // SAFETY: R-1, by the contract.
        unsafe { self.safepoint.stop(Some(initiator), |registry| !registry.is_poisoned(), rounds) }.flatten()
    }

    fn raise_hard_limit(&self, bytes: usize) {
        let (layout, budget) = (self.spaces.layout(), &self.spaces.budget);
        // SAFETY: called in a stop.
        unsafe {
            let hard = (bytes / layout.page_bytes()).min(layout.hard_limit_pages_max()).max(budget.limit(Limit::Hard));
            budget.set_limits(budget.limit(Limit::Soft), hard);
        }
    }

    /// Stops the world for `f`, after every page was made walkable. `None` if the heap is poisoned.
    ///
    /// # Safety
    /// `initiator` is a local heap of this heap, running on this thread; no borrow of its data is alive.
    pub(crate) unsafe fn stopped<R>(&self, initiator: Option<&Local>, f: impl FnOnce(&mut Stop<'_>) -> R) -> Option<R> {
        let settled = |stop: &mut Stop<'_>| {
            let result = f(stop);
            self.spaces.budget.assert_settled();
            result
        };
        // SAFETY: R-1, by the contract.
        unsafe { self.walkable(initiator, settled) }
    }

    /// Verifies in a stop of its own, which asserts nothing of what the verifier is to report.
    ///
    /// # Errors
    /// The heap is poisoned, or there is no memory for it.
    ///
    /// # Safety
    /// As [`stopped`](Self::stopped).
    pub(crate) unsafe fn verify(&self, initiator: Option<&Local>) -> Result<Verification, StopError> {
        // SAFETY: R-1, by the contract.
        let found = unsafe { self.walkable(initiator, |stop| self.verify_with(stop, &mut self.collector.lock())) };
        found.ok_or(StopError::Poisoned)?.map_err(|NoMemory| StopError::OutOfMemory)
    }

    /// Surveys in a stop of its own.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    ///
    /// # Panics
    /// If an invariant is broken: see [`survey::survey`].
    ///
    /// # Safety
    /// As [`stopped`](Self::stopped).
    pub(crate) unsafe fn survey(&self, initiator: Option<&Local>) -> Result<Survey, StopError> {
        // SAFETY: R-1, by the contract.
        let found = unsafe { self.stopped(initiator, |stop| self.survey_in_stop(stop)) };
        found.ok_or(StopError::Poisoned)?.map_err(|NoMemory| StopError::OutOfMemory)
    }

    /// # Safety
    /// As [`stopped`](Self::stopped).
    unsafe fn walkable<R>(&self, initiator: Option<&Local>, f: impl FnOnce(&mut Stop<'_>) -> R) -> Option<R> {
        let prepared = |stop: &mut Stop<'_>| {
            make_walkable(&self.spaces, stop);
            let result = f(stop);
            self.assert_within_hard_limit();
            result
        };
        // SAFETY: R-1, by the contract.
        unsafe { self.safepoint.stop(initiator, |registry| !registry.is_poisoned(), prepared) }
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

    /// Verifies, if there is memory for it.
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
        let (page_bytes, budget) = (self.spaces.layout().page_bytes(), &self.spaces.budget);
        statistics.committed_bytes = budget.committed() * page_bytes;
        statistics.pooled_bytes = (self.spaces.fresh.pooled() + self.spaces.large.kept_pages()) * page_bytes;
        // SAFETY: called in a stop.
        let limit = |limit| unsafe { budget.limit(limit) };
        statistics.soft_limit_bytes = limit(Limit::Soft) * page_bytes;
        statistics.hard_limit_bytes = limit(Limit::Hard) * page_bytes;
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

    /// Under the collector lock: a local heap's first copy of the flags.
    pub(crate) fn prepare_local(&self, data: &mut LocalData) {
        let (flags, roots_allowance) = {
            let state = self.collector.lock();
            (state.flags, state.roots_allowance)
        };
        data.handles.allow(roots_allowance);
        HeapInner::apply_gc_interval(flags.gc_interval, data);
        data.allocator.fail_after(flags.fail_after);
    }

    /// The register, without local heaps that nobody has any more. Waits for a stop to end; the caller is parked.
    pub(crate) fn lock_registry(&self) -> RegistryGuard<'_> {
        let mut registry = self.safepoint.lock();
        registry.detach_abandoned(|data| self.retire_local(data));
        registry
    }

    /// Under the collector lock: a detaching local heap's memory and counters.
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
        let (spaces, layout) = (&self.spaces, self.spaces.layout());
        make_walkable(spaces, stop);
        let paged = match space {
            // SAFETY: the world is stopped, and walkable.
            SpaceKind::New => return unsafe { spaces.new.exhaust(layout) },
            SpaceKind::Large => return spaces.large.exhaust() * layout.page_bytes(),
            SpaceKind::Old => &spaces.old,
            SpaceKind::Map => &spaces.map,
            SpaceKind::Code => &spaces.code,
        };
        // SAFETY: the world is stopped; every page of the space is the collector's.
        unsafe {
            paged.clear();
            (0..layout.paged_pages())
                .map(crate::words::PageIndex::new)
                .filter(|&page| spaces.pages.kind(page) == paged.kind())
                .map(|page| spaces.holes(page).drop_all())
                .sum()
        }
    }
}

impl Drop for HeapInner {
    fn drop(&mut self) {
        if self.collector.get_mut().verify_heap && !crate::sync::thread::panicking() {
            // SAFETY: begun from outside.
            let sound = unsafe { self.verify(None) };
            if let Ok(verification) = sound {
                assert!(verification.violations.is_empty(), "heap verification at drop: {}", verification.describe());
            }
        }
    }
}
