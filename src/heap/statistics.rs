//! Statistics: counted per thread, summed in stops.

use crate::allocation::AllocationCounters;
use crate::collection::CollectionSummary;
use crate::thread::LocalData;
use crate::words::{CollectionKind, Numbered as _};

/// What a heap did since it was built, and where it stands. Exact: taken in a stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Minor, major and memory-reducing collections.
    pub collections: [u64; CollectionKind::ALL.len()],
    /// LABs installed, bytes of them, large objects, attempts, failed ones; over all local heaps, detached ones
    /// included.
    pub allocation: AllocationCounters,
    /// Collections that allocations asked for: after a failed attempt, for a reserve, as the last resort, or because
    /// of the memory of roots. Several threads that fail together ask often and get one.
    pub requests: u64,
    /// Requests after failed attempts, and as the last resort, of threads inside their own always-allocate scopes.
    pub requests_in_scope: u64,
    /// Allocations whose first attempt failed.
    pub retries: u64,
    /// Bytes copied within new space, promoted, evacuated; pages kept in place; work: sums over all collections. Live
    /// bytes and bytes of holes are those that the last major or memory-reducing collection found; a minor one, which
    /// does not look, leaves them.
    pub moved: CollectionSummary,
    /// Bytes committed now.
    pub committed_bytes: usize,
    /// Bytes of committed pages that are free now: in the pool, or kept by the large-object space because the system
    /// did not take them back.
    pub pooled_bytes: usize,
    /// The soft limit now, in bytes.
    pub soft_limit_bytes: usize,
    /// The hard limit now, in bytes.
    pub hard_limit_bytes: usize,
    /// Bytes that handles, persistent handles and root sets take from the Rust allocator now. Beyond 64 KiB they
    /// count towards the soft limit, which a major collection lowers by so much. When one thread's handles, the
    /// persistent handles or the root sets grow by more than that limit left, by more than all took, and by more than
    /// 64 KiB, the next allocation beyond the bump path collects.
    pub roots_bytes: usize,
    /// Local heaps attached now.
    pub attached: usize,
    /// Answers of the near-limit callback.
    pub near_limit_calls: u64,
    /// Answers that raised the hard limit. The others changed nothing: they were not greater than the limit, or than
    /// what a rival had raised it to meanwhile, or no more is reserved.
    pub near_limit_raises: u64,
    /// Objects looked at by the verifier, fillers and free blocks excluded.
    pub objects_verified: u64,
}

/// One collection, as [`Heap::take_collection_trace`](super::Heap::take_collection_trace) tells of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CollectionTrace {
    /// Its number among the collections of all kinds, from 1 on.
    pub number: u64,
    /// Its kind.
    pub kind: CollectionKind,
    /// Bytes committed when it began.
    pub committed_bytes_before: usize,
    /// Bytes committed when it was over.
    pub committed_bytes_after: usize,
    /// What it moved and found.
    pub summary: CollectionSummary,
}

impl Statistics {
    /// Collections of one kind.
    #[must_use]
    pub fn collections_of(&self, kind: CollectionKind) -> u64 {
        *kind.of(&self.collections)
    }

    pub(super) fn add_local(&mut self, data: &LocalData) {
        let counters = data.allocator.counters();
        self.allocation.refills += counters.refills;
        self.allocation.lab_bytes += counters.lab_bytes;
        self.allocation.large_objects += counters.large_objects;
        self.allocation.attempts += counters.attempts;
        self.allocation.failed_attempts += counters.failed_attempts;
        self.requests += data.requests;
        self.requests_in_scope += data.requests_in_scope;
        self.retries += data.retries;
    }

    pub(super) fn add_collection(&mut self, kind: CollectionKind, summary: &CollectionSummary) {
        *kind.of_mut(&mut self.collections) += 1;
        self.moved.survived_bytes += summary.survived_bytes;
        self.moved.promoted_bytes += summary.promoted_bytes;
        self.moved.evacuated_bytes += summary.evacuated_bytes;
        self.moved.pages_kept += summary.pages_kept;
        self.moved.work.add(&summary.work);
        if kind >= CollectionKind::Major {
            self.moved.live_bytes = summary.live_bytes;
            self.moved.hole_bytes = summary.hole_bytes;
        }
    }
}
