//! Runs of the large-object space: one object per run of pages, in a part of the reservation of its own.
//!
//! The budget is reserved before the run exists; the run is committed after its place is found in the table
//! ([`LargeSpace`]). A request for which the budget has no room gives pooled pages back to the system first, since
//! those count as committed.

use super::{LargeSpace, Spaces};
use crate::page::{PageInfo, PageKind};
use crate::sync::{YieldPoint, yield_point};
use crate::words::{AttemptError, Limit, Offset, PageIndex};

impl LargeSpace {
    /// Takes the addresses of a run, and budget for its pages that are not kept: the run's index in the area, and how
    /// many pages were reserved.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap.
    unsafe fn find_and_reserve(spaces: &Spaces, pages: usize, limit: Limit) -> Result<(usize, usize), AttemptError> {
        let this = &spaces.large;
        // Kept pages of the place for which the budget had too little. Only a place with more is worth another
        // request, so the loop ends.
        let mut refused = None;
        loop {
            let more_than = refused.unwrap_or(0);
            // the second word, where the budget has refused.
            let place = if this.kept_pages() > more_than { this.find_kept_run(pages, more_than) } else { None };
            let kept = match place {
                Some((_, kept)) => kept,
                None if refused.is_some() => return Err(AttemptError::Exhausted),
                None => 0,
            };
            // SAFETY: S-4, by the contract.
            if kept == pages || unsafe { reserve(spaces, pages - kept, limit) } {
                let start = match place {
                    Some((start, _)) => start,
                    None => LargeSpace::find_reserved_run(spaces, pages)?,
                };
                return Ok((start, pages - kept));
            }
            if let Some((start, _)) = place {
                // SAFETY: S-3: the run was just found, and holds nothing.
                unsafe { this.free_run(&spaces.memory, spaces.layout(), start, pages) };
            }
            refused = Some(kept);
        }
    }

    /// Takes the addresses of a run whose budget is reserved; gives the budget back if there are none.
    fn find_reserved_run(spaces: &Spaces, pages: usize) -> Result<usize, AttemptError> {
        yield_point(YieldPoint::RunReserved);
        // the runs that this budget was given back for are free in the table.
        let Some(start) = spaces.large.find_run(pages) else {
            // Relied on by nobody: nothing was returned.
            spaces.budget.give_back(pages);
            return Err(AttemptError::Exhausted);
        };
        yield_point(YieldPoint::RunFound);
        Ok(start)
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
        let (start, reserved) = unsafe { LargeSpace::find_and_reserve(spaces, pages, limit)? };
        let at = layout.page_start(PageIndex::new(this.first_page + start));
        // whatever this budget was reserved from, the system has it back.
        if reserved != 0 && spaces.memory.commit(at.bytes(), pages * layout.page_bytes()).is_err() {
            // SAFETY: S-3: the run was just found, and holds nothing.
            unsafe { this.free_run(&spaces.memory, layout, start, pages) };
            // the second word; O-7.
            spaces.budget.give_back(reserved);
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

    /// Tries to give every kept page within reach back to the system.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap.
    pub unsafe fn release_kept(spaces: &Spaces) {
        let this = &spaces.large;
        let mut from = 0;
        // Ends with the area: each round takes the next group of neighbours.
        while this.kept_pages() != 0
            && let Some((start, pages)) = this.take_kept_group(from)
        {
            from = start + pages;
            // SAFETY: the pages were just taken, and hold no object.
            unsafe { return_pages(spaces, start, pages) }
        }
    }

    /// Gives the run that starts at `head` back to the system. What the system does not take stays counted, and is
    /// kept.
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
            return_pages(spaces, head.index() - this.first_page, pages);
        }
    }
}

/// Gives neighbouring pages back to the system, or keeps them.
///
/// # Safety
/// The pages are committed and the caller's, and hold no object.
unsafe fn return_pages(spaces: &Spaces, start: usize, pages: usize) {
    let (layout, this) = (spaces.layout(), &spaces.large);
    let head = this.first_page + start;
    let (at, bytes) = (layout.page_start(PageIndex::new(head)).bytes(), pages * layout.page_bytes());
    // SAFETY: the pages are the caller's, by the contract.: what the budget promises, first.
    let taken = unsafe { spaces.memory.release(at, bytes) }.is_ok();
    let kind = if taken { PageKind::Free } else { PageKind::Pooled };
    for index in head..head + pages {
        // SAFETY: S-3: the pages are the caller's, by the contract.
        unsafe { spaces.pages.label(PageIndex::new(index), kind, PageInfo::NEW) };
    }
    if !taken {
        spaces.memory.withhold(at, bytes);
    }
    // SAFETY: S-3: the pages are the caller's, by the contract.
    unsafe { this.free_run(&spaces.memory, layout, start, pages) };
    yield_point(YieldPoint::RunFreed);
    if taken {
        // the second word; O-7.
        spaces.budget.give_back(pages);
    }
}

/// Reserves `pages` pages within `limit`, or by giving pooled pages back to the system. The budget of such a page
/// stays with the request, so that no rival takes it meanwhile. As with any pooled page, no limit is compared again.
///
/// # Safety
/// S-4: the caller is at work in this heap.
unsafe fn reserve(spaces: &Spaces, pages: usize, limit: Limit) -> bool {
    let layout = spaces.layout();
    let (mut held, mut kept) = (0, 0);
    // What the pool is seen to have after the budget was seen full is relied on by nobody: the loop below looks at
    // both again.
    // SAFETY: S-4, by the contract.
    let try_reserve_seen = |pages| unsafe { spaces.budget.try_reserve_seen(pages, limit) };
    // SAFETY: S-4, by the contract.
    let take_pooled = || unsafe { spaces.fresh.take_pooled() };
    while held < pages && !try_reserve_seen(pages - held) {
        let page = if kept == 0 || kept < spaces.fresh.pooled() { take_pooled() } else { None };
        let Some(page) = page else {
            // Rivals may hold the rest, and have found the pool empty too. Whoever gives back last finds all of it,
            // by the modification order of the budget alone; and only an exact look may refuse.
            if held != 0 {
                // the second word; O-7.
                spaces.budget.give_back(held);
            }
            // SAFETY: S-4, by the contract. The order of the looks at pool and budget is relied on by nobody.
            return unsafe { spaces.budget.try_reserve(pages, limit) };
        };
        // SAFETY: the page was just taken from the pool, so it is this thread's and empty.
        unsafe {
            if spaces.memory.release(layout.page_start(page).bytes(), layout.page_bytes()).is_err() {
                // The page stays committed, and pooled. The system may take the next one; the pages of the pool bound
                // the loop.
                spaces.pool_page(page);
                kept += 1;
                continue;
            }
            spaces.pages.label(page, PageKind::Free, PageInfo::NEW);
            // what the budget promises, first. The budget itself stays held, until this run is released.
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
    use crate::words::{Layout, LayoutRequest};

    const PAGE: usize = 128;

    /// Three committed pages, a soft limit of six and a hard one of eight, and `pooled` more pages in the pool.
    fn world(pooled: usize) -> Spaces {
        let (soft_limit_bytes, pool_bytes_max) = (6 * PAGE, 8 * PAGE);
        let request = LayoutRequest { soft_limit_bytes, pool_bytes_max, ..LayoutRequest::EIGHT_PAGES };
        let spaces = Spaces::new(&Layout::derive(&request).unwrap(), PageSource::for_page_bytes(PAGE), 4).unwrap();
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

    /// What the system does not take back is counted, serves a request that has no budget, and is asked for again.
    #[test]
    fn a_refused_run_is_kept() {
        check(|| {
            let spaces = world(0);
            // SAFETY: S-4: this thread alone has the heap, and no run ever held an object.
            unsafe {
                let run = |pages| {
                    LargeSpace::take_run(&spaces, pages * PAGE, Limit::Hard).map(|at| spaces.layout().page_of(at))
                };
                let (head, other) = (run(2).unwrap(), run(1).unwrap());
                let state = || (spaces.budget.committed(), spaces.large.kept_pages());
                spaces.memory.fail_release_at(core::num::NonZeroUsize::new(1));
                LargeSpace::release_run(&spaces, head);
                assert_eq!(state(), (6, 2));
                spaces.budget.assert_settled();
                let labels = || [0, 1].map(|index| spaces.pages.kind(PageIndex::new(head.index() + index)));
                assert_eq!(labels(), [PageKind::Pooled; 2]);
                // Two pages are left of the budget, and are another's.
                assert!(spaces.budget.try_reserve(2, Limit::Hard));
                assert_eq!(run(3), Err(AttemptError::Exhausted));
                assert_eq!((state(), labels()), ((8, 2), [PageKind::Pooled; 2]));
                assert_eq!(run(1), Ok(head));
                assert_eq!(state(), (8, 1));
                spaces.budget.give_back(2);
                // The kept page and a new one beside the run that is there.
                LargeSpace::release_run(&spaces, other);
                let next = PageIndex::new(head.index() + 1);
                assert_eq!((run(2), state()), (Ok(next), (6, 0)));
                spaces.memory.fail_release_at(core::num::NonZeroUsize::new(1));
                LargeSpace::release_run(&spaces, next);
                assert_eq!(state(), (6, 2));
                LargeSpace::release_kept(&spaces);
                assert_eq!((state(), labels()), ((4, 0), [PageKind::LargeHead, PageKind::Free]));
                spaces.budget.assert_settled();
            }
        });
    }

    /// A kept run is out of reach like any other free page, until the next sweep.
    #[test]
    fn a_kept_run_is_wasted_too() {
        check(|| {
            let spaces = world(0);
            // SAFETY: S-4: this thread alone has the heap, and no run ever held an object.
            unsafe {
                let run = || LargeSpace::take_run(&spaces, 2 * PAGE, Limit::Hard).map(|at| spaces.layout().page_of(at));
                let head = run().unwrap();
                spaces.memory.fail_release_at(core::num::NonZeroUsize::new(1));
                LargeSpace::release_run(&spaces, head);
                assert_eq!(spaces.large.exhaust(), spaces.layout().large_pages());
                assert_eq!(spaces.large.pages_out_of_reach(), spaces.layout().large_pages() - 2);
                assert!(spaces.large.is_kept(head) && spaces.large.is_kept_out_of_reach(head));
                assert_eq!(run(), Err(AttemptError::Exhausted));
                spaces.large.recover();
                assert!(spaces.large.is_kept(head) && !spaces.large.is_kept_out_of_reach(head));
                assert_eq!(run(), Ok(head));
            }
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
