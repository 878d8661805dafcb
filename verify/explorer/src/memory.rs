//! What a run has allocated, and what it has freed.

use std::alloc::Layout;

use crate::views::Clock;

/// A block that was freed.
pub(crate) struct Freed {
    pub(crate) address: *mut u8,
    pub(crate) layout: Layout,
    /// Who freed it, and how many events the thread had then.
    pub(crate) thread: usize,
    pub(crate) index: u32,
    /// Somebody has it again.
    pub(crate) is_reused: bool,
}

impl Freed {
    /// Whether an event of a thread knows of it, given the clock of what happens before.
    pub(crate) fn is_known(&self, thread: usize, before: &Clock) -> bool {
        self.thread == thread || before.count(self.thread) > self.index
    }
}

/// The memory of a run.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) freed: Vec<Freed>,
    /// The blocks in use: address, and the entry among what must not be left over.
    pub(crate) used: Vec<(usize, usize)>,
}

impl Memory {
    /// Frees what was kept.
    pub(crate) fn release(&mut self) {
        for Freed { address, layout, .. } in self.freed.drain(..).filter(|freed| !freed.is_reused) {
            // SAFETY: `dealloc` was called with the block and its layout, by its contract, and nobody has got it again.
            unsafe { std::alloc::dealloc(address, layout) };
        }
        self.used.clear();
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release();
    }
}
