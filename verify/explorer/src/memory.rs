//! What a run has allocated, and what it has freed.

use std::alloc::Layout;

/// A block that was freed.
pub(crate) struct Freed {
    pub(crate) address: *mut u8,
    pub(crate) layout: Layout,
}

/// The memory of a run.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) freed: Vec<Freed>,
    /// The blocks in use: address, and the entry among what must not be left over.
    pub(crate) used: Vec<(usize, usize)>,
    pub(crate) reuses: usize,
}

impl Memory {
    /// Frees what was kept.
    pub(crate) fn release(&mut self) {
        for Freed { address, layout } in self.freed.drain(..) {
            // SAFETY: `dealloc` was called with the block and its layout, once, by its contract.
            unsafe { std::alloc::dealloc(address, layout) };
        }
        self.used.clear();
        self.reuses = 0;
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release();
    }
}
