//! Checked cells of the engines.

use super::Engine;

/// A cell of the engine that it was made under.
pub(in crate::sync) enum UnsafeCell<T> {
    Loom(loom::cell::UnsafeCell<T>),
    Graphs(heaplab_explorer::cell::UnsafeCell<T>),
}

// SAFETY: EG-1. A thread of the host that does not run the execution is refused before it comes to the value: loom's
// by a panic, the explorer's since the cell belongs to another exploration, or to none. What threads of the model do
// to the value is the contract of the face's accesses.
unsafe impl<T: Send> Sync for UnsafeCell<T> {}

impl<T> UnsafeCell<T> {
    #[track_caller]
    pub(in crate::sync) fn new(value: T) -> Self {
        match Engine::current() {
            Engine::Loom => Self::Loom(loom::cell::UnsafeCell::new(value)),
            Engine::Graphs => Self::Graphs(heaplab_explorer::cell::UnsafeCell::new(value)),
        }
    }

    pub(in crate::sync) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        match self {
            Self::Loom(cell) => cell.with(f),
            Self::Graphs(cell) => cell.with(f),
        }
    }

    pub(in crate::sync) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        match self {
            Self::Loom(cell) => cell.with_mut(f),
            Self::Graphs(cell) => cell.with_mut(f),
        }
    }

    pub(in crate::sync) fn into_inner(self) -> T {
        match self {
            Self::Loom(cell) => cell.into_inner(),
            Self::Graphs(cell) => cell.into_inner(),
        }
    }
}
