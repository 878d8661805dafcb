//! Threads: the system's outside of explorations, a model's in one.

use super::{Either, Made};
use crate::sync::SpawnRefused;
use crate::sync::model::thread as modelled;
use crate::sync::native::thread as native;
use crate::sync::scene::{Scene, is_known_modelled};
use std::time::Duration;

/// The right to wait for a thread and take its result.
pub struct JoinHandle<T>(Made<native::JoinHandle<T>, modelled::JoinHandle<T>>);

impl<T> JoinHandle<T> {
    /// Blocks until the thread has ended.
    ///
    /// # Errors
    ///
    /// The panic payload, when the thread panicked. None in a model: a panic in any thread ends the exploration.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        match self.0.into_here("a thread") {
            Either::Native(handle) => handle.join(),
            Either::Modelled(handle) => handle.join(),
        }
    }
}

/// Starts a thread; for tests and models. The heap uses [`try_spawn`].
///
/// # Panics
///
/// When the system cannot start one, or the model has as many threads as it may have.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let here = Scene::here();
    if here.is_native() {
        return JoinHandle(Made::Native(native::spawn(f)));
    }
    JoinHandle(Made::Modelled(here, modelled::spawn(f)))
}

/// Starts a thread, if the system lets it. A model refuses none: there a refusal is injected by the caller.
///
/// # Errors
///
/// The system has no thread or no stack for it; `f` is dropped.
///
/// # Panics
///
/// When the model has as many threads as it may have.
#[track_caller]
pub fn try_spawn<F, T>(f: F) -> Result<JoinHandle<T>, SpawnRefused>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let here = Scene::here();
    if here.is_native() {
        return native::try_spawn(f).map(|handle| JoinHandle(Made::Native(handle)));
    }
    modelled::try_spawn(f).map(|handle| JoinHandle(Made::Modelled(here, handle)))
}

/// Lets other threads run.
#[track_caller]
pub fn yield_now() {
    if is_known_modelled() { modelled::yield_now() } else { native::yield_now() }
}

/// Blocks for at least `duration`; in a model, where time does not exist, yields.
#[track_caller]
pub fn sleep(duration: Duration) {
    if is_known_modelled() { modelled::sleep(duration) } else { native::sleep(duration) }
}

/// Whether this thread is unwinding.
#[must_use]
pub fn panicking() -> bool {
    if is_known_modelled() { modelled::panicking() } else { native::panicking() }
}
