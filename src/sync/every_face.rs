//! What the types of each face have in common, whatever they are made of.

use super::thread::JoinHandle;
use super::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Backoff, CachePadded, Condvar, HeapWord, Mutex, MutexGuard,
    UnsafeCell, Zeroed,
};

// SAFETY: natively the type has the size and validity of the integer, so zeros are the value 0. Where a value is
// chosen, zeros are the tag of a native one.
unsafe impl Zeroed for AtomicU64 {}
// SAFETY: natively the cell is its value, by `repr(transparent)`. Where it is chosen, zeros are a native one's tag.
unsafe impl<T: Zeroed> Zeroed for UnsafeCell<T> {}

/// Gives each type a `Debug` that names it and touches nothing: a load would be an access of its own in a model.
macro_rules! opaque_debug {
    ($($name:ident $(<$parameter:ident>)?),* $(,)?) => {$(
        impl$(<$parameter>)? core::fmt::Debug for $name$(<$parameter>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(
    AtomicU32,
    AtomicU64,
    AtomicUsize,
    AtomicBool,
    HeapWord,
    Condvar,
    Backoff,
    Mutex<T>,
    UnsafeCell<T>,
    JoinHandle<T>,
);

impl<T: core::fmt::Debug> core::fmt::Debug for CachePadded<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("CachePadded").field(&**self).finish()
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("MutexGuard").field(&**self).finish()
    }
}

// SAFETY: as for a mutex. Every access goes through an unsafe method whose contract rules out data races, so all that
// sharing the cell can do is hand the value from one thread to the next, which needs `Send`. A shared borrow held by
// several threads at once additionally needs `T: Sync`, which is part of the contracts of `with` and `peek`.
unsafe impl<T: Send> Sync for UnsafeCell<T> {}
