//! The page table: what each page is, and the side tables of all pages.

use super::{Bitmap, PageBits};
use crate::memory::{MemoryError, try_table};
use crate::sync::{UnsafeCell, Zeroed};
use crate::words::{GRANULE_BYTES, Layout, Offset, PageIndex, SpaceKind, WORD_BYTES};

/// What a page is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PageKind {
    /// An address that nobody uses; not committed.
    Free = 0,
    /// Committed, in the page pool, or kept by the large-object space.
    Pooled,
    /// Committed, held by an always-allocate scope for its owner.
    Reserved,
    /// Holds the built-in objects; immortal.
    Root,
    /// New space: in the frontier's table, reached or not; a survivor page; or a scope's young page.
    New,
    /// Old space.
    Old,
    /// Map space.
    Map,
    /// Code space.
    Code,
    /// The first page of a large object's run.
    LargeHead,
    /// Another page of a large object's run.
    LargeTail,
}

// SAFETY: a byte of 0 is `Free`.
unsafe impl Zeroed for PageKind {}

impl PageKind {
    /// The space that pages of this kind belong to.
    #[must_use]
    pub const fn space(self) -> Option<SpaceKind> {
        match self {
            PageKind::New => Some(SpaceKind::New),
            PageKind::Old => Some(SpaceKind::Old),
            PageKind::Map => Some(SpaceKind::Map),
            PageKind::Code => Some(SpaceKind::Code),
            PageKind::LargeHead | PageKind::LargeTail => Some(SpaceKind::Large),
            PageKind::Free | PageKind::Pooled | PageKind::Reserved | PageKind::Root => None,
        }
    }
}

/// The ordinal of a page that is not in the frontier's table, whose entries are counted from 1.
pub const NO_ORDINAL: u32 = 0;

/// What the heap knows about a page besides its kind. Plain data under invariant G-1.
#[derive(Clone, Copy, Debug)]
pub struct PageInfo {
    /// Minor collections that the page's objects have survived.
    pub age: u8,
    /// The page's number in the frontier's table.
    pub ordinal: u32,
    /// In a stop: the objects of this page are being moved elsewhere.
    pub evacuated: bool,
    /// In a stop: an object of this page found no destination, so the page stays.
    pub kept: bool,
    /// Pages of the run that starts here.
    pub run_pages: u32,
}

// SAFETY: bytes of 0 are no flag and numbers of 0, which is `NEW`.
unsafe impl Zeroed for PageInfo {}

impl PageInfo {
    /// A page without a history.
    pub const NEW: PageInfo = PageInfo { age: 0, ordinal: NO_ORDINAL, evacuated: false, kept: false, run_pages: 0 };
}

/// The side tables of all pages.
#[derive(Debug)]
pub struct PageTable {
    layout: Layout,
    kinds: Box<[UnsafeCell<PageKind>]>,
    infos: Box<[UnsafeCell<PageInfo>]>,
    marks: PageBits,
    holes: PageBits,
    remembered: PageBits,
    remembered_pages: Bitmap,
    /// Pages with an object that a collection has set aside.
    aside_pages: Bitmap,
}

impl PageTable {
    /// The tables of a heap of this layout; every page is free. What is not touched of them takes no memory from the
    /// system.
    ///
    /// # Errors
    /// The Rust allocator refuses a table.
    pub fn try_new(layout: &Layout) -> Result<PageTable, MemoryError> {
        let pages = layout.pages();
        let granules = layout.page_bytes() / GRANULE_BYTES;
        Ok(PageTable {
            kinds: try_table(pages, || UnsafeCell::new(PageKind::Free))?,
            infos: try_table(pages, || UnsafeCell::new(PageInfo::NEW))?,
            marks: PageBits::try_new(pages, granules)?,
            holes: PageBits::try_new(layout.paged_pages(), granules)?,
            remembered: PageBits::try_new(pages, layout.page_bytes() / WORD_BYTES)?,
            remembered_pages: Bitmap::try_new(pages)?,
            aside_pages: Bitmap::try_new(pages)?,
            layout: layout.clone(),
        })
    }

    /// As [`try_new`](Self::try_new), for models.
    ///
    /// # Panics
    /// If there is no memory.
    #[must_use]
    pub fn new(layout: &Layout) -> PageTable {
        PageTable::try_new(layout).expect("memory for the tables of a small world")
    }

    /// The geometry.
    #[inline(always)]
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The kind of a page.
    ///
    /// # Safety
    /// G-1: the caller was handed an object of the page, owns the page, or has the world stopped.
    #[inline(always)]
    #[must_use]
    pub unsafe fn kind(&self, page: PageIndex) -> PageKind {
        // SAFETY: no concurrent write, by the contract.
        unsafe { self.kinds[page.index()].with(|kind| *kind) }
    }

    /// Sets the kind of a page, and what else is known about it.
    ///
    /// # Safety
    /// The caller owns the page, and no object in it is published; or the world is stopped.
    pub unsafe fn label(&self, page: PageIndex, kind: PageKind, info: PageInfo) {
        // SAFETY: no concurrent access, by the contract.
        unsafe {
            self.kinds[page.index()].with_mut(|k| *k = kind);
            self.infos[page.index()].with_mut(|i| *i = info);
        }
    }

    /// What is known about a page.
    ///
    /// # Safety
    /// The caller owns the page or has the world stopped.
    #[inline(always)]
    #[must_use]
    pub unsafe fn info(&self, page: PageIndex) -> PageInfo {
        // SAFETY: no concurrent write, by the contract.
        unsafe { self.infos[page.index()].with(|info| *info) }
    }

    /// Whether a page is being evacuated: one byte of [`info`](Self::info).
    ///
    /// # Safety
    /// G-4: the world is stopped.
    #[inline(always)]
    #[must_use]
    pub unsafe fn is_evacuated(&self, page: PageIndex) -> bool {
        // SAFETY: no concurrent write, by the contract.
        unsafe { self.infos[page.index()].with(|info| (*info).evacuated) }
    }

    /// Changes what is known about a page.
    ///
    /// # Safety
    /// The caller owns the page or has the world stopped.
    pub unsafe fn update(&self, page: PageIndex, f: impl FnOnce(&mut PageInfo)) {
        // SAFETY: no concurrent access, by the contract.
        unsafe { self.infos[page.index()].with_mut(|info| f(&mut *info)) }
    }

    /// Mark bits, one per granule: set by RMW while marking, clear outside of collections.
    ///
    /// # Safety
    /// G-4: the world is stopped; each bit that the caller leaves is what its collection says of the object that
    /// starts there.
    #[inline(always)]
    #[must_use]
    pub unsafe fn marks(&self) -> &PageBits {
        &self.marks
    }

    /// Hole bits, one per granule: the starts of free blocks (G-3).
    ///
    /// # Safety
    /// The caller owns each page whose bits it touches, or has the world stopped, and keeps G-3.
    #[inline(always)]
    #[must_use]
    pub unsafe fn holes(&self) -> &PageBits {
        &self.holes
    }

    /// The page of `offset`, and its granule in that page.
    #[inline(always)]
    #[must_use]
    pub fn granule_of(&self, offset: Offset) -> (PageIndex, usize) {
        (self.layout.page_of(offset), (offset.bytes() & (self.layout.page_bytes() - 1)) / GRANULE_BYTES)
    }

    /// The offset of a granule of `page`.
    #[inline(always)]
    #[must_use]
    pub fn granule_offset(&self, page: PageIndex, granule: usize) -> Offset {
        self.layout.page_start(page).plus(granule * GRANULE_BYTES)
    }

    /// Marks the object at `offset`; whether this call marked it.
    ///
    /// # Safety
    /// As [`marks`](Self::marks): the world is stopped, and an object starts there.
    #[inline(always)]
    pub unsafe fn mark(&self, offset: Offset) -> bool {
        let (page, granule) = self.granule_of(offset);
        self.marks.set(page, granule)
    }

    /// Whether the object at `offset` is marked.
    #[inline(always)]
    #[must_use]
    pub fn is_marked(&self, offset: Offset) -> bool {
        let (page, granule) = self.granule_of(offset);
        self.marks.test(page, granule)
    }

    /// Enters a slot into the remembered set: the next minor collection treats it as a root. No ordering: the set is
    /// read in stops only, and a thread does not stop between its store to the slot and this call.
    ///
    /// # Safety
    /// `slot` is a tagged word of a live old object; the caller is running, or the collector of a stop.
    #[inline]
    pub unsafe fn remember(&self, slot: Offset) {
        let page = self.layout.page_of(slot);
        self.remembered.set(page, (slot.bytes() & (self.layout.page_bytes() - 1)) / WORD_BYTES);
        // the second word; whoever reads either does so in a stop, or owns the page.
        self.remembered_pages.set(page.index());
    }

    /// Whether a slot is in the remembered set.
    #[must_use]
    pub fn is_remembered(&self, slot: Offset) -> bool {
        let page = self.layout.page_of(slot);
        self.remembered.test(page, (slot.bytes() & (self.layout.page_bytes() - 1)) / WORD_BYTES)
    }

    /// Takes every slot out of the remembered set and hands it to `f`, which says whether to put it back.
    ///
    /// # Safety
    /// G-4: the world is stopped.
    pub unsafe fn retain_remembered(&self, mut f: impl FnMut(Offset) -> bool) {
        let mut next_page = 0;
        // SAFETY: G-4, by the contract.
        unsafe {
            while let Some(index) = self.remembered_pages.next(next_page, self.layout.pages()) {
                next_page = index + 1;
                let page = PageIndex::new(index);
                let start = self.layout.page_start(page);
                let (mut at, mut kept) = (0, false);
                while let Some(column) = self.remembered.next(page, at) {
                    at = column + 1;
                    if f(start.word(column)) {
                        kept = true;
                    } else {
                        // found by its page's bit; in a stop.
                        self.remembered.put(page, column, false);
                    }
                }
                if !kept {
                    // Relied on by nobody: in a stop, before anybody looks.
                    self.remembered_pages.put(index, false);
                }
            }
        }
    }

    /// Sets an object aside, which a collection is to visit later, in the remembered bits or in the mark bits. The
    /// object is not set aside yet, and the table is used for nothing else meanwhile.
    ///
    /// # Safety
    /// G-4: the world is stopped.
    pub unsafe fn set_aside(&self, object: Offset, in_remembered: bool) {
        let (page, granule) = self.granule_of(object);
        let (bits, columns) = self.aside_bits(in_remembered);
        // SAFETY: G-4, by the contract.
        unsafe {
            bits.put(page, granule * columns, true);
            // Relied on by nobody: in a stop, by its collector alone.
            self.aside_pages.put(page.index(), true);
        }
    }

    /// A table for what is set aside, and the columns of a granule in it.
    fn aside_bits(&self, in_remembered: bool) -> (&PageBits, usize) {
        if in_remembered { (&self.remembered, GRANULE_BYTES / WORD_BYTES) } else { (&self.marks, 1) }
    }

    /// The next page with an object that is set aside, at `from` or after it, else from the first page on.
    ///
    /// # Safety
    /// G-4: the world is stopped.
    #[must_use]
    pub unsafe fn next_with_aside(&self, from: usize) -> Option<PageIndex> {
        // SAFETY: G-4, by the contract.
        unsafe { self.aside_pages.next(from, self.layout.pages()).or_else(|| self.aside_pages.next(0, from)) }
            .map(PageIndex::new)
    }

    /// Hands at most `count_max` objects of `page` that are set aside to `f`, in address order, and returns how many;
    /// they are no longer set aside.
    ///
    /// # Safety
    /// As [`set_aside`](Self::set_aside).
    pub unsafe fn take_aside(
        &self,
        page: PageIndex,
        in_remembered: bool,
        count_max: usize,
        mut f: impl FnMut(Offset),
    ) -> usize {
        let (bits, columns) = self.aside_bits(in_remembered);
        let (mut at, mut taken) = (0, 0);
        // SAFETY: G-4, by the contract.
        unsafe {
            while let Some(column) = bits.next(page, at) {
                if taken == count_max {
                    return taken;
                }
                at = column + 1;
                bits.put(page, column, false);
                f(self.granule_offset(page, column / columns));
                taken += 1;
            }
            // Relied on by nobody: as in `set_aside`.
            self.aside_pages.put(page.index(), false);
        }
        taken
    }

    /// Takes the slots of `from..from + bytes`, a range within one page or run, out of the remembered set.
    ///
    /// # Safety
    /// G-4: the world is stopped; or the caller owns the page.
    pub unsafe fn forget_range(&self, from: Offset, bytes: usize) {
        let page_bytes = self.layout.page_bytes();
        let (mut at, end) = (from.bytes(), from.bytes() + bytes);
        while at < end {
            let page = self.layout.page_of(Offset::new(at));
            let stop = end.min(self.layout.page_end(page).bytes());
            // Relaxed, by `test`: the caller owns the page, so nobody sets this bit meanwhile.
            if self.remembered_pages.test(page.index()) {
                let first = (at & (page_bytes - 1)) / WORD_BYTES;
                // SAFETY: the row is the caller's, by the contract.
                unsafe { self.remembered.clear(page, first, first + (stop - at) / WORD_BYTES) };
            }
            at = stop;
        }
    }
}
