//! The raw API: a local heap without handles, scopes or lifetimes. What the safe API is made of.
//!
//! [`LocalHeap`] owns the attachment; [`RawLocalHeap`], a copyable pair of pointers, has the methods, and their
//! contract. All methods but `view`, whose views end with the borrow, take the pair by value. So the pointers stay in
//! registers in a loop that allocates, and the bump path is a load, a compare and a store through one of them. (If
//! they are held behind a reference that slow paths capture, they are loaded anew for each object, and the processor
//! does not forward one object's `top` to the next: twice the time.)

use super::StopError;
use super::initiator::Initiator;
use super::inner::HeapInner;
use crate::allocation::Reserve;
use crate::object::{Header, MAP_SHAPE_WORD, Root, Shape, Tagged, View, kind};
use crate::page::PageKind;
use crate::sync::{Arc, Ordering, YieldPoint, run_marker, yield_point};
use crate::thread::{HandleMark, Local, LocalData, Slot};
use crate::words::{
    AllocError, AllocationOrigin, AllocationType, CollectionKind, GRANULE_BYTES, Limit, MAP_BYTES, Offset,
};
use core::ptr::NonNull;

/// A thread's attachment to a heap, for the raw API. Its methods are [`RawLocalHeap`]'s. Dropping it detaches the
/// local heap, which must be parked by then, and may wait for a stop to end.
///
/// If its thread unwinds, the drop parks the local heap first: the near-limit callback may unwind out of a request.
pub struct LocalHeap {
    inner: Arc<HeapInner>,
    local: Arc<Local>,
    raw: RawLocalHeap,
}

impl LocalHeap {
    pub(super) fn new(inner: Arc<HeapInner>, local: Arc<Local>) -> LocalHeap {
        let raw = RawLocalHeap { inner: NonNull::from(&*inner), local: NonNull::from(&*local) };
        LocalHeap { inner, local, raw }
    }

    /// The local heap as a copyable value, good until this one is dropped.
    #[inline(always)]
    #[must_use]
    pub fn raw(&self) -> RawLocalHeap {
        self.raw
    }
}

impl core::ops::Deref for LocalHeap {
    type Target = RawLocalHeap;

    #[inline(always)]
    fn deref(&self) -> &RawLocalHeap {
        &self.raw
    }
}

/// A thread's state in a heap, for the raw API: a copy of what [`LocalHeap::raw`] gives.
///
/// # The contract of the raw API
///
/// * **R-0** A value of this type is used only while the [`LocalHeap`] that it came from exists.
/// * **R-1** A local heap is used by one thread at a time. The methods that touch the heap need it *running*: between
///   [`unpark`](Self::unpark) and [`park`](Self::park). A thread has at most one running local heap, of any heap.
/// * **R-2** Whatever may collect (allocation, `poll`, `park`, `collect`, ...) may move objects and reclaims what no
///   root reaches: raw references held over such a call are dead. Roots are pushed with
///   [`push_handle`](Self::push_handle).
/// * **R-3** Memory from [`allocate_raw`](Self::allocate_raw) is zero. Before the next call that may collect, the
///   caller writes a header that names a map whose shape gives exactly the allocated size; until then nobody else may
///   see the memory.
/// * **R-4** References are stored through [`store_slot`](Self::store_slot) only, except into an object that is not yet
///   published and was allocated young since the last call that may collect.
#[derive(Clone, Copy)]
pub struct RawLocalHeap {
    inner: NonNull<HeapInner>,
    local: NonNull<Local>,
}

impl RawLocalHeap {
    #[inline(always)]
    pub(super) fn inner(&self) -> &HeapInner {
        // SAFETY: R-0: the attachment keeps the heap alive.
        unsafe { self.inner.as_ref() }
    }

    #[inline(always)]
    pub(super) fn local(&self) -> &Local {
        // SAFETY: R-0: the attachment keeps its record alive.
        unsafe { self.local.as_ref() }
    }

    /// This local heap as the initiator of a stop.
    ///
    /// # Safety
    /// while the value exists; no borrow of the data is alive then.
    #[inline(always)]
    pub(super) unsafe fn initiator(&self) -> Initiator<'_> {
        // SAFETY: SI-1, by the contract.
        unsafe { Initiator::running(&self.inner().safepoint, self.local()) }
    }

    /// Calls `f` with the data, exclusively, and for no longer than the call.
    ///
    /// # Safety
    /// R-1 holds, and `f` reaches the data by its argument alone: it calls nothing of this local heap.
    #[inline(always)]
    pub(super) unsafe fn with_data<R>(self, f: impl FnOnce(&mut LocalData) -> R) -> R {
        // SAFETY: R-1: the running owner has the data; by the contract no other borrow of it is alive.
        f(unsafe { &mut *self.local().data().access() })
    }

    /// Allocates `size` bytes of zeroed memory at a multiple of `alignment` bytes.
    ///
    /// The common case, a small request that the LAB has room for, is a bounds check and an addition. Otherwise this
    /// polls, may collect, may call the near-limit callback, and may block while another thread collects.
    ///
    /// `size` is a non-zero multiple of 8; `alignment` is 8, 16, 32 or 64. Map and code objects are padded to 32 and 64
    /// bytes; the padding is a filler.
    ///
    /// # Errors
    /// See [`AllocError`]. Nothing is lost by a failure; after each but `Poisoned` and `Forked` the heap stays
    /// usable.
    ///
    /// # Panics
    /// If the heap is found poisoned: see [`collect`](Self::collect). Passes on a panic of the near-limit callback.
    ///
    /// # Safety
    ///
    #[inline(always)]
    pub unsafe fn allocate_raw(
        self,
        size: usize,
        ty: AllocationType,
        origin: AllocationOrigin,
        alignment: usize,
    ) -> Result<Offset, AllocError> {
        let plain = matches!(ty, AllocationType::Young | AllocationType::Old) && alignment == GRANULE_BYTES;
        if plain && origin == AllocationOrigin::Runtime && size != 0 && size.is_multiple_of(GRANULE_BYTES) {
            // SAFETY: R-1, by the contract.
            if let Some(at) = unsafe { self.with_data(|data| data.allocator.bump(ty, size)) } {
                // SAFETY: the words are this local heap's alone (L-2).
                unsafe { self.view().zero(at, size) };
                return Ok(at);
            }
        }
        // SAFETY: are the caller's.
        unsafe { self.allocate_raw_slow(size, ty, origin, alignment) }
    }

    /// As [`allocate_raw`](Self::allocate_raw), for a size that is known to be a non-zero multiple of 8 bytes, and
    /// with the header written.
    ///
    /// # Safety
    /// `header` names a map whose shape gives `bytes`, once what follows the header is written.
    #[inline(always)]
    pub(super) unsafe fn allocate_object(
        self,
        bytes: usize,
        ty: AllocationType,
        header: Tagged,
    ) -> Result<Offset, AllocError> {
        debug_assert!(bytes != 0 && bytes.is_multiple_of(GRANULE_BYTES));
        // SAFETY; the words are this local heap's alone (L-2).
        unsafe {
            if matches!(ty, AllocationType::Young | AllocationType::Old)
                && let Some(at) = self.with_data(|data| data.allocator.bump(ty, bytes))
            {
                self.view().format(at, bytes, header.bits());
                return Ok(at);
            }
            let at = self.allocate_raw_slow(bytes, ty, AllocationOrigin::Runtime, GRANULE_BYTES)?;
            self.view().write(at, header.bits());
            Ok(at)
        }
    }

    /// Lets a stop begin, if one was asked for, and waits for its end. One load otherwise.
    ///
    /// # Panics
    /// If the heap is poisoned and the thread does not unwind already.
    ///
    /// # Safety
    ///
    #[inline(always)]
    pub unsafe fn poll(self) {
        // SAFETY: R-1, by the contract.
        unsafe {
            if self.inner().safepoint.poll(self.local()) {
                self.poisoned_while_waiting();
            }
        }
    }

    /// Running to parked: stops need not wait for this thread any more. Does not block.
    ///
    /// # Safety
    /// running before, not after.
    #[inline]
    pub unsafe fn park(self) {
        // SAFETY: R-1, by the contract.
        unsafe { self.inner().safepoint.park(self.local()) };
    }

    /// Parked to running. Blocks while a stop runs.
    ///
    /// # Panics
    /// If the heap is poisoned and the thread does not unwind already; the local heap runs then.
    ///
    /// # Safety
    /// parked before, running after; the thread runs no other local heap.
    #[inline]
    pub unsafe fn unpark(self) {
        // SAFETY: R-1, by the contract.
        unsafe {
            if self.inner().safepoint.unpark(self.local()) {
                self.poisoned_while_waiting();
            }
        }
    }

    /// Collects, or waits for a collection of this kind or a stronger one that another thread started meanwhile.
    ///
    /// # Errors
    /// The heap is poisoned, or this process is a fork of the heap's.
    ///
    /// # Panics
    /// The first time that this local heap meets its heap poisoned, unless the thread unwinds already; and if the
    /// collection itself finds an invariant broken.
    ///
    /// # Safety
    ///
    #[track_caller]
    pub unsafe fn collect(self, kind: CollectionKind) -> Result<(), StopError> {
        // SAFETY: R-1, by the contract.
        unsafe {
            let before = self.with_data(|data| data.counts);
            let result = self.inner().collect(self.initiator(), kind, Some(before));
            self.told(result)
        }
    }

    /// Plain access to words that this thread allocated since the last call that may collect.
    ///
    /// # Safety
    /// R-1, and see [`View::new`].
    #[inline(always)]
    #[must_use]
    pub unsafe fn view(&self) -> View<'_> {
        // SAFETY: R-1 and what `View::new` asks for, by the contract.
        unsafe { self.inner().spaces.view() }
    }

    /// Loads a slot.
    ///
    /// # Safety
    /// `slot` is a tagged word of a live object.
    #[inline(always)]
    #[must_use]
    pub unsafe fn load_slot(self, slot: Offset) -> Tagged {
        // SAFETY: a live object's words are committed.
        // O-5: Acquire pairs with `store_slot`: the object it refers to is seen as it was when it was published.
        Tagged::from_bits(unsafe { self.inner().spaces.memory.load(slot.bytes(), Ordering::Acquire) })
    }

    /// Stores a reference or a small integer into a slot of `host`, and remembers the slot if it leads from an old to
    /// a young object.
    ///
    /// # Safety
    /// `slot` is a tagged word of the live object `host`; `value` is a small integer or a live object.
    #[inline(always)]
    pub unsafe fn store_slot(self, host: Offset, slot: Offset, value: Tagged) {
        // SAFETY: a live object's words are committed.
        // O-5: Release publishes the object to whoever loads the slot.
        unsafe { self.inner().spaces.memory.store(slot.bytes(), value.bits(), Ordering::Release) };
        if value.is_reference() {
            yield_point(YieldPoint::BarrierStored);
            // SAFETY: R-1, by the contract; the slot is one of `host`.
            unsafe { self.barrier(host, slot, value.target()) };
        }
    }

    /// The write barrier: remembers a slot that leads from an old to a young object. Runs after the store, with no poll
    /// between, so the two are one step to every stop.
    ///
    /// # Safety
    /// R-1; `slot` is a tagged word of the live object `host`, and refers to the live object `target`.
    #[inline(always)]
    unsafe fn barrier(self, host: Offset, slot: Offset, target: Offset) {
        let pages = &self.inner().spaces.pages;
        let kind = |object| {
            // SAFETY: G-1: both objects reached this thread, and with them what their pages are.
            unsafe { pages.kind(pages.layout().page_of(object)) }
        };
        if kind(target) == PageKind::New && kind(host) != PageKind::New {
            // SAFETY: R-1: this thread runs; the slot is one of `host`, which is old.
            unsafe { pages.remember(slot) };
        }
    }

    /// Pushes a root; the slot keeps its address, and follows the object, until the handle stack is reset.
    ///
    /// # Panics
    /// If the Rust allocator refuses another block of handles.
    ///
    /// # Safety
    /// R-1; `value` is a small integer or a live object.
    #[inline(always)]
    pub unsafe fn push_handle(self, value: Tagged) -> NonNull<Slot> {
        // SAFETY: R-1, by the contract.
        unsafe { self.with_data(|data| data.handles.push(value)) }
    }

    /// Where the handle stack stands.
    ///
    /// # Safety
    ///
    #[inline(always)]
    #[must_use]
    pub unsafe fn handle_mark(self) -> HandleMark {
        // SAFETY: R-1, by the contract.
        unsafe { self.with_data(|data| data.handles.mark()) }
    }

    /// Goes back to `mark`: later roots are dropped.
    ///
    /// # Safety
    /// R-1; `mark` was taken on this local heap and not gone back beyond; no later slot is read again.
    #[inline(always)]
    pub unsafe fn reset_handles(self, mark: HandleMark) {
        // SAFETY: R-1, and what the mark is, by the contract.
        unsafe { self.with_data(|data| data.handles.reset(mark)) };
    }

    /// The shape of the map at `map`.
    ///
    /// # Safety
    /// R-1; `map` is a live map.
    #[inline(always)]
    #[must_use]
    pub unsafe fn shape_of(self, map: Offset) -> Shape {
        // SAFETY: a live object's words are committed; J-1: they never change after publication, and whoever holds the
        // map was handed it by an edge.
        let word = |index| unsafe { self.inner().spaces.memory.load(map.word(index).bytes(), Ordering::Relaxed) };
        Shape::decode([word(MAP_SHAPE_WORD), word(MAP_SHAPE_WORD + 1)])
    }

    /// The map of `object`.
    ///
    /// # Safety
    /// R-1; `object` is live.
    #[inline(always)]
    #[must_use]
    pub unsafe fn map_of(self, object: Offset) -> Offset {
        // SAFETY: a live object's words are committed. Relaxed: J-1, as in `shape_of`.
        let word = unsafe { self.inner().spaces.memory.load(object.bytes(), Ordering::Relaxed) };
        match Header::decode(word) {
            Header::Map(map) => map,
            Header::Kept(_) | Header::Forwarded(_) => unreachable!("J-2: headers change in stops only"),
        }
    }

    /// Allocates and writes a map of `shape`. May collect.
    ///
    /// # Errors
    /// As [`allocate_raw`](Self::allocate_raw); `InvalidShape` for a built-in kind.
    ///
    /// # Safety
    ///
    pub unsafe fn allocate_map(self, shape: Shape) -> Result<Offset, AllocError> {
        if shape.kind() < kind::FIRST_EMBEDDER {
            return Err(AllocError::InvalidShape("kinds below 16 are built in"));
        }
        // SAFETY; the map is written before anything else happens.
        unsafe {
            let at = self.allocate_raw(MAP_BYTES, AllocationType::Map, AllocationOrigin::Runtime, GRANULE_BYTES)?;
            self.view().write_map(at, Root::MetaMap.offset(), shape);
            Ok(at)
        }
    }

    /// Runs `f` in an always-allocate scope, whose reserve belongs to this local heap alone.
    ///
    /// On entry this polls, and takes the reserve from the budget, for which it may collect and may fail. Inside `f`
    /// the first attempt of each allocation succeeds up to the reserve, without a collection that this thread asked
    /// for; beyond it, only this local heap's soft limit is lifted. What is left of the reserve goes back when `f`
    /// returns or unwinds.
    ///
    /// # Errors
    /// The reserve does not fit after every collection, or no heap of this configuration holds it; the heap is
    /// poisoned, or this process is a fork of the heap's.
    ///
    /// # Panics
    /// If the heap is found poisoned: see [`collect`](Self::collect). Passes on a panic of `f`.
    ///
    /// # Safety
    ///
    pub unsafe fn always_allocate<R>(
        self,
        reserve: Reserve,
        f: impl FnOnce(RawLocalHeap) -> R,
    ) -> Result<R, AllocError> {
        struct ScopeGuard {
            heap: RawLocalHeap,
            mark: crate::allocation::ScopeMark,
            entered: bool,
        }
        impl Drop for ScopeGuard {
            fn drop(&mut self) {
                // SAFETY: R-1: the scope is left where it was entered, running. L-5.
                unsafe {
                    let inner = self.heap.inner();
                    self.heap.with_data(|data| {
                        if self.entered {
                            data.allocator.leave_scope();
                        }
                        // In a fork nobody needs the reserve, and its way back may be locked by a thread that is
                        // gone.
                        if !inner.safepoint.is_forked() {
                            data.allocator.give_back_reserve(&inner.spaces, self.mark);
                        }
                    });
                }
            }
        }
        // SAFETY: R-1, by the contract.
        unsafe {
            self.usable()?;
            let layout = self.inner().spaces.layout();
            let page_max = layout.hard_limit_pages_max();
            let pages = [reserve.young_pages, reserve.old_pages, reserve.map_pages, reserve.code_pages];
            if reserve.large_bytes > layout.object_bytes_max() || pages.iter().any(|&count| count > page_max) {
                return Err(AllocError::TooLarge {
                    size_bytes: pages.iter().fold(reserve.large_bytes, |sum, &count| {
                        sum.saturating_add(count.saturating_mul(layout.page_bytes()))
                    }),
                    size_bytes_max: layout.object_bytes_max(),
                });
            }
            let mark = self.with_data(|data| data.allocator.scope_mark());
            let mut guard = ScopeGuard { heap: self, mark, entered: false };
            guard.heap.fill_reserve(&reserve, mark)?;
            guard.heap.with_data(|data| data.allocator.enter_scope());
            guard.entered = true;
            Ok(f(guard.heap))
        }
    }

    /// Takes the reserve of an always-allocate scope, by collections if it must.
    ///
    /// # Safety
    ///
    unsafe fn fill_reserve(self, reserve: &Reserve, mark: crate::allocation::ScopeMark) -> Result<(), AllocError> {
        use CollectionKind::{Major, MemoryReducing};
        let rounds = [(Limit::Soft, Some(Major)), (Limit::Hard, Some(MemoryReducing)), (Limit::Hard, None)];
        // Before the reserve is there: a loop that opens scopes, whose reserves fit, lets stops begin.
        // SAFETY, by the contract.
        unsafe { self.poll() };
        for (limit, then) in rounds {
            // SAFETY: R-1, by the contract. L-5.
            unsafe {
                let before = self.with_data(|data| data.counts);
                let inner = self.inner();
                let fill = |data: &mut LocalData| data.allocator.fill_reserve(&inner.spaces, mark, reserve, limit);
                if self.with_data(fill).is_ok() {
                    return Ok(());
                }
                if let Some(kind) = then {
                    self.with_data(|data| data.requests += 1);
                    if inner.collect(self.initiator(), kind, Some(before)).is_err() {
                        self.usable()?;
                    }
                }
            }
        }
        let layout = self.inner().spaces.layout();
        let pages = reserve.young_pages + reserve.old_pages + reserve.map_pages + reserve.code_pages;
        Err(AllocError::OutOfMemory {
            allocation_type: AllocationType::Old,
            size_bytes: pages * layout.page_bytes() + reserve.large_bytes,
        })
    }

    /// How many attempts of this local heap are left before the one that [`Heap::set_fail_allocation`] fails; `None` if
    /// none is to fail.
    ///
    /// [`Heap::set_fail_allocation`]: super::Heap::set_fail_allocation
    ///
    /// # Safety
    ///
    #[must_use]
    pub unsafe fn attempts_before_failure(self) -> Option<u64> {
        // SAFETY: R-1, by the contract.
        unsafe { self.with_data(|data| data.allocator.attempts_before_failure()) }
    }

    /// Fills a page of a type's space, from which this local heap allocates then, but for `bytes_left` bytes, which
    /// serve its next allocations. Polls first.
    ///
    /// # Errors
    /// `InvalidSize` if `bytes_left` is no multiple of the type's granule or more than half a page; `OutOfMemory` if
    /// the space has no page; `Poisoned`; `Forked`. Asks for no collection, but may wait for one that another thread
    /// has asked for.
    ///
    /// # Panics
    /// If the heap is found poisoned: see [`collect`](Self::collect).
    ///
    /// # Safety
    ///
    pub unsafe fn fill_page_but(self, ty: AllocationType, bytes_left: usize) -> Result<(), AllocError> {
        let layout = self.inner().spaces.layout();
        if !bytes_left.is_multiple_of(ty.granule_bytes()) || bytes_left > layout.regular_bytes_max() {
            return Err(AllocError::InvalidSize { size_bytes: bytes_left });
        }
        // SAFETY, by the contract.
        unsafe {
            self.inner().safepoint.poll(self.local());
            self.usable()?;
        }
        let inner = self.inner();
        // SAFETY: R-1, by the contract. L-5.
        unsafe { self.with_data(|data| data.allocator.fill_page_but(&inner.spaces, ty, bytes_left)) }
            .map_err(|_| AllocError::OutOfMemory { allocation_type: ty, size_bytes: bytes_left })
    }
}

impl core::fmt::Debug for LocalHeap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LocalHeap").finish_non_exhaustive()
    }
}

impl Drop for LocalHeap {
    fn drop(&mut self) {
        if self.inner.safepoint.is_forked() {
            // The lock may be held by a thread that does not exist. The record is lost with the heap.
            return;
        }
        // parked. A thread that unwinds out of a callback of the embedder's had no chance to park.
        if crate::sync::thread::panicking() && self.local.state().is_running() {
            // SAFETY: R-1: it ran on this thread, and what borrowed its data has unwound.
            unsafe { self.inner.safepoint.park(&self.local) };
        }
        if run_marker::is_inside() {
            // A stop may be going on that waits for this thread, which runs another local heap: so the lock must not be
            // waited for here. Whoever takes it next finishes the work.
            // SAFETY: R-1: this value is the local heap's owner, and the last that its thread has of it.
            unsafe { self.inner.safepoint.abandon(&self.local) };
            return;
        }
        // The collector lock keeps stops away while memory is given up.
        // SAFETY: R-1: this value is the local heap's owner.
        unsafe { self.inner.lock_registry().detach(&self.local, |data| self.inner.retire_local(data)) };
    }
}

// SAFETY: R-1: a parked local heap may be moved to another thread; its data is reached by its owner and in stops only.
unsafe impl Send for LocalHeap {}
