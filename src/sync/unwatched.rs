//! What no scheduler watches: heap words, cells and cache lines, the same in the native face and in the scheduled one.
//!
//! The types here are wrappers that compile to the primitive they name, without state or algorithm.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{self, Ordering};

/// A 32-bit word of the managed heap.
///
/// The type has the size, the alignment and the bit validity of `u32`, so heap memory can be viewed as an array of
/// them. In the model its accesses keep their form in both passes, because heap words are also read plainly.
#[repr(transparent)]
pub struct HeapWord(atomic::AtomicU32);

const _: () = assert!(size_of::<HeapWord>() == 4 && align_of::<HeapWord>() == 4);

impl HeapWord {
    /// A new word holding `value`.
    #[inline(always)]
    pub fn new(value: u32) -> Self {
        Self(atomic::AtomicU32::new(value))
    }

    /// Atomic load.
    #[inline(always)]
    pub fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
    }

    /// Atomic store.
    #[inline(always)]
    pub fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, order);
    }

    /// Stores `new` if the value is `current`.
    ///
    /// # Errors
    ///
    /// The value found, when it was not `current`.
    #[inline(always)]
    pub fn compare_exchange(&self, current: u32, new: u32, success: Ordering, failure: Ordering) -> Result<u32, u32> {
        self.0.compare_exchange(current, new, success, failure)
    }

    /// Combines by bitwise or; returns the value before.
    #[inline(always)]
    pub fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        self.0.fetch_or(value, order)
    }

    /// Plain load. No ordering, no atomicity.
    ///
    /// # Safety
    ///
    /// - Every store to this word by another thread happens before the call, or after it.
    #[inline(always)]
    pub unsafe fn unsync_load(&self) -> u32 {
        // SAFETY: the pointer is valid as long as `self`; the caller rules out a racing store.
        unsafe { *self.0.as_ptr() }
    }

    /// Plain store. No ordering, no atomicity.
    ///
    /// # Safety
    ///
    /// - Every access to this word by another thread happens before the call, or after it.
    #[inline(always)]
    pub unsafe fn unsync_store(&self, value: u32) {
        // SAFETY: the pointer is valid as long as `self`; the caller rules out a racing access.
        unsafe { *self.0.as_ptr() = value }
    }
}

/// A cell for data that the algorithm, not the compiler, keeps from being raced on.
///
/// The cell is `Sync` when its value is `Send`; the contracts of the accesses require the rest.
#[repr(transparent)]
pub struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// A new cell holding `value`.
    #[inline(always)]
    pub fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Runs `f` with the value for shared access, which lasts as long as `f`.
    ///
    /// # Safety
    ///
    /// - No exclusive access overlaps the call: each happens before it, or after it.
    /// - When other threads have shared access at the same time, `T: Sync`.
    /// - `f` does not write through the pointer and does not let it escape.
    #[inline(always)]
    pub unsafe fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Runs `f` with the value for exclusive access, which lasts as long as `f`.
    ///
    /// # Safety
    ///
    /// - No other access overlaps the call: each happens before it, or after it.
    /// - `f` does not let the pointer escape.
    #[inline(always)]
    pub unsafe fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }

    /// Returns the pointer, for exclusive access. The model face records an access at this point.
    ///
    /// For an owner that keeps working on its data after the check, such as the owner of a page.
    ///
    /// # Safety
    ///
    /// - While the pointer is used, no other access overlaps: each happens before this call, or after the last use.
    #[inline(always)]
    pub unsafe fn access(&self) -> *mut T {
        self.0.get()
    }

    /// Returns the pointer, for shared access. The model face records an access at this point.
    ///
    /// # Safety
    ///
    /// - While the pointer is used, no exclusive access overlaps.
    /// - When other threads have shared access at the same time, `T: Sync`.
    /// - Nothing is written through the pointer.
    #[inline(always)]
    pub unsafe fn peek(&self) -> *const T {
        self.0.get()
    }

    /// The value, by exclusive borrow.
    #[inline(always)]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// The value, by ownership.
    #[inline(always)]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// A value alone on its cache line.
pub struct CachePadded<T>(crossbeam_utils::CachePadded<T>);

impl<T> CachePadded<T> {
    /// Pads `value`.
    #[inline(always)]
    pub fn new(value: T) -> Self {
        Self(crossbeam_utils::CachePadded::new(value))
    }

    /// The value, by ownership.
    #[inline(always)]
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for CachePadded<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
