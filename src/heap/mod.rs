//! Layer 7: the heap. The public API, the verifier, the survey, statistics, flags.
//!
//! A [`Heap`] is shared by threads. Each thread that allocates has an [`Attachment`] and works inside
//! [`Attachment::run`], through a [`Scope`]:
//!
//! * **Handles** ([`Handle`]) are roots: they keep objects alive and follow them when they move. They live as long as
//!   the handle scope that made them.
//! * **References** ([`Ref`]) are the objects themselves, for the moment: they borrow the scope, so the borrow checker
//!   rejects one that is held over anything that may collect, since all of that takes `&mut Scope`.
//! * **Persistent handles** ([`Persistent`]) and **root sets** ([`RootSet`]) are roots that belong to no thread.
//!
//! The safe API rests on these invariants, each of which a compile-fail or run-time test attacks:
//! * **H-1** A thread runs at most one local heap, of any heap (a per-thread marker), and a scope is used only while
//!   its local heap runs: it is made inside of a run, and borrowed while the local heap is parked. So of two scopes
//!   on a thread the outer one is borrowed while the inner one exists, and references of two heaps cannot meet.
//! * **H-2** Whatever may collect takes `&mut Scope`; references borrow the scope.
//! * **H-3** A handle's lifetime is its scope's brand, which is invariant and made by a `for<'s>` closure: it cannot
//!   leave.
//! * **H-4** There is no guard to forget: scopes end when closures return or unwind.

mod attach;
mod attachment;
mod climber;
mod config;
mod error;
mod initiator;
mod inner;
#[cfg(feature = "internals")]
mod internals;
pub mod local_heap;
mod object_set;
mod persistent;
mod running;
mod scope;
mod scope_objects;
mod slow_path;
mod statistics;
mod stress;
mod survey;
mod usable;
mod value;
mod verify;

pub use crate::thread::RefusedMemory;
pub use attachment::Attachment;
pub use config::HeapConfig;
pub use error::{AttachError, BuildError, CloseError, FlagError, LimitError, RunError, StopError, WrongHeap};
pub use inner::{NearLimit, NearLimitCallback};
#[cfg(feature = "internals")]
pub use internals::{Internals, layout_with_large_pages};
pub use local_heap::{LocalHeap, RawLocalHeap};
pub use persistent::{Persistent, RootSet};
pub use scope::{OwnRequests, Scope};
pub use statistics::{CollectionTrace, Statistics};
pub use survey::{MemoryUse, PageSurvey, Survey};
pub use value::{Array, Bytes, Code, Handle, HeapType, Map, Record, RecordType, Ref, Value};
pub use verify::{Verification, Violation};

use crate::sync::{Arc, Mutex, SpawnRefused, run_marker};
use crate::thread::{RootSets, Stop};
use crate::words::{CollectionKind, Layout, SpaceKind};
use attach::{Owner, attach};
use core::fmt;
use initiator::Initiator;
use inner::HeapInner;
use stress::StressThread;

/// A managed heap. Cloning it clones the reference.
///
/// # Examples
///
/// ```
/// # if heaplab::is_modelled() { return; }
/// use heaplab::{Heap, HeapConfig};
///
/// let heap = Heap::new(HeapConfig::default()).unwrap();
/// let mut thread = heap.attach().unwrap();
/// let sum = thread
///     .run(|scope| {
///         let list = scope.new_array(2).unwrap();
///         let item = scope.new_array(1).unwrap();
///         scope.store(scope.get(list), 0, scope.get(item).into());
///         scope.collect(heaplab::CollectionKind::Major).unwrap();
///         scope.len(scope.get(list)) + scope.len(scope.get(item))
///     })
///     .unwrap();
/// assert_eq!(sum, 3);
/// ```
#[derive(Clone)]
pub struct Heap {
    inner: Arc<HeapInner>,
    stress: Arc<Mutex<Option<StressThread>>>,
}

impl Heap {
    /// Builds a heap: reserves address space, commits the pages of the built-in objects.
    ///
    /// # Errors
    /// The configuration contradicts itself, or the system or the Rust allocator refuses memory. In an exploration of
    /// the feature `loom`, also: the heap is larger than memory can be modelled.
    pub fn new(config: HeapConfig) -> Result<Heap, BuildError> {
        Ok(Heap { inner: Arc::new(HeapInner::new(config)?), stress: Arc::new(Mutex::new(None)) })
    }

    /// Attaches a local heap, which is parked until [`Attachment::run`]. Waits for a stop to end.
    ///
    /// # Errors
    /// See [`AttachError`].
    ///
    /// # Panics
    /// If the Rust allocator refuses the first block of handles.
    pub fn attach(&self) -> Result<Attachment, AttachError> {
        attach(&self.inner, Owner::Embedder).map(Attachment::new)
    }

    /// Attaches a local heap for use through the raw API, parked. Waits for a stop to end.
    ///
    /// # Errors
    /// See [`AttachError`].
    ///
    /// # Panics
    /// If the Rust allocator refuses the first block of handles.
    pub fn attach_raw(&self) -> Result<LocalHeap, AttachError> {
        attach(&self.inner, Owner::Embedder)
    }

    #[track_caller]
    fn stopped<R>(&self, f: impl FnOnce(&mut Stop<'_>) -> R) -> Result<R, StopError> {
        self.outside()?;
        self.inner.stopped(Initiator::OUTSIDE, f)
    }

    fn outside(&self) -> Result<(), StopError> {
        if self.inner.safepoint.is_forked() {
            return Err(StopError::Forked);
        }
        if run_marker::is_inside() { Err(StopError::InsideRun) } else { Ok(()) }
    }

    /// Collects, from a thread that runs no local heap. Blocks until every local heap is parked.
    ///
    /// # Errors
    /// The thread runs a local heap (use [`Scope::collect`]), the heap is poisoned, or this process is a fork of the
    /// heap's.
    ///
    /// # Panics
    /// If an invariant of the heap turns out to be broken, which poisons the heap. Every method that stops the world
    /// may panic so.
    #[track_caller]
    pub fn collect(&self, kind: CollectionKind) -> Result<(), StopError> {
        self.outside()?;
        self.inner.collect(Initiator::OUTSIDE, kind, None)
    }

    /// What the stop met that poisoned the heap, and where in the program it was begun. `None` if the heap is not
    /// poisoned, or this process is a fork of the heap's. Does not wait for a stop to end.
    #[must_use]
    pub fn poison_message(&self) -> Option<String> {
        self.inner.poison_message()
    }

    /// Sets the hard limit to `bytes`, rounded down to whole pages, and returns the new limit in bytes. The limit may
    /// be lowered and raised, also above what was configured, up to `hard_limit_bytes_max`. A stop, in which
    /// memory-reducing collections run if more than `bytes` is committed. The soft limit is lowered with the hard one
    /// if need be, and follows again after major collections.
    ///
    /// # Errors
    /// Nothing is changed if the limit is out of its range, if more stays committed after the collections (the error
    /// says how much), or if the world cannot be stopped.
    #[track_caller]
    pub fn set_hard_limit(&self, bytes: usize) -> Result<usize, LimitError> {
        let layout = self.layout();
        let (pages_min, pages_max) = (self.inner.hard_limit_pages_min(), layout.hard_limit_pages_max());
        let pages = bytes / layout.page_bytes();
        if pages < pages_min {
            return Err(LimitError::TooLow { bytes, bytes_min: pages_min * layout.page_bytes() });
        }
        if pages > pages_max {
            return Err(LimitError::TooHigh { bytes, bytes_max: pages_max * layout.page_bytes() });
        }
        self.outside()?;
        self.inner.set_hard_limit(pages)
    }

    /// Walks the whole heap in a stop, and says what is wrong with it.
    ///
    /// # Errors
    /// As [`collect`](Self::collect), or the Rust allocator has no memory for the walk: a bit per granule of the
    /// pages with objects, and a word per object.
    #[track_caller]
    pub fn verify(&self) -> Result<Verification, StopError> {
        self.outside()?;
        self.inner.verify(Initiator::OUTSIDE)
    }

    /// Says what each byte of each committed page is used for: live and dead objects, gaps, free memory. For pictures
    /// and tests; collects nothing.
    ///
    /// Costs a stop, in which the live objects are traced and every page is walked. Takes from the Rust allocator,
    /// for that time, a bit per granule of the pages with live objects and a word per object that is still to be
    /// looked into.
    ///
    /// # Errors
    /// As [`collect`](Self::collect), or there is no such memory.
    ///
    /// # Panics
    /// If an invariant of the heap is broken, which poisons it. [`verify`](Self::verify) says which.
    #[track_caller]
    pub fn survey(&self) -> Result<Survey, StopError> {
        self.outside()?;
        self.inner.survey(Initiator::OUTSIDE)
    }

    /// Statistics, summed in a stop.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    #[track_caller]
    pub fn statistics(&self) -> Result<Statistics, StopError> {
        self.stopped(|stop| self.inner.statistics_in_stop(stop))
    }

    /// Makes a space full, in a stop, after which other threads go on allocating: until the next collection of the
    /// space, nothing is allocated in memory of it that was free at the stop. Returns the bytes wasted.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    #[track_caller]
    pub fn simulate_full_space(&self, space: SpaceKind) -> Result<usize, StopError> {
        self.stopped(|stop| self.inner.simulate_full_space(stop, space))
    }

    /// Switches concurrent allocation. While it is off, at most one local heap may be attached. Waits for a stop to
    /// end.
    ///
    /// # Errors
    /// Several local heaps are attached, and `on` is false; the caller runs a local heap, the heap is poisoned, or
    /// this process is a fork of the heap's.
    pub fn set_concurrent_allocation(&self, on: bool) -> Result<(), FlagError> {
        self.outside().map_err(FlagError::from)?;
        // The flag changes under the collector lock, as attaching does, so neither misses the other.
        let mut registry = self.inner.lock_registry();
        if registry.is_poisoned() {
            return Err(FlagError::Poisoned);
        }
        let attached = registry.locals().len();
        if !on && attached > 1 {
            return Err(FlagError::SeveralAttached { attached });
        }
        registry.set_concurrent_allocation(on);
        Ok(())
    }

    /// Switches a background thread that allocates small, medium and large old objects, polls after each, and asks
    /// for a collection when an allocation fails. The thread never calls the near-limit callback. It gives its place
    /// up now and then, and waits while others have all places. Switching it off waits for its end.
    ///
    /// # Errors
    /// The thread cannot attach, the system refuses it, the caller runs a local heap, or this process is a fork of
    /// the heap's.
    pub fn set_stress_concurrent_allocation(&self, on: bool) -> Result<(), FlagError> {
        self.outside().map_err(FlagError::from)?;
        let mut stress = self.stress.lock();
        // A thread that has ended, because the heap was poisoned, is joined first.
        if let Some(ended) = stress.take_if(|thread| thread.has_ended()) {
            ended.stop();
        }
        match (on, stress.is_some()) {
            (true, false) => {
                let local = attach(&self.inner, Owner::Heap).map_err(FlagError::Attach)?;
                let started = StressThread::start(local, &self.inner);
                *stress = Some(started.map_err(|SpawnRefused { os_code }| FlagError::Thread { os_code })?);
            }
            (false, true) => {
                if let Some(thread) = stress.take() {
                    thread.stop();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Switches verification before and after each collection and when the heap is dropped. Waits for a collection to
    /// end. Does nothing in a fork of the heap's process.
    pub fn set_verify_heap(&self, on: bool) {
        if !self.inner.safepoint.is_forked() {
            self.inner.set_verify_heap(on);
        }
    }

    /// Collects at every `interval`-th allocation of each local heap, by a minor collection for a young object, else
    /// by a major one; 0 switches that off. Inside an always-allocate scope no such collection happens. A stop.
    ///
    /// # Errors
    /// The caller runs a local heap, the heap is poisoned, or this process is a fork of the heap's.
    #[track_caller]
    pub fn set_gc_interval(&self, interval: u64) -> Result<(), FlagError> {
        self.set_flags(|stop| self.inner.set_gc_interval(stop, interval))
    }

    /// Makes an attempt of each local heap to get memory beyond the bump path fail, once, as if memory were
    /// exhausted: the `attempt`-th one, counted from 0, from now on or from when the local heap is attached. `None`
    /// switches that off. A stop.
    ///
    /// # Errors
    /// The caller runs a local heap, the heap is poisoned, or this process is a fork of the heap's.
    #[track_caller]
    pub fn set_fail_allocation(&self, attempt: Option<u64>) -> Result<(), FlagError> {
        self.set_flags(|stop| self.inner.set_fail_allocation(stop, attempt))
    }

    /// Keeps a trace of the collections from now on, which [`take_collection_trace`](Self::take_collection_trace)
    /// empties; until then the trace grows, by some hundred bytes a collection. What was traced before is dropped. A
    /// stop.
    ///
    /// # Errors
    /// The caller runs a local heap, the heap is poisoned, or this process is a fork of the heap's.
    #[track_caller]
    pub fn set_trace_collections(&self, on: bool) -> Result<(), FlagError> {
        self.set_flags(|stop| self.inner.set_trace_collections(stop, on))
    }

    /// Takes the trace: the collections since it was switched on or last taken; none if it is off. A stop.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    #[track_caller]
    pub fn take_collection_trace(&self) -> Result<Vec<CollectionTrace>, StopError> {
        self.stopped(|stop| self.inner.take_collection_trace(stop))
    }

    #[track_caller]
    fn set_flags(&self, change: impl FnOnce(&mut Stop<'_>)) -> Result<(), FlagError> {
        self.stopped(change).map_err(FlagError::from)
    }

    /// Sets the callback of the last resort, which may raise the hard limit; `None` removes it.
    ///
    /// The callback runs on the thread whose request failed, which is running, with no lock held; never on a thread
    /// of the heap's own. A request nested in the callback that the LAB does not serve fails. If the callback
    /// unwinds, so does the request. The old callback is dropped here, with no lock held, or by the last thread that
    /// is inside of it.
    ///
    /// A callback that holds a `Heap` keeps that heap alive: [`close`](Self::close) the heap, or remove the callback.
    ///
    /// Does nothing in a fork of the heap's process.
    pub fn set_near_limit_callback(&self, callback: Option<Box<NearLimitCallback>>) {
        if self.inner.safepoint.is_forked() {
            return;
        }
        let callback = callback.map(Arc::from);
        let old = core::mem::replace(&mut *self.inner.near_limit.lock(), callback);
        // The lock is free by now: dropping the callback runs the embedder's code, which may come back here.
        drop(old);
    }

    /// Makes a root set of `len` slots, each the small integer 0. Takes a leaf mutex, and some four bytes a slot from
    /// the Rust allocator.
    ///
    /// # Panics
    /// If the Rust allocator refuses that, or there are more slots than 2^28;
    /// [`try_new_root_set`](Self::try_new_root_set) returns an error.
    #[must_use]
    pub fn new_root_set(&self, len: usize) -> RootSet {
        self.try_new_root_set(len).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`new_root_set`](Self::new_root_set).
    ///
    /// # Errors
    /// The Rust allocator refuses the slots, or there are more than 2^28.
    pub fn try_new_root_set(&self, len: usize) -> Result<RootSet, RefusedMemory> {
        // In a fork nobody collects, and the lock may be held by a thread that is gone: a register for this set alone
        // will do.
        let sets = if self.inner.safepoint.is_forked() { &RootSets::new() } else { &self.inner.root_sets };
        sets.add(len).map(RootSet::new)
    }

    /// The configuration that the heap was built with.
    #[must_use]
    pub fn config(&self) -> &HeapConfig {
        &self.inner.config
    }

    /// The geometry of the heap.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.inner.spaces.layout()
    }

    /// Ends the stress thread, verifies the heap a last time, and drops this reference to it and the near-limit
    /// callback, which may hold others. The memory goes back to the system when the last reference is dropped;
    /// attached local heaps hold one each, so a heap never disappears under a thread.
    ///
    /// # Errors
    /// The heap is handed back: as it was, if this thread runs a local heap or this process is a fork of the heap's;
    /// without its stress thread, if local heaps are attached; without its near-limit callback, too, if it is
    /// poisoned or the Rust allocator has no memory for the verification.
    ///
    /// # Panics
    /// As [`collect`](Self::collect).
    pub fn close(self) -> Result<Verification, (Heap, CloseError)> {
        match self.outside() {
            Err(StopError::InsideRun) => return Err((self, CloseError::InsideRun)),
            Err(StopError::Forked) => return Err((self, CloseError::Forked)),
            Err(_) | Ok(()) => {}
        }
        if let Some(thread) = self.stress.lock().take() {
            thread.stop();
        }
        let attached = self.inner.lock_registry().locals().len();
        if attached != 0 {
            return Err((self, CloseError::Attached { attached }));
        }
        self.set_near_limit_callback(None);
        match self.verify() {
            Ok(verification) => Ok(verification),
            Err(StopError::OutOfMemory) => Err((self, CloseError::OutOfMemory)),
            Err(_) => Err((self, CloseError::Poisoned)),
        }
    }
}

impl fmt::Debug for Heap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heap").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

// A heap that unwinding has left half-way is poisoned, and refuses what it is asked from then on: see `running.rs`.
impl core::panic::UnwindSafe for Heap {}
impl core::panic::RefUnwindSafe for Heap {}
