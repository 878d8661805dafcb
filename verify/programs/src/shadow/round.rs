//! A round: one run of a program on a heap that may have run others before, with one point at which memory is refused,
//! or none.
//!
//! What a round is found to have done is the difference of the heap's counts, after the round and before. How many
//! page requests and releases there were is read off the countdown of the fault, which goes on where nothing is to be
//! refused.

use super::RoundFault;
use heaplab::heap::CollectionTrace;
use heaplab::{CollectionKind, Heap, Statistics};
use heaplab_common::claim_eq;

/// What a round began with.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// What is refused in the round.
    pub(super) fault: Option<RoundFault>,
    /// The heap's counts.
    pub(super) earlier: Statistics,
}

impl Round {
    /// Begins a round on `heap`, and arms its fault.
    pub(super) fn begin(heap: &Heap, fault: Option<RoundFault>) -> Round {
        let earlier = heap.statistics().expect("a sound heap");
        RoundFault::arm(fault, heap);
        Round { fault, earlier }
    }

    /// Collections of each kind since the round began.
    pub(super) fn collections(&self, now: &Statistics) -> [u64; 3] {
        core::array::from_fn(|kind| now.collections[kind] - self.earlier.collections[kind])
    }

    /// Checks that each collection of the round has been traced, once, in order.
    pub(super) fn check_trace(&self, trace: &[CollectionTrace], now: &Statistics) {
        let before: u64 = self.earlier.collections.iter().sum();
        let numbers: Vec<u64> = trace.iter().map(|record| record.number).collect();
        claim_eq!(
            numbers,
            (before + 1..=before + trace.len() as u64).collect::<Vec<_>>(),
            "the list of traced collections"
        );
        for kind in CollectionKind::ALL {
            let traced = trace.iter().filter(|record| record.kind == kind).count() as u64;
            claim_eq!(
                traced,
                now.collections_of(kind) - self.earlier.collections_of(kind),
                "the number of traced collections, {kind},"
            );
        }
    }
}
