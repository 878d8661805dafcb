//! What a collection decides by numbers alone: pure functions, so that each term can be tested by itself.
//!
//! Sizes are in pages unless they say otherwise.

use crate::space::Stopped;
use crate::words::Limit;

/// What is committed, at one moment of a stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Charge {
    /// Committed pages, free ones included.
    pub(crate) committed: usize,
    /// Committed pages that are free: pooled, or kept in the large area since the system did not take them back.
    pub(crate) free: usize,
    /// The hard limit.
    pub(crate) hard: usize,
}

/// A collection is ineffective if it leaves less than this share of the hard limit free.
const INEFFECTIVE_SHARE: usize = 64;
/// Ineffective major collections in a row that end the rounds of a ladder.
const INEFFECTIVE_MAX: u32 = 4;

impl Charge {
    /// What is committed now.
    pub(crate) fn of(spaces: Stopped<'_>) -> Charge {
        let free = spaces.pooled() + spaces.kept_pages();
        Charge { committed: spaces.committed(), free, hard: spaces.limit(Limit::Hard) }
    }

    /// The soft limit after a major collection: room for as much again as is in use, `beside` pages' worth of memory
    /// for roots included, but not less than `configured`; less what roots take already, and not more than the hard
    /// limit.
    pub(crate) fn soft_limit(&self, configured: usize, beside: usize) -> usize {
        let in_use = self.committed - self.free + beside;
        in_use.saturating_mul(2).max(configured).saturating_sub(beside).min(self.hard)
    }

    /// The pages that a soft limit of `soft` leaves, those that are free and committed included.
    pub(crate) fn left(&self, soft: usize) -> usize {
        (soft + self.free).saturating_sub(self.committed)
    }

    /// Whether a major collection was worth its stop: it leaves enough of the hard limit free, as pages, pooled or
    /// not committed, or as `hole_bytes` in pages that are used.
    pub(crate) fn is_effective(&self, hole_bytes: usize, page_bytes: usize) -> bool {
        let free_pages = self.hard - self.committed + self.free;
        free_pages * page_bytes + hole_bytes >= self.hard * page_bytes / INEFFECTIVE_SHARE
    }
}

/// The pages that new space's frontier gets while `survivors` of its pages hold survivors: `new_pages` in all.
pub(super) fn frontier_pages(new_pages: usize, survivors: usize) -> usize {
    new_pages.saturating_sub(survivors)
}

/// The pages that one minor collection may fill with survivors: half of new space, so that the frontier has the other
/// half.
pub(super) fn survivor_pages_max(new_pages: usize) -> usize {
    new_pages / 2
}

/// A count of ineffective major collections in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Ineffective(u32);

impl Ineffective {
    /// Counts a major collection.
    pub(crate) fn count(&mut self, effective: bool) {
        self.0 = if effective { 0 } else { self.0.saturating_add(1) };
    }

    /// Whether another collection is not worth its stop.
    pub(crate) fn is_thrashing(self) -> bool {
        self.0 >= INEFFECTIVE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(committed: usize, free: usize, hard: usize) -> Charge {
        Charge { committed, free, hard }
    }

    /// Each term decides one line: what is in use, twice; without the pool; the configured limit; the hard one.
    #[test]
    fn the_soft_limit_is_twice_what_is_in_use_between_the_configured_and_the_hard_one() {
        assert_eq!(charge(10, 0, 100).soft_limit(3, 0), 20);
        assert_eq!(charge(10, 4, 100).soft_limit(3, 0), 12);
        assert_eq!(charge(10, 4, 100).soft_limit(13, 0), 13);
        assert_eq!(charge(10, 4, 11).soft_limit(3, 0), 11);
        assert_eq!(charge(10, 4, 100).soft_limit(3, 5), 17, "as much again for what is beside, which is taken off");
        assert_eq!(charge(10, 4, 100).soft_limit(40, 5), 35, "what is beside counts towards the configured limit");
        assert_eq!(charge(10, 10, 100).soft_limit(0, 0), 0);
        assert_eq!(charge(usize::MAX / 2 + 1, 0, usize::MAX).soft_limit(0, 0), usize::MAX);
    }

    /// Of 128 pages of 64 bytes a 64th is 128 bytes: two pages, or one and a page's worth of holes, or holes alone.
    #[test]
    fn a_collection_is_effective_from_a_64th_of_the_limit_on() {
        let effective = |committed, pooled, holes| charge(committed, pooled, 128).is_effective(holes, 64);
        assert!(effective(126, 0, 0) && !effective(127, 0, 0));
        assert!(effective(128, 2, 0) && !effective(128, 1, 0), "pooled pages are free pages");
        assert!(effective(127, 1, 0) && effective(127, 0, 64) && !effective(127, 0, 56));
        assert!(effective(128, 0, 128) && !effective(128, 0, 120));
    }

    #[test]
    fn survivors_and_frontier_share_new_space() {
        assert_eq!([0, 1, 2, 3, 5, 8].map(survivor_pages_max), [0, 0, 1, 1, 2, 4]);
        assert_eq!([0, 1, 3, 4, 5].map(|survivors| frontier_pages(4, survivors)), [4, 3, 1, 0, 0]);
    }

    #[test]
    fn four_ineffective_collections_in_a_row_are_thrashing() {
        let mut ineffective = Ineffective::default();
        let counted = [false, false, false, true, false, false, false, false, false, true].map(|effective| {
            ineffective.count(effective);
            ineffective.is_thrashing()
        });
        assert_eq!(counted, [false, false, false, false, false, false, false, true, true, false]);
    }
}
