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
    static CURRENT: Cell<Engine> = const { Cell::new(Engine::Loom) };
}

/// Ends the time of an engine when it is dropped.
pub(super) struct EngineGuard(Engine);

impl Drop for EngineGuard {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Engine {
    /// The engine of this thread of the host. It is loom's unless [`Engine::enter`] says otherwise, so that a test
    /// may call loom itself.
    #[inline]
    pub(super) fn current() -> Engine {
        CURRENT.get()
    }

    /// Makes this the engine of values that are made from now on.
    pub(super) fn enter(self) -> EngineGuard {
        EngineGuard(CURRENT.replace(self))
    }
}

/// Lets the engine's next operation count as called from `location`. loom keeps no places.
#[inline]
pub(super) fn at(location: &'static Location<'static>) {
    if Engine::current() == Engine::Graphs {
        heaplab_explorer::host::at(location);
    }
}
