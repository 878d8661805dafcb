//! The scope: a running thread's door to the heap, and the innermost handle scope. This file has stops, scopes,
//! handles and roots; objects are in `scope_objects`.

use super::initiator::Initiator;
use super::running::ParkGuard;
use super::value::{Handle, HeapType, Ref, Value};
use super::{Persistent, RawLocalHeap, RefusedMemory, RootSet, Statistics, StopError, Survey, Verification, WrongHeap};
use crate::allocation::Reserve;
use crate::object::Root;
use crate::thread::{HandleMark, Local, LocalData, PersistentHandles};
use crate::words::{AllocError, AllocationType, CollectionKind, SpaceKind};
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A running thread's door to the heap. Handles made through it live until it ends, and no longer.
///
/// Methods that take `&mut self` may collect, and so move objects; [`Ref`]s borrow the scope and cannot be held over
/// them. Methods that take `&self` cannot collect.
///
/// A method that makes a handle panics if the Rust allocator refuses a block of handles. One that may collect panics
/// if it finds the heap poisoned: see [`Attachment::run`](super::Attachment::run).
pub struct Scope<'s, 'o: 's> {
    heap: RawLocalHeap,
    /// The brand of this scope's handles: invariant.
    _scope: PhantomData<fn(&'s ()) -> &'s ()>,
    /// The brand of the enclosing scope's handles.
    _outer: PhantomData<&'o ()>,
}

/// Closes a handle scope, also on unwind.
struct HandleScope {
    local: NonNull<Local>,
    mark: HandleMark,
}

impl HandleScope {
    #[inline(always)]
    fn open(heap: RawLocalHeap) -> HandleScope {
        // SAFETY: H-1: the scope that this is opened in keeps the local heap alive and running.
        let mark = unsafe { heap.handle_mark() };
        HandleScope { local: NonNull::from(heap.local()), mark }
    }
}

impl Drop for HandleScope {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: H-1, as in `open`; H-3: handles made since have the inner scope's brand, whose lifetime is over.
        unsafe { (*self.local.as_ref().data().access()).handles.reset(self.mark) };
    }
}

impl<'s, 'o: 's> Scope<'s, 'o> {
    /// # Safety
    /// `heap` runs on this thread, is the only one that does, and outlives the scope, which is handed out by `&mut`
    /// and to closures only.
    #[inline(always)]
    pub(super) unsafe fn new(heap: RawLocalHeap) -> Scope<'s, 'o> {
        Scope { heap, _scope: PhantomData, _outer: PhantomData }
    }

    /// The same local heap, with fresh brands.
    ///
    /// # Safety
    /// H-3: `'i` is the brand of a handle scope that is open for as long as the value is used, and `'x` is this
    /// scope's.
    #[inline(always)]
    unsafe fn inner_scope<'i, 'x: 'i>(&mut self) -> Scope<'i, 'x> {
        Scope { heap: self.heap, _scope: PhantomData, _outer: PhantomData }
    }

    #[inline(always)]
    pub(super) fn local(&self) -> &RawLocalHeap {
        &self.heap
    }

    /// The scope's local heap as the initiator of a stop.
    #[inline(always)]
    fn initiator(&mut self) -> Initiator<'_> {
        // SAFETY: H-1, H-2: the scope's local heap runs, and no reference is alive over `&mut self`.
        unsafe { self.heap.initiator() }
    }

    /// What a stop came to; the run is told if the heap is poisoned.
    fn told<R>(&mut self, result: Result<R, StopError>) -> Result<R, StopError> {
        // SAFETY: H-1: the scope's local heap runs.
        unsafe { self.heap.told(result) }
    }

    /// Lets a stop begin, if one was asked for. Call it in loops that do not allocate. One load otherwise.
    ///
    /// A thread that runs and does not poll keeps every thread waiting that wants a collection. These let a stop
    /// begin too: an allocation that the thread's LAB has no room for, be it served or refused; a large object, a
    /// map, code; [`park`](Self::park); [`collect`](Self::collect), [`verify`](Self::verify),
    /// [`survey`](Self::survey), [`statistics`](Self::statistics) and
    /// [`simulate_full_space`](Self::simulate_full_space); the beginning of an always-allocate scope, and
    /// [`fill_page_but`](Self::fill_page_but). Handles, scopes, loads and stores do not, nor does an allocation that
    /// the LAB serves.
    ///
    /// # Panics
    /// If the heap is poisoned: see [`Attachment::run`](super::Attachment::run).
    #[inline(always)]
    pub fn poll(&mut self) {
        // SAFETY: H-1, H-2: the scope's local heap runs, and no reference is alive over `&mut self`.
        unsafe { self.local().poll() }
    }

    /// Runs `f`, which may block and cannot use this scope, while stops need not wait for this thread. Waits for a
    /// stop to end before it returns; also when `f` unwinds.
    ///
    /// # Panics
    /// Passes on a panic of `f`. If the heap is poisoned, once `f` has returned: see
    /// [`Attachment::run`](super::Attachment::run).
    pub fn park<R>(&mut self, f: impl FnOnce() -> R) -> R {
        // SAFETY: H-1, H-2: as for a poll; and `f` has not `self`.
        let _parked = unsafe { ParkGuard::park(self.heap) };
        f()
    }

    /// Collects, or waits for a collection of this kind or a stronger one that another thread starts meanwhile.
    ///
    /// # Errors
    /// The heap is poisoned, or this process is a fork of the heap's.
    ///
    /// # Panics
    /// See [`Attachment::run`](super::Attachment::run).
    #[track_caller]
    pub fn collect(&mut self, kind: CollectionKind) -> Result<(), StopError> {
        // SAFETY: H-1, H-2: the scope's local heap runs, and no reference is alive over `&mut self`.
        unsafe { self.local().collect(kind) }
    }

    /// Opens a handle scope for `f`: handles made in it are dropped when it returns or unwinds.
    #[inline(always)]
    pub fn nested<R>(&mut self, f: impl for<'i> FnOnce(&mut Scope<'i, 's>) -> R) -> R {
        let _handles = HandleScope::open(self.heap);
        // SAFETY: the inner scope lives for the call of `f`, during which this one is borrowed.
        f(&mut unsafe { self.inner_scope() })
    }

    /// Opens a handle scope for `f`, whose result escapes into this scope.
    ///
    /// # Errors
    /// Those of `f`.
    #[inline(always)]
    pub fn escape<T>(
        &mut self,
        f: impl for<'i> FnOnce(&mut Scope<'i, 's>) -> Result<Handle<'i, T>, AllocError>,
    ) -> Result<Handle<'s, T>, AllocError> {
        let handles = HandleScope::open(self.heap);
        // SAFETY: the inner scope lives for the call of `f`; the word is read before its handles are dropped, and
        // nothing collects before it is pushed again.
        unsafe {
            let word = f(&mut self.inner_scope())?.tagged();
            drop(handles);
            Ok(Handle::new(self.local().push_handle(word)))
        }
    }

    /// Runs `f` in an always-allocate scope and a handle scope: see [`RawLocalHeap::always_allocate`].
    ///
    /// # Errors
    /// As [`RawLocalHeap::always_allocate`].
    pub fn always_allocate<R>(
        &mut self,
        reserve: Reserve,
        f: impl for<'i> FnOnce(&mut Scope<'i, 's>) -> R,
    ) -> Result<R, AllocError> {
        let heap = self.heap;
        // SAFETY: H-1, H-2; the inner scope lives for the call of `f`.
        unsafe {
            heap.always_allocate(reserve, |_| {
                let _handles = HandleScope::open(self.heap);
                f(&mut self.inner_scope())
            })
        }
    }

    /// The object of a handle.
    #[inline(always)]
    pub fn get<'a, T>(&'a self, handle: Handle<'s, T>) -> Ref<'a, T> {
        // SAFETY: the handle is a root of type `T`, and nothing collects while the scope is borrowed.
        unsafe { Ref::new(handle.tagged()) }
    }

    /// A handle to an object.
    #[inline(always)]
    pub fn handle<T>(&self, object: Ref<'_, T>) -> Handle<'s, T> {
        // SAFETY: H-1; a reference's object is live.
        Handle::new(unsafe { self.local().push_handle(object.tagged()) })
    }

    /// The value as a `T`, if it is one.
    #[inline]
    pub fn downcast<'a, T: HeapType>(&'a self, value: Ref<'a, Value>) -> Option<Ref<'a, T>> {
        let is_a = match value.tagged().as_reference() {
            None => T::ADMITS_SMALL,
            // SAFETY: H-1; a reference's object is live.
            Some(object) => unsafe {
                let local = self.local();
                T::admits(local.shape_of(local.map_of(object)).kind())
            },
        };
        // SAFETY: just checked.
        is_a.then(|| unsafe { Ref::new(value.tagged()) })
    }

    /// A handle to a small integer. `None` outside of 31 bits.
    #[must_use]
    pub fn small(&self, value: i32) -> Option<Handle<'s, Value>> {
        Ref::small(value).map(|small| self.handle(small))
    }

    fn root<'a>(&'a self, root: Root) -> Ref<'a, Value> {
        // SAFETY: built-in objects are immortal.
        unsafe { Ref::new(root.tagged()) }
    }

    /// The value `undefined`.
    pub fn undefined(&self) -> Ref<'_, Value> {
        self.root(Root::Undefined)
    }

    /// The value `null`.
    pub fn null(&self) -> Ref<'_, Value> {
        self.root(Root::Null)
    }

    /// The value `true` or `false`.
    pub fn boolean(&self, value: bool) -> Ref<'_, Value> {
        self.root(if value { Root::True } else { Root::False })
    }

    /// Makes a root that belongs to no thread. Takes a leaf mutex, and now and then memory of the Rust allocator: 8
    /// bytes a handle, by the slab.
    ///
    /// # Panics
    /// If the Rust allocator refuses that; [`try_persist`](Self::try_persist) returns an error.
    #[must_use]
    pub fn persist<T>(&self, handle: Handle<'s, T>) -> Persistent<T> {
        self.try_persist(handle).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`persist`](Self::persist).
    ///
    /// # Errors
    /// The Rust allocator refuses memory, or there are some 2^32 persistent handles.
    pub fn try_persist<T>(&self, handle: Handle<'s, T>) -> Result<Persistent<T>, RefusedMemory> {
        let inner = self.local().inner();
        // In a fork nobody collects, and the lock may be held by a thread that is gone: a register for this handle
        // alone will do.
        let register = if inner.safepoint.is_forked() { &PersistentHandles::new(1) } else { &inner.persistent };
        // SAFETY: the handle is a root of this scope, whose heap is running.
        let (cell, is_over) = unsafe { register.add_watched(handle.tagged()) }?;
        self.want_collection(is_over);
        Ok(Persistent::new(cell))
    }

    /// If `so`, has the next allocation beyond the bump path collect first.
    fn want_collection(&self, so: bool) {
        if so {
            // SAFETY: H-1.
            unsafe { self.local().with_data(|data| data.wants_collection = true) };
        }
    }

    /// A handle to what a persistent handle holds.
    ///
    /// # Errors
    /// The persistent handle belongs to another heap.
    pub fn open<T>(&mut self, persistent: &Persistent<T>) -> Result<Handle<'s, T>, WrongHeap> {
        if !persistent.cell.belongs_to(&self.local().inner().persistent) {
            return Err(WrongHeap);
        }
        let word = persistent.cell.tagged();
        // SAFETY: the persistent handle is a root of this heap.
        Ok(Handle::new(unsafe { self.local().push_handle(word) }))
    }

    /// What slot `index` of a root set holds.
    ///
    /// # Errors
    /// The root set belongs to another heap.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn load_root<'a>(&'a self, set: &RootSet, index: usize) -> Result<Ref<'a, Value>, WrongHeap> {
        if !set.slots.belongs_to(&self.local().inner().root_sets) {
            return Err(WrongHeap);
        }
        // SAFETY: the slot is a root of this heap, or was when it was loaded; nothing collects meanwhile.
        Ok(unsafe { Ref::new(set.slots.load(index)) })
    }

    /// Sets slot `index` of a root set. The first object that is stored into a block of slots after a collection
    /// takes a leaf mutex.
    ///
    /// # Errors
    /// The root set belongs to another heap.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn store_root(&self, set: &RootSet, index: usize, value: Ref<'_, Value>) -> Result<(), WrongHeap> {
        if !set.slots.belongs_to(&self.local().inner().root_sets) {
            return Err(WrongHeap);
        }
        // SAFETY: the value is an object of this heap, or a small integer, and the heap is running.
        let is_over = unsafe { set.slots.store(index, value.tagged()) };
        self.want_collection(is_over);
        Ok(())
    }

    /// Walks the whole heap in a stop and says what is wrong with it.
    ///
    /// # Errors
    /// As [`Heap::verify`](super::Heap::verify).
    #[track_caller]
    pub fn verify(&mut self) -> Result<Verification, StopError> {
        let heap = self.heap;
        let found = heap.inner().verify(self.initiator());
        self.told(found)
    }

    /// Says what each byte of each committed page is used for: see [`Heap::survey`](super::Heap::survey).
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    ///
    /// # Panics
    /// If an invariant of the heap is broken.
    #[track_caller]
    pub fn survey(&mut self) -> Result<Survey, StopError> {
        let heap = self.heap;
        let found = heap.inner().survey(self.initiator());
        self.told(found)
    }

    /// Statistics, summed in a stop.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    #[track_caller]
    pub fn statistics(&mut self) -> Result<Statistics, StopError> {
        let heap = self.heap;
        let inner = heap.inner();
        let found = inner.stopped(self.initiator(), |stop| inner.statistics_in_stop(stop));
        self.told(found)
    }

    /// Makes a space full in a stop: see [`Heap::simulate_full_space`](super::Heap::simulate_full_space).
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    #[track_caller]
    pub fn simulate_full_space(&mut self, space: SpaceKind) -> Result<usize, StopError> {
        let heap = self.heap;
        let inner = heap.inner();
        let found = inner.stopped(self.initiator(), |stop| inner.simulate_full_space(stop, space));
        self.told(found)
    }

    /// Fills a page of a type's space but for `bytes_left` bytes: see [`RawLocalHeap::fill_page_but`].
    ///
    /// # Errors
    /// As [`RawLocalHeap::fill_page_but`].
    pub fn fill_page_but(&mut self, ty: AllocationType, bytes_left: usize) -> Result<(), AllocError> {
        // SAFETY: H-1: the scope's local heap runs.
        unsafe { self.local().fill_page_but(ty, bytes_left) }
    }

    /// Bytes between what is committed and the soft limit: how much may be allocated in newly committed pages before
    /// a collection is asked for. A snapshot.
    #[must_use]
    pub fn soft_bytes_available(&self) -> usize {
        let spaces = &self.local().inner().spaces;
        // SAFETY: H-1: the local heap runs, so the caller is at work (S-4).
        let limit = unsafe { spaces.budget.limit(crate::words::Limit::Soft) };
        limit.saturating_sub(spaces.budget.committed()) * spaces.layout().page_bytes()
    }

    /// The geometry of the heap.
    #[must_use]
    pub fn layout(&self) -> &crate::words::Layout {
        self.local().inner().spaces.layout()
    }

    /// How many attempts of this local heap are left before the one that
    /// [`set_fail_allocation`](super::Heap::set_fail_allocation) fails; `None` if none is to fail.
    #[must_use]
    pub fn attempts_before_failure(&self) -> Option<u64> {
        // SAFETY: H-1: the scope's local heap runs.
        unsafe { self.local().attempts_before_failure() }
    }

    /// What this local heap has asked for since it was attached.
    #[must_use]
    pub fn own_requests(&self) -> OwnRequests {
        let counted = |data: &mut LocalData| OwnRequests {
            collections: data.requests,
            collections_in_scope: data.requests_in_scope,
            retries: data.retries,
        };
        // SAFETY: H-1.
        unsafe { self.local().with_data(counted) }
    }
}

/// What a local heap has asked for since it was attached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OwnRequests {
    /// Collections that its allocations asked for, as in [`Statistics::requests`].
    pub collections: u64,
    /// Those that it asked for inside its own always-allocate scopes, as in [`Statistics::requests_in_scope`].
    pub collections_in_scope: u64,
    /// Allocations whose first attempt failed.
    pub retries: u64,
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}
