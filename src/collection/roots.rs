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
        self.stop.for_each_local(|data| {
            data.handles.for_each(|slot| {
                // SAFETY: the world is stopped, so the slot is the collector's.
                unsafe { slot.with_mut(|bits| *bits = f(Tagged::from_bits(*bits)).bits()) };
            });
        });
        self.persistent.visit(&mut f);
        self.sets.visit(&mut f);
    }
}
