//! Evacuation in a major collection: every marked object of new space and of sparse old pages moves to old space;
//! then every reference to a moved object is updated.

use super::Collector;
use super::destination::Destination;
use crate::object::{Header, Tagged};
use crate::page::PageKind;
use crate::words::{Offset, PageIndex};

impl Collector<'_, '_> {
    /// Flags the old pages that are less than half full as evacuated, and returns them, fullest last. Called between
    /// marking and sweeping.
    pub(super) fn select_sparse(&self) -> Vec<PageIndex> {
        let half = self.spaces.layout().page_bytes() / 2;
        let mut sparse: Vec<(usize, PageIndex)> = Vec::new();
        for page in self.pages_of(PageKind::Old) {
            let live: usize = self.marked(page).map(|object| self.view.size_bytes(object)).sum();
            // An empty page is the sweeper's.
            if live != 0 && live < half {
                sparse.push((live, page));
            }
        }
        sparse.sort_unstable();
        for &(_, page) in &sparse {
            // SAFETY: SW-1; the flag goes with the page's label (C-2).
            unsafe { self.spaces.pages.update(page, |info| info.evacuated = true) };
        }
        sparse.into_iter().map(|(_, page)| page).collect()
    }

    /// Moves what is marked in new space and in `sparse`, updates references, and frees the pages that were left.
    pub(super) fn evacuate(&mut self, sparse: &[PageIndex], pool_pages_max: usize) {
        let young = self.flag_new_pages();
        let mut destination = Destination::new(self.spaces, 0);
        let (mut promoted, mut evacuated) = (0, 0);
        for &page in &young {
            promoted += self.evacuate_page(page, &mut destination);
        }
        for &page in sparse {
            evacuated += self.evacuate_page(page, &mut destination);
        }
        destination.finish();
        self.summary.promoted_bytes = promoted;
        self.summary.evacuated_bytes = evacuated;
        if promoted + evacuated != 0 {
            self.update_references();
        }
        let mut free = Vec::new();
        for &page in &young {
            if self.spaces.info(page).kept {
                self.keep_marked_page(page);
            } else {
                free.push(page);
            }
        }
        for &page in sparse {
            if self.spaces.info(page).kept {
                self.keep_marked_page(page);
            } else {
                self.free_page(page, pool_pages_max);
            }
        }
        self.renew(free);
    }

    /// Moves the marked objects of a page to old space and returns their bytes. An object that finds no destination
    /// stays, with its mark, and so does its page.
    fn evacuate_page(&mut self, page: PageIndex, destination: &mut Destination<'_>) -> usize {
        let (pages, view) = (&self.spaces.pages, self.view);
        let (mut moved, mut kept) = (0, false);
        for object in self.marked(page) {
            let map = view.map_of(object);
            let bytes = view.size_bytes(object);
            let Some(to) = destination.old(bytes) else {
                kept = true;
                continue;
            };
            view.copy(object, to, bytes);
            if view.claim(object, Header::Map(map), Header::Forwarded(to)).is_err() {
                destination.undo(to, bytes);
                continue;
            }
            moved += bytes;
            // The mark moves with the object: references in it are updated, the memory it left is free.
            let (page, granule) = pages.granule_of(object);
            // SAFETY: SW-1; the object that was marked is at `to` now, and not at `object`.
            unsafe {
                pages.mark(to);
                pages.marks().put(page, granule, false);
            }
        }
        if kept {
            // SAFETY: SW-1; the flag goes with the page's label (C-2).
            unsafe { pages.update(page, |info| info.kept = true) };
        }
        moved
    }

    fn update_references(&mut self) {
        let (spaces, view) = (self.spaces, self.view);
        let updated = |word: Tagged| -> Tagged {
            if !word.is_reference() {
                return word;
            }
            let object: Offset = word.target();
            if !spaces.is_evacuated(spaces.layout().page_of(object)) {
                return word;
            }
            match view.header(object) {
                Header::Forwarded(to) => Tagged::reference(to),
                Header::Map(_) | Header::Kept(_) => word,
            }
        };
        // SAFETY: an object that was moved is replaced by its copy.
        unsafe { self.roots.visit(updated) };
        for page in self.pages() {
            if self.kind(page).space().is_none() {
                continue;
            }
            for object in self.marked(page) {
                let shape = view.shape(view.map_of(object));
                view.for_each_slot(object, shape, |slot| {
                    let old = view.tagged(slot);
                    let new = updated(old);
                    if new != old {
                        view.write(slot, new.bits());
                    }
                });
            }
        }
    }
}
