//! Roots that belong to no thread.

use crate::sync::Arc;
use crate::thread::{PersistentCell, RootSetSlots};
use core::fmt;
use core::marker::PhantomData;

/// A root that belongs to no thread. Made by [`Scope::persist`](super::Scope::persist), read by
/// [`Scope::open`](super::Scope::open).
///
/// Dropping it takes a few atomic operations, no lock and no system call, and may happen anywhere, at any time: on
/// any thread, inside callbacks, after the heap is gone. (Then the last drop also frees the memory of all.) Its
/// memory serves the next persistent handle at once.
pub struct Persistent<T: 'static> {
    pub(super) cell: PersistentCell,
    _type: PhantomData<fn() -> T>,
}

impl<T> Persistent<T> {
    pub(super) fn new(cell: PersistentCell) -> Persistent<T> {
        Persistent { cell, _type: PhantomData }
    }
}

impl<T> fmt::Debug for Persistent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Persistent").field(&self.cell.tagged()).finish()
    }
}

/// An array of roots that threads share: loaded with [`Scope::load_root`](super::Scope::load_root), stored with
/// [`Scope::store_root`](super::Scope::store_root). Its objects live until the last clone is dropped, which may happen
/// anywhere, at any time, and gives the memory of the slots back to the Rust allocator at once.
#[derive(Clone)]
pub struct RootSet {
    pub(super) slots: Arc<RootSetSlots>,
}

impl RootSet {
    pub(super) fn new(slots: Arc<RootSetSlots>) -> RootSet {
        RootSet { slots }
    }

    /// The number of slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether the set has no slots.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

impl fmt::Debug for RootSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootSet").field("len", &self.len()).finish()
    }
}
