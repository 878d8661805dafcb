//! Operations on roots that belong to no local heap.

use super::shared_roots::{PERSISTENTS_MAX, ROOT_SET_SLOTS};
use super::{Door, Oracle};
use crate::ops::Op;

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
