//! Sweeping: what is not marked becomes holes, and pages and runs without a marked object become free. All of it is
//! done in the stop.

use super::Collector;
use crate::page::PageKind;
use crate::space::LargeSpace;
use crate::words::{AllocationType, Offset, PageIndex, align_up};

/// What a swept page holds.
struct Swept {
    live_bytes: usize,
    hole_bytes: usize,
    greatest_hole: usize,
}

impl Collector<'_, '_> {
    /// The marked objects of a page, in address order.
    pub(super) fn marked(&self, page: PageIndex) -> impl Iterator<Item = Offset> + use<'_> {
        let (spaces, mut granule) = (self.spaces, 0);
        core::iter::from_fn(move || {
            let found = spaces.next_marked(page, granule)?;
            granule = found + 1;
            Some(spaces.pages.granule_offset(page, found))
        })
    }

    /// Sweeps old, code and large space. Pages that are flagged as evacuated are left alone.
    pub(super) fn sweep(&mut self, pool_pages_max: usize) {
        // SAFETY: SW-1; the pages are offered anew below.
        unsafe {
            self.spaces.old.clear();
            self.spaces.code.clear();
        }
        for page in self.pages() {
            match self.kind(page) {
                PageKind::Old if self.spaces.is_evacuated(page) => {}
                PageKind::Old => self.sweep_page(page, AllocationType::Old, pool_pages_max),
                PageKind::Code => self.sweep_page(page, AllocationType::Code, pool_pages_max),
                PageKind::LargeHead => self.sweep_run(page),
                _ => {}
            }
        }
        self.spaces.large.recover();
    }

    /// Sweeps map space. Last, since every other object is measured by its map (C-5).
    pub(super) fn sweep_maps(&mut self, pool_pages_max: usize) {
        // SAFETY: SW-1; the pages are offered anew below.
        unsafe { self.spaces.map.clear() };
        for page in self.pages_of(PageKind::Map) {
            self.sweep_page(page, AllocationType::Map, pool_pages_max);
        }
    }

    fn sweep_run(&mut self, head: PageIndex) {
        let object = self.spaces.layout().page_start(head);
        if self.spaces.pages.is_marked(object) {
            self.summary.live_bytes += self.view.size_bytes(object);
        } else {
            // SAFETY: S-3: nothing reaches the run's object, so the run is the collector's, by SW-1.
            unsafe { LargeSpace::release_run(&self.spaces, head) };
        }
    }

    fn sweep_page(&mut self, page: PageIndex, ty: AllocationType, pool_pages_max: usize) {
        if self.spaces.next_marked(page, 0).is_none() {
            self.free_page(page, pool_pages_max);
            return;
        }
        let swept = self.sweep_in_place(page, ty.granule_bytes());
        self.summary.live_bytes += swept.live_bytes;
        self.summary.hole_bytes += swept.hole_bytes;
        // SAFETY: S-3: the page was taken off the sets, so it is the collector's. S-4, by SW-1.
        unsafe { self.spaces.paged(ty).expect("a paged type").put(page, swept.greatest_hole) };
    }

    /// Frees a committed page of the paged area that is in no set and holds no live object: into the pool while that
    /// has fewer than `pool_pages_max` pages, else to the system. A page of the frontier's table leaves the table.
    pub(super) fn free_page(&self, page: PageIndex, pool_pages_max: usize) {
        // SAFETY: S-3: the page is on no set and nothing in it is live, so it is the collector's, by SW-1.
        unsafe {
            self.spaces.pages.holes().clear_page(page);
            self.spaces.recycle_page(page, pool_pages_max);
        }
    }

    fn sweep_in_place(&mut self, page: PageIndex, granule_bytes: usize) -> Swept {
        let layout = self.spaces.layout();
        // SAFETY: S-3: the page is on no set, so it is the collector's, by SW-1.
        let holes = unsafe {
            self.spaces.pages.holes().clear_page(page);
            self.spaces.holes(page)
        };
        let view = self.view;
        let mut swept = Swept { live_bytes: 0, hole_bytes: 0, greatest_hole: 0 };
        let gap = |swept: &mut Swept, from: Offset, to: Offset| {
            // A hole starts where an object of this space may start.
            let start = Offset::new(align_up(from.bytes(), granule_bytes).min(to.bytes()));
            view.write_filler(from, start.bytes() - from.bytes());
            let bytes = to.bytes() - start.bytes();
            holes.give(start, bytes);
            swept.hole_bytes += bytes;
            swept.greatest_hole = swept.greatest_hole.max(bytes);
        };
        let mut end_of_last = layout.page_start(page);
        for object in self.marked(page) {
            gap(&mut swept, end_of_last, object);
            let bytes = view.size_bytes(object);
            swept.live_bytes += bytes;
            end_of_last = object.plus(bytes);
        }
        gap(&mut swept, end_of_last, layout.page_end(page));
        swept
    }

    /// Makes a page that could not be evacuated an ordinary old page, by its marks (C-1).
    pub(super) fn keep_marked_page(&mut self, page: PageIndex) {
        let swept = self.sweep_in_place(page, AllocationType::Old.granule_bytes());
        self.summary.live_bytes += swept.live_bytes;
        self.summary.hole_bytes += swept.hole_bytes;
        self.become_old(page);
    }

    /// Labels a page as old, and offers it. Its hole bits say what its holes are.
    pub(super) fn become_old(&mut self, page: PageIndex) {
        use crate::page::PageInfo;
        self.summary.pages_kept += 1;
        // SAFETY: S-3: the page is on no set, so it is the collector's until the put. S-4, by SW-1.
        unsafe {
            self.spaces.pages.label(page, PageKind::Old, PageInfo::NEW);
            let greatest = self.spaces.holes(page).greatest();
            self.spaces.old.put(page, greatest);
        }
    }
}
