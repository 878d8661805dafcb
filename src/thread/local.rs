//! A local heap: a thread's state in the heap.

use super::state::ThreadState;
use super::{CollectionCounts, HandleSlots};
use crate::allocation::Allocator;
use crate::sync::{UnsafeCell, roll::Standing};

/// A thread's state in the heap. Shared between its owner and whoever stops the world.
#[derive(Debug)]
pub struct Local {
    state: ThreadState,
    data: UnsafeCell<LocalData>,
}

/// What the owner touches while it runs, and the collector in a stop.
///
/// A heap trusts this data: the allocator's memory is the heap's (L-5), and what is pushed on the handle stack is a
/// small integer or a live object of the heap. Whoever reaches the data of an attached local heap does so by an
/// `unsafe` function, and owes that.
#[derive(Debug)]
pub struct LocalData {
    /// LABs and owned pages.
    pub allocator: Allocator,
    /// The handle stack.
    pub handles: HandleSlots,
    /// Collections started, as of the last stop (T-5).
    pub counts: CollectionCounts,
    /// Whether a stop has panicked, as of the last stop.
    pub poisoned: bool,
    /// Whether a panic has told the owner that the heap is poisoned.
    pub told: bool,
    /// The flags that allocation looks at.
    pub flags: LocalFlags,
    /// Whether the owner is inside the near-heap-limit callback: a nested request fails.
    pub in_callback: bool,
    /// Whether the owner is one of the heap's own threads, which never calls the embedder.
    pub internal: bool,
    /// Whether the memory that roots take from the Rust allocator has asked for a collection since the last major one.
    pub wants_collection: bool,
    /// Collections that this local heap asked for, since it was attached.
    pub requests: u64,
    /// Climbs of the retry ladder that went beyond the first attempt.
    pub retries: u64,
    /// Collections requested by the owner inside its always-allocate scopes.
    pub requests_in_scope: u64,
}

/// Flags as each local heap sees them; copied in a stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LocalFlags {
    /// Collect at every n-th allocation; 0 for never.
    pub gc_interval: u64,
    /// Allocations left until the next such collection.
    pub countdown: u64,
}

impl Standing for Local {
    fn standing(&self) -> &'static str {
        self.state.standing()
    }
}

impl Local {
    /// A parked local heap without memory, whose handle stack grows by `handle_block_slots`.
    #[must_use]
    pub fn new(handle_block_slots: usize) -> Local {
        Local {
            state: ThreadState::new(),
            data: UnsafeCell::new(LocalData {
                allocator: Allocator::new(),
                handles: HandleSlots::new(handle_block_slots),
                counts: CollectionCounts::default(),
                poisoned: false,
                told: false,
                flags: LocalFlags::default(),
                in_callback: false,
                internal: false,
                wants_collection: false,
                requests: 0,
                retries: 0,
                requests_in_scope: 0,
            }),
        }
    }

    /// The state word, which the owner and stops change, through the safepoint that the local heap is attached to.
    #[inline(always)]
    pub(crate) fn state(&self) -> &ThreadState {
        &self.state
    }

    /// The data: the owner touches it while it runs, the collector in a stop.
    #[inline(always)]
    #[must_use]
    pub fn data(&self) -> &UnsafeCell<LocalData> {
        &self.data
    }

    /// The data of a local heap that nobody else knows, because it is not attached yet.
    pub(crate) fn data_mut(&mut self) -> &mut LocalData {
        self.data.get_mut()
    }
}
