//! The model face but for its atomics: locks, cells and threads, over the engine's, with names for sites and a journal.
//!
//! Each operation performs itself through the engine and reports to [`model_control`](super::model_control). There is
//! no algorithm here.

use super::engine;
use super::explore::{ExploreOptions, explore};
use super::model_control::{self as control, Action, Change, Event, Fault, Operand, Pass};
use super::model_mutant as mutant;
use super::zeroed::{Zeroed, try_table_of};
use core::cell::Cell;
use core::ops::{Deref, DerefMut};
use core::panic::Location;

pub use super::model_atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, HeapWord, fence};

/// The journal's name for an object.
fn address_of<T>(object: &T) -> usize {
    core::ptr::from_ref(object).addr()
}

/// A mutual exclusion lock. In the model a panic that unwinds past a guard poisons the lock, and locking it again
/// panics.
pub struct Mutex<T>(engine::Mutex<T>);

/// The right to use a [`Mutex`]'s value; dropping it unlocks.
#[must_use = "dropping the guard unlocks at once"]
pub struct MutexGuard<'a, T> {
    /// `None` only while [`Condvar::wait`] takes the guard apart.
    inner: Option<engine::MutexGuard<'a, T>>,
    mutex: &'a Mutex<T>,
    locked_at: &'static Location<'static>,
}

impl<T> Mutex<T> {
    /// A new unlocked mutex.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self(engine::Mutex::new(value))
    }

    fn guard<'a>(
        &'a self,
        inner: engine::MutexGuard<'a, T>,
        locked_at: &'static Location<'static>,
    ) -> MutexGuard<'a, T> {
        control::record(|| Event::bare(locked_at, Action::Lock, address_of(self)));
        MutexGuard { inner: Some(inner), mutex: self, locked_at }
    }

    /// Locks, blocking until it can.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        control::attempt(Location::caller());
        engine::at(Location::caller());
        let inner = self.0.lock();
        self.guard(inner, Location::caller())
    }

    /// Locks if nobody holds the lock; does not block.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        engine::at(Location::caller());
        match self.0.try_lock() {
            Some(inner) => Some(self.guard(inner, Location::caller())),
            None => {
                let location = Location::caller();
                control::record(|| Event::bare(location, Action::LockHeld, address_of(self)));
                None
            }
        }
    }

    /// The value, by ownership.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }

    /// The value, by exclusive borrow.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard in use holds the lock")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard in use holds the lock")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            engine::at(self.locked_at);
            drop(inner);
            control::record(|| Event::bare(self.locked_at, Action::Unlock, address_of(self.mutex)));
            if !engine::thread::panicking() {
                control::settle_after_publication();
            }
        }
    }
}

/// A condition variable, used with one [`Mutex`].
pub struct Condvar(engine::Condvar);

impl Condvar {
    /// A new condition variable.
    #[track_caller]
    pub fn new() -> Self {
        Self(engine::Condvar::new())
    }

    /// Unlocks, blocks until notified, and locks again. May return without a notification: wait in a loop.
    #[track_caller]
    pub fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let location = Location::caller();
        control::settle_thread();
        control::attempt(location);
        let inner = guard.inner.take().expect("a guard in use holds the lock");
        control::record(|| Event::bare(location, Action::Wait, address_of(self)));
        let woken = if control::strikes(Fault::Wakeup, location) {
            // Engines wake notified threads only. A thread that wakes for no reason has given the lock back and takes
            // it again; the scheduler lets any time pass between the two, so this stands for a wake-up at any moment.
            engine::at(location);
            drop(inner);
            engine::at(location);
            guard.mutex.0.lock()
        } else {
            engine::at(location);
            self.0.wait(inner)
        };
        guard.inner = Some(woken);
        control::record(|| Event::bare(location, Action::Woken, address_of(self)));
        guard
    }

    /// Wakes one waiter, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        self.notify(Location::caller(), Action::NotifyOne, |condvar| condvar.notify_one());
    }

    /// Wakes every waiter.
    #[track_caller]
    pub fn notify_all(&self) {
        self.notify(Location::caller(), Action::NotifyAll, |condvar| condvar.notify_all());
    }

    fn notify(&self, location: &'static Location<'static>, action: Action, notify: fn(&engine::Condvar)) {
        let object = address_of(self);
        let change = control::prepare(location, Operand::Notify, object);
        engine::at(location);
        let report = move || {
            control::record(|| Event { change, ..Event::bare(location, action, object) });
        };
        match change {
            Some(Change::Drop) => mutant::hit(),
            Some(Change::Double) => {
                mutant::hit();
                notify(&self.0);
                notify(&self.0);
            }
            Some(Change::Postpone) => {
                let condvar = core::ptr::from_ref(&self.0);
                // SAFETY: MU-3: performed before the condition variable goes away (see its drop).
                mutant::postpone(object, Box::new(move || notify(unsafe { &*condvar })));
                report();
                return;
            }
            _ => notify(&self.0),
        }
        report();
        control::settle_after_publication();
    }
}

impl Drop for Condvar {
    fn drop(&mut self) {
        control::settle_object(address_of(self));
    }
}

/// A cell for data that the algorithm, not the compiler, keeps from being raced on; here each access is checked.
///
/// The cell is `Sync` when its value is `Send`; the contracts of the accesses require the rest.
pub struct UnsafeCell<T>(engine::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// A new cell holding `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self(engine::UnsafeCell::new(value))
    }

    #[track_caller]
    fn record(&self, action: Action) {
        let location = Location::caller();
        control::record(|| Event::bare(location, action, address_of(self)));
        engine::at(location);
    }

    /// Runs `f` with the value for shared access, which lasts as long as `f`.
    ///
    /// # Safety
    ///
    /// - No exclusive access overlaps the call: each happens before it, or after it.
    /// - When other threads have shared access at the same time, `T: Sync`.
    /// - `f` does not write through the pointer and does not let it escape.
    #[track_caller]
    pub unsafe fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.record(Action::PlainRead);
        self.0.with(f)
    }

    /// Runs `f` with the value for exclusive access, which lasts as long as `f`.
    ///
    /// # Safety
    ///
    /// - No other access overlaps the call: each happens before it, or after it.
    /// - `f` does not let the pointer escape.
    #[track_caller]
    pub unsafe fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.record(Action::PlainWrite);
        self.0.with_mut(f)
    }

    /// Records an exclusive access at this point, then returns the pointer.
    ///
    /// For an owner that keeps working on its data after the check, such as the owner of a page.
    ///
    /// # Safety
    ///
    /// - While the pointer is used, no other access overlaps: each happens before this call, or after the last use.
    #[track_caller]
    pub unsafe fn access(&self) -> *mut T {
        self.record(Action::PlainWrite);
        self.0.with_mut(|value| value)
    }

    /// Records a shared access at this point, then returns the pointer.
    ///
    /// # Safety
    ///
    /// - While the pointer is used, no exclusive access overlaps.
    /// - When other threads have shared access at the same time, `T: Sync`.
    /// - Nothing is written through the pointer.
    #[track_caller]
    pub unsafe fn peek(&self) -> *const T {
        self.record(Action::PlainRead);
        self.0.with(|value| value)
    }

    /// The value, by exclusive borrow.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.record(Action::PlainWrite);
        let value = self.0.with_mut(|value| value);
        // SAFETY: the pointer is valid as long as `self`, which is borrowed exclusively.
        unsafe { &mut *value }
    }

    /// The value, by ownership.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// Threads.
pub mod thread {
    use super::{Action, Event, Location, control};
    use crate::sync::SpawnRefused;
    use crate::sync::engine;
    use crate::sync::model_watch::enter_thread;
    use std::time::Duration;

    /// The right to wait for a thread and take its result.
    pub struct JoinHandle<T>(engine::thread::JoinHandle<T>);

    impl<T> JoinHandle<T> {
        /// Blocks until the thread has ended.
        ///
        /// # Errors
        ///
        /// None in the model: a panic in any thread ends the exploration.
        #[track_caller]
        pub fn join(self) -> std::thread::Result<T> {
            let location = Location::caller();
            control::settle_thread();
            control::attempt(location);
            engine::at(location);
            let result = self.0.join();
            control::record(|| Event::bare(location, Action::Join, 0));
            result
        }
    }

    /// Starts a thread; for tests and models. The heap uses [`try_spawn`].
    ///
    /// # Panics
    ///
    /// When the model has as many threads as it may have.
    #[track_caller]
    pub fn spawn<F, T>(f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let location = Location::caller();
        let index = control::begin_thread();
        let body = move || {
            enter_thread(index);
            let result = f();
            control::settle_thread();
            result
        };
        engine::at(location);
        let handle = engine::thread::spawn(body);
        control::record(|| Event { written: Some(index as u64), ..Event::bare(location, Action::Spawn, 0) });
        control::settle_after_publication();
        JoinHandle(handle)
    }

    /// Starts a thread.
    ///
    /// # Errors
    ///
    /// None in this face: a refusal is injected by the caller.
    ///
    /// # Panics
    ///
    /// As [`spawn`].
    #[track_caller]
    pub fn try_spawn<F, T>(f: F) -> Result<JoinHandle<T>, SpawnRefused>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Ok(spawn(f))
    }

    /// Lets other threads run. A spin loop that does not yield makes more choices than an execution may have, and
    /// panics.
    #[track_caller]
    pub fn yield_now() {
        let location = Location::caller();
        engine::at(location);
        engine::thread::yield_now();
        control::record(|| Event::bare(location, Action::Yield, 0));
    }

    /// Yields: time does not exist in the model.
    #[track_caller]
    pub fn sleep(_duration: Duration) {
        yield_now();
    }

    /// Whether this thread is unwinding.
    #[must_use]
    pub fn panicking() -> bool {
        engine::thread::panicking()
    }
}

/// A table of `len` entries, each made by `zero`; `None` if the allocator has no memory for it.
pub fn try_table<T: Zeroed>(len: usize, zero: impl Fn() -> T) -> Option<Box<[T]>> {
    try_table_of(len, zero)
}

/// Back-off for a loop that another thread will end; in the model every step yields, and one step completes it.
pub struct Backoff {
    snoozed: Cell<bool>,
}

impl Backoff {
    /// A new back-off at its shortest step.
    pub fn new() -> Self {
        Self { snoozed: Cell::new(false) }
    }

    /// Backs off in a lock-free retry loop, after a lost race.
    #[track_caller]
    pub fn spin(&self) {
        thread::yield_now();
    }

    /// Backs off while waiting for another thread to make progress.
    #[track_caller]
    pub fn snooze(&self) {
        self.snoozed.set(true);
        thread::yield_now();
    }

    /// Whether it is time to block instead.
    pub fn is_completed(&self) -> bool {
        self.snoozed.get()
    }
}

/// The thread-local flag behind [`run_marker`](super::run_marker).
pub(super) mod run_flag {
    use crate::sync::engine::thread::with_run_flag;
    use core::cell::Cell;

    /// Sets the flag and returns what it was.
    pub(in crate::sync) fn replace(inside: bool) -> bool {
        with_run_flag(|flag| flag.replace(inside))
    }

    /// Whether the flag is set.
    pub(in crate::sync) fn get() -> bool {
        with_run_flag(Cell::get)
    }
}

/// Runs `f`. A panic of `f` ends the execution, so it is left to the checker.
///
/// # Errors
/// Never here.
pub fn caught<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    Ok(f())
}

/// Explores a unit test's body: with the explorer without a bound, and in loom's passes at two preemptions. The
/// native face runs it once.
///
/// # Panics
///
/// When an execution fails, with what each pass that fails says.
#[track_caller]
pub fn check(f: impl Fn() + Send + Sync + 'static) {
    let f = std::sync::Arc::new(f);
    let mut failures = Vec::new();
    for pass in Pass::ALL {
        let preemption_bound = (pass != Pass::Graphs).then_some(2);
        let options = ExploreOptions { preemption_bound, pass, ..ExploreOptions::default() };
        let f = f.clone();
        let exploration = explore(&options, move || f());
        if let Err(failure) = exploration.outcome {
            failures.push(format!("the {pass} pass fails at execution {}: {failure}", exploration.executions));
        }
    }
    if failures.is_empty() {
        return;
    }
    let which = if failures.len() == Pass::ALL.len() { "each pass fails" } else { "some passes fail" };
    panic!("{which}: {}", failures.join("\n"));
}
