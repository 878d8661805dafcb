//! How many collections were started: what a request is compared with.

use crate::words::{ByKind, CollectionKind};

/// Collections started, per kind. Changes in stops only (T-5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CollectionCounts {
    started: ByKind<u64>,
}

impl CollectionCounts {
    /// Collections of exactly this kind that were started.
    #[must_use]
    pub fn started(&self, kind: CollectionKind) -> u64 {
        self.started[kind]
    }

    /// Whether a collection that meets a request for `kind` was started since `before`.
    #[must_use]
    pub fn met_since(&self, kind: CollectionKind, before: &CollectionCounts) -> bool {
        CollectionKind::ALL.into_iter().any(|k| k >= kind && self.started(k) > before.started(k))
    }

    pub(super) fn start(&mut self, kind: CollectionKind) {
        self.started[kind] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(started: &[CollectionKind]) -> CollectionCounts {
        let mut counts = CollectionCounts::default();
        started.iter().for_each(|&kind| counts.start(kind));
        counts
    }

    #[test]
    fn a_request_is_met_by_a_later_collection_of_its_kind_or_a_greater_one() {
        use CollectionKind::{Major, MemoryReducing, Minor};
        let before = counts(&[Minor, MemoryReducing]);
        let after = counts(&[Minor, Major, MemoryReducing, Major]);
        assert_eq!(CollectionKind::ALL.map(|kind| after.started(kind)), [1, 2, 1]);
        assert_eq!(CollectionKind::ALL.map(|kind| after.met_since(kind, &before)), [true, true, false]);
        assert_eq!(CollectionKind::ALL.map(|kind| after.met_since(kind, &after)), [false; 3]);
    }
}
