//! The model face's atomics and fences, over loom's.
//!
//! Each operation asks [`model_control`](super::model_control) for its ordering, performs itself through loom in the form
//! the pass wants, and reports what it read and wrote.
//!
//! An atomic is loom's atomic behind a `std` cell, because loom wants an exclusive borrow for a plain store. That borrow is
//! of loom's *index* of the atomic; the value lives in loom's execution, where the plain store is checked for races against
//! every other access.
//!
//! Invariant M-1: nothing writes the bytes of a loom atomic after its construction. So borrows of one, shared or exclusive,
//! never see each other change it, though a thread that is switched away inside an operation keeps its own.

use super::model_control::{self as control, Action, Event, Operand, Pass};
use core::panic::Location;
use core::sync::atomic::Ordering;
use loom::sync::atomic as modelled;

/// Tells of an operation with an ordering.
#[inline]
fn record_ordered(
    location: &'static Location<'static>,
    operand: Operand,
    (declared, performed): (Ordering, Ordering),
    object: usize,
    read: Option<u64>,
    written: Option<u64>,
) {
    control::record(|| Event {
        location,
        action: Action::Ordered(operand, performed),
        declared,
        object,
        read,
        written,
    });
}

/// How a value looks to the journal and inside loom.
trait Word: Copy {
    /// loom's representation.
    type Repr: Copy;
    fn to_repr(self) -> Self::Repr;
    fn from_repr(repr: Self::Repr) -> Self;
    fn to_u64(self) -> u64;
}

macro_rules! word {
    ($($value:ty),*) => {$(
        impl Word for $value {
            type Repr = $value;
            #[inline]
            fn to_repr(self) -> $value {
                self
            }
            #[inline]
            fn from_repr(repr: $value) -> $value {
                repr
            }
            #[inline]
            fn to_u64(self) -> u64 {
                self as u64
            }
        }
    )*};
}

word!(u32, u64, usize);

/// loom's boolean has no plain store, so booleans are bytes that hold 0 or 1.
impl Word for bool {
    type Repr = u8;
    #[inline]
    fn to_repr(self) -> u8 {
        u8::from(self)
    }
    #[inline]
    fn from_repr(repr: u8) -> bool {
        repr != 0
    }
    #[inline]
    fn to_u64(self) -> u64 {
        u64::from(self)
    }
}

/// The form in which an atomic performs loads and stores.
macro_rules! form {
    (follows_pass) => {
        control::pass()
    };
    (as_written) => {
        Pass::Normal
    };
}

/// An atomic over loom's `$repr`, with the operations every atomic has.
macro_rules! atomic {
    ($name:ident, $value:ty, $repr:ident, $form:ident, $doc:literal) => {
        #[doc = $doc]
        pub struct $name(core::cell::UnsafeCell<modelled::$repr>);

        // SAFETY: loom's atomic is an index into the execution and is never written (M-1); the execution checks accesses.
        unsafe impl Sync for $name {}

        impl $name {
            /// A new atomic holding `value`.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                Self(core::cell::UnsafeCell::new(modelled::$repr::new(value.to_repr())))
            }

            #[inline]
            fn modelled(&self) -> &modelled::$repr {
                // SAFETY: the pointer is valid as long as `self`; M-1 lets it be shared.
                unsafe { &*self.0.get() }
            }

            #[inline]
            fn object(&self) -> usize {
                self.0.get().addr()
            }

            /// Reports a read-modify-write and returns the value it read.
            #[inline]
            fn after_rmw(
                &self,
                location: &'static Location<'static>,
                orders: (Ordering, Ordering),
                read: $value,
                written: $value,
            ) -> $value {
                let (read_bits, written_bits) = (read.to_u64(), written.to_u64());
                record_ordered(location, Operand::Rmw, orders, self.object(), Some(read_bits), Some(written_bits));
                read
            }

            /// Atomic load.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                let location = Location::caller();
                let performed = control::effective(location, Operand::Load, order);
                let value = <$value>::from_repr(match form!($form) {
                    Pass::Normal => self.modelled().load(performed),
                    Pass::ReadAsRmw => self.modelled().fetch_or(0, performed),
                });
                let read = Some(value.to_u64());
                record_ordered(location, Operand::Load, (order, performed), self.object(), read, None);
                value
            }

            /// Atomic store.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                let location = Location::caller();
                let performed = control::effective(location, Operand::Store, order);
                match form!($form) {
                    Pass::Normal => self.modelled().store(value.to_repr(), performed),
                    Pass::ReadAsRmw => {
                        let _ = self.modelled().swap(value.to_repr(), performed);
                    }
                }
                let written = Some(value.to_u64());
                record_ordered(location, Operand::Store, (order, performed), self.object(), None, written);
            }

            /// Stores `new` if the value is `current`.
            ///
            /// # Errors
            ///
            /// The value found, when it was not `current`.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let location = Location::caller();
                let on_success = control::effective(location, Operand::CasSuccess, success);
                let on_failure = control::effective(location, Operand::CasFailure, failure);
                let (old, new_repr) = (current.to_repr(), new.to_repr());
                let object = self.object();
                match self.modelled().compare_exchange(old, new_repr, on_success, on_failure) {
                    Ok(read) => {
                        let read = <$value>::from_repr(read);
                        let (bits, written) = (Some(read.to_u64()), Some(new.to_u64()));
                        record_ordered(location, Operand::CasSuccess, (success, on_success), object, bits, written);
                        Ok(read)
                    }
                    Err(read) => {
                        let read = <$value>::from_repr(read);
                        let bits = Some(read.to_u64());
                        record_ordered(location, Operand::CasFailure, (failure, on_failure), object, bits, None);
                        Err(read)
                    }
                }
            }

            /// Combines by bitwise or; returns the value before.
            #[track_caller]
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                let location = Location::caller();
                let performed = control::effective(location, Operand::Rmw, order);
                let read = <$value>::from_repr(self.modelled().fetch_or(value.to_repr(), performed));
                self.after_rmw(location, (order, performed), read, read | value)
            }

            /// Plain load. No ordering, no atomicity, and in the model no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every store to this atomic by another thread happens before the call, or after it.
            #[track_caller]
            pub unsafe fn unsync_load(&self) -> $value {
                // SAFETY: forwarded; in the model the contract is checked, not trusted.
                let value = <$value>::from_repr(unsafe { self.modelled().unsync_load() });
                let location = Location::caller();
                control::record(|| Event {
                    read: Some(value.to_u64()),
                    ..Event::bare(location, Action::PlainRead, self.object())
                });
                value
            }

            /// Plain store. No ordering, no atomicity, and in the model no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every access to this atomic by another thread happens before the call, or after it.
            #[track_caller]
            pub unsafe fn unsync_store(&self, value: $value) {
                // SAFETY: the pointer is valid as long as `self`. By M-1 nothing behind the exclusive borrow is written,
                // and it ends before this function does; the store itself is race-checked by the execution.
                let modelled = unsafe { &mut *self.0.get() };
                modelled.with_mut(|slot| *slot = value.to_repr());
                let location = Location::caller();
                control::record(|| Event {
                    written: Some(value.to_u64()),
                    ..Event::bare(location, Action::PlainWrite, self.object())
                });
            }
        }
    };
}

/// What control atomics have beyond heap words.
macro_rules! atomic_control {
    ($name:ident, $value:ty) => {
        impl $name {
            /// Stores `value` and returns the value before.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                let location = Location::caller();
                let performed = control::effective(location, Operand::Rmw, order);
                let read = <$value>::from_repr(self.modelled().swap(value.to_repr(), performed));
                self.after_rmw(location, (order, performed), read, value)
            }

            /// As [`Self::compare_exchange`]; loom has no spurious failures.
            ///
            /// # Errors
            ///
            /// The value found.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            /// Combines by bitwise and; returns the value before.
            #[track_caller]
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                let location = Location::caller();
                let performed = control::effective(location, Operand::Rmw, order);
                let read = <$value>::from_repr(self.modelled().fetch_and(value.to_repr(), performed));
                self.after_rmw(location, (order, performed), read, read & value)
            }
        }
    };
}

macro_rules! atomic_integer {
    ($name:ident, $value:ty, $doc:literal) => {
        atomic!($name, $value, $name, follows_pass, $doc);
        atomic_control!($name, $value);

        impl $name {
            /// Adds, wrapping; returns the value before.
            #[track_caller]
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                let location = Location::caller();
                let performed = control::effective(location, Operand::Rmw, order);
                let read = self.modelled().fetch_add(value, performed);
                self.after_rmw(location, (order, performed), read, read.wrapping_add(value))
            }

            /// Subtracts, wrapping; returns the value before.
            #[track_caller]
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                let location = Location::caller();
                let performed = control::effective(location, Operand::Rmw, order);
                let read = self.modelled().fetch_sub(value, performed);
                self.after_rmw(location, (order, performed), read, read.wrapping_sub(value))
            }
        }
    };
}

atomic_integer!(AtomicU32, u32, "A 32-bit atomic integer.");
atomic_integer!(AtomicU64, u64, "A 64-bit atomic integer.");
atomic_integer!(AtomicUsize, usize, "A pointer-sized atomic integer.");
atomic!(AtomicBool, bool, AtomicU8, follows_pass, "An atomic boolean.");
atomic_control!(AtomicBool, bool);
atomic!(
    HeapWord,
    u32,
    AtomicU32,
    as_written,
    "A 32-bit word of the managed heap.\n\nIts accesses keep their form in both passes, because heap words are also read \
     plainly, and a load in the form of a write would race with those reads."
);

/// An atomic fence. Weakened to `Relaxed` by a test of the tests, it is left out.
///
/// # Panics
///
/// When `order` is `Relaxed`.
#[track_caller]
pub fn fence(order: Ordering) {
    assert_ne!(order, Ordering::Relaxed, "there is no such thing as a relaxed fence");
    let location = Location::caller();
    let performed = control::effective(location, Operand::Fence, order);
    if performed != Ordering::Relaxed {
        modelled::fence(performed);
    }
    record_ordered(location, Operand::Fence, (order, performed), 0, None, None);
}
