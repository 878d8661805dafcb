//! Locks and condition variables of the engines.
//!
//! A panic of the model ends the execution, so poison says nothing here: loom's lock panics by itself, the explorer's
//! is taken all the same.

use super::Engine;
use core::ops::{Deref, DerefMut};
use heaplab_explorer::sync as graphs;
use loom::sync as loomed;
use std::sync::{PoisonError, TryLockError};

const NO_POISON: &str = "loom's lock does not report poison";

/// A lock of the engine that it was made under.
pub(in crate::sync) enum Mutex<T> {
    Loom(loomed::Mutex<T>),
    Graphs(graphs::Mutex<T>),
}

/// The right to a [`Mutex`]'s value.
pub(in crate::sync) enum MutexGuard<'a, T> {
    Loom(loomed::MutexGuard<'a, T>),
    Graphs(graphs::MutexGuard<'a, T>),
}

impl<T> Mutex<T> {
    #[track_caller]
    pub(in crate::sync) fn new(value: T) -> Self {
        match Engine::current() {
            Engine::Loom => Self::Loom(loomed::Mutex::new(value)),
            Engine::Graphs => Self::Graphs(graphs::Mutex::new(value)),
        }
    }

    pub(in crate::sync) fn lock(&self) -> MutexGuard<'_, T> {
        match self {
            Self::Loom(mutex) => MutexGuard::Loom(mutex.lock().expect(NO_POISON)),
            Self::Graphs(mutex) => MutexGuard::Graphs(mutex.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// `None` if somebody has the lock.
    pub(in crate::sync) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self {
            Self::Loom(mutex) => mutex.try_lock().ok().map(MutexGuard::Loom),
            Self::Graphs(mutex) => match mutex.try_lock() {
                Ok(guard) => Some(MutexGuard::Graphs(guard)),
                Err(TryLockError::Poisoned(poisoned)) => Some(MutexGuard::Graphs(poisoned.into_inner())),
                Err(TryLockError::WouldBlock) => None,
            },
        }
    }

    pub(in crate::sync) fn into_inner(self) -> T {
        match self {
            Self::Loom(mutex) => mutex.into_inner().expect(NO_POISON),
            Self::Graphs(mutex) => mutex.into_inner().unwrap_or_else(PoisonError::into_inner),
        }
    }

    pub(in crate::sync) fn get_mut(&mut self) -> &mut T {
        match self {
            Self::Loom(mutex) => mutex.get_mut().expect(NO_POISON),
            Self::Graphs(mutex) => mutex.get_mut().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Loom(guard) => guard,
            Self::Graphs(guard) => guard,
        }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        match self {
            Self::Loom(guard) => guard,
            Self::Graphs(guard) => guard,
        }
    }
}

/// A condition variable of the engine that it was made under.
pub(in crate::sync) enum Condvar {
    Loom(loomed::Condvar),
    Graphs(graphs::Condvar),
}

impl Condvar {
    #[track_caller]
    pub(in crate::sync) fn new() -> Self {
        match Engine::current() {
            Engine::Loom => Self::Loom(loomed::Condvar::new()),
            Engine::Graphs => Self::Graphs(graphs::Condvar::new()),
        }
    }

    pub(in crate::sync) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        match (self, guard) {
            (Self::Loom(condvar), MutexGuard::Loom(guard)) => MutexGuard::Loom(condvar.wait(guard).expect(NO_POISON)),
            (Self::Graphs(condvar), MutexGuard::Graphs(guard)) => {
                MutexGuard::Graphs(condvar.wait(guard).unwrap_or_else(PoisonError::into_inner))
            }
            _ => unreachable!("a lock and its condition variable are of one engine"),
        }
    }

    pub(in crate::sync) fn notify_one(&self) {
        match self {
            Self::Loom(condvar) => condvar.notify_one(),
            Self::Graphs(condvar) => condvar.notify_one(),
        }
    }

    pub(in crate::sync) fn notify_all(&self) {
        match self {
            Self::Loom(condvar) => condvar.notify_all(),
            Self::Graphs(condvar) => condvar.notify_all(),
        }
    }
}
