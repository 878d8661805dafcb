//! The roots of a heap: handles of every local heap, persistent handles, root sets.

use crate::object::Tagged;
use crate::thread::{PersistentHandles, RootSets, Stop};

/// Where a collection starts. Visiting replaces each root by what the visitor returns.
pub struct Roots<'a, 's> {
    stop: &'a mut Stop<'s>,
    persistent: &'a PersistentHandles,
    sets: &'a RootSets,
}

impl<'a, 's> Roots<'a, 's> {
    /// The roots of the heap that is stopped.
    pub fn new(stop: &'a mut Stop<'s>, persistent: &'a PersistentHandles, sets: &'a RootSets) -> Roots<'a, 's> {
        Roots { stop, persistent, sets }
    }

    pub(super) fn stop(&mut self) -> &mut Stop<'s> {
        self.stop
    }

    /// Calls `f` with each root, and stores what it returns.
    pub fn visit(&mut self, mut f: impl FnMut(Tagged) -> Tagged) {
        self.visit_handles(&mut f);
        // SAFETY: the world is stopped.
        unsafe {
            self.persistent.visit(&mut f);
            self.sets.visit(&mut f);
        }
    }

    /// Calls `f` with each root that may refer to a young object, and stores what it returns. `f` also says whether that is
    /// still young: if it is not, the root is left out from now on, until it is stored to. (Handles are all visited: they
    /// come and go too fast to be worth a list.)
    pub(super) fn visit_young(&mut self, mut f: impl FnMut(Tagged) -> (Tagged, bool)) {
        self.visit_handles(|word| f(word).0);
        // SAFETY: the world is stopped.
        unsafe {
            self.persistent.visit_young(&mut f);
            self.sets.visit_young(&mut f);
        }
    }

    fn visit_handles(&mut self, mut f: impl FnMut(Tagged) -> Tagged) {
        self.stop.for_each_local(|data| {
            data.handles.for_each(|slot| {
                // SAFETY: the world is stopped, so the slot is the collector's.
                unsafe { slot.with_mut(|bits| *bits = f(Tagged::from_bits(*bits)).bits()) };
            });
        });
    }

    /// After a major collection: no root refers to a young object.
    pub(super) fn forget_young(&mut self) {
        // SAFETY: the world is stopped, and new space is empty.
        unsafe {
            self.persistent.forget_young();
            self.sets.forget_young();
        }
    }

    /// Gives memory that holds no root back to the Rust allocator.
    pub(super) fn trim(&mut self) {
        self.stop.for_each_local(|data| data.handles.trim());
        self.persistent.trim();
        self.sets.trim();
    }

    /// Calls `f` with each root that a list says may be young or not, and what the list says. For the verifier.
    pub fn inspect(&self, mut f: impl FnMut(Tagged, bool)) {
        self.persistent.inspect(&mut f);
        self.sets.inspect(&mut f);
    }
}
