//! The roots that belong to no local heap: persistent handles, and the slots of a root set.

use super::oracle::{Roots, spread};
use super::{Door, Oracle, Value};
use crate::ops::Op;
use heaplab::{Heap, Persistent, RootSet, Tagged};

const ROOT_SET_SLOTS: usize = 4;
const PERSISTENTS_MAX: usize = 24;

/// Roots of the heap that are no thread's, each with what it is supposed to hold.
pub(super) struct SharedRoots {
    persistents: Vec<(Persistent<heaplab::Value>, Value)>,
    root_set: RootSet,
    slots: [Value; ROOT_SET_SLOTS],
}

impl SharedRoots {
    /// None but the slots of a new root set, which hold nothing.
    pub(super) fn new(heap: &Heap) -> SharedRoots {
        let root_set = heap.new_root_set(ROOT_SET_SLOTS);
        SharedRoots { persistents: Vec::new(), root_set, slots: [Value::ZERO; ROOT_SET_SLOTS] }
    }

    /// What each is supposed to hold, and what it does, as `persistent` and `slot` read it.
    pub(super) fn words(
        &self,
        mut persistent: impl FnMut(&Persistent<heaplab::Value>) -> Tagged,
        mut slot: impl FnMut(&RootSet, usize) -> Tagged,
    ) -> Roots {
        let mut roots: Roots = self.persistents.iter().map(|(handle, value)| (*value, persistent(handle))).collect();
        roots.extend(self.slots.iter().enumerate().map(|(index, &value)| (value, slot(&self.root_set, index))));
        roots
    }

    fn renew_root_set(&mut self, heap: &Heap) {
        let SharedRoots { root_set, slots, .. } = SharedRoots::new(heap);
        (self.root_set, self.slots) = (root_set, slots);
    }

    /// The persistent handle that a number means.
    fn persistent(&self, number: u8) -> Option<usize> {
        let count = self.persistents.len();
        (count != 0).then(|| count - 1 - spread(number, count))
    }
}

impl Oracle {
    /// Does an operation on a root that is no thread's.
    pub(super) fn share<D: Door>(&mut self, actor: usize, door: &mut D, op: Op) {
        match op {
            Op::Persist(handle) => {
                if self.shared.persistents.len() < PERSISTENTS_MAX
                    && let Some(root) = self.root(actor, handle)
                    && let Some(made) = door.persist(root)
                {
                    self.shared.persistents.push((made, self.stacks[actor][root]));
                }
            }
            Op::Open(number) => {
                if let Some(index) = self.shared.persistent(number)
                    && door.open(&self.shared.persistents[index].0).is_some()
                {
                    self.stacks[actor].push(self.shared.persistents[index].1);
                }
            }
            Op::Drop(number) => {
                if let Some(index) = self.shared.persistent(number) {
                    self.shared.persistents.remove(index);
                }
            }
            Op::StoreRoot { slot, value } => {
                let slot = usize::from(slot) % ROOT_SET_SLOTS;
                let (source, value) = self.source(actor, value);
                if door.store_root(&self.shared.root_set, slot, source) {
                    self.shared.slots[slot] = value;
                }
            }
            Op::LoadRoot(slot) => {
                let slot = usize::from(slot) % ROOT_SET_SLOTS;
                if door.load_root(&self.shared.root_set, slot).is_some() {
                    self.stacks[actor].push(self.shared.slots[slot]);
                }
            }
            Op::RenewRoots => self.shared.renew_root_set(&self.state.heap),
            _ => unreachable!("{op} is on no root that threads share"),
        }
    }
}
