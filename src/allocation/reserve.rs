//! The reserve of an always-allocate scope: memory that its owner holds, so that no rival can take it.

use crate::page::PageKind;
use crate::space::{LargeSpace, Spaces};
use crate::sync::{YieldPoint, yield_point};
use crate::words::{AllocationType, AttemptError, ByType, Limit, Offset, PageIndex};

/// How much memory an always-allocate scope holds for its owner. Sizes are in pages of the heap, and in bytes for the
/// large run.
///
/// `n` pages of a type serve at least `n` regular objects of it, whatever other threads do: an object takes at most
/// one page. Between two stops the pages serve as many objects as fit; in a stop the owner gives up the rest of a
/// page that it has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reserve {
    /// Pages for young objects.
    pub young_pages: usize,
    /// Pages for old objects.
    pub old_pages: usize,
    /// Pages for maps.
    pub map_pages: usize,
    /// Pages for code.
    pub code_pages: usize,
    /// Bytes of one large object; 0 for none.
    pub large_bytes: usize,
}

impl Reserve {
    /// No memory: only the owner's soft limit is lifted.
    pub const NONE: Reserve = Reserve { young_pages: 0, old_pages: 0, map_pages: 0, code_pages: 0, large_bytes: 0 };

    /// One page of each type and one large object of `large_bytes`.
    #[must_use]
    pub const fn one_of_each(large_bytes: usize) -> Reserve {
        Reserve { young_pages: 1, old_pages: 1, map_pages: 1, code_pages: 1, large_bytes }
    }

    fn pages(&self, ty: AllocationType) -> usize {
        match ty {
            AllocationType::Young => self.young_pages,
            AllocationType::Old => self.old_pages,
            AllocationType::Map => self.map_pages,
            AllocationType::Code => self.code_pages,
        }
    }
}

/// Committed memory held for one owner. Its pages, and the first page of each of its runs, are labelled `Reserved`.
#[derive(Debug, Default)]
pub struct ReservedMemory {
    pages: ByType<Vec<PageIndex>>,
    runs: Vec<PageIndex>,
}

/// How much was held at one moment: what [`ReservedMemory::give_back`] returns to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReserveMark {
    pages: ByType<usize>,
    runs: usize,
}

impl ReservedMemory {
    pub(super) fn mark(&self) -> ReserveMark {
        ReserveMark { pages: ByType::from_fn(|ty| self.pages[ty].len()), runs: self.runs.len() }
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Adds memory until `reserve` is held beyond `mark`. On failure what was added stays: the caller tries again, or
    /// gives it back.
    ///
    /// # Safety
    /// L-5.
    pub(super) unsafe fn fill(
        &mut self,
        spaces: &Spaces,
        mark: ReserveMark,
        reserve: &Reserve,
        limit: Limit,
    ) -> Result<(), AttemptError> {
        for ty in AllocationType::ALL {
            while self.pages[ty].len() < mark.pages[ty] + reserve.pages(ty) {
                // SAFETY: S-4, by L-5.
                self.pages[ty].push(unsafe { spaces.take_page(PageKind::Reserved, limit) }?);
                yield_point(YieldPoint::ReserveTaken);
            }
        }
        if reserve.large_bytes != 0 && self.runs.len() == mark.runs {
            // SAFETY: S-4, by L-5; the run was just taken.
            let head = unsafe {
                let run = LargeSpace::take_run(spaces, reserve.large_bytes, limit)?;
                let head = spaces.layout().page_of(run);
                LargeSpace::reserve_run(spaces, head);
                head
            };
            self.runs.push(head);
        }
        Ok(())
    }

    pub(super) fn take_page(&mut self, ty: AllocationType) -> Option<PageIndex> {
        self.pages[ty].pop()
    }

    /// Takes the last held run that has room for `bytes` bytes; its pages beyond those go back to the system.
    ///
    /// # Safety
    /// L-5.
    pub(super) unsafe fn take_run(&mut self, spaces: &Spaces, bytes: usize) -> Option<Offset> {
        let pages = spaces.layout().pages_for(bytes);
        // SAFETY: held runs belong to this local heap.
        let fits = |head: &PageIndex| unsafe { spaces.pages.info(*head) }.run_pages as usize >= pages;
        let index = self.runs.iter().rposition(fits)?;
        let head = self.runs.swap_remove(index);
        // SAFETY: S-4 by L-5; the run was held by this local heap, and fits.
        unsafe { LargeSpace::use_reserved_run(spaces, head, pages) };
        Some(spaces.layout().page_start(head))
    }

    /// Gives back what is held beyond `mark`.
    ///
    /// # Safety
    /// L-5.
    pub(super) unsafe fn give_back(&mut self, spaces: &Spaces, mark: ReserveMark) {
        yield_point(YieldPoint::ReserveLeft);
        for ty in AllocationType::ALL {
            let held = &mut self.pages[ty];
            let kept = mark.pages[ty].min(held.len());
            for page in held.drain(kept..) {
                // SAFETY: the page is held by this local heap and never held an object.
                unsafe { spaces.pool_page(page) };
            }
        }
        for head in self.runs.drain(mark.runs.min(self.runs.len())..) {
            // SAFETY: the run is held by this local heap and never held an object.
            unsafe { LargeSpace::release_run(spaces, head) };
        }
    }
}
