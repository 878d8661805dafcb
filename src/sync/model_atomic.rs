//! The model face's atomics and fences, over the engine's.
//!
//! Each operation asks [`model_control`](super::model_control) for its ordering, performs itself through the engine
//! in the form the pass wants, and reports what it read and wrote.
//!
//! An atomic is loom's atomic behind a `std` cell, because loom wants an exclusive borrow for a plain store. That
//! borrow is of loom's *index* of the atomic; the value lives in loom's execution, where the plain store is checked
//! for races against every other access.
//!
//! Invariant M-1: nothing writes the bytes of a loom atomic after its construction. So borrows of a loom atomic,
//! shared or exclusive, never see each other change its bytes, although a thread that is switched away inside an
//! operation keeps its borrow.

use super::engine::{self, self as modelled};
use super::model_control::{self as control, Action, Change, Event, Fault, Operand, Pass};
use super::model_mutant::{self as mutant, load_part, store_part};
use core::panic::Location;
use core::sync::atomic::Ordering;

/// What the journal is told about an operation on an atomic, besides its values.
#[derive(Clone, Copy)]
struct Report {
    location: &'static Location<'static>,
    object: usize,
    change: Option<Change>,
    is_heap_word: bool,
}

impl Report {
    /// Records an operation that has an ordering: the declared one, and the one that it was performed with.
    #[inline]
    fn ordered(
        self,
        operand: Operand,
        (declared, performed): (Ordering, Ordering),
        read: Option<u64>,
        written: Option<u64>,
    ) {
        let Report { location, object, change, is_heap_word } = self;
        let action = Action::Ordered(operand, performed);
        control::record(|| Event { location, action, declared, object, read, written, change, is_heap_word });
    }

    #[inline]
    fn plain(self, action: Action, read: Option<u64>, written: Option<u64>) {
        let Report { location, object, change, is_heap_word } = self;
        control::record(|| Event { read, written, change, is_heap_word, ..Event::bare(location, action, object) });
    }
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

/// Whether an atomic is a word of the heap.
macro_rules! is_heap_word {
    (follows_pass) => {
        false
    };
    (as_written) => {
        true
    };
}

/// An atomic over loom's `$repr`, with the operations every atomic has.
macro_rules! atomic {
    ($name:ident, $value:ty, $repr:ident, $form:ident, $doc:literal) => {
        #[doc = $doc]
        pub struct $name(core::cell::UnsafeCell<modelled::$repr>);

        // SAFETY: loom's atomic is an index into the execution and is never written (M-1); the execution checks
        // accesses.
        unsafe impl Sync for $name {}

        impl Drop for $name {
            fn drop(&mut self) {
                control::settle_object(self.object());
            }
        }

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

            /// Asks what is different about an operation that comes now.
            #[inline]
            fn prepare(&self, location: &'static Location<'static>, operand: Operand) -> Report {
                let object = self.object();
                let change = control::prepare(location, operand, object);
                engine::at(location);
                Report { location, object, change, is_heap_word: is_heap_word!($form) }
            }

            /// A load in the form of the pass.
            #[inline]
            fn load_as(&self, order: Ordering) -> $value {
                <$value>::from_repr(match form!($form) {
                    Pass::Normal | Pass::Graphs => self.modelled().load(order),
                    Pass::ReadAsRmw => self.modelled().fetch_or(0, order),
                })
            }

            /// Puts `perform` off: it is called with the atomic when the thread has published something else.
            fn postpone(&self, perform: impl FnOnce(&modelled::$repr) + 'static) {
                let modelled = core::ptr::from_ref(self.modelled());
                // SAFETY: MU-3: performed before the atomic goes away (see its drop).
                mutant::postpone(self.object(), Box::new(move || perform(unsafe { &*modelled })));
            }

            /// Atomic load.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                let report = self.prepare(Location::caller(), Operand::Load);
                let performed = mutant::weakened(report.change, order);
                let value = self.load_as(performed);
                report.ordered(Operand::Load, (order, performed), Some(value.to_u64()), None);
                value
            }

            /// Atomic store.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                let report = self.prepare(Location::caller(), Operand::Store);
                let performed = mutant::weakened(report.change, order);
                let repr = value.to_repr();
                let store = move |modelled: &modelled::$repr| match form!($form) {
                    Pass::Normal | Pass::Graphs => modelled.store(repr, performed),
                    Pass::ReadAsRmw => {
                        let _ = modelled.swap(repr, performed);
                    }
                };
                match report.change {
                    Some(Change::Drop) => mutant::hit(),
                    Some(Change::Double) => {
                        mutant::hit();
                        store(self.modelled());
                        store(self.modelled());
                    }
                    Some(Change::Postpone) => self.postpone(store),
                    _ => store(self.modelled()),
                }
                let written = (report.change != Some(Change::Drop)).then(|| value.to_u64());
                report.ordered(Operand::Store, (order, performed), None, written);
                if report.change != Some(Change::Postpone) {
                    control::settle_after_publication();
                }
            }

            /// A read-modify-write: `perform` does it, and `compute` says what it writes.
            #[inline]
            fn rmw(
                &self,
                location: &'static Location<'static>,
                order: Ordering,
                perform: impl Fn(&modelled::$repr, Ordering) -> <$value as Word>::Repr + 'static,
                compute: impl Fn($value) -> $value,
            ) -> $value {
                let report = self.prepare(location, Operand::Rmw);
                let performed = mutant::weakened(report.change, order);
                let read = match report.change {
                    None | Some(Change::Weaken(_)) => <$value>::from_repr(perform(self.modelled(), performed)),
                    Some(Change::Double) => {
                        mutant::hit();
                        let read = <$value>::from_repr(perform(self.modelled(), performed));
                        perform(self.modelled(), performed);
                        read
                    }
                    Some(Change::Drop) => {
                        mutant::hit();
                        self.load_as(load_part(performed))
                    }
                    Some(Change::Split) => {
                        mutant::hit();
                        let read = self.load_as(load_part(performed));
                        let _ = self.modelled().swap(compute(read).to_repr(), store_part(performed));
                        read
                    }
                    Some(Change::Postpone) => {
                        let read = self.load_as(load_part(performed));
                        self.postpone(move |modelled| {
                            perform(modelled, performed);
                        });
                        read
                    }
                };
                let written = (report.change != Some(Change::Drop)).then(|| compute(read).to_u64());
                report.ordered(Operand::Rmw, (order, performed), Some(read.to_u64()), written);
                if report.change != Some(Change::Postpone) {
                    control::settle_after_publication();
                }
                read
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
                let report = self.prepare(location, Operand::CasSuccess);
                let on_success = mutant::weakened(report.change, success);
                let of_failure = control::prepare(location, Operand::CasFailure, report.object);
                let on_failure = mutant::weakened(of_failure, failure);
                let (old, new_repr) = (current.to_repr(), new.to_repr());
                let exchange = move |modelled: &modelled::$repr| {
                    modelled.compare_exchange(old, new_repr, on_success, on_failure).map_err(<$value>::from_repr)
                };
                // `Drop`, `Split` and `Postpone` read first; what they write comes after that, or never.
                let look = || {
                    mutant::hit();
                    let read = self.load_as(load_part(on_success));
                    if read == current { Ok(()) } else { Err(read) }
                };
                let outcome = match report.change {
                    None | Some(Change::Weaken(_)) => exchange(self.modelled()).map(drop),
                    Some(Change::Double) => exchange(self.modelled()).map(|_| {
                        mutant::hit();
                        let _ = self.modelled().swap(new_repr, store_part(on_success));
                    }),
                    Some(Change::Drop) => look(),
                    Some(Change::Split) => look().map(|()| {
                        let _ = self.modelled().swap(new_repr, store_part(on_success));
                    }),
                    Some(Change::Postpone) => look().map(|()| {
                        self.postpone(move |modelled| {
                            let _ = exchange(modelled);
                        });
                    }),
                };
                match outcome {
                    Ok(()) => {
                        let bits = Some(current.to_u64());
                        let written = (report.change != Some(Change::Drop)).then(|| new.to_u64());
                        report.ordered(Operand::CasSuccess, (success, on_success), bits, written);
                        if report.change != Some(Change::Postpone) {
                            control::settle_after_publication();
                        }
                        Ok(current)
                    }
                    Err(read) => {
                        let report = Report { change: of_failure, ..report };
                        report.ordered(Operand::CasFailure, (failure, on_failure), Some(read.to_u64()), None);
                        Err(read)
                    }
                }
            }

            /// Combines by bitwise or; returns the value before.
            #[track_caller]
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                let repr = value.to_repr();
                let perform = move |modelled: &modelled::$repr, order| modelled.fetch_or(repr, order);
                self.rmw(Location::caller(), order, perform, |read| read | value)
            }

            /// Plain load. No ordering, no atomicity, and in the model no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every store to this atomic by another thread happens before the call, or after it.
            #[track_caller]
            pub unsafe fn unsync_load(&self) -> $value {
                let report = self.prepare(Location::caller(), Operand::Load);
                // SAFETY: forwarded; in the model the contract is checked, not trusted.
                let value = <$value>::from_repr(unsafe { self.modelled().unsync_load() });
                report.plain(Action::PlainRead, Some(value.to_u64()), None);
                value
            }

            /// Plain store. No ordering, no atomicity, and in the model no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every access to this atomic by another thread happens before the call, or after it.
            #[track_caller]
            pub unsafe fn unsync_store(&self, value: $value) {
                let report = self.prepare(Location::caller(), Operand::PlainStore);
                if report.is_heap_word && report.change == Some(Change::Drop) {
                    mutant::hit();
                } else {
                    // SAFETY: the pointer is valid as long as `self`; M-1 is what the engine asks for; the store
                    // itself is race-checked by the execution.
                    unsafe { modelled::$repr::unsync_store(self.0.get(), value.to_repr()) };
                }
                report.plain(Action::PlainWrite, None, Some(value.to_u64()));
            }
        }
    };
}

/// What control atomics have beyond heap words.
macro_rules! atomic_control {
    ($name:ident, $value:ty, $repr:ident) => {
        impl $name {
            /// Stores `value` and returns the value before.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                let repr = value.to_repr();
                let perform = move |modelled: &modelled::$repr, order| modelled.swap(repr, order);
                self.rmw(Location::caller(), order, perform, |_| value)
            }

            /// As [`Self::compare_exchange`], but may fail although the value is `current`: where the model's fault
            /// strikes.
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
                if control::strikes(Fault::WeakExchange, Location::caller()) {
                    // The value is not read: the newest one may differ from `current`, and a caller has to cope with
                    // any.
                    return Err(current);
                }
                self.compare_exchange(current, new, success, failure)
            }

            /// Combines by bitwise and; returns the value before.
            #[track_caller]
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                let repr = value.to_repr();
                let perform = move |modelled: &modelled::$repr, order| modelled.fetch_and(repr, order);
                self.rmw(Location::caller(), order, perform, |read| read & value)
            }
        }
    };
}

macro_rules! atomic_integer {
    ($name:ident, $value:ty, $doc:literal) => {
        atomic!($name, $value, $name, follows_pass, $doc);
        atomic_control!($name, $value, $name);

        impl $name {
            /// Adds, wrapping; returns the value before.
            #[track_caller]
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                let perform = move |modelled: &modelled::$name, order| modelled.fetch_add(value, order);
                self.rmw(Location::caller(), order, perform, |read| read.wrapping_add(value))
            }

            /// Subtracts, wrapping; returns the value before.
            #[track_caller]
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                let perform = move |modelled: &modelled::$name, order| modelled.fetch_sub(value, order);
                self.rmw(Location::caller(), order, perform, |read| read.wrapping_sub(value))
            }
        }
    };
}

atomic_integer!(AtomicU32, u32, "A 32-bit atomic integer.");
atomic_integer!(AtomicU64, u64, "A 64-bit atomic integer.");
atomic_integer!(AtomicUsize, usize, "A pointer-sized atomic integer.");
atomic!(AtomicBool, bool, AtomicU8, follows_pass, "An atomic boolean.");
atomic_control!(AtomicBool, bool, AtomicU8);
atomic!(
    HeapWord,
    u32,
    AtomicU32,
    as_written,
    "A 32-bit word of the managed heap.\n\nIts accesses keep their form in both passes, because heap words are also \
     read plainly, and a load in the form of a write would race with those reads."
);

/// An atomic fence. A fence that a mutant weakens to `Relaxed` is left out.
///
/// # Panics
///
/// When `order` is `Relaxed`.
#[track_caller]
pub fn fence(order: Ordering) {
    assert_ne!(order, Ordering::Relaxed, "there is no such thing as a relaxed fence");
    let location = Location::caller();
    let change = control::prepare(location, Operand::Fence, 0);
    engine::at(location);
    let performed = mutant::weakened(change, order);
    if performed != Ordering::Relaxed {
        modelled::fence(performed);
    }
    let report = Report { location, object: 0, change, is_heap_word: false };
    report.ordered(Operand::Fence, (order, performed), None, None);
}
