//! The budget: how many pages are committed, and how many may be.
//!
//! One word counts the committed pages of all spaces and of the pool. A page is reserved here **before** it exists and
//! given back if the system refuses it, so the count never understates what is committed (S-1), and two threads cannot
//! both pass a check and then both grow (V8's expansion check, `architecture.md`, row B7).
//!
//! Each change is told to the memory's [`Ledger`]: a charge after it is counted, a discharge before. The ledger
//! asserts at every moment that no page is committed beyond what is counted here.
//!
//! That the count is never above the limit is a property of a single location: by the modification order of
//! `committed`, each successful compare-exchange moved it from a value to one within the limit, and nothing else
//! raises it. What a page's budget promises - an address, memory that the system has back, a run of the
//! table (X-5) - lies in other words: who gives budget back releases, who reserves it acquires (O-7).
//!
//! The limits themselves change only in a stop, so who reads them takes part in stops (S-4).

use crate::memory::{Ledger, Memory};
use crate::sync::{Arc, AtomicUsize, CachePadded, Ordering, UnsafeCell, YieldPoint, yield_point};
use crate::words::Limit;

/// Committed pages and their limits, all in pages.
#[derive(Debug)]
pub struct Budget {
    committed: CachePadded<AtomicUsize>,
    limits: UnsafeCell<Limits>,
    ledger: Arc<Ledger>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    soft: usize,
    hard: usize,
}

impl Budget {
    /// A budget without memory, with nothing committed and these limits, in pages. Only a budget [`of`](Self::of)
    /// memory checks what is committed.
    #[must_use]
    pub fn new(soft: usize, hard: usize) -> Budget {
        Budget::with(soft, hard, Arc::new(Ledger::without_memory()))
    }

    /// As [`new`](Self::new), for the pages of `memory`: from now on nobody commits a page that is not reserved here.
    #[must_use]
    pub fn of(memory: &Memory, soft: usize, hard: usize) -> Budget {
        memory.ledger().audit();
        Budget::with(soft, hard, Arc::clone(memory.ledger()))
    }

    fn with(soft: usize, hard: usize, ledger: Arc<Ledger>) -> Budget {
        let committed = CachePadded::new(AtomicUsize::new(0));
        Budget { committed, limits: UnsafeCell::new(Limits { soft, hard }), ledger }
    }

    /// Asserts that what is counted is what is committed, or late (S-1), as it is while nobody allocates.
    ///
    /// # Panics
    /// If it is not so.
    pub fn assert_settled(&self) {
        self.ledger.assert_settled(self.committed());
    }

    /// The pages that `limit` allows.
    ///
    /// # Safety
    /// S-4: the caller is at work in the heap whose budget it is. (The limits are a plain cell that stops write.)
    #[must_use]
    pub unsafe fn limit(&self, limit: Limit) -> usize {
        // SAFETY: limits are written in stops only, and by S-4 the caller runs between stops or is the collector.
        let limits = unsafe { self.limits.with(|limits| *limits) };
        match limit {
            Limit::Soft => limits.soft,
            Limit::Hard => limits.hard,
        }
    }

    /// Sets both limits, in pages; the soft one is at most `hard`.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    pub unsafe fn set_limits(&self, soft: usize, hard: usize) {
        // SAFETY: nobody reads the limits in a stop but its collector.
        unsafe { self.limits.with_mut(|limits| *limits = Limits { soft: soft.min(hard), hard }) }
    }

    /// Pages committed or about to be. Exact while nobody allocates, else a snapshot.
    #[must_use]
    pub fn committed(&self) -> usize {
        // Relaxed: a snapshot; in a stop the safepoint orders it.
        self.committed.load(Ordering::Relaxed)
    }

    /// As [`committed`](Self::committed), and exact.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn committed_in_stop(&self) -> usize {
        // SAFETY: whoever reserved or gave back has parked since (O-3).
        unsafe { self.committed.unsync_load() }
    }

    /// Reserves `pages` pages within `limit`; whether it could.
    ///
    /// # Safety
    /// As [`limit`](Self::limit).
    #[inline]
    #[must_use]
    pub unsafe fn try_reserve(&self, pages: usize, limit: Limit) -> bool {
        // SAFETY: S-4, by the contract.
        self.try_reserve_within(pages, unsafe { self.limit(limit) })
    }

    /// Reserves `pages` pages if no more than `limit` are committed then. Lock-free; fails only if, at one moment
    /// during the call, the pages did not fit.
    #[must_use]
    pub fn try_reserve_within(&self, pages: usize, limit: usize) -> bool {
        // Relaxed: a guess, which the compare-exchange checks.
        let mut seen = self.committed.load(Ordering::Relaxed);
        while !self.reserve_from(seen, pages, limit) {
            // A load may be stale, and a refusal costs a collection: only an RMW, which reads the newest value,
            // refuses. O-7: Acquire pairs with each reservation that left too little room.
            let newest = self.committed.fetch_add(0, Ordering::Acquire);
            if !fits(newest, pages, limit) {
                return false;
            }
            seen = newest;
        }
        true
    }

    /// As [`try_reserve`](Self::try_reserve), if a look that may be stale finds room: `false` decides nothing.
    ///
    /// # Safety
    /// As [`limit`](Self::limit).
    #[must_use]
    pub unsafe fn try_reserve_seen(&self, pages: usize, limit: Limit) -> bool {
        // Relaxed: a guess, which the compare-exchange checks.
        let seen = self.committed.load(Ordering::Relaxed);
        // SAFETY: S-4, by the contract.
        self.reserve_from(seen, pages, unsafe { self.limit(limit) })
    }

    /// Reserves `pages` pages, `seen` being the count as far as the caller knows.
    fn reserve_from(&self, mut seen: usize, pages: usize, limit: usize) -> bool {
        while fits(seen, pages, limit) {
            yield_point(YieldPoint::BudgetSeen);
            // O-7: Acquire pairs with each `give_back` that made this room; Release hands what was kept
            // before to whoever is refused for it. Relaxed on failure: another guess.
            match self.committed.compare_exchange_weak(seen, seen + pages, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    // Relied on by nobody: what the ledger asserts, it asserts of a word of its own (LG-1).
                    self.ledger.charge(pages);
                    return true;
                }
                Err(newer) => seen = newer,
            }
        }
        false
    }

    /// Counts `pages` pages less, which are not committed and whose addresses were returned before (S-2).
    ///
    /// Whoever gives back what it did not reserve breaks the limit (S-1), but no memory safety rests on the count.
    ///
    /// # Panics
    /// If pages are committed for which no budget is left (S-1), or fewer than `pages` are counted.
    pub fn give_back(&self, pages: usize) {
        self.ledger.discharge(pages);
        // O-7: Release hands what was returned before to whoever reserves this budget.
        let before = self.committed.fetch_sub(pages, Ordering::Release);
        assert!(before >= pages, "gave back {pages} of {before} committed pages");
    }
}

/// Whether `pages` more pages keep the count within `limit`.
fn fits(committed: usize, pages: usize, limit: usize) -> bool {
    committed.checked_add(pages).is_some_and(|wanted| wanted <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look finds the room that there is, up to the last page, and takes nothing where there is too little.
    #[test]
    fn a_look_reserves_what_fits() {
        crate::sync::check(|| {
            let budget = Budget::new(2, 3);
            // SAFETY: S-4: this thread alone has the budget.
            let reserves = |pages, limit| unsafe { budget.try_reserve_seen(pages, limit) };
            assert!(!reserves(3, Limit::Soft));
            assert_eq!(budget.committed(), 0);
            assert!(reserves(2, Limit::Soft));
            assert!(!reserves(1, Limit::Soft));
            assert!(reserves(1, Limit::Hard));
            assert!(!reserves(1, Limit::Hard));
            assert_eq!(budget.committed(), 3);
        });
    }
}
