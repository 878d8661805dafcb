//! Atomics, heap words, cells and fences of the choosing face.

use super::{Either, Made};
use crate::sync::scene::Scene;
use crate::sync::{model, native, unwatched};
use core::sync::atomic::Ordering;

/// Methods that the value's own face performs.
macro_rules! forward {
    ($kind:literal; $(
        $(#[$note:meta])*
        fn $name:ident(&self $(, $argument:ident: $type:ty)*) $(-> $result:ty)?;
    )*) => {$(
        $(#[$note])*
        #[inline]
        #[track_caller]
        pub fn $name(&self $(, $argument: $type)*) $(-> $result)? {
            match self.0.here($kind) {
                Either::Native(word) => word.$name($($argument),*),
                Either::Modelled(word) => word.$name($($argument),*),
            }
        }
    )*};
}

/// A word with the operations that each has.
macro_rules! word {
    ($name:ident, $value:ty, $native:ident, $kind:literal, $doc:literal) => {
        #[doc = $doc]
        pub struct $name(Made<$native::$name, model::$name>);

        impl $name {
            /// A new one holding `value`.
            #[inline]
            #[track_caller]
            pub fn new(value: $value) -> Self {
                let here = Scene::here();
                if here.is_native() {
                    return Self(Made::Native($native::$name::new(value)));
                }
                Self(Made::Modelled(here, model::$name::new(value)))
            }

            forward! { $kind;
                /// Atomic load.
                fn load(&self, order: Ordering) -> $value;

                /// Atomic store.
                fn store(&self, value: $value, order: Ordering);

                /// Stores `new` if the value is `current`.
                ///
                /// # Errors
                ///
                /// The value found, when it was not `current`.
                fn compare_exchange(
                    &self, current: $value, new: $value, success: Ordering, failure: Ordering
                ) -> Result<$value, $value>;

                /// Combines by bitwise or; returns the value before.
                fn fetch_or(&self, value: $value, order: Ordering) -> $value;
            }

            /// Plain load. No ordering, no atomicity, and in a model no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every store to this word by another thread happens before the call, or after it.
            #[inline]
            #[track_caller]
            pub unsafe fn unsync_load(&self) -> $value {
                match self.0.here($kind) {
                    // SAFETY: forwarded.
                    Either::Native(word) => unsafe { word.unsync_load() },
                    // SAFETY: forwarded; a model checks the contract instead of trusting it.
                    Either::Modelled(word) => unsafe { word.unsync_load() },
                }
            }

            /// Plain store. No ordering, no atomicity, and in a model no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every access to this word by another thread happens before the call, or after it.
            #[inline]
            #[track_caller]
            pub unsafe fn unsync_store(&self, value: $value) {
                match self.0.here($kind) {
                    // SAFETY: forwarded.
                    Either::Native(word) => unsafe { word.unsync_store(value) },
                    // SAFETY: forwarded; a model checks the contract instead of trusting it.
                    Either::Modelled(word) => unsafe { word.unsync_store(value) },
                }
            }
        }
    };
}

/// What control atomics have beyond heap words.
macro_rules! control {
    ($name:ident, $value:ty) => {
        impl $name {
            forward! { "an atomic";
                /// Stores `value` and returns the value before.
                fn swap(&self, value: $value, order: Ordering) -> $value;

                /// As [`Self::compare_exchange`], but may fail although the value is `current`.
                ///
                /// # Errors
                ///
                /// The value found.
                fn compare_exchange_weak(
                    &self, current: $value, new: $value, success: Ordering, failure: Ordering
                ) -> Result<$value, $value>;

                /// Combines by bitwise and; returns the value before.
                fn fetch_and(&self, value: $value, order: Ordering) -> $value;
            }
        }
    };
}

macro_rules! integer {
    ($name:ident, $value:ty, $doc:literal) => {
        word!($name, $value, native, "an atomic", $doc);
        control!($name, $value);

        impl $name {
            forward! { "an atomic";
                /// Adds, wrapping; returns the value before.
                fn fetch_add(&self, value: $value, order: Ordering) -> $value;

                /// Subtracts, wrapping; returns the value before.
                fn fetch_sub(&self, value: $value, order: Ordering) -> $value;
            }
        }
    };
}

integer!(AtomicU32, u32, "A 32-bit atomic integer.");
integer!(AtomicU64, u64, "A 64-bit atomic integer.");
integer!(AtomicUsize, usize, "A pointer-sized atomic integer.");
word!(AtomicBool, bool, native, "an atomic", "An atomic boolean.");
control!(AtomicBool, bool);
word!(
    HeapWord,
    u32,
    unwatched,
    "a heap word",
    "A 32-bit word of the managed heap, if its memory is simulated.\n\nIn a model its accesses keep their form in both \
     passes, because heap words are also read plainly."
);

/// An atomic fence.
///
/// # Panics
///
/// When `order` is `Relaxed`.
#[inline]
#[track_caller]
pub fn fence(order: Ordering) {
    if Scene::here().is_native() { native::fence(order) } else { model::fence(order) }
}

const CELL: &str = "a cell";

/// A cell for data that the algorithm, not the compiler, keeps from being raced on; in a model each access is checked.
///
/// The cell is `Sync` when its value is `Send`; the contracts of the accesses require the rest.
#[repr(transparent)]
pub struct UnsafeCell<T>(Made<unwatched::UnsafeCell<T>, model::UnsafeCell<T>>);

impl<T> UnsafeCell<T> {
    /// A new cell holding `value`.
    #[inline]
    #[track_caller]
    pub fn new(value: T) -> Self {
        let here = Scene::here();
        if here.is_native() {
            return Self(Made::Native(unwatched::UnsafeCell::new(value)));
        }
        Self(Made::Modelled(here, model::UnsafeCell::new(value)))
    }

    /// Runs `f` with the value for shared access, which lasts as long as `f`.
    ///
    /// # Safety
    ///
    /// - No exclusive access overlaps the call: each happens before it, or after it.
    /// - When other threads have shared access at the same time, `T: Sync`.
    /// - `f` does not write through the pointer and does not let it escape.
    #[inline]
    #[track_caller]
    pub unsafe fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        match self.0.here(CELL) {
            // SAFETY: forwarded.
            Either::Native(cell) => unsafe { cell.with(f) },
            // SAFETY: forwarded.
            Either::Modelled(cell) => unsafe { cell.with(f) },
        }
    }

    /// Runs `f` with the value for exclusive access, which lasts as long as `f`.
    ///
    /// # Safety
    ///
    /// - No other access overlaps the call: each happens before it, or after it.
    /// - `f` does not let the pointer escape.
    #[inline]
    #[track_caller]
    pub unsafe fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        match self.0.here(CELL) {
            // SAFETY: forwarded.
            Either::Native(cell) => unsafe { cell.with_mut(f) },
            // SAFETY: forwarded.
            Either::Modelled(cell) => unsafe { cell.with_mut(f) },
        }
    }

    /// Returns the pointer, for exclusive access, which a model checks at this point.
    ///
    /// For an owner that keeps working on its data after the check, such as the owner of a page.
    ///
    /// # Safety
    ///
    /// - While the pointer is used, no other access overlaps: each happens before this call, or after the last use.
    #[inline]
    #[track_caller]
    pub unsafe fn access(&self) -> *mut T {
        match self.0.here(CELL) {
            // SAFETY: forwarded.
            Either::Native(cell) => unsafe { cell.access() },
            // SAFETY: forwarded.
            Either::Modelled(cell) => unsafe { cell.access() },
        }
    }

    /// Returns the pointer, for shared access, which a model checks at this point.
    ///
    /// # Safety
    ///
    /// - While the pointer is used, no exclusive access overlaps.
    /// - When other threads have shared access at the same time, `T: Sync`.
    /// - Nothing is written through the pointer.
    #[inline]
    #[track_caller]
    pub unsafe fn peek(&self) -> *const T {
        match self.0.here(CELL) {
            // SAFETY: forwarded.
            Either::Native(cell) => unsafe { cell.peek() },
            // SAFETY: forwarded.
            Either::Modelled(cell) => unsafe { cell.peek() },
        }
    }

    /// The value, by exclusive borrow.
    #[inline]
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        match self.0.here_mut(CELL) {
            Either::Native(cell) => cell.get_mut(),
            Either::Modelled(cell) => cell.get_mut(),
        }
    }

    /// The value, by ownership.
    #[inline]
    #[track_caller]
    pub fn into_inner(self) -> T {
        match self.0.into_here(CELL) {
            Either::Native(cell) => cell.into_inner(),
            Either::Modelled(cell) => cell.into_inner(),
        }
    }
}
