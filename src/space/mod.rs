//! Layer 3: spaces. Who may use which page, and how much may be committed at all.
//!
//! ```text
//!                 Budget (pages committed, one word)
//!                   |                    |
//!             FreshPages            LargeSpace          (runs in an area of their own)
//!      (pool, then new addresses)
//!        |         |          |
//!    NewSpace   PagedSpace x 3: old, map, code
//!  (a frontier) (pages with holes)
//! ```
//!
//! Nothing here blocks but [`LargeSpace`], whose leaf mutex is held for a few table updates and never across a system
//! call or a poll. A refused attempt is a value; only the collector, in a stop, moves objects and relabels pages that
//! hold some.
//!
//! Invariants:
//! * **S-1** Committed pages never exceed the hard limit: whoever commits a page has reserved it in [`Budget`] first,
//!   and gives its budget back after the system took it back (X-4). A page that the system does not take back stays
//!   reserved, and goes on serving requests, until a later collection asks again. The memory's
//!   [`Ledger`](crate::memory::Ledger) checks it against what is really committed, at each commit and in each stop.
//! * **S-2** Whoever holds budget for a page of the paged area finds an address for it: addresses are returned before
//!   budget, and taken after it (X-3).
//! * **S-3** A page has one owner: a page set, the frontier's table, a local heap, a large run, or the collector.
//!   Whoever owns a page (or a run, or a range of a page) was given it by these functions and has not given it up.
//! * **S-4** Whoever gives and takes pages, or reads what stops write, is *at work* in this heap: it runs a local
//!   heap of it, holds its collector lock, or is the collector of its stop; while a heap has no safepoint, its
//!   threads arrange by themselves that nobody does what a stop does beside anybody else. So nothing here meets a
//!   stop.
//!
//! S-3 and S-4 are contracts of `unsafe` functions, since a page is a number and a stop is a matter of the layers
//! above. In a stop a [`Stopped`] proves S-4, and has what needs no more as safe methods.

mod budget;
mod fresh;
mod large;
mod new_space;
mod page_set;
mod paged;
mod runs;
mod stopped;

pub use budget::Budget;
pub use fresh::FreshPages;
pub use large::LargeSpace;
pub use new_space::{Carved, NewSpace, Ordinal};
pub use page_set::{Claim, PageSet};
pub use paged::PagedSpace;
pub use stopped::Stopped;

use crate::memory::{Memory, MemoryError, PageSource, try_reserved};
use crate::object::{Root, View};
use crate::page::{Holes, PageInfo, PageKind, PageTable};
use crate::sync::{YieldPoint, yield_point};
use crate::words::{AllocationType, HeapId, Layout, Limit, Offset, PageIndex, SafepointKey};
use core::ops::Deref;

/// All spaces of a heap, with the memory and the page table they share: [`Parts`] that belong together for good, and
/// their identity.
#[derive(Debug)]
pub struct Spaces {
    parts: Parts,
    heap: HeapId,
    safepoint_key: Option<SafepointKey>,
}

/// What [`Spaces`] consist of. Nobody exchanges a part, since parts can be had by shared reference only.
#[derive(Debug)]
pub struct Parts {
    /// The heap words.
    pub memory: Memory,
    /// What each page is.
    pub pages: PageTable,
    /// How much is committed.
    pub budget: Budget,
    /// Where pages come from.
    pub fresh: FreshPages,
    /// New space.
    pub new: NewSpace,
    /// Old space.
    pub old: PagedSpace,
    /// Map space.
    pub map: PagedSpace,
    /// Code space.
    pub code: PagedSpace,
    /// The large-object space.
    pub large: LargeSpace,
}

impl Spaces {
    /// Reserves the address space, writes the built-in objects, and gives new space its addresses. `bits_per_word` is
    /// the width of a page set's words: 64, less in small worlds so that several words are explored.
    ///
    /// # Errors
    /// As [`Memory::reserve`]; or the system refused the first pages, or the Rust allocator a table.
    ///
    /// # Panics
    /// If `bits_per_word` is not in 1..=64.
    pub fn new(layout: &Layout, source: PageSource, bits_per_word: usize) -> Result<Spaces, MemoryError> {
        let (bytes, split) = (layout.pages() << layout.page_shift(), layout.paged_pages() << layout.page_shift());
        let memory = Memory::reserve_areas(source, bytes, layout.page_bytes(), split)?;
        let pages = PageTable::try_new(layout)?;
        let set = || PageSet::try_new(layout.paged_pages(), bits_per_word);
        let key = SafepointKey::new();
        let heap = key.heap().clone();
        let budget = Budget::of(&memory, layout.soft_limit_pages(), layout.hard_limit_pages());
        let parts = Parts {
            memory,
            pages,
            budget,
            fresh: FreshPages::new(set()?, set()?),
            new: NewSpace::new(),
            old: PagedSpace::new(PageKind::Old, layout, set()?, set()?),
            map: PagedSpace::new(PageKind::Map, layout, set()?, set()?),
            code: PagedSpace::new(PageKind::Code, layout, set()?, set()?),
            large: LargeSpace::new(layout)?,
        };
        let spaces = Spaces { parts, heap, safepoint_key: Some(key) };
        let root_bytes = layout.root_pages() * layout.page_bytes();
        let reserved =
            spaces.budget.try_reserve_within(layout.root_pages() + layout.new_pages(), layout.hard_limit_pages());
        assert!(reserved, "the layout leaves room for roots and new space");
        spaces.memory.commit(0, root_bytes)?;
        // SAFETY: nobody else has this heap yet, and the root pages are committed.
        unsafe {
            let view = spaces.view();
            Root::write_all(view);
            view.write_filler(Offset::new(crate::words::ROOT_BYTES), root_bytes - crate::words::ROOT_BYTES);
            for index in 0..layout.root_pages() {
                spaces.pages.label(PageIndex::new(index), PageKind::Root, PageInfo::NEW);
            }
            let new_end = layout.root_pages() + layout.new_pages();
            let mut ordinals = try_reserved(layout.new_pages())?;
            for page in (layout.root_pages()..new_end).map(PageIndex::new) {
                spaces.memory.begin_late(layout.page_start(page).bytes());
                ordinals.push(Ordinal::uncommitted(page));
            }
            // Here and below: relied on by nobody; the heap is not shared yet.
            spaces.new.rebuild(&spaces.pages, ordinals);
            for index in new_end..layout.paged_pages() {
                spaces.fresh.put_address(PageIndex::new(index));
            }
        }
        Ok(spaces)
    }

    /// A view of the heap words.
    ///
    /// # Safety
    /// See [`View::new`].
    #[inline(always)]
    #[must_use]
    pub unsafe fn view(&self) -> View<'_> {
        // SAFETY: the caller's contract.
        unsafe { View::new(&self.memory) }
    }

    /// Which heap this is.
    #[must_use]
    pub fn heap(&self) -> &HeapId {
        &self.heap
    }

    /// The key to this heap's safepoint, once; `None` if it was taken.
    pub fn take_safepoint_key(&mut self) -> Option<SafepointKey> {
        self.safepoint_key.take()
    }

    /// The geometry.
    #[inline(always)]
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.pages.layout()
    }

    /// The paged space of an allocation type; `None` for `Young`.
    #[inline]
    #[must_use]
    pub fn paged(&self, ty: AllocationType) -> Option<&PagedSpace> {
        match ty {
            AllocationType::Young => None,
            AllocationType::Old => Some(&self.old),
            AllocationType::Map => Some(&self.map),
            AllocationType::Code => Some(&self.code),
        }
    }

    /// The paged spaces.
    #[must_use]
    pub fn paged_spaces(&self) -> [&PagedSpace; 3] {
        [&self.old, &self.map, &self.code]
    }

    /// The holes of `page`.
    ///
    /// # Safety
    /// The caller owns the page while the value is used.
    #[must_use]
    pub unsafe fn holes(&self, page: PageIndex) -> Holes<'_> {
        // SAFETY: the caller's contract; the view is used on this page only.
        unsafe { Holes::new(&self.pages, self.view(), page) }
    }

    /// Takes an empty page for `kind`: from the pool, else newly committed within `limit`, which may cost a system
    /// call. Its words are not zeroed.
    ///
    /// # Errors
    /// `Exhausted` if neither the pool nor the limit has a page; `Refused` if the system has none.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap. The page is its own then (S-3).
    pub unsafe fn take_page(&self, kind: PageKind, limit: Limit) -> Result<PageIndex, crate::words::AttemptError> {
        // SAFETY: S-4, by the contract.
        let page = unsafe { self.fresh.take(&self.memory, self.layout(), &self.budget, limit) }?;
        // SAFETY: the page was just taken, so it is the caller's, and holds no object.
        unsafe { self.pages.label(page, kind, PageInfo::NEW) };
        self.memory.withhold(self.layout().page_start(page).bytes(), self.layout().page_bytes());
        Ok(page)
    }

    /// Gives an empty page to the pool.
    ///
    /// # Safety
    /// S-3, S-4: the caller owns the page and is at work in this heap; no reference into the page is left.
    pub unsafe fn pool_page(&self, page: PageIndex) {
        // SAFETY: the page is the caller's, by the contract.
        unsafe {
            self.pages.label(page, PageKind::Pooled, PageInfo::NEW);
            self.memory.withhold(self.layout().page_start(page).bytes(), self.layout().page_bytes());
            self.fresh.put_pooled(page);
        }
    }

    /// In a stop: gives an empty page to the pool while that has fewer than `pool_pages_max` pages, else back to the
    /// system.
    ///
    /// # Safety
    /// S-4: the world is stopped, the caller owns the page, and no reference into it is left.
    pub unsafe fn recycle_page(&self, page: PageIndex, pool_pages_max: usize) {
        let layout = self.layout();
        // SAFETY: the page is the caller's, by the contract.
        unsafe {
            let start = layout.page_start(page).bytes();
            if self.fresh.pooled() < pool_pages_max || self.memory.release(start, layout.page_bytes()).is_err() {
                // A page that the system does not take back stays committed, and counted.
                self.pool_page(page);
                return;
            }
            self.pages.label(page, PageKind::Free, PageInfo::NEW);
            // X-3 and X-4: what the budget promises, first.
            self.fresh.put_address(page);
        }
        yield_point(YieldPoint::FreshReturned);
        // X-3, X-4: the second word; O-7.
        self.budget.give_back(1);
    }

    /// In a stop: gives pooled pages back to the system until at most `pool_pages_max` are left, as far as the system
    /// takes them.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    pub unsafe fn trim_pool(&self, pool_pages_max: usize) {
        // Bounded by the count taken first: a page that the system refuses to take goes back into the pool.
        // SAFETY: S-4, by the contract.
        for _ in pool_pages_max..unsafe { self.fresh.pooled_in_stop() } {
            // SAFETY: S-4, by the contract; S-3: the page was just taken from the pool, and is empty.
            unsafe {
                match self.fresh.take_pooled() {
                    Some(page) => self.recycle_page(page, pool_pages_max),
                    None => return,
                }
            }
        }
    }
}

impl Deref for Spaces {
    type Target = Parts;

    #[inline(always)]
    fn deref(&self) -> &Parts {
        &self.parts
    }
}
