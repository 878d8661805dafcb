//! The roots that belong to no local heap: persistent handles, and the slots of a root set.

use super::Value;
use heaplab::{Heap, Persistent, RootSet, Tagged};

pub(super) const ROOT_SET_SLOTS: usize = 4;
pub(super) const PERSISTENTS_MAX: usize = 24;

/// Roots: what each is supposed to hold, and what the heap has in it.
pub type Roots = Vec<(Value, Tagged)>;

/// Roots that are no thread's, each with what it is supposed to hold.
pub(super) struct SharedRoots {
    pub(super) persistents: Vec<(Persistent<heaplab::Value>, Value)>,
    pub(super) root_set: RootSet,
    pub(super) slots: [Value; ROOT_SET_SLOTS],
}

impl SharedRoots {
    /// No persistent handles, and a new root set, whose slots hold zero.
    pub(super) fn new(heap: &Heap) -> SharedRoots {
        let root_set = heap.new_root_set(ROOT_SET_SLOTS);
        SharedRoots { persistents: Vec::new(), root_set, slots: [Value::ZERO; ROOT_SET_SLOTS] }
    }

    /// What each root is supposed to hold, and what it holds, as `persistent` and `slot` read it.
    pub(super) fn words(
        &self,
        mut persistent: impl FnMut(&Persistent<heaplab::Value>) -> Tagged,
        mut slot: impl FnMut(&RootSet, usize) -> Tagged,
    ) -> Roots {
        let mut roots: Roots = self.persistents.iter().map(|(handle, value)| (*value, persistent(handle))).collect();
        roots.extend(self.slots.iter().enumerate().map(|(index, &value)| (value, slot(&self.root_set, index))));
        roots
    }

    pub(super) fn renew_root_set(&mut self, heap: &Heap) {
        let SharedRoots { root_set, slots, .. } = SharedRoots::new(heap);
        (self.root_set, self.slots) = (root_set, slots);
    }

    /// The index of the persistent handle that a number means: 0 is the youngest. `None` if there are none.
    pub(super) fn persistent(&self, number: u8) -> Option<usize> {
        let count = self.persistents.len();
        (count != 0).then(|| count - 1 - spread(number, count))
    }
}

/// A number below `count`: small operands count from the front, large ones from the back.
pub(super) fn spread(operand: u8, count: usize) -> usize {
    match operand {
        0..128 => usize::from(operand) % count,
        128.. => count - 1 - usize::from(255 - operand) % count,
    }
}
