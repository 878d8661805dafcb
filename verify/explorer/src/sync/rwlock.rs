//! Reader-writer locks.
//!
//! * **RW-1** `readers` is the number of read guards, or [`WRITING`] while a write guard exists. Guards are made only
//!   where that allows it, so that a write guard is alone.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LockResult, TryLockError, TryLockResult};

use super::atomic::Atomic;
use crate::event::{Event, Kind, Op, WRITER};
use crate::failure::FailureKind;
use crate::handle::Handle;
use crate::place::here;
use crate::runtime::coroutine::{is_running, perform, with_state};
use crate::runtime::state::Step;

type Place = &'static Location<'static>;

const WRITING: u32 = u32::MAX;

/// Shared or exclusive access, as `std::sync::RwLock`. It is never poisoned.
pub struct RwLock<T: ?Sized> {
    word: Atomic<u64>,
    readers: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: RW-1, on whichever thread of the host; a lock is refused on a thread that does not run the execution.
// Readers share the value.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

/// The right to read.
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    thread: usize,
    own: PhantomData<*const ()>,
}

/// The right to write.
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    thread: usize,
    own: PhantomData<*const ()>,
}

impl<T> RwLock<T> {
    /// A lock with a value.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[must_use]
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        RwLock { word: Atomic::of(Handle::new(0)), readers: AtomicU32::new(0), value: UnsafeCell::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// None.
    pub fn into_inner(self) -> LockResult<T> {
        Ok(self.value.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock; false if it is held and the operation does not wait.
    fn take(&self, op: Op, place: Place) -> bool {
        let writes = op == Op::Exclude || op == Op::Cas(0, WRITER);
        let may = || {
            let readers = self.readers.load(Ordering::Relaxed);
            if writes { readers == 0 } else { readers != WRITING }
        };
        let mut event = Event::new(Kind::RmwRead, self.word.location(), Ordering::Acquire, place);
        event.op = op;
        event.failure_order = Ordering::Relaxed;
        let is_taken = perform(
            |state| match self.word.is_of(state) && may() {
                true => Step::Done(true),
                false if op.waits() => Step::Wait,
                false => Step::Done(false),
            },
            |state| match self.word.resolve(state, place) {
                Ok(_) => match state.read(&event) {
                    Step::Done((_, is_taken)) => Step::Done(is_taken),
                    Step::Wait => Step::Wait,
                    Step::Unwind => Step::Unwind,
                },
                Err(_) => Step::Unwind,
            },
        );
        if is_taken {
            assert!(may(), "the explorer let a writer beside another owner of a lock");
            let readers = self.readers.load(Ordering::Relaxed);
            self.readers.store(if writes { WRITING } else { readers + 1 }, Ordering::Relaxed);
        }
        is_taken
    }

    fn reader(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard { lock: self, thread: with_state(|state| state.current), own: PhantomData }
    }

    fn writer(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard { lock: self, thread: with_state(|state| state.current), own: PhantomData }
    }

    /// Waits until nobody writes.
    ///
    /// # Errors
    ///
    /// None.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.take(Op::Share, here());
        Ok(self.reader())
    }

    /// Waits until nobody reads or writes.
    ///
    /// # Errors
    ///
    /// None.
    ///
    /// # Panics
    ///
    /// Outside of an exploration.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.take(Op::Exclude, here());
        Ok(self.writer())
    }

    /// Reads, if nobody writes.
    ///
    /// # Errors
    ///
    /// Somebody writes, or seems to.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        if self.take(Op::TryShare, here()) { Ok(self.reader()) } else { Err(TryLockError::WouldBlock) }
    }

    /// Writes, if nobody reads or writes.
    ///
    /// # Errors
    ///
    /// Somebody reads or writes, or seems to.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        if self.take(Op::Cas(0, WRITER), here()) { Ok(self.writer()) } else { Err(TryLockError::WouldBlock) }
    }

    /// The value, of which the caller is the only owner.
    ///
    /// # Errors
    ///
    /// None.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        Ok(self.value.get_mut())
    }

    fn give_back(&self, thread: usize, writes: bool, place: Place) {
        let _release = Release { readers: &self.readers, writes };
        if !is_running() {
            return;
        }
        perform(
            |_| Step::Done(()),
            |state| {
                if state.current == thread {
                    return Step::Done(());
                }
                let message = format!("T{} drops a guard of a lock that T{thread} took", state.current);
                state.fail(FailureKind::GuardMoved, message, &[place])
            },
        );
        self.word.rmw(Op::Sub(if writes { WRITER } else { 1 }), Ordering::Release, place);
    }
}

/// Takes a guard off the count at the end of a scope, however that is left.
struct Release<'a> {
    readers: &'a AtomicU32,
    writes: bool,
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        let readers = self.readers.load(Ordering::Relaxed);
        self.readers.store(if self.writes { 0 } else { readers - 1 }, Ordering::Relaxed);
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[track_caller]
    fn drop(&mut self) {
        self.lock.give_back(self.thread, false, here());
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[track_caller]
    fn drop(&mut self) {
        self.lock.give_back(self.thread, true, here());
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: RW-1: there is no write guard.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: RW-1: there is no other guard.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: RW-1: there is no other guard, and this one is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> RwLock<T> {
        RwLock::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").field("location", &self.word.location()).finish_non_exhaustive()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
