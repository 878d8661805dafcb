//! This heap's contestants.

use super::Contestant;

/// Young objects through the raw API.
pub const ALLOC32_RAW: &str = "heaplab, raw";

/// Young objects through the safe API.
pub const ALLOC32_SAFE: &str = "heaplab, safe";

/// Trees through the safe API.
pub const BINARY_TREES: &str = "heaplab";

/// One thread allocates.
pub const ALLOC_THREADS_1: &str = "heaplab, 1 thread";

/// Two threads allocate from one heap.
pub const ALLOC_THREADS_2: &str = "heaplab, 2 threads";

/// Contestants of `alloc32`.
#[must_use]
pub fn alloc32() -> Vec<Contestant> {
    Vec::new()
}

/// Contestants of `binary_trees`.
#[must_use]
pub fn binary_trees() -> Vec<Contestant> {
    Vec::new()
}

/// Contestants of `alloc_threads`.
#[must_use]
pub fn alloc_threads() -> Vec<Contestant> {
    Vec::new()
}
