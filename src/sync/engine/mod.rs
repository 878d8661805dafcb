//! The engines of the model face: what explores, and the primitives of whichever does.
//!
//! Two engines explore. *Graphs* is this project's explorer: it runs each execution that the memory model allows
//! once, without a bound. *Loom* runs interleavings within a bound of preemptions, and is the second opinion. Which
//! one runs is decided when an exploration begins ([`Engine::enter`]); a value belongs to the engine under which it
//! was made.
//!
//! An operation of this module is the operation of its engine, and nothing else: mutants, faults and the journal are
//! matters of the face. There is no algorithm here.
//!
//! * **EG-1** All threads of a model are coroutines on one thread of the host, whichever engine runs them, and switch
//!   only within operations of their engine.

mod atomic;
mod cell;
mod lock;
pub(super) mod thread;

pub(super) use atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence};
pub(super) use cell::UnsafeCell;
pub(super) use lock::{Condvar, Mutex, MutexGuard};

use core::cell::Cell;
use core::panic::Location;

/// Threads that some engine can run in one execution, the first included.
pub(super) const THREADS_MAX: usize = {
    let (loom, graphs) = (loom::MAX_THREADS, heaplab_explorer::MAX_THREADS);
    if loom < graphs { graphs } else { loom }
};

/// What explores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Engine {
    Loom,
    Graphs,
}

thread_local! {
    static CURRENT: Cell<Option<Engine>> = const { Cell::new(None) };
}

/// Ends the time of an engine when it is dropped.
pub(super) struct EngineGuard(Option<Engine>);

impl Drop for EngineGuard {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Engine {
    /// The engine of this thread of the host, which explores: what [`Engine::enter`] says, or else the one that a
    /// test has called itself.
    #[inline]
    pub(super) fn current() -> Engine {
        CURRENT.get().unwrap_or_else(Engine::unannounced)
    }

    #[cold]
    fn unannounced() -> Engine {
        if heaplab_explorer::host::is_exploring() { Engine::Graphs } else { Engine::Loom }
    }

    /// Makes this the engine of values that are made from now on.
    pub(super) fn enter(self) -> EngineGuard {
        EngineGuard(CURRENT.replace(Some(self)))
    }
}

/// Whether this thread of the host is in a model that an engine's own `model` began. Asking is no operation of the
/// model. loom has no such query: its threads are generators, and in a generator that is not loom's the call panics,
/// which the panic hook prints and this function catches.
pub(super) fn is_unannounced() -> bool {
    let is_loom = || std::panic::catch_unwind(|| loom::thread::current().id()).is_ok();
    heaplab_explorer::host::is_exploring() || generator::is_generator() && is_loom()
}

/// What the engine knows of the last operation on a word. loom keeps that to itself.
#[inline]
pub(super) fn last_access() -> Option<heaplab_explorer::host::Access> {
    if Engine::current() == Engine::Graphs { heaplab_explorer::host::last_access() } else { None }
}

/// Lets the engine's next operation count as called from `location`. loom keeps no places.
#[inline]
pub(super) fn at(location: &'static Location<'static>) {
    if Engine::current() == Engine::Graphs {
        heaplab_explorer::host::at(location);
    }
}
