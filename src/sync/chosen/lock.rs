//! Locks and condition variables of the choosing face.

use super::{Either, Made};
use crate::sync::scene::Scene;
use crate::sync::{model, native};
use core::ops::{Deref, DerefMut};

const LOCK: &str = "a lock";
const CONDVAR: &str = "a condition variable";

/// A mutual exclusion lock. In a model a panic that unwinds past a guard poisons the lock, and locking it again panics;
/// natively nothing is poisoned.
pub struct Mutex<T>(Made<native::Mutex<T>, model::Mutex<T>>);

/// The right to use a [`Mutex`]'s value; dropping it unlocks.
#[must_use = "dropping the guard unlocks at once"]
pub struct MutexGuard<'a, T>(Either<native::MutexGuard<'a, T>, model::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    /// A new unlocked mutex.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let here = Scene::here();
        if here.is_native() {
            return Self(Made::Native(native::Mutex::new(value)));
        }
        Self(Made::Modelled(here, model::Mutex::new(value)))
    }

    /// Locks, blocking until it can.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        Scene::looked_for();
        MutexGuard(match self.0.here(LOCK) {
            Either::Native(mutex) => Either::Native(mutex.lock()),
            Either::Modelled(mutex) => Either::Modelled(mutex.lock()),
        })
    }

    /// Locks if nobody holds the lock; does not block.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        Scene::looked_for();
        Some(MutexGuard(match self.0.here(LOCK) {
            Either::Native(mutex) => Either::Native(mutex.try_lock()?),
            Either::Modelled(mutex) => Either::Modelled(mutex.try_lock()?),
        }))
    }

    /// The value, by ownership.
    #[track_caller]
    pub fn into_inner(self) -> T {
        match self.0.into_here(LOCK) {
            Either::Native(mutex) => mutex.into_inner(),
            Either::Modelled(mutex) => mutex.into_inner(),
        }
    }

    /// The value, by exclusive borrow.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        match self.0.here_mut(LOCK) {
            Either::Native(mutex) => mutex.get_mut(),
            Either::Modelled(mutex) => mutex.get_mut(),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Either::Native(guard) => guard,
            Either::Modelled(guard) => guard,
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.0 {
            Either::Native(guard) => guard,
            Either::Modelled(guard) => guard,
        }
    }
}

/// A condition variable, used with one [`Mutex`].
pub struct Condvar(Made<native::Condvar, model::Condvar>);

impl Condvar {
    /// A new condition variable.
    #[allow(clippy::new_without_default, reason = "all faces have the same items")]
    #[track_caller]
    pub fn new() -> Self {
        let here = Scene::here();
        if here.is_native() {
            return Self(Made::Native(native::Condvar::new()));
        }
        Self(Made::Modelled(here, model::Condvar::new()))
    }

    /// Unlocks, blocks until notified, and locks again. May return without a notification: wait in a loop.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard(match (self.0.here(CONDVAR), guard.0) {
            (Either::Native(condvar), Either::Native(guard)) => Either::Native(condvar.wait(guard)),
            (Either::Modelled(condvar), Either::Modelled(guard)) => Either::Modelled(condvar.wait(guard)),
            _ => panic!("a condition variable and the lock that it gives up are not of one exploration"),
        })
    }

    /// Wakes one waiter, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        match self.0.here(CONDVAR) {
            Either::Native(condvar) => condvar.notify_one(),
            Either::Modelled(condvar) => condvar.notify_one(),
        }
    }

    /// Wakes every waiter.
    #[track_caller]
    pub fn notify_all(&self) {
        match self.0.here(CONDVAR) {
            Either::Native(condvar) => condvar.notify_all(),
            Either::Modelled(condvar) => condvar.notify_all(),
        }
    }
}
