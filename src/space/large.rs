//! The large-object space: one object per run of pages, in a part of the reservation of its own.
//!
//! A leaf mutex guards the table of used pages. It is held for a first-fit search and a few bits, never across a system
//! call or a poll. The budget is reserved before the run exists; the run is committed after it is found. A request for
//! which the budget has no room gives pooled pages back to the system first, since those count as committed.

use super::Spaces;
use crate::page::{PageInfo, PageKind};
use crate::sync::{Mutex, YieldPoint, yield_point};
use crate::words::{AttemptError, Layout, Limit, Offset, PageIndex};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PageUse {
    Free,
    Used,
    /// Free, but out of reach: the space was simulated full.
    Wasted,
}

/// Which pages of the large area are used.
#[derive(Debug)]
pub struct LargeSpace {
    used: Mutex<Vec<PageUse>>,
    first_page: usize,
}

impl LargeSpace {
    /// An empty space over the large area of `layout`.
    #[must_use]
    pub fn new(layout: &Layout) -> LargeSpace {
        LargeSpace { used: Mutex::new(vec![PageUse::Free; layout.large_pages()]), first_page: layout.paged_pages() }
    }

    fn find_run(&self, pages: usize) -> Option<usize> {
        let mut used = self.used.lock();
        let mut free = 0;
        for index in 0..used.len() {
            free = if used[index] == PageUse::Free { free + 1 } else { 0 };
            if free == pages {
                let start = index + 1 - pages;
                used[start..=index].fill(PageUse::Used);
                return Some(start);
            }
        }
        None
    }

    fn free_run(&self, start: usize, pages: usize) {
        let mut used = self.used.lock();
        debug_assert!(used[start..start + pages].iter().all(|&page| page == PageUse::Used));
        used[start..start + pages].fill(PageUse::Free);
    }

    /// Whether a page of the large area is part of a run.
    #[must_use]
    pub fn is_used(&self, page: PageIndex) -> bool {
        self.used.lock()[page.index() - self.first_page] == PageUse::Used
    }

    /// Takes a run of committed pages for an object of `bytes` bytes, within `limit`. The words hold anything. May make
    /// system calls; takes a leaf mutex.
    ///
    /// # Errors
    /// `Exhausted`: no budget, or no run that long. `Refused`: the system committed nothing.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap. The run is its own then (S-3).
    pub unsafe fn take_run(spaces: &Spaces, bytes: usize, limit: Limit) -> Result<Offset, AttemptError> {
        let layout = spaces.layout();
        let (this, pages) = (&spaces.large, layout.pages_for(bytes));
        // SAFETY: S-4, by the contract.
        if !unsafe { reserve(spaces, pages, limit) } {
            return Err(AttemptError::Exhausted);
        }
        yield_point(YieldPoint::RunReserved);
        let Some(start) = this.find_run(pages) else {
            spaces.budget.give_back(pages);
            return Err(AttemptError::Exhausted);
        };
        yield_point(YieldPoint::RunFound);
        let at = layout.page_start(PageIndex::new(this.first_page + start));
        if spaces.memory.commit(at.bytes(), pages * layout.page_bytes()).is_err() {
            this.free_run(start, pages);
            spaces.budget.give_back(pages);
            return Err(AttemptError::Refused);
        }
        yield_point(YieldPoint::RunCommitted);
        spaces.memory.withhold(at.bytes(), pages * layout.page_bytes());
        for index in 0..pages {
            let kind = if index == 0 { PageKind::LargeHead } else { PageKind::LargeTail };
            let run_pages = if index == 0 { pages as u32 } else { 0 };
            // SAFETY: the run was just taken, and holds no object.
            unsafe {
                spaces.pages.label(
                    PageIndex::new(this.first_page + start + index),
                    kind,
                    PageInfo { run_pages, ..PageInfo::NEW },
                );
            }
        }
        Ok(at)
    }

    /// Marks a run, just taken and without an object, as held by an always-allocate scope.
    ///
    /// # Safety
    /// S-3, S-4: the caller owns the run that starts at `head`, which holds no object, and is at work in this heap.
    pub unsafe fn reserve_run(spaces: &Spaces, head: PageIndex) {
        // SAFETY: the run is the caller's and holds no object.
        unsafe { spaces.pages.label(head, PageKind::Reserved, spaces.pages.info(head)) };
    }

    /// Turns a held run into one of exactly `pages` pages for an object; the rest goes back to the system.
    ///
    /// # Safety
    /// As [`reserve_run`](Self::reserve_run), for a run that is held and has `pages` pages or more; `pages` is not 0.
    pub unsafe fn use_reserved_run(spaces: &Spaces, head: PageIndex, pages: usize) {
        // SAFETY: the run is the caller's and holds no object.
        unsafe {
            let info = spaces.pages.info(head);
            spaces.pages.label(head, PageKind::LargeHead, PageInfo { run_pages: pages as u32, ..info });
            let rest = info.run_pages as usize - pages;
            if rest != 0 {
                let tail = PageIndex::new(head.index() + pages);
                spaces.pages.label(tail, PageKind::Reserved, PageInfo { run_pages: rest as u32, ..info });
                LargeSpace::release_run(spaces, tail);
            }
        }
    }

    /// Takes every free page of the area out of reach until the next [`recover`](Self::recover). Returns how many.
    pub fn exhaust(&self) -> usize {
        let mut used = self.used.lock();
        let mut wasted = 0;
        for page in used.iter_mut().filter(|page| **page == PageUse::Free) {
            *page = PageUse::Wasted;
            wasted += 1;
        }
        wasted
    }

    /// Puts every wasted page within reach again.
    pub fn recover(&self) {
        for page in self.used.lock().iter_mut().filter(|page| **page == PageUse::Wasted) {
            *page = PageUse::Free;
        }
    }

    /// Free pages of the area that are out of reach, because the space was simulated full.
    #[must_use]
    pub fn pages_out_of_reach(&self) -> usize {
        self.used.lock().iter().filter(|page| **page == PageUse::Wasted).count()
    }

    /// Gives the run that starts at `head` back to the system.
    ///
    /// # Safety
    /// The caller owns the run: its object is dead and the world is stopped, or it never held an object.
    pub unsafe fn release_run(spaces: &Spaces, head: PageIndex) {
        let layout = spaces.layout();
        let this = &spaces.large;
        // SAFETY: the run is the caller's, by the contract.
        unsafe {
            let pages = spaces.pages.info(head).run_pages as usize;
            let start = layout.page_start(head);
            spaces.pages.forget_range(start, pages * layout.page_bytes());
            for index in 0..pages {
                spaces.pages.label(PageIndex::new(head.index() + index), PageKind::Free, PageInfo::NEW);
            }
            // A range that the system does not take back is still usable: the next commit of it finds it so.
            let _ = spaces.memory.release(start.bytes(), pages * layout.page_bytes());
            this.free_run(head.index() - this.first_page, pages);
            yield_point(YieldPoint::RunFreed);
            spaces.budget.give_back(pages);
        }
    }
}

/// Reserves `pages` pages within `limit`, or by giving pooled pages back to the system. The budget of such a page stays
/// with the request, so that no rival takes it meanwhile; as with any pooled page, no limit is asked for it again.
///
/// # Safety
/// S-4: the caller is at work in this heap.
unsafe fn reserve(spaces: &Spaces, pages: usize, limit: Limit) -> bool {
    let layout = spaces.layout();
    let (mut held, mut kept) = (0, 0);
    // SAFETY: S-4, by the contract.
    let (try_reserve_seen, take_pooled) =
        unsafe { (|pages| spaces.budget.try_reserve_seen(pages, limit), || spaces.fresh.take_pooled()) };
    while held < pages && !try_reserve_seen(pages - held) {
        let page = if kept == 0 || kept < spaces.fresh.pooled() { take_pooled() } else { None };
        let Some(page) = page else {
            // Rivals may hold the rest, and have found the pool empty too. Whoever gives back last finds all of it; and
            // only an exact look may refuse.
            if held != 0 {
                spaces.budget.give_back(held);
            }
            // SAFETY: S-4, by the contract.
            return unsafe { spaces.budget.try_reserve(pages, limit) };
        };
        // SAFETY: the page was just taken from the pool, so it is this thread's and empty.
        unsafe {
            if spaces.memory.release(layout.page_start(page).bytes(), layout.page_bytes()).is_err() {
                // It stays committed, and pooled; the next one may go. Bounded by the pages of the pool.
                spaces.pool_page(page);
                kept += 1;
                continue;
            }
            spaces.pages.label(page, PageKind::Free, PageInfo::NEW);
            spaces.fresh.put_address(page);
        }
        held += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    //! Goal: what a run costs the budget and the pool. Method: a heap of eight pages, three of which hold the built-in
    //! objects and new space; the test fills the pool.

    use super::*;
    use crate::memory::PageSource;
    use crate::sync::check;
    use crate::words::LayoutRequest;

    const PAGE: usize = 128;

    /// Three committed pages, a soft limit of six and a hard one of eight, and `pooled` more pages in the pool.
    fn world(pooled: usize) -> Spaces {
        let (soft_limit_bytes, pool_bytes_max) = (6 * PAGE, 8 * PAGE);
        let request = LayoutRequest { soft_limit_bytes, pool_bytes_max, ..LayoutRequest::EIGHT_PAGES };
        let spaces = Spaces::new(&Layout::derive(&request).unwrap(), PageSource::default(), 4).unwrap();
        for page in take_pages(&spaces, pooled) {
            // SAFETY: the page was just taken, and nothing refers into it.
            unsafe { spaces.pool_page(page) }
        }
        assert_eq!((spaces.budget.committed(), spaces.fresh.pooled()), (3 + pooled, pooled));
        spaces
    }

    fn take_pages(spaces: &Spaces, pages: usize) -> Vec<PageIndex> {
        // SAFETY: S-4: this thread alone has the heap.
        (0..pages).map(|_| unsafe { spaces.take_page(PageKind::Old, Limit::Hard) }.unwrap()).collect()
    }

    /// Takes a run; the pages that are committed and that are pooled then.
    fn after_run(spaces: &Spaces, pages: usize, limit: Limit) -> (Result<(), AttemptError>, usize, usize) {
        // SAFETY: S-4: this thread alone has the heap.
        let result = unsafe { LargeSpace::take_run(spaces, pages * PAGE, limit) }.map(drop);
        (result, spaces.budget.committed(), spaces.fresh.pooled())
    }

    #[test]
    fn the_pool_is_kept_while_the_budget_has_room() {
        check(|| assert_eq!(after_run(&world(2), 2, Limit::Hard), (Ok(()), 7, 2)));
    }

    /// One page fits in the budget, so one of the pool makes up for the other.
    #[test]
    fn the_pool_gives_no_more_than_the_budget_lacks() {
        check(|| assert_eq!(after_run(&world(4), 2, Limit::Hard), (Ok(()), 8, 3)));
    }

    /// Pooled pages are committed already, so a limit that was passed long ago does not keep them from the run.
    #[test]
    fn the_pool_serves_a_run_beyond_the_limit() {
        check(|| assert_eq!(after_run(&world(4), 2, Limit::Soft), (Ok(()), 7, 2)));
    }

    /// The pooled page has gone back to the system in vain, and is not counted any more.
    #[test]
    fn a_refused_run_costs_no_budget() {
        check(|| {
            let spaces = world(0);
            let held = take_pages(&spaces, 5);
            // SAFETY: the page was just taken, and nothing refers into it.
            unsafe { spaces.pool_page(held[0]) }
            assert_eq!(after_run(&spaces, 2, Limit::Hard), (Err(AttemptError::Exhausted), 7, 0));
            assert_eq!(after_run(&spaces, 1, Limit::Hard), (Ok(()), 8, 0));
        });
    }

    #[test]
    fn pages_of_a_run_are_used_until_it_is_released() {
        check(|| {
            let spaces = world(0);
            // SAFETY: S-4: this thread alone has the heap.
            let run = unsafe { LargeSpace::take_run(&spaces, 2 * PAGE, Limit::Hard) }.unwrap();
            let head = spaces.layout().page_of(run);
            let used = || [0, 1, 2].map(|index| spaces.large.is_used(PageIndex::new(head.index() + index)));
            assert_eq!(used(), [true, true, false]);
            // SAFETY: the run never held an object.
            unsafe { LargeSpace::release_run(&spaces, head) }
            assert_eq!(used(), [false, false, false]);
        });
    }
}
