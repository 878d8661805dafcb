//! The face of a build that explores: each value is of the native face or of the model face.
//!
//! Which one is decided when the value is made: natively outside of any exploration, modelled in one. So a build that
//! somebody gave the feature behaves as one without it, wherever nothing is explored. Every operation goes to the
//! value's own face, which performs it; there is no algorithm here.
//!
//! * **CH-1** A value is used in the [`Scene`] that it was made in, and nowhere else: each operation asserts it before
//!   it touches anything. The panic names the kind of the value.
//! * **CH-2** Outside of any exploration nothing of the model face runs: no journal, no fault, no mutant.

mod atomic;
mod lock;
#[cfg(test)]
mod tests;
pub mod thread;

pub use atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, HeapWord, UnsafeCell, fence};
pub use lock::{Condvar, Mutex, MutexGuard};

pub use super::model::check;
use super::scene::{Scene, is_known_modelled};
use super::zeroed::Zeroed;
use super::{YieldPoint, model, native};
use core::ops::{Deref, DerefMut};

/// A native value, or one of a model with its scene.
///
/// Zeros are a native value, if they are one of `N`: the tag of a native value is 0.
#[repr(u8)]
enum Made<N, M> {
    Native(N) = 0,
    Modelled(Scene, M) = 1,
}

/// One of two.
enum Either<N, M> {
    Native(N),
    Modelled(M),
}

impl<N, M> Made<N, M> {
    /// Refuses the value in any scene but its own (CH-1).
    #[inline]
    #[track_caller]
    fn assert_here(&self, kind: &'static str) {
        match self {
            Made::Native(_) => Scene::NATIVE.assert_here(kind),
            Made::Modelled(scene, _) => scene.assert_here(kind),
        }
    }

    /// The value, if this is its scene.
    #[inline]
    #[track_caller]
    fn here(&self, kind: &'static str) -> Either<&N, &M> {
        self.assert_here(kind);
        match self {
            Made::Native(value) => Either::Native(value),
            Made::Modelled(_, value) => Either::Modelled(value),
        }
    }

    /// As [`here`](Made::here), by exclusive borrow.
    #[inline]
    #[track_caller]
    fn here_mut(&mut self, kind: &'static str) -> Either<&mut N, &mut M> {
        self.assert_here(kind);
        match self {
            Made::Native(value) => Either::Native(value),
            Made::Modelled(_, value) => Either::Modelled(value),
        }
    }

    /// As [`here`](Made::here), by ownership.
    #[inline]
    #[track_caller]
    fn into_here(self, kind: &'static str) -> Either<N, M> {
        self.assert_here(kind);
        match self {
            Made::Native(value) => Either::Native(value),
            Made::Modelled(_, value) => Either::Modelled(value),
        }
    }
}

/// A value that is alone on its cache line in other builds. In this one it is not: what it belongs to is also made on
/// the stacks of models, and loom's first thread has 32 KiB.
pub struct CachePadded<T>(T);

impl<T> CachePadded<T> {
    /// Pads `value`.
    #[inline]
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, by ownership.
    #[inline]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for CachePadded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for CachePadded<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A table of `len` entries, each `zero`; `None` if the allocator has no memory for it.
pub fn try_table<T: Zeroed>(len: usize, zero: impl Fn() -> T) -> Option<Box<[T]>> {
    if is_known_modelled() { model::try_table(len, zero) } else { native::try_table(len, zero) }
}

/// Exponential back-off for a loop that another thread will end.
pub struct Backoff(Made<native::Backoff, model::Backoff>);

const BACKOFF: &str = "a back-off";

impl Backoff {
    /// A new back-off at its shortest step.
    #[allow(clippy::new_without_default, reason = "all faces have the same items")]
    pub fn new() -> Self {
        let here = Scene::here();
        Self(match here.is_native() {
            true => Made::Native(native::Backoff::new()),
            false => Made::Modelled(here, model::Backoff::new()),
        })
    }

    /// Backs off in a lock-free retry loop, after a lost race.
    #[track_caller]
    pub fn spin(&self) {
        match self.0.here(BACKOFF) {
            Either::Native(backoff) => backoff.spin(),
            Either::Modelled(backoff) => backoff.spin(),
        }
    }

    /// Backs off while waiting for another thread to make progress.
    #[track_caller]
    pub fn snooze(&self) {
        match self.0.here(BACKOFF) {
            Either::Native(backoff) => backoff.snooze(),
            Either::Modelled(backoff) => backoff.snooze(),
        }
    }

    /// Whether it is time to block instead.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        match self.0.here(BACKOFF) {
            Either::Native(backoff) => backoff.is_completed(),
            Either::Modelled(backoff) => backoff.is_completed(),
        }
    }
}

/// A named window between two steps of a protocol. A checker tries every window, so there nothing happens.
#[inline(always)]
pub fn yield_point(point: YieldPoint) {
    if (super::STRETCHES || super::ROLLS) && !is_known_modelled() {
        native::yield_point(point);
    }
}

/// Runs `f`, and catches its unwinding natively. In a model a panic of `f` ends the execution.
///
/// # Errors
/// The payload that `f` unwound with.
pub fn caught<R>(f: impl FnOnce() -> R) -> std::thread::Result<R> {
    if is_known_modelled() { model::caught(f) } else { native::caught(f) }
}

/// The thread-local flag behind [`run_marker`](super::run_marker): one of each thread of the host, and one of each
/// thread of a model.
pub(super) mod run_flag {
    use super::{model, native};
    use crate::sync::scene::is_known_modelled;

    /// Sets the flag and returns what it was.
    pub(in crate::sync) fn replace(inside: bool) -> bool {
        if is_known_modelled() { model::run_flag::replace(inside) } else { native::run_flag::replace(inside) }
    }

    /// Whether the flag is set.
    pub(in crate::sync) fn get() -> bool {
        if is_known_modelled() { model::run_flag::get() } else { native::run_flag::get() }
    }
}
