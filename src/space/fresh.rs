//! Fresh pages: the pool of committed free pages first, then new addresses within the budget.

use super::{Budget, PageSet};
use crate::memory::Memory;
use crate::sync::{YieldPoint, yield_point};
use crate::words::{AttemptError, Layout, Limit, PageIndex};

/// Where empty pages of the paged area come from.
#[derive(Debug)]
pub struct FreshPages {
    /// Committed free pages. They count as committed, so taking one needs no budget.
    pool: PageSet,
    /// Addresses of the paged area that nobody uses.
    addresses: PageSet,
}

impl FreshPages {
    /// No page and no address, in the given empty sets.
    #[must_use]
    pub fn new(pool: PageSet, addresses: PageSet) -> FreshPages {
        FreshPages { pool, addresses }
    }

    /// Takes a committed page: from the pool, whatever the limits say, else a new one within `limit`.
    ///
    /// Costs at most one system call. The words of the page hold anything.
    ///
    /// # Errors
    /// `Exhausted`: no pooled page, and no budget or no address. `Refused`: the system committed nothing; the budget
    /// was given back.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap, of which `memory`, `layout` and `budget` are parts.
    pub unsafe fn take(
        &self,
        memory: &Memory,
        layout: &Layout,
        budget: &Budget,
        limit: Limit,
    ) -> Result<PageIndex, AttemptError> {
        if let Some(page) = self.pool.take_seen() {
            return Ok(page);
        }
        // SAFETY: S-4, by the contract.: the reservation acquires (O-7).
        let reserve = || unsafe { budget.try_reserve(1, limit) };
        if !reserve() {
            // In this order, because a large run turns pages of the pool into budget: whoever finds the pool empty
            // looks for budget once more. A page that was free when the call began and is missed all the same was a
            // rival's for a moment during the call. Each of the three refusals is that of one word; the order between
            // two of them is relied on by nobody.
            if let Some(page) = self.pool.take() {
                return Ok(page);
            }
            if !reserve() {
                return Err(AttemptError::Exhausted);
            }
        }
        yield_point(YieldPoint::FreshReserved);
        // S-2 promises an address, but for heaps so large that their areas are smaller than their limit.
        let Some(page) = self.addresses.take() else {
            // Relied on by nobody: nothing was returned.
            budget.give_back(1);
            return Err(AttemptError::Exhausted);
        };
        yield_point(YieldPoint::FreshAddressed);
        // whatever this budget was reserved from, the system has it back.
        if memory.commit(layout.page_start(page).bytes(), layout.page_bytes()).is_err() {
            // the address first.
            self.addresses.put(page);
            // then the budget; O-7.
            budget.give_back(1);
            return Err(AttemptError::Refused);
        }
        yield_point(YieldPoint::FreshCommitted);
        Ok(page)
    }

    /// Committed free pages. Exact while nobody allocates, else a snapshot.
    #[must_use]
    pub fn pooled(&self) -> usize {
        self.pool.len()
    }

    /// As [`pooled`](Self::pooled), and exact.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn pooled_in_stop(&self) -> usize {
        // SAFETY: by the contract.
        unsafe { self.pool.len_in_stop() }
    }

    /// Takes a pooled page; the caller owns it then.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap.
    #[must_use]
    pub unsafe fn take_pooled(&self) -> Option<PageIndex> {
        self.pool.take()
    }

    /// Puts a committed page, labelled `Pooled`, into the pool.
    ///
    /// # Safety
    /// S-3, S-4: the caller owns the page and is at work in this heap; nothing refers into the page.
    pub unsafe fn put_pooled(&self, page: PageIndex) {
        self.pool.put(page);
    }

    /// Puts the address of a page that is not committed back.
    ///
    /// # Safety
    /// S-3, S-4: the caller owns the page, one of the paged area, and is at work in this heap; nothing refers into
    /// the page.
    pub unsafe fn put_address(&self, page: PageIndex) {
        self.addresses.put(page);
    }

    /// Whether the address of `page` is one that nobody uses.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn has_address(&self, page: PageIndex) -> bool {
        // SAFETY: by the contract.
        unsafe { self.addresses.contains(page) }
    }

    /// Whether `page` is in the pool.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn is_pooled(&self, page: PageIndex) -> bool {
        // SAFETY: by the contract.
        unsafe { self.pool.contains(page) }
    }
}
