//! Who begins a stop: a thread outside of the heap, or one that runs a local heap of it.
//!
//! A stop parks its initiator's local heap while it waits for its turn, and its work may move what that local heap
//! refers to. So whoever begins a stop from a running local heap owes SI-1, once, when the initiator is made.
//!
//! Invariants:
//! * **SI-1** While an initiator of a local heap exists, that local heap is attached to the safepoint named with it
//!   and runs on this thread; no borrow of its data and no reference that it did not root is used any more
//!

use crate::thread::{Local, Safepoint};
use core::marker::PhantomData;

/// The initiator of a stop (SI-1), which uses it up.
pub(crate) struct Initiator<'a> {
    running: Option<(&'a Safepoint, &'a Local)>,
    /// Of this thread.
    _thread: PhantomData<*const ()>,
}

impl<'a> Initiator<'a> {
    /// A thread that runs no local heap of the heap. (A thread that runs one would wait for itself for ever.)
    pub(super) const OUTSIDE: Initiator<'static> = Initiator { running: None, _thread: PhantomData };

    /// A thread that runs `local`, which is attached to `safepoint`.
    ///
    /// # Safety
    /// SI-1 holds for all of `'a`.
    #[inline(always)]
    pub(super) unsafe fn running(safepoint: &'a Safepoint, local: &'a Local) -> Initiator<'a> {
        Initiator { running: Some((safepoint, local)), _thread: PhantomData }
    }

    /// The local heap that begins the stop, if one does.
    ///
    /// # Panics
    /// If that is a local heap of another heap than that of `safepoint`.
    pub(super) fn local_of(self, safepoint: &Safepoint) -> Option<&'a Local> {
        self.running.map(|(its_own, local)| {
            assert!(core::ptr::eq(its_own, safepoint), "a local heap begins stops of its own heap");
            local
        })
    }
}
