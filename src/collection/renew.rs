//! Renewing new space after its live objects have left: the frontier starts again over the freed pages.

use super::{Collector, policy};
use crate::page::{NO_ORDINAL, PageKind};
use crate::space::Ordinal;
use crate::words::{Limit, PageIndex};

impl Collector<'_, '_> {
    /// Whether a page of new space has been reached by the frontier, or never was the frontier's.
    pub(super) fn is_reached(&self, page: PageIndex) -> bool {
        let ordinal = self.spaces.info(page).ordinal;
        ordinal == NO_ORDINAL || self.spaces.new.is_reached(ordinal as usize)
    }

    /// Starts the frontier again over `free`, pages of new space without live objects. Survivor pages count as new
    /// space's, so the table has what is left of its `new_pages`. Pages beyond that are freed, missing ones are taken
    /// while the hard limit has room (C-4).
    pub(super) fn renew(&mut self, free: Vec<PageIndex>) {
        let layout = self.spaces.layout();
        let survivors = self.pages_of(PageKind::New).len() - free.len();
        let wanted = policy::frontier_pages(layout.new_pages(), survivors);
        let mut ordinals: Vec<Ordinal> =
            free.into_iter().map(|page| Ordinal { page, committed: self.is_committed(page) }).collect();
        // Committed pages first: they are warm, and sealing into them asks nothing of the system.
        ordinals.sort_by_key(|ordinal| !ordinal.committed);
        for ordinal in ordinals.split_off(wanted.min(ordinals.len())) {
            if ordinal.committed {
                self.free_page(ordinal.page, layout.pool_pages_max());
            } else {
                self.free_uncommitted(ordinal.page);
            }
        }
        while ordinals.len() < wanted {
            // SAFETY: S-4, by SW-1.
            match unsafe { self.spaces.take_page(PageKind::New, Limit::Hard) } {
                Ok(page) => ordinals.push(Ordinal::committed(page)),
                Err(_) => break,
            }
        }
        for ordinal in ordinals.iter().filter(|ordinal| ordinal.committed) {
            self.spaces.memory.withhold(layout.page_start(ordinal.page).bytes(), layout.page_bytes());
        }
        // SAFETY: SW-1; the pages are new space's, and no live object is left in them (C-1).
        unsafe { self.spaces.new.rebuild(&self.spaces.pages, ordinals) };
    }

    /// Whether a page of new space is committed. A page that the frontier has not reached may be: an earlier
    /// collection left it committed, or a carver committed it and was refused when it tried again.
    fn is_committed(&self, page: PageIndex) -> bool {
        self.spaces.memory.is_committed(self.spaces.layout().page_start(page).bytes())
    }

    fn free_uncommitted(&self, page: PageIndex) {
        // SAFETY: S-3: the page was the frontier's, which is the collector's by SW-1; it is not committed, so nothing
        // is in it, and nothing refers to it.
        unsafe {
            self.spaces.pages.label(page, PageKind::Free, crate::page::PageInfo::NEW);
            self.spaces.memory.end_late(self.spaces.layout().page_start(page).bytes());
            // the address first.
            self.spaces.fresh.put_address(page);
        }
        // then the budget; O-7.
        self.spaces.budget.give_back(1);
    }

    /// Gives the memory of the frontier's pages back to the system; their addresses and their budget stay. New space
    /// is empty: this follows a major collection (C-3).
    pub(super) fn uncommit_new_space(&mut self) {
        let layout = self.spaces.layout();
        let ordinals = self
            .spaces
            .ordinals()
            .into_iter()
            .map(|(ordinal, _)| {
                let start = layout.page_start(ordinal.page).bytes();
                let committed = self.is_committed(ordinal.page);
                // SAFETY: SW-1; after a major collection the page holds no object (C-3).
                let released = committed && unsafe { self.spaces.memory.release(start, layout.page_bytes()) }.is_ok();
                if released {
                    self.spaces.memory.begin_late(start);
                }
                // A page that the system does not take back stays committed.
                Ordinal { page: ordinal.page, committed: committed && !released }
            })
            .collect();
        // SAFETY: SW-1; the pages are the table's, and new space is empty (C-3).
        unsafe { self.spaces.new.rebuild(&self.spaces.pages, ordinals) };
    }
}
