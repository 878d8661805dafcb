//! Where the pages of a heap come from.

use core::fmt;

use super::{MAPS, SIMULATES, system_page_bytes};
use crate::sync::is_modelled;

/// Where a heap's pages come from.
///
/// The default is the best source of the build: [`Mapped`](PageSource::Mapped) on Unix,
/// [`Owned`](PageSource::Owned) under Miri, with the feature `shuttle` (whose executions are many and short) and
/// elsewhere; in a model of the feature `loom`, [`Simulated`](PageSource::Simulated). For small pages:
/// [`for_page_bytes`](PageSource::for_page_bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PageSource {
    /// Address space from the operating system, committed and given back page by page.
    Mapped,
    /// One block from the Rust allocator, held whole until the heap is dropped. Commits and releases are counted, but
    /// take and give back no memory.
    Owned,
    /// Words that the model checker watches, one by one. Exists only in a model of the feature `loom`, and there alone.
    Simulated,
}

impl Default for PageSource {
    fn default() -> Self {
        if SIMULATES && is_modelled() {
            PageSource::Simulated
        } else if MAPS {
            PageSource::Mapped
        } else {
            PageSource::Owned
        }
    }
}

impl PageSource {
    /// Bytes of the smallest page that this source gives back: a page of the system's when mapped, else 1, since any
    /// page will do.
    #[must_use]
    pub fn page_bytes_min(self) -> usize {
        match self {
            PageSource::Mapped => system_page_bytes(),
            _ => 1,
        }
    }

    /// The best source of the build for pages of `page_bytes` bytes: the default, or where the system has no pages as
    /// small as these, [`Owned`](PageSource::Owned).
    #[must_use]
    pub fn for_page_bytes(page_bytes: usize) -> PageSource {
        PageSource::default().or_owned(page_bytes)
    }

    /// This source, or [`Owned`](PageSource::Owned) where this one has no pages as small as `page_bytes` bytes.
    #[must_use]
    pub fn or_owned(self, page_bytes: usize) -> PageSource {
        if page_bytes < self.page_bytes_min() { PageSource::Owned } else { self }
    }
}

impl fmt::Display for PageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PageSource::Mapped => "mapped",
            PageSource::Owned => "owned",
            PageSource::Simulated => "simulated",
        })
    }
}
