//! Mutexes.
//!
//! * **MX-1** A guard exists only while `holder` names its thread: a lock sets it, and refuses to if somebody is named;
//!   the drop of the guard clears it. So two guards never exist at once, whatever the exploration decides.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use super::atomic::Atomic;
use crate::event::{Event, Kind, Op};
use crate::failure::FailureKind;
use crate::handle::Handle;
use crate::mutant::Mutant;
use crate::place::here;
use crate::runtime::coroutine::{is_running, perform, with_state};
use crate::runtime::state::{Phase, State, Step};

type Place = &'static Location<'static>;

/// Nobody.
const FREE: u32 = u32::MAX;

/// Which thread has something, natively. Relaxed: the thread of the host that runs the execution touches it alone,
/// and others are refused before.
pub(crate) struct Holder(AtomicU32);

impl Holder {
    pub(crate) fn new() -> Holder {
        Holder(AtomicU32::new(FREE))
    }

    pub(crate) fn is_free(&self) -> bool {
        self.0.load(Ordering::Relaxed) == FREE
    }

    fn take(&self) {
        let thread = with_state(|state| state.current) as u32;
        let before = self.0.swap(thread, Ordering::Relaxed);
        assert_eq!(before, FREE, "the explorer let two threads have one lock");
    }
}

/// The ordering, unless the rule that asks for it is left out.
fn order_of(order: Ordering, rule: Mutant) -> Ordering {
    if with_state(|state| state.lacks(rule)) { Ordering::Relaxed } else { order }
}

/// Clears a holder at the end of a scope, however that is left.
struct Clear<'a>(&'a Holder);

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        self.0.0.store(FREE, Ordering::Relaxed);
    }
}

/// Mutual exclusion, as `std::sync::Mutex`.
///
/// A wait for a mutex is a read of its word that the unlock may be the source of, as any other. A guard that is
/// dropped while its thread panics poisons the mutex.
pub struct Mutex<T: ?Sized> {
    word: Atomic<u64>,
    holder: Holder,
    is_poisoned: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: MX-1, on whichever thread of the host; a lock is refused on a thread that does not run the execution.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

/// The right to a mutex's value.
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    thread: usize,
    /// Guards stay on their thread.
    own: PhantomData<*const ()>,
}

impl<T> Mutex<T> {
    /// A mutex with a value.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        Mutex {
            word: Atomic::of(Handle::new(0)),
            holder: Holder::new(),
            is_poisoned: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// A thread panicked with the mutex.
    pub fn into_inner(self) -> LockResult<T> {
        let is_poisoned = self.is_poisoned();
        let value = self.value.into_inner();
        if is_poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the mutex.
    ///
    /// # Errors
    ///
    /// A thread panicked with the mutex; the error has the guard.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.lock_at(here())
    }

    pub(crate) fn lock_at(&self, place: Place) -> LockResult<MutexGuard<'_, T>> {
        let order = order_of(std::sync::atomic::Ordering::Acquire, Mutant::LockAcquires);
        let mut event = Event::new(Kind::RmwRead, self.word.location(), order, place);
        event.op = Op::Lock;
        let is_event = perform(
            |state| if self.is_free(state) { Step::Done(false) } else { Step::Wait },
            |state| match self.word.resolve(state, place) {
                Ok(_) => match state.read(&event) {
                    Step::Done(_) => Step::Done(true),
                    Step::Wait => Step::Wait,
                    Step::Unwind => Step::Unwind,
                },
                Err(_) => Step::Unwind,
            },
        );
        let guard = self.guard();
        if is_event && self.is_poisoned() { Err(PoisonError::new(guard)) } else { Ok(guard) }
    }

    /// Whether an abandoned run may take the mutex: it is that run's own, and nobody has it.
    fn is_free(&self, state: &State) -> bool {
        self.word.is_of(state) && (self.holder.is_free() || state.lacks(Mutant::FinishingLocks))
    }

    fn guard(&self) -> MutexGuard<'_, T> {
        self.holder.take();
        MutexGuard { mutex: self, thread: with_state(|state| state.current), own: PhantomData }
    }

    /// Takes the mutex if it is free. It may seem to be held though it is free again.
    ///
    /// # Errors
    ///
    /// It is held; or a thread panicked with it.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let place = here();
        let mut event = Event::new(Kind::RmwRead, self.word.location(), std::sync::atomic::Ordering::Acquire, place);
        event.op = Op::Cas(0, 1);
        event.failure_order = std::sync::atomic::Ordering::Relaxed;
        let (is_taken, is_event) = perform(
            |state| Step::Done((self.is_free(state), false)),
            |state| match self.word.resolve(state, place) {
                Ok(_) => match state.read(&event) {
                    Step::Done((_, is_taken)) => Step::Done((is_taken, true)),
                    Step::Wait => Step::Wait,
                    Step::Unwind => Step::Unwind,
                },
                Err(_) => Step::Unwind,
            },
        );
        if !is_taken {
            return Err(TryLockError::WouldBlock);
        }
        let guard = self.guard();
        if is_event && self.is_poisoned() {
            return Err(TryLockError::Poisoned(PoisonError::new(guard)));
        }
        Ok(guard)
    }

    /// The value, of which the caller is the only owner.
    ///
    /// # Errors
    ///
    /// A thread panicked with the mutex.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let is_poisoned = self.is_poisoned();
        let value = self.value.get_mut();
        if is_poisoned { Err(PoisonError::new(value)) } else { Ok(value) }
    }

    /// Whether a thread panicked with the mutex.
    pub fn is_poisoned(&self) -> bool {
        self.is_poisoned.load(Ordering::Relaxed)
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(crate) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }

    /// Gives the mutex back, at a place.
    pub(crate) fn unlock(self, place: Place) {
        self.give_back(place);
        std::mem::forget(self);
    }

    fn give_back(&self, place: Place) {
        let _clear = Clear(&self.mutex.holder);
        if !is_running() {
            return;
        }
        let is_panic = |state: &State| state.phase != Phase::Abandoned && state.is_panicking();
        if with_state(|state| is_panic(state)) {
            self.mutex.is_poisoned.store(true, Ordering::Relaxed);
        }
        let thread = self.thread;
        perform(
            |_| Step::Done(()),
            |state| {
                if state.current == thread {
                    return Step::Done(());
                }
                let message = format!("T{} drops a guard of a mutex that T{thread} locked", state.current);
                state.fail(FailureKind::GuardMoved, message, &[place])
            },
        );
        let order = order_of(std::sync::atomic::Ordering::Release, Mutant::UnlockReleases);
        self.mutex.word.write(0, order, true, place);
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[track_caller]
    fn drop(&mut self) {
        self.give_back(here());
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: MX-1.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: MX-1, and the guard is borrowed mutably.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Mutex<T> {
        Mutex::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").field("location", &self.word.location()).finish_non_exhaustive()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
