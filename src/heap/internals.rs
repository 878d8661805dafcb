//! What the suite asks a heap, a scope or a local heap, and embedders have no use for.

use super::{Heap, HeapConfig, RawLocalHeap, Scope};
use crate::memory::Fault;
use crate::space::Spaces;
use crate::words::{ConfigError, Layout, LayoutRequest};

/// The suite's door into a heap.
pub trait Internals {
    /// The spaces.
    fn spaces(&self) -> &Spaces;

    /// The refusal of a thread's start, to be injected.
    fn spawn_fault(&self) -> &Fault;
}

/// The layout of `config`, but with `large_pages` pages of large-object area.
///
/// # Errors
/// As [`HeapConfig::layout`].
pub fn layout_with_large_pages(config: &HeapConfig, large_pages: usize) -> Result<Layout, ConfigError> {
    let request = config.layout_request()?;
    Layout::derive(&LayoutRequest { large_pages: Some(large_pages), ..request })
}

impl Internals for Heap {
    fn spaces(&self) -> &Spaces {
        &self.inner.spaces
    }

    fn spawn_fault(&self) -> &Fault {
        &self.inner.spawn_fault
    }
}

impl Scope<'_, '_> {
    /// Whether somebody waits for this thread to [`poll`](Self::poll).
    #[must_use]
    pub fn is_stop_requested(&self) -> bool {
        // SAFETY: H-1: the scope's local heap is attached.
        unsafe { self.local().is_stop_requested() }
    }

    /// Large runs that the always-allocate scopes around here hold still: requests have used none of them.
    #[must_use]
    pub fn reserved_runs(&self) -> usize {
        // SAFETY: H-1: the scope's local heap runs.
        unsafe { self.local().reserved_runs() }
    }
}

impl RawLocalHeap {
    /// Whether somebody waits for this local heap to poll.
    ///
    /// # Safety
    ///
    #[must_use]
    pub unsafe fn is_stop_requested(self) -> bool {
        self.local().state().stop_requested()
    }

    /// Large runs that the always-allocate scopes of this local heap hold still: requests have used none of them.
    ///
    /// # Safety
    ///
    #[must_use]
    pub unsafe fn reserved_runs(self) -> usize {
        // SAFETY: R-1, by the contract.
        unsafe { self.with_data(|data| data.allocator.reserved_runs()) }
    }
}
