//! The table of the large-object space: which pages of its part of the reservation are used, free, or kept.
//!
//! A leaf mutex guards the table. It is held for a first-fit search and a few bits, never across a system call or a
//! poll. What is done with a run that was found is in `runs.rs`.
//!
//! A run that the system does not take back is *kept*: its pages stay committed and charged, and are labelled
//! `Pooled`. The next request takes the place with the most kept pages, which need no budget. Each major collection
//! tries again to give back those that are left.

use crate::memory::{Memory, MemoryError, try_table};
use crate::sync::{AtomicUsize, Mutex, Ordering, Zeroed};
use crate::words::{Layout, PageIndex};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum PageUse {
    Free = 0,
    Used,
    /// Free, but out of reach: the space was simulated full.
    Wasted,
    /// Free, but committed: the system did not take it back.
    Kept,
    /// Kept, but out of reach: the space was simulated full.
    KeptWasted,
}

// SAFETY: a byte of 0 is `Free`.
unsafe impl Zeroed for PageUse {}

#[derive(Debug)]
struct Table {
    used: Box<[PageUse]>,
    /// No page before this one is `Free`; pages that are kept or out of reach may be.
    free_from: usize,
}

/// Which pages of the large area are used.
#[derive(Debug)]
pub struct LargeSpace {
    table: Mutex<Table>,
    /// Kept pages. Changed under the mutex, and looked at without it: a look may be stale, but for one after the
    /// budget's refusal.
    kept: AtomicUsize,
    pub(super) first_page: usize,
}

impl LargeSpace {
    /// An empty space over the large area of `layout`.
    ///
    /// # Errors
    /// The Rust allocator has no byte per page.
    pub fn new(layout: &Layout) -> Result<LargeSpace, MemoryError> {
        let table = Table { used: try_table(layout.large_pages(), || PageUse::Free)?, free_from: 0 };
        Ok(LargeSpace { table: Mutex::new(table), kept: AtomicUsize::new(0), first_page: layout.paged_pages() })
    }

    /// Takes the first run of `pages` free pages, none of them kept, and returns its index in the area. `None`
    /// without one.
    pub(super) fn find_run(&self, pages: usize) -> Option<usize> {
        let table = &mut *self.table.lock();
        let first = table.free_from + table.used[table.free_from..].iter().position(|&page| page == PageUse::Free)?;
        table.free_from = first;
        let mut free = 0;
        for index in first..table.used.len() {
            free = if table.used[index] == PageUse::Free { free + 1 } else { 0 };
            if free == pages {
                let start = index + 1 - pages;
                table.used[start..=index].fill(PageUse::Used);
                return Some(start);
            }
        }
        None
    }

    /// Takes the run of `pages` free or kept pages with the most kept ones, and returns its index and how many are
    /// kept. `None` if no run has more than `more_than`.
    pub(super) fn find_kept_run(&self, pages: usize, more_than: usize) -> Option<(usize, usize)> {
        let used = &mut self.table.lock().used;
        let is_kept = |page: PageUse| usize::from(page == PageUse::Kept);
        let (mut free, mut kept, mut best) = (0, 0, None);
        for index in 0..used.len() {
            if !matches!(used[index], PageUse::Free | PageUse::Kept) {
                (free, kept) = (0, 0);
                continue;
            }
            free += 1;
            kept += is_kept(used[index]);
            if free > pages {
                kept -= is_kept(used[index - pages]);
            }
            if free >= pages && kept > best.map_or(more_than, |(_, most)| most) {
                best = Some((index + 1 - pages, kept));
            }
        }
        if let Some((start, kept)) = best {
            used[start..start + pages].fill(PageUse::Used);
            // Relaxed: changed under the mutex.
            self.kept.fetch_sub(kept, Ordering::Relaxed);
        }
        best
    }

    /// Makes pages free. Committed ones among them are kept.
    ///
    /// # Safety
    /// S-3: the caller owns the pages, which hold no object.
    pub(super) unsafe fn free_run(&self, memory: &Memory, layout: &Layout, start: usize, pages: usize) {
        let table = &mut *self.table.lock();
        table.free_from = table.free_from.min(start);
        let mut kept_pages = 0;
        for (index, page) in table.used.iter_mut().enumerate().skip(start).take(pages) {
            debug_assert!(*page == PageUse::Used);
            // The page is the caller's, so nobody changes this meanwhile.
            let kept = memory.is_committed(layout.page_start(PageIndex::new(self.first_page + index)).bytes());
            *page = if kept { PageUse::Kept } else { PageUse::Free };
            kept_pages += usize::from(kept);
        }
        if kept_pages != 0 {
            // the first word, if its pages are not given back. Relaxed: changed under the mutex.
            self.kept.fetch_add(kept_pages, Ordering::Relaxed);
        }
    }

    /// Free pages of the area that are committed, because the system did not take them back. Exact while nobody
    /// allocates, else a snapshot.
    #[must_use]
    pub fn kept_pages(&self) -> usize {
        // Relaxed: a look; what it has to see comes before it by X-10.
        self.kept.load(Ordering::Relaxed)
    }

    /// As [`kept_pages`](Self::kept_pages), and exact.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn kept_pages_in_stop(&self) -> usize {
        // SAFETY: whoever changed the number has parked since (O-3).
        unsafe { self.kept.unsync_load() }
    }

    /// Whether a page of the large area is kept.
    #[must_use]
    pub fn is_kept(&self, page: PageIndex) -> bool {
        let page_use = self.table.lock().used[page.index() - self.first_page];
        matches!(page_use, PageUse::Kept | PageUse::KeptWasted)
    }

    /// Whether a page of the large area is part of a run.
    #[must_use]
    pub fn is_used(&self, page: PageIndex) -> bool {
        self.table.lock().used[page.index() - self.first_page] == PageUse::Used
    }

    /// Takes every free page of the area out of reach until the next [`recover`](Self::recover). Returns how many.
    pub fn exhaust(&self) -> usize {
        let mut wasted = 0;
        for page in &mut self.table.lock().used {
            let out_of_reach = match page {
                PageUse::Free => PageUse::Wasted,
                PageUse::Kept => PageUse::KeptWasted,
                PageUse::Used | PageUse::Wasted | PageUse::KeptWasted => continue,
            };
            *page = out_of_reach;
            wasted += 1;
        }
        wasted
    }

    /// Puts every wasted page within reach again.
    pub fn recover(&self) {
        let table = &mut *self.table.lock();
        table.free_from = 0;
        for page in &mut table.used {
            match page {
                PageUse::Wasted => *page = PageUse::Free,
                PageUse::KeptWasted => *page = PageUse::Kept,
                PageUse::Free | PageUse::Used | PageUse::Kept => {}
            }
        }
    }

    /// Pages of the area that are not committed and out of reach, because the space was simulated full.
    #[must_use]
    pub fn pages_out_of_reach(&self) -> usize {
        self.table.lock().used.iter().filter(|page| **page == PageUse::Wasted).count()
    }

    /// Whether a page of the area is kept and out of reach, because the space was simulated full.
    #[must_use]
    pub fn is_kept_out_of_reach(&self, page: PageIndex) -> bool {
        self.table.lock().used[page.index() - self.first_page] == PageUse::KeptWasted
    }

    /// Takes the first group of kept neighbours from index `from` on, and returns its index and its pages.
    pub(super) fn take_kept_group(&self, from: usize) -> Option<(usize, usize)> {
        let used = &mut self.table.lock().used;
        let start = from + used[from..].iter().position(|&page| page == PageUse::Kept)?;
        let pages = used[start..].iter().take_while(|&&page| page == PageUse::Kept).count();
        used[start..start + pages].fill(PageUse::Used);
        // Relaxed: changed under the mutex.
        self.kept.fetch_sub(pages, Ordering::Relaxed);
        Some((start, pages))
    }
}
