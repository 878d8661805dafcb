//! Roots that belong to no thread.

use super::inner::HeapInner;
use crate::sync::Arc;
use crate::thread::{PersistentCell, RootSetSlots};
use core::fmt;
use core::marker::PhantomData;

/// A root that belongs to no thread. Made by [`Scope::persist`](super::Scope::persist), read by
/// [`Scope::open`](super::Scope::open). Dropping it is one atomic operation and may happen anywhere, at any time.
pub struct Persistent<T: 'static> {
    pub(super) cell: Arc<PersistentCell>,
    pub(super) heap: HeapId,
    _type: PhantomData<fn() -> T>,
}

/// Which heap a root belongs to: a token that the heap and its roots share, so that identities are never reused.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeapId(Arc<HeapToken>);

/// Not zero-sized, so that each has an address of its own.
#[derive(Debug, Default)]
struct HeapToken {
    _address: u8,
}

impl HeapId {
    pub(super) fn is(&self, other: &HeapId) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Persistent<T> {
    pub(super) fn new(cell: Arc<PersistentCell>, heap: HeapId) -> Persistent<T> {
        Persistent { cell, heap, _type: PhantomData }
    }
}

impl<T> Drop for Persistent<T> {
    fn drop(&mut self) {
        self.cell.release();
    }
}

impl<T> fmt::Debug for Persistent<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Persistent").field(&self.cell.tagged()).finish()
    }
}

/// An array of roots that threads share: loaded with [`Scope::load_root`](super::Scope::load_root), stored with
/// [`Scope::store_root`](super::Scope::store_root). Its objects live until the last clone is dropped.
#[derive(Clone)]
pub struct RootSet {
    pub(super) slots: Arc<RootSetSlots>,
    pub(super) heap: HeapId,
}

impl RootSet {
    pub(super) fn new(heap: &HeapInner, len: usize) -> RootSet {
        RootSet { slots: heap.root_sets.add(len), heap: heap.id.clone() }
    }

    /// How many slots.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
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
