//! The scheduled face: shuttle's atomics, locks and threads, whose interleavings a randomized scheduler picks.
//!
//! Every atomic operation, lock, wait, notification, start, end and join of a thread is a scheduling point: the
//! scheduler may let any runnable thread go on there. Between two such points a thread runs alone: all threads are
//! coroutines of one thread of the system. Heap words and cells are the native ones, so they are no scheduling
//! points; a fence does nothing.
//!
//! There is no algorithm here. An atomic is shuttle's atomic behind a `std` cell, because shuttle wants an exclusive
//! borrow for a plain store.
//!
//! - Z-1: a thread is switched away inside an operation of an atomic only before it has looked at the value. So a
//!   thread that owns the atomic, in the sense of [`AtomicU32::unsync_store`], shares it with no operation that has
//!   begun: such an operation would look at the value later, with no edge from the owner's store to it.

use core::cell::{self, Cell};
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;
use shuttle::sync::atomic as scheduled;
use std::sync::{PoisonError, TryLockError};

use super::YieldPoint;
pub use super::unwatched::{CachePadded, HeapWord, UnsafeCell};
use super::zeroed::{Zeroed, try_table_of};

/// The methods that integer and bool atomics share.
macro_rules! atomic {
    ($name:ident, $value:ty, $doc:literal) => {
        #[doc = $doc]
        pub struct $name(cell::UnsafeCell<scheduled::$name>);

        // SAFETY: an execution's threads are coroutines of one thread, and none is switched away while it holds the
        // value (Z-1); the exclusive borrow of `unsync_store` is alone by that method's contract.
        unsafe impl Sync for $name {}

        impl $name {
            /// A new atomic holding `value`.
            #[track_caller]
            pub fn new(value: $value) -> Self {
                Self(cell::UnsafeCell::new(scheduled::$name::new(value)))
            }

            fn shared(&self) -> &scheduled::$name {
                // SAFETY: borrowed exclusively in `unsync_store` only, which nothing overlaps (Z-1).
                unsafe { &*self.0.get() }
            }

            /// Atomic load.
            pub fn load(&self, order: Ordering) -> $value {
                self.shared().load(order)
            }

            /// Atomic store.
            pub fn store(&self, value: $value, order: Ordering) {
                self.shared().store(value, order);
            }

            /// Stores `value` and returns the value before.
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.shared().swap(value, order)
            }

            /// Stores `new` if the value is `current`.
            ///
            /// # Errors
            ///
            /// The value found, when it was not `current`.
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.shared().compare_exchange(current, new, success, failure)
            }

            /// As [`Self::compare_exchange`]: here it never fails although the value is `current`.
            ///
            /// # Errors
            ///
            /// The value found.
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.shared().compare_exchange_weak(current, new, success, failure)
            }

            /// Combines by bitwise or; returns the value before.
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.shared().fetch_or(value, order)
            }

            /// Combines by bitwise and; returns the value before.
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                self.shared().fetch_and(value, order)
            }

            /// Plain load: no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every store to this atomic by another thread happens before the call, or after it.
            pub unsafe fn unsync_load(&self) -> $value {
                // SAFETY: the call reads the value; the caller rules out a racing store.
                unsafe { self.shared().raw_load() }
            }

            /// Plain store: no scheduling point.
            ///
            /// # Safety
            ///
            /// - Every access to this atomic by another thread happens before the call, or after it.
            pub unsafe fn unsync_store(&self, value: $value) {
                // SAFETY: by Z-1 and the caller's promise nobody else borrows the atomic.
                *unsafe { &mut *self.0.get() }.get_mut() = value;
            }
        }
    };
}

macro_rules! atomic_integer {
    ($name:ident, $value:ty, $doc:literal) => {
        atomic!($name, $value, $doc);

        impl $name {
            /// Adds, wrapping; returns the value before.
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.shared().fetch_add(value, order)
            }

            /// Subtracts, wrapping; returns the value before.
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.shared().fetch_sub(value, order)
            }
        }
    };
}

atomic_integer!(AtomicU32, u32, "A 32-bit atomic integer.");
atomic_integer!(AtomicU64, u64, "A 64-bit atomic integer.");
atomic_integer!(AtomicUsize, usize, "A pointer-sized atomic integer.");
atomic!(AtomicBool, bool, "An atomic boolean.");

/// An atomic fence, which does nothing here: every operation is sequentially consistent.
///
/// # Panics
///
/// When `order` is `Relaxed`.
pub fn fence(order: Ordering) {
    scheduled::fence(order);
}

/// A mutual exclusion lock. A holder that panics does not poison the lock: keeping the value whole is up to its users.
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

/// The right to use a [`Mutex`]'s value; dropping it unlocks.
#[must_use = "dropping the guard unlocks at once"]
pub struct MutexGuard<'a, T>(shuttle::sync::MutexGuard<'a, T>);

impl<T> Mutex<T> {
    /// A new unlocked mutex.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    /// Locks, blocking until it can.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Locks if nobody holds the lock; does not block.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(guard)),
            Err(TryLockError::Poisoned(poisoned)) => Some(MutexGuard(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The value, by ownership.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, by exclusive borrow.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A condition variable, used with one [`Mutex`].
pub struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    /// A new condition variable.
    #[expect(clippy::new_without_default, reason = "the faces have the same items, and loom has no default")]
    #[track_caller]
    pub fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    /// Unlocks, blocks until notified, and locks again. May return without a notification: wait in a loop.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard(self.0.wait(guard.0).unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes one waiter, if there is one.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes every waiter.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Threads.
pub mod thread {
    use crate::sync::SpawnRefused;
    use std::time::Duration;

    /// The right to wait for a thread and take its result.
    pub struct JoinHandle<T>(shuttle::thread::JoinHandle<T>);

    impl<T> JoinHandle<T> {
        /// Blocks until the thread has ended.
        ///
        /// # Errors
        ///
        /// None here: a panic in any thread ends the run.
        pub fn join(self) -> std::thread::Result<T> {
            self.0.join()
        }
    }

    /// Starts a thread. There may be any number of threads.
    #[track_caller]
    pub fn spawn<F, T>(f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        JoinHandle(shuttle::thread::spawn(f))
    }

    /// Starts a thread.
    ///
    /// # Errors
    ///
    /// None in this face: a refusal is injected by the caller.
    #[track_caller]
    pub fn try_spawn<F, T>(f: F) -> Result<JoinHandle<T>, SpawnRefused>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(spawn(f))
    }

    /// Lets other threads run. A spin loop without it may run for ever under a scheduler with priorities.
    pub fn yield_now() {
        shuttle::thread::yield_now();
    }

    /// Yields: time does not exist here.
    pub fn sleep(_duration: Duration) {
        yield_now();
    }

    /// Whether this thread is unwinding.
    #[must_use]
    pub fn panicking() -> bool {
        std::thread::panicking()
    }
}

/// A table of `len` entries, each made by `zero`; `None` if the allocator has no memory for it.
pub fn try_table<T: Zeroed>(len: usize, zero: impl Fn() -> T) -> Option<Box<[T]>> {
    try_table_of(len, zero)
}

/// Back-off for a loop that another thread will end; one step completes it.
pub struct Backoff {
    snoozed: Cell<bool>,
}

impl Backoff {
    /// A new back-off at its shortest step.
    #[expect(clippy::new_without_default, reason = "the faces have the same items")]
    pub fn new() -> Self {
        Self { snoozed: Cell::new(false) }
    }

    /// Backs off in a lock-free retry loop, after a lost race. Yields, so that a scheduler with priorities lets the
    /// winner finish even where the loop waits for it.
    pub fn spin(&self) {
        thread::yield_now();
    }

    /// Backs off while waiting for another thread to make progress.
    pub fn snooze(&self) {
        self.snoozed.set(true);
        thread::yield_now();
    }

    /// Whether it is time to block instead.
    pub fn is_completed(&self) -> bool {
        self.snoozed.get()
    }
}

std::thread_local! {
    /// The yield point that the running thread has come to, for the scheduler's next choice. All threads of a run are
    /// coroutines of one thread of the system, so they share this cell.
    static STANDS_AT: Cell<Option<YieldPoint>> = const { Cell::new(None) };
}

/// A named window between two steps of a protocol: a scheduling point, and no yield, which would tell a scheduler
/// with priorities that the thread waits for another one.
pub fn yield_point(point: YieldPoint) {
    STANDS_AT.set(Some(point));
    // The load of an atomic of its own: what shuttle calls a scheduling point, and no more. Relaxed: nobody stores.
    scheduled::AtomicBool::new(false).load(Ordering::Relaxed);
}

/// The yield point at which the current thread stands, if it stands at one. A
/// [`Scheduler`](shuttle::scheduler::Scheduler) asks once in each choice.
#[must_use]
pub fn take_yield_point() -> Option<YieldPoint> {
    STANDS_AT.take()
}

/// The thread-local flag behind [`run_marker`](super::run_marker).
pub(super) mod run_flag {
    use core::cell::Cell;

    // A thread here is a coroutine, so the standard library's thread-locals would be one for all.
    shuttle::thread_local! {
        static INSIDE: Cell<bool> = Cell::new(false);
    }

    /// Sets the flag and returns what it was.
    pub(in crate::sync) fn replace(inside: bool) -> bool {
        INSIDE.with(|flag| flag.replace(inside))
    }

    /// Whether the flag is set.
    pub(in crate::sync) fn get() -> bool {
        INSIDE.with(Cell::get)
    }
}

/// Executions of a unit test's body.
const CHECKS: usize = 25;
/// The seed of a unit test's schedules: the same ones every time. `SHUTTLE_RANDOM_SEED` replaces it.
const CHECK_SEED: u64 = 0x6865_6170_6c61_6221;
/// Bytes of a thread's stack. Shuttle's own 60 KiB are too few for a heap's collector without optimization.
const STACK_BYTES: usize = 512 << 10;

/// The configuration of a run of the heap under a scheduler of shuttle's: larger stacks, and no warning about
/// orderings, which the documentation of [`sync`](crate::sync) explains. A failing schedule is printed.
#[must_use]
pub fn shuttle_config() -> shuttle::Config {
    let mut config = shuttle::Config::new();
    config.stack_size = STACK_BYTES;
    config.silence_warnings = true;
    config
}

/// Runs `f`. A panic of `f` ends the execution, so it is left to the checker.
///
/// # Errors
/// Never here.
pub fn caught<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    Ok(f())
}

/// Runs a unit test's body under a few random schedules. The native face runs it once.
#[track_caller]
pub fn check(f: impl Fn() + Send + Sync + 'static) {
    let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(CHECK_SEED, CHECKS);
    shuttle::Runner::new(scheduler, shuttle_config()).run(f);
}
