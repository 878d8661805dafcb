//! What threads share, in the shape of `std::sync`.

pub mod atomic;
pub mod mpsc;

mod arc;
mod condvar;
mod mutex;
mod notify;
mod rwlock;

pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

pub use arc::Arc;
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
