//! Atomic words.
//!
//! Loads read any value that coherence allows, a compare-exchange that fails may be stale, and `SeqCst` is exact.

pub use std::sync::atomic::Ordering;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::event::{Event, Kind, NOWHERE, Op};
use crate::failure::FailureKind;
use crate::handle::Handle;
use crate::place::here;
use crate::runtime::coroutine::{perform, perform_on};
use crate::runtime::state::{State, Step};

type Place = &'static Location<'static>;

/// A value as bits of a word.
pub(crate) trait Word: Copy {
    const MASK: u64;
    /// The number of bits, if the value is signed.
    const SIGNED_BITS: Option<u32> = None;
    /// Whether values may be addresses.
    const IS_ADDRESS: bool = false;
    fn to_bits(self) -> u64;
    fn from_bits(bits: u64) -> Self;
}

macro_rules! unsigned_words {
    ($($t:ty, $is_address:expr;)*) => {$(
        impl Word for $t {
            const MASK: u64 = <$t>::MAX as u64;
            const IS_ADDRESS: bool = $is_address;
            fn to_bits(self) -> u64 {
                self as u64
            }
            fn from_bits(bits: u64) -> $t {
                bits as $t
            }
        }
    )*};
}
unsigned_words! { u8, false; u16, false; u32, false; u64, true; usize, true; }

macro_rules! signed_words {
    ($($t:ty, $unsigned:ty, $is_address:expr;)*) => {$(
        impl Word for $t {
            const MASK: u64 = <$unsigned>::MAX as u64;
            const SIGNED_BITS: Option<u32> = Some(<$t>::BITS);
            const IS_ADDRESS: bool = $is_address;
            fn to_bits(self) -> u64 {
                self as $unsigned as u64
            }
            fn from_bits(bits: u64) -> $t {
                bits as $unsigned as $t
            }
        }
    )*};
}
signed_words! { i8, u8, false; i16, u16, false; i32, u32, false; i64, u64, true; isize, usize, true; }

impl Word for bool {
    const MASK: u64 = 1;
    fn to_bits(self) -> u64 {
        u64::from(self)
    }
    fn from_bits(bits: u64) -> bool {
        bits & 1 == 1
    }
}

impl<T> Word for *mut T {
    const MASK: u64 = u64::MAX;
    const IS_ADDRESS: bool = true;
    fn to_bits(self) -> u64 {
        self.expose_provenance() as u64
    }
    fn from_bits(bits: u64) -> *mut T {
        std::ptr::with_exposed_provenance_mut(bits as usize)
    }
}

/// A word of the model.
pub(crate) struct Atomic<T> {
    handle: Handle,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Word> Atomic<T> {
    #[track_caller]
    pub(crate) fn new(value: T) -> Atomic<T> {
        Atomic::of(Handle::new(value.to_bits()))
    }

    pub(crate) fn of(handle: Handle) -> Atomic<T> {
        Atomic { handle, value: PhantomData }
    }

    pub(crate) fn location(&self) -> u32 {
        self.handle.location()
    }

    pub(crate) fn is_of(&self, state: &State) -> bool {
        self.handle.is_of(state)
    }

    pub(crate) fn resolve(&self, state: &mut State, place: Place) -> Result<u32, Step<()>> {
        self.handle.resolve(state, place)
    }

    fn event(&self, kind: Kind, order: Ordering, place: Place) -> Event {
        let mut event = Event::new(kind, self.handle.location(), order, place);
        event.is_address = T::IS_ADDRESS;
        event.mask = T::MASK;
        event
    }

    /// Performs a load or an RMW: the value that it read, and whether an RMW succeeded.
    pub(crate) fn read(&self, event: &mut Event) -> (T, bool) {
        let (bits, is_done) = perform_on(
            event,
            |state, event| state.flat_read(event),
            |state, event| match self.handle.resolve(state, event.place) {
                Ok(location) => {
                    // Another one than before, if the word was written plainly while the thread waited.
                    event.location = location;
                    state.read(event)
                }
                Err(_) => Step::Unwind,
            },
        );
        (T::from_bits(bits), is_done)
    }

    pub(crate) fn load(&self, order: Ordering, place: Place) -> T {
        if matches!(order, Ordering::Release | Ordering::AcqRel) {
            misuse(format!("a load has no ordering {order:?}"), place);
        }
        self.read(&mut self.event(Kind::Load, order, place)).0
    }

    pub(crate) fn store(&self, value: T, order: Ordering, place: Place) {
        if matches!(order, Ordering::Acquire | Ordering::AcqRel) {
            misuse(format!("a store has no ordering {order:?}"), place);
        }
        self.write(value, order, false, place);
    }

    /// A store; with `is_unlock`, one that gives a mutex back.
    pub(crate) fn write(&self, value: T, order: Ordering, is_unlock: bool, place: Place) {
        let mut event = self.event(Kind::Store, order, place);
        event.written = value.to_bits();
        event.is_unlock = is_unlock;
        perform(
            |state| {
                state.flat_set(self.location(), value.to_bits());
                Step::Done(())
            },
            |state| match self.handle.resolve(state, place) {
                Ok(location) => {
                    event.location = location;
                    state.write(&event)
                }
                Err(_) => Step::Unwind,
            },
        );
    }

    pub(crate) fn rmw(&self, op: Op, order: Ordering, place: Place) -> T {
        let mut event = self.event(Kind::RmwRead, order, place);
        event.op = op;
        self.read(&mut event).0
    }

    /// An RMW that may fail, or that waits.
    pub(crate) fn attempt(&self, op: Op, order: Ordering, failure: Ordering, place: Place) -> bool {
        let mut event = self.event(Kind::RmwRead, order, place);
        event.op = op;
        event.failure_order = failure;
        self.read(&mut event).1
    }

    fn exchange(
        &self,
        [current, new]: [T; 2],
        [success, failure]: [Ordering; 2],
        is_weak: bool,
        place: Place,
    ) -> Result<T, T> {
        if matches!(failure, Ordering::Release | Ordering::AcqRel) {
            misuse(format!("a compare-exchange that fails has no ordering {failure:?}"), place);
        }
        let mut event = self.event(Kind::RmwRead, success, place);
        event.op = Op::Cas(current.to_bits(), new.to_bits());
        event.failure_order = failure;
        event.is_weak = is_weak;
        let (value, is_done) = self.read(&mut event);
        if is_done { Ok(value) } else { Err(value) }
    }

    pub(crate) fn plain_read(&self, place: Place) -> T {
        let bits = perform(
            |state| Step::Done(state.flat_value(self.location())),
            |state| match self.handle.resolve(state, place) {
                Ok(location) => state.plain_read(location, place),
                Err(_) => Step::Unwind,
            },
        );
        T::from_bits(bits)
    }

    pub(crate) fn plain_write(&self, value: T, place: Place) {
        perform(
            |state| {
                state.flat_set(self.location(), value.to_bits());
                Step::Done(())
            },
            |state| match self.handle.resolve(state, place) {
                Ok(location) => match state.plain_write(location, value.to_bits(), place) {
                    Step::Done(fresh) => {
                        self.handle.replace(fresh, state);
                        Step::Done(())
                    }
                    _ => Step::Unwind,
                },
                Err(_) => Step::Unwind,
            },
        );
    }
}

/// Ends the run: an argument that the operation has no meaning for.
#[cold]
pub(crate) fn misuse(message: String, place: Place) {
    perform(|_| Step::Done(()), |state| state.fail(FailureKind::Misuse, message.clone(), &[place]));
}

/// A fence.
///
/// # Panics
///
/// Outside of an exploration. The ordering `Relaxed` fails the execution.
#[track_caller]
pub fn fence(order: Ordering) {
    let place = here();
    if order == Ordering::Relaxed {
        misuse("a fence has no ordering Relaxed".to_owned(), place);
    }
    perform(
        |_| Step::Done(()),
        |state| match state.simple(Event::new(Kind::Fence, NOWHERE, order, place)) {
            Step::Done((id, is_new)) => {
                if is_new {
                    state.graph.settle_fence(id);
                }
                Step::Done(())
            }
            Step::Wait => Step::Wait,
            Step::Unwind => Step::Unwind,
        },
    );
}

/// A fence that orders nothing between threads: the compiler's reordering is no part of the memory model that is
/// explored.
pub fn compiler_fence(_order: Ordering) {}

/// As [`hint::spin_loop`](crate::hint::spin_loop).
#[track_caller]
pub fn spin_loop_hint() {
    crate::hint::spin_loop();
}

macro_rules! atomic {
    ($(#[$doc:meta])* $name:ident, $t:ty $(, $param:ident)?) => {
        $(#[$doc])*
        ///
        /// Its operations are those of the standard library's type of this name. Each of them panics outside of an
        /// exploration, and ends the execution if another one made the value.
        pub struct $name$(<$param>)?(Atomic<$t>);

        impl$(<$param>)? fmt::Debug for $name$(<$param>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(x{})"), self.0.location())
            }
        }

        impl$(<$param>)? From<$t> for $name$(<$param>)? {
            #[track_caller]
            fn from(value: $t) -> Self {
                Self::new(value)
            }
        }

        impl$(<$param>)? $name$(<$param>)? {
            /// A word with this value.
            #[must_use]
            #[track_caller]
            pub fn new(value: $t) -> Self {
                Self(Atomic::new(value))
            }

            /// Loads a value.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $t {
                self.0.load(order, here())
            }

            /// Stores a value.
            #[track_caller]
            pub fn store(&self, value: $t, order: Ordering) {
                self.0.store(value, order, here());
            }

            /// Stores a value and returns the one before.
            #[track_caller]
            pub fn swap(&self, value: $t, order: Ordering) -> $t {
                self.0.rmw(Op::Swap(value.to_bits()), order, here())
            }

            /// Stores `new` if the value is `current`; returns the value before.
            ///
            /// # Errors
            ///
            /// Another value, which may be stale.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                self.0.exchange([current, new], [success, failure], false, here())
            }

            /// As `compare_exchange`, and may fail without a reason, within the budget
            /// [`Builder::weak_failures`](crate::model::Builder::weak_failures).
            ///
            /// # Errors
            ///
            /// A value, which may be stale.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                self.0.exchange([current, new], [success, failure], true, here())
            }

            /// As `compare_exchange`, in the older form; returns the value before.
            #[track_caller]
            pub fn compare_and_swap(&self, current: $t, new: $t, order: Ordering) -> $t {
                let failure = match order {
                    Ordering::AcqRel => Ordering::Acquire,
                    Ordering::Release => Ordering::Relaxed,
                    order => order,
                };
                match self.compare_exchange(current, new, order, failure) {
                    Ok(value) | Err(value) => value,
                }
            }

            /// Stores what `f` makes of the value, by compare-exchange until it succeeds; returns the value before.
            ///
            /// # Errors
            ///
            /// The value of which `f` makes none.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($t) -> Option<$t>,
            ) -> Result<$t, $t> {
                let mut value = self.load(fetch);
                while let Some(new) = f(value) {
                    match self.compare_exchange_weak(value, new, set, fetch) {
                        Ok(value) => return Ok(value),
                        Err(newer) => value = newer,
                    }
                }
                Err(value)
            }

            /// As `fetch_update`.
            ///
            /// # Errors
            ///
            /// The value of which `f` makes none.
            #[track_caller]
            pub fn try_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                f: impl FnMut($t) -> Option<$t>,
            ) -> Result<$t, $t> {
                self.fetch_update(set, fetch, f)
            }

            /// Stores what `f` makes of the value, by compare-exchange until it succeeds; returns the value before.
            #[track_caller]
            pub fn update(&self, set: Ordering, fetch: Ordering, mut f: impl FnMut($t) -> $t) -> $t {
                match self.fetch_update(set, fetch, |value| Some(f(value))) {
                    Ok(value) | Err(value) => value,
                }
            }

            /// Reads the value plainly: a race, if a write is not ordered before or after it.
            ///
            /// # Safety
            ///
            /// No write at the same time. The explorer checks that, and the host is safe without it.
            #[track_caller]
            pub unsafe fn unsync_load(&self) -> $t {
                self.0.plain_read(here())
            }

            /// Writes the value plainly: a race, if another access is not ordered before or after it.
            ///
            /// # Safety
            ///
            /// No other access at the same time. The explorer checks that, and the host is safe without it.
            #[track_caller]
            pub unsafe fn unsync_store(&self, value: $t) {
                self.0.plain_write(value, here());
            }

            /// Gives access to the value, which counts as a plain read and a plain write.
            #[track_caller]
            pub fn with_mut<R>(&mut self, f: impl FnOnce(&mut $t) -> R) -> R {
                let place = here();
                let mut value = self.0.plain_read(place);
                let result = f(&mut value);
                self.0.plain_write(value, place);
                result
            }

            /// The value.
            #[track_caller]
            pub fn into_inner(self) -> $t {
                self.0.plain_read(here())
            }
        }
    };
}

macro_rules! fetch {
    ($name:ident, $t:ty: $($(#[$doc:meta])* $method:ident = $op:expr;)*) => {
        impl $name {
            $(
                $(#[$doc])*
                #[track_caller]
                pub fn $method(&self, value: $t, order: Ordering) -> $t {
                    let op: fn($t) -> Op = $op;
                    self.0.rmw(op(value), order, here())
                }
            )*
        }

        impl Default for $name {
            #[track_caller]
            fn default() -> Self {
                Self::new(<$t>::default())
            }
        }
    };
}

macro_rules! integers {
    ($($name:ident, $t:ident;)*) => {$(
        atomic! {
            #[doc = concat!("An atomic `", stringify!($t), "`.")]
            $name, $t
        }
        fetch! { $name, $t:
            /// Adds, wrapping around; returns the value before.
            fetch_add = |value| Op::Add(value.to_bits());
            /// Subtracts, wrapping around; returns the value before.
            fetch_sub = |value| Op::Sub(value.to_bits());
            /// Bitwise "and"; returns the value before.
            fetch_and = |value| Op::And(value.to_bits());
            /// Bitwise "not and"; returns the value before.
            fetch_nand = |value| Op::Nand(value.to_bits());
            /// Bitwise "or"; returns the value before.
            fetch_or = |value| Op::Or(value.to_bits());
            /// Bitwise "exclusive or"; returns the value before.
            fetch_xor = |value| Op::Xor(value.to_bits());
            /// The greater of the two; returns the value before.
            fetch_max = |value| match <$t as Word>::SIGNED_BITS {
                Some(bits) => Op::SignedMax(value.to_bits(), bits),
                None => Op::Max(value.to_bits()),
            };
            /// The smaller of the two; returns the value before.
            fetch_min = |value| match <$t as Word>::SIGNED_BITS {
                Some(bits) => Op::SignedMin(value.to_bits(), bits),
                None => Op::Min(value.to_bits()),
            };
        }
    )*};
}
integers! {
    AtomicU8, u8; AtomicU16, u16; AtomicU32, u32; AtomicU64, u64; AtomicUsize, usize;
    AtomicI8, i8; AtomicI16, i16; AtomicI32, i32; AtomicI64, i64; AtomicIsize, isize;
}

atomic! {
    /// An atomic `bool`.
    AtomicBool, bool
}
fetch! { AtomicBool, bool:
    /// Logical "and"; returns the value before.
    fetch_and = |value| Op::And(value.to_bits());
    /// Logical "not and"; returns the value before.
    fetch_nand = |value| Op::Nand(value.to_bits());
    /// Logical "or"; returns the value before.
    fetch_or = |value| Op::Or(value.to_bits());
    /// Logical "exclusive or"; returns the value before.
    fetch_xor = |value| Op::Xor(value.to_bits());
}

atomic! {
    /// An atomic pointer. Addresses differ from run to run, so a model's doings must not depend on them.
    AtomicPtr, *mut T, T
}

impl<T> Default for AtomicPtr<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(std::ptr::null_mut())
    }
}
