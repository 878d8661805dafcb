//! The native face: thin wrappers that compile to the primitive they name.
//!
//! There is no state and no algorithm here. The wrappers exist so that all faces have the same signatures, in
//! particular the plain accesses (`unsync_load`, `unsync_store`, [`UnsafeCell::access`]) that a model checks for
//! races.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{self, Ordering};
use std::sync::PoisonError;

use super::YieldPoint;
pub use super::unwatched::{CachePadded, HeapWord, UnsafeCell};
use super::zeroed::Zeroed;

/// The methods that integer and bool atomics share.
macro_rules! atomic_common {
    ($name:ident, $value:ty) => {
        impl $name {
            /// A new atomic holding `value`.
            #[inline(always)]
            pub fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }

            /// Atomic load.
            #[inline(always)]
            pub fn load(&self, order: Ordering) -> $value {
                self.0.load(order)
            }

            /// Atomic store.
            #[inline(always)]
            pub fn store(&self, value: $value, order: Ordering) {
                self.0.store(value, order);
            }

            /// Stores `value` and returns the value before.
            #[inline(always)]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.0.swap(value, order)
            }

            /// Stores `new` if the value is `current`.
            ///
            /// # Errors
            ///
            /// The value found, when it was not `current`.
            #[inline(always)]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange(current, new, success, failure)
            }

            /// As [`Self::compare_exchange`], but may fail although the value is `current`.
            ///
            /// # Errors
            ///
            /// The value found.
            #[inline(always)]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.0.compare_exchange_weak(current, new, success, failure)
            }

            /// Combines by bitwise or; returns the value before.
            #[inline(always)]
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_or(value, order)
            }

            /// Combines by bitwise and; returns the value before.
            #[inline(always)]
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_and(value, order)
            }

            /// Plain load. No ordering, no atomicity.
            ///
            /// # Safety
            ///
            /// - Every store to this atomic by another thread happens before the call, or after it.
            #[inline(always)]
            pub unsafe fn unsync_load(&self) -> $value {
                // SAFETY: the pointer is valid as long as `self`; the caller rules out a racing store.
                unsafe { *self.0.as_ptr() }
            }

            /// Plain store. No ordering, no atomicity.
            ///
            /// # Safety
            ///
            /// - Every access to this atomic by another thread happens before the call, or after it.
            #[inline(always)]
            pub unsafe fn unsync_store(&self, value: $value) {
                // SAFETY: the pointer is valid as long as `self`; the caller rules out a racing access.
                unsafe { *self.0.as_ptr() = value }
            }
        }
    };
}

macro_rules! atomic_integer {
    ($name:ident, $value:ty, $doc:literal) => {
        #[doc = $doc]
        #[repr(transparent)]
        pub struct $name(atomic::$name);

        atomic_common!($name, $value);

        impl $name {
            /// Adds, wrapping; returns the value before.
            #[inline(always)]
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_add(value, order)
            }

            /// Subtracts, wrapping; returns the value before.
            #[inline(always)]
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                self.0.fetch_sub(value, order)
            }
        }
    };
}

atomic_integer!(AtomicU32, u32, "A 32-bit atomic integer.");
atomic_integer!(AtomicU64, u64, "A 64-bit atomic integer.");
atomic_integer!(AtomicUsize, usize, "A pointer-sized atomic integer.");

/// An atomic boolean.
#[repr(transparent)]
pub struct AtomicBool(atomic::AtomicBool);

atomic_common!(AtomicBool, bool);

/// An atomic fence.
///
/// # Panics
///
/// When `order` is `Relaxed`.
#[inline(always)]
pub fn fence(order: Ordering) {
    atomic::fence(order);
}

/// A mutual exclusion lock. A holder that panics does not poison the lock: keeping the value whole is up to its users.
pub struct Mutex<T>(std::sync::Mutex<T>);

/// The right to use a [`Mutex`]'s value; dropping it unlocks.
#[must_use = "dropping the guard unlocks at once"]
pub struct MutexGuard<'a, T>(std::sync::MutexGuard<'a, T>);

impl<T> Mutex<T> {
    /// A new unlocked mutex.
    #[inline(always)]
    pub fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Locks, blocking until it can.
    #[inline(always)]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Locks if nobody holds the lock; does not block.
    #[inline(always)]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(guard)),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(MutexGuard(poisoned.into_inner())),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// The value, by ownership.
    #[inline(always)]
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, by exclusive borrow.
    #[inline(always)]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A condition variable, used with one [`Mutex`].
pub struct Condvar(std::sync::Condvar);

impl Condvar {
    /// A new condition variable.
    #[inline(always)]
    #[allow(clippy::new_without_default, reason = "all faces have the same items, and loom has no default")]
    pub fn new() -> Self {
        Self(std::sync::Condvar::new())
    }

    /// Unlocks, blocks until notified, and locks again. May return without a notification: wait in a loop.
    #[inline(always)]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard(self.0.wait(guard.0).unwrap_or_else(PoisonError::into_inner))
    }

    /// Wakes one waiter, if there is one.
    #[inline(always)]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes every waiter.
    #[inline(always)]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Threads.
pub mod thread {
    use crate::sync::SpawnRefused;
    use std::time::Duration;

    /// The right to wait for a thread and take its result.
    pub struct JoinHandle<T>(std::thread::JoinHandle<T>);

    impl<T> JoinHandle<T> {
        /// Blocks until the thread has ended.
        ///
        /// # Errors
        ///
        /// The panic payload, when the thread panicked.
        #[inline(always)]
        pub fn join(self) -> std::thread::Result<T> {
            self.0.join()
        }
    }

    /// Starts a thread; for tests and models. The heap uses [`try_spawn`].
    ///
    /// # Panics
    ///
    /// When the system cannot start one.
    #[inline(always)]
    pub fn spawn<F, T>(f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        JoinHandle(std::thread::spawn(f))
    }

    /// Starts a thread, if the system lets it.
    ///
    /// # Errors
    ///
    /// The system has no thread or no stack for it; `f` is dropped.
    pub fn try_spawn<F, T>(f: F) -> Result<JoinHandle<T>, SpawnRefused>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let started = std::thread::Builder::new().spawn(f);
        started.map(JoinHandle).map_err(|error| SpawnRefused { os_code: error.raw_os_error() })
    }

    /// Lets other threads run.
    #[inline(always)]
    pub fn yield_now() {
        std::thread::yield_now();
    }

    /// Blocks for at least `duration`.
    #[inline(always)]
    pub fn sleep(duration: Duration) {
        std::thread::sleep(duration);
    }

    /// Whether this thread is unwinding.
    #[inline(always)]
    pub fn panicking() -> bool {
        std::thread::panicking()
    }
}

/// A table of `len` entries, each `zero`; `None` if the allocator has no memory for it. The memory comes zeroed from
/// the allocator, so a large table costs nothing where it is not touched.
pub fn try_table<T: Zeroed>(len: usize, _zero: impl Fn() -> T) -> Option<Box<[T]>> {
    let layout = std::alloc::Layout::array::<T>(len).ok()?;
    if layout.size() == 0 {
        return Some(Box::default());
    }
    // SAFETY: the layout's size is not 0.
    let start = unsafe { std::alloc::alloc_zeroed(layout) }.cast::<T>();
    // SAFETY: allocated as an array of `len` entries, for which zeros are valid; a boxed slice frees by the same
    // layout.
    (!start.is_null()).then(|| unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(start, len)) })
}

/// Exponential back-off for a loop that another thread will end.
pub struct Backoff(crossbeam_utils::Backoff);

impl Backoff {
    /// A new back-off at its shortest step.
    #[inline(always)]
    #[allow(clippy::new_without_default, reason = "all faces have the same items")]
    pub fn new() -> Self {
        Self(crossbeam_utils::Backoff::new())
    }

    /// Backs off in a lock-free retry loop, after a lost race.
    #[inline(always)]
    pub fn spin(&self) {
        self.0.spin();
    }

    /// Backs off while waiting for another thread to make progress.
    #[inline(always)]
    pub fn snooze(&self) {
        self.0.snooze();
    }

    /// Whether it is time to block instead.
    #[inline(always)]
    pub fn is_completed(&self) -> bool {
        self.0.is_completed()
    }
}

/// A named window between two steps of a protocol: see [`YieldPoint`]. A release build does nothing here.
#[inline(always)]
pub fn yield_point(point: YieldPoint) {
    if super::STRETCHES {
        super::stretch::visit(point);
    }
    if super::ROLLS {
        super::roll::pass(point);
    }
}

/// The thread-local flag behind [`run_marker`](super::run_marker).
pub(super) mod run_flag {
    use core::cell::Cell;

    thread_local! {
        static INSIDE: Cell<bool> = const { Cell::new(false) };
    }

    /// Sets the flag and returns what it was.
    #[inline(always)]
    pub(in crate::sync) fn replace(inside: bool) -> bool {
        INSIDE.replace(inside)
    }

    /// Whether the flag is set.
    #[inline(always)]
    pub(in crate::sync) fn get() -> bool {
        INSIDE.get()
    }
}

/// Runs `f`, and catches its unwinding. What `f` has borrowed is then as `f` left it.
///
/// # Errors
/// The payload that `f` unwound with.
pub fn caught<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
}

/// Runs a unit test's body, once. The model face explores it in both passes at two preemptions; the scheduled face runs
/// it under random schedules.
pub fn check(f: impl Fn() + Send + Sync + 'static) {
    f();
}

#[cfg(test)]
mod tests {
    //! Goal: what this face promises and the other two have no use for.

    use super::*;
    use crate::sync::stretch;
    use std::time::{Duration, Instant};

    /// A fence that would order nothing is refused by a panic.
    #[test]
    #[should_panic(expected = "relaxed")]
    fn relaxed_fence_is_refused() {
        fence(Ordering::Relaxed);
    }

    #[test]
    fn sleep_takes_its_time() {
        let begin = Instant::now();
        thread::sleep(Duration::from_millis(1));
        assert!(begin.elapsed() >= Duration::from_millis(1));
    }

    #[test]
    fn a_thread_knows_that_it_unwinds() {
        struct Witness<'a>(&'a mut bool);
        impl Drop for Witness<'_> {
            fn drop(&mut self) {
                *self.0 = thread::panicking();
            }
        }
        let (mut at_return, mut at_unwinding) = (true, false);
        drop(Witness(&mut at_return));
        let unwinds = std::panic::AssertUnwindSafe(|| {
            let _witness = Witness(&mut at_unwinding);
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(std::panic::catch_unwind(unwinds).is_err());
        assert!(!at_return && at_unwinding && !thread::panicking());
    }

    /// The pauses are far more than a back-off needs to be completed.
    #[test]
    fn back_off_comes_to_an_end() {
        let backoff = Backoff::new();
        assert!(!backoff.is_completed());
        for _ in 0..100 {
            backoff.snooze();
        }
        assert!(backoff.is_completed());
    }

    #[test]
    fn a_lingering_thread_comes_by_yield_points() {
        let point = YieldPoint::StopLeft;
        let _guard = stretch::begin(1);
        let before = stretch::visits(point);
        yield_point(point);
        assert_eq!(stretch::visits(point) > before, stretch::ENABLED);
    }
}
