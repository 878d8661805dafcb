//! The roots of a heap: handles of every local heap, persistent handles, root sets.

use crate::object::Tagged;
use crate::space::{Spaces, Stopped};
use crate::thread::{PersistentHandles, RootSets, Stop};

/// How many bytes of roots are not counted: less is not worth a stop. What roots take from the Rust allocator beyond
/// counts as much as heap memory does.
pub const ROOT_BYTES_FREE: usize = 64 << 10;

/// Where a collection starts, and the stop in which it runs: the proof that these are all roots of a heap, and that
/// the heap is stopped. Visiting replaces each root by what the visitor returns.
pub struct Roots<'a, 's> {
    stop: &'a mut Stop<'s>,
    persistent: &'a PersistentHandles,
    sets: &'a RootSets,
}

impl<'a, 's> Roots<'a, 's> {
    /// The roots of the heap that is stopped.
    ///
    /// # Safety
    /// `persistent` and `sets` are all of that heap's, and what they hold are small integers and live objects of it.
    pub unsafe fn new(stop: &'a mut Stop<'s>, persistent: &'a PersistentHandles, sets: &'a RootSets) -> Roots<'a, 's> {
        Roots { stop, persistent, sets }
    }

    /// The spaces of the heap whose roots these are, which is stopped.
    ///
    /// # Panics
    /// If `spaces` are another heap's.
    #[track_caller]
    pub fn stopped<'b>(&self, spaces: &'b Spaces) -> Stopped<'b>
    where
        's: 'b,
    {
        self.stop.spaces(spaces)
    }

    pub(super) fn stop(&mut self) -> &mut Stop<'s> {
        self.stop
    }

    /// Calls `f` with each root, and stores what it returns.
    ///
    /// # Safety
    /// `f` returns what its argument has become: a small integer or a live object of this heap.
    pub unsafe fn visit(&mut self, mut f: impl FnMut(Tagged) -> Tagged) {
        // SAFETY: the caller's contract; the registers are those of the heap that `self.stop` stops.
        unsafe {
            self.visit_handles(&mut f);
            self.persistent.visit(&mut f);
            self.sets.visit(&mut f);
        }
    }

    /// Calls `f` with each root that may refer to a young object, and stores what it returns. `f` also says whether
    /// the returned word refers to a young object: if not, the root is left out from then on, until something is
    /// stored to it. (Handles are all visited: they come and go too fast to be worth a list.)
    ///
    /// # Safety
    /// As [`visit`](Self::visit), and what `f` says of the returned word is true.
    pub(super) unsafe fn visit_young(&mut self, mut f: impl FnMut(Tagged) -> (Tagged, bool)) {
        // SAFETY: the caller's contract; the registers are those of the heap that `self.stop` stops.
        unsafe {
            self.visit_handles(|word| f(word).0);
            self.persistent.visit_young(&mut f);
            self.sets.visit_young(&mut f);
        }
    }

    /// # Safety
    /// As [`visit`](Self::visit).
    unsafe fn visit_handles(&mut self, mut f: impl FnMut(Tagged) -> Tagged) {
        // SAFETY: by `self.stop` the slots are the collector's; by the contract what `f` returns is a root.
        unsafe {
            self.stop.for_each_local(|data| {
                data.handles.for_each(|slot| {
                    slot.with_mut(|bits| *bits = f(Tagged::from_bits(*bits)).bits());
                });
            });
        }
    }

    /// Takes every root off the lists of those that may refer to a young object, after a major collection.
    ///
    /// # Safety
    /// New space is empty.
    pub(super) unsafe fn forget_young(&mut self) {
        // SAFETY: the caller's contract; the registers are those of the heap that `self.stop` stops.
        unsafe {
            self.persistent.forget_young();
            self.sets.forget_young();
        }
    }

    /// Bytes that handles, persistent handles and root sets take from the Rust allocator.
    pub fn bytes(&mut self) -> usize {
        let mut bytes = self.persistent.bytes() + self.sets.bytes();
        // SAFETY: no root changes.
        unsafe { self.stop.for_each_local(|data| bytes += data.handles.bytes()) };
        bytes
    }

    /// Lets each thread's handles, the persistent handles and the root sets take `bytes` bytes more, each for
    /// themselves, before they ask for a collection. Their earlier requests count as met.
    pub fn allow(&mut self, bytes: usize) {
        // SAFETY: no root changes.
        unsafe {
            self.stop.for_each_local(|data| {
                data.handles.allow(bytes);
                data.wants_collection = false;
            });
        }
        self.persistent.allow(bytes);
        self.sets.allow(bytes);
    }

    /// Gives memory that holds no root back to the Rust allocator.
    pub(super) fn trim(&mut self) {
        // SAFETY: no root changes.
        unsafe { self.stop.for_each_local(|data| data.handles.trim()) };
        self.persistent.trim();
        self.sets.trim();
    }

    /// Calls `f` with each persistent handle and each slot of a root set, and whether a list says that it may refer
    /// to a young object. For the verifier.
    pub fn inspect(&self, mut f: impl FnMut(Tagged, bool)) {
        self.persistent.inspect(&mut f);
        self.sets.inspect(&mut f);
    }
}
