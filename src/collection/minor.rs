//! The minor collection: copying.
//!
//! Every page that may hold young objects is flagged as evacuated. An object in such a page is claimed by a
//! compare-exchange on its header: forwarded to a copy, or kept where it is. Copies and kept objects are pushed on
//! the work list, and their slots relocated in turn. Objects of survivor pages go to old space.
//!
//! Objects that the work list has no room for are set aside in the mark bits, which have no other meaning here.

use super::destination::Destination;
use super::worklist::{Aside, Work};
use super::{Collector, policy};
use crate::object::{Header, Tagged, View};
use crate::page::PageKind;
use crate::space::Stopped;
use crate::words::{Offset, PageIndex};

/// Moves objects out of evacuated pages, and counts their bytes.
struct Mover<'a> {
    view: View<'a>,
    spaces: Stopped<'a>,
    destination: Destination<'a>,
    work: Work<'a>,
    survived_bytes: usize,
    promoted_bytes: usize,
}

impl Mover<'_> {
    /// What `word` is after the collection; the object that it refers to is moved or kept by this call if it was not
    /// yet.
    #[inline]
    fn relocate(&mut self, word: Tagged) -> Tagged {
        if !word.is_reference() {
            return word;
        }
        let object = word.target();
        if !self.spaces.is_evacuated(self.spaces.layout().page_of(object)) {
            return word;
        }
        match self.view.header(object) {
            Header::Forwarded(to) => Tagged::reference(to),
            Header::Kept(_) => word,
            Header::Map(map) => self.evacuate(object, map),
        }
    }

    fn evacuate(&mut self, object: Offset, map: Offset) -> Tagged {
        let shape = self.view.shape(map);
        let bytes = shape.size_bytes_of(self.view.length(object, shape));
        let page = self.spaces.layout().page_of(object);
        let aged = self.spaces.info(page).age > 0;
        let survivor = if aged { None } else { self.destination.survivor(bytes) };
        let Some(to) = survivor.or_else(|| self.destination.old(bytes)) else {
            return self.keep(object, map, page);
        };
        self.view.copy(object, to, bytes);
        match self.view.claim(object, Header::Map(map), Header::Forwarded(to)) {
            Ok(()) => {
                if survivor.is_some() {
                    self.survived_bytes += bytes;
                } else {
                    self.promoted_bytes += bytes;
                }
                self.work.push(to);
                Tagged::reference(to)
            }
            Err(winner) => {
                self.destination.undo(to, bytes);
                match winner {
                    Header::Forwarded(to) => Tagged::reference(to),
                    Header::Kept(_) | Header::Map(_) => Tagged::reference(object),
                }
            }
        }
    }

    fn keep(&mut self, object: Offset, map: Offset, page: PageIndex) -> Tagged {
        match self.view.claim(object, Header::Map(map), Header::Kept(map)) {
            Ok(()) => {
                // SAFETY: SW-1; the flag goes with the page's label (C-2).
                unsafe { self.spaces.pages.update(page, |info| info.kept = true) };
                self.work.push(object);
                Tagged::reference(object)
            }
            Err(Header::Forwarded(to)) => Tagged::reference(to),
            Err(Header::Kept(_) | Header::Map(_)) => Tagged::reference(object),
        }
    }

    /// Whether an object will be young when the collection ends.
    #[inline]
    fn stays_young(&self, object: Offset) -> bool {
        let page = self.spaces.layout().page_of(object);
        self.spaces.kind(page) == PageKind::New && !self.spaces.info(page).kept
    }

    /// Relocates the slots of a copied or kept object, and remembers those that lead from old to young.
    fn visit(&mut self, object: Offset) {
        let shape = self.view.shape(self.view.map_of(object));
        let young = self.stays_young(object);
        for range in self.view.slots(object, shape) {
            for index in 0..range.count {
                let slot = range.start.word(index);
                let old = self.view.tagged(slot);
                if !old.is_reference() {
                    continue;
                }
                let new = self.relocate(old);
                if new != old {
                    self.view.write(slot, new.bits());
                }
                if !young && self.stays_young(new.target()) {
                    // SAFETY: SW-1; the slot is one of an object that is old when the stop ends (C-3).
                    unsafe { self.spaces.pages.remember(slot) };
                }
            }
        }
    }

    fn drain(&mut self) {
        while let Some(object) = self.work.pop() {
            self.visit(object);
        }
    }
}

impl Collector<'_, '_> {
    pub(super) fn minor(&mut self) {
        let from = self.flag_new_pages();
        let survivor_pages_max = policy::survivor_pages_max(self.spaces.layout().new_pages());
        let mut mover = Mover {
            view: self.view,
            spaces: self.spaces,
            destination: Destination::new(self.spaces, survivor_pages_max),
            work: Work::new(self.worklist, self.spaces, Aside::Marks),
            survived_bytes: 0,
            promoted_bytes: 0,
        };
        // SAFETY: an object that was moved is replaced by its copy.
        unsafe {
            self.roots.visit_young(|word| {
                mover.work.done.roots += 1;
                let new = mover.relocate(word);
                (new, new.is_reference() && mover.stays_young(new.target()))
            });
        }
        // SAFETY: SW-1. C-3: a slot that no longer leads to a young object is forgotten.
        unsafe {
            self.spaces.pages.retain_remembered(|slot| {
                let old = mover.view.tagged(slot);
                let new = mover.relocate(old);
                if new != old {
                    mover.view.write(slot, new.bits());
                }
                new.is_reference() && mover.stays_young(new.target())
            });
        }
        mover.drain();
        self.summary.work = mover.work.done;
        self.summary.survived_bytes = mover.survived_bytes;
        self.summary.promoted_bytes = mover.promoted_bytes;
        mover.destination.finish();
        let mut free = Vec::new();
        for page in from {
            if self.spaces.info(page).kept {
                self.keep_page(page);
            } else {
                free.push(page);
            }
        }
        self.renew(free);
    }

    /// Flags every page that may hold young objects as evacuated, and returns those pages with the frontier's
    /// unreached ones.
    pub(super) fn flag_new_pages(&self) -> Vec<PageIndex> {
        let pages = self.pages_of(PageKind::New);
        for &page in &pages {
            if self.is_reached(page) {
                // SAFETY: SW-1; the flag goes with the page's label (C-2).
                unsafe { self.spaces.pages.update(page, |info| info.evacuated = true) };
            }
        }
        pages
    }

    /// Relabels a page in place: what stayed is old now, what moved or died is a hole (C-1).
    fn keep_page(&mut self, page: PageIndex) {
        let layout = self.spaces.layout();
        let (mut at, end) = (layout.page_start(page), layout.page_end(page));
        // SAFETY: S-3: a page of new space is the collector's, by SW-1.
        let holes = unsafe { self.spaces.holes(page) };
        let mut gap = at;
        while at < end {
            let bytes = self.view.size_bytes(at);
            if let Header::Kept(map) = self.view.header(at) {
                self.view.write(at, Header::Map(map).encode());
                holes.give(gap, at.bytes() - gap.bytes());
                gap = at.plus(bytes);
            }
            at = at.plus(bytes);
        }
        holes.give(gap, end.bytes() - gap.bytes());
        self.become_old(page);
    }
}
