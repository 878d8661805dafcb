//! Marking: everything that the roots reach, maps included, gets its mark bit.

use super::{Collector, Worklist};
use crate::object::{Tagged, View};
use crate::page::PageTable;
use crate::words::{Offset, PageIndex, ROOT_BYTES};

struct Marker<'a> {
    view: View<'a>,
    pages: &'a PageTable,
    worklist: &'a mut Worklist,
}

impl Marker<'_> {
    /// Marks the object that `word` refers to; who marks first pushes.
    #[inline]
    fn mark(&mut self, word: Tagged) {
        if word.is_reference() {
            self.mark_object(word.target());
        }
    }

    #[inline]
    fn mark_object(&mut self, object: Offset) {
        // The built-in objects are immortal and refer to each other only.
        // SAFETY: the world is stopped.
        if object.bytes() >= ROOT_BYTES && unsafe { self.pages.mark(object) } {
            // A forgotten object is found by its mark bit.
            self.worklist.push(object);
        }
    }

    fn visit(&mut self, object: Offset) {
        let map = self.view.map_of(object);
        self.mark_object(map);
        let shape = self.view.shape(map);
        for range in self.view.slots(object, shape) {
            for index in 0..range.count {
                let word = self.view.tagged(range.start.word(index));
                self.mark(word);
            }
        }
    }

    fn drain(&mut self) {
        loop {
            while let Some(object) = self.worklist.pop() {
                self.visit(object);
            }
            if !self.worklist.take_overflow() {
                return;
            }
            // Ends: a round that overflows again has marked an object, and there are finitely many.
            for index in 0..self.pages.layout().pages() {
                let page = PageIndex::new(index);
                let mut granule = 0;
                // SAFETY: the world is stopped.
                while let Some(found) = unsafe { self.pages.marks().next(page, granule) } {
                    granule = found + 1;
                    self.visit(self.pages.granule_offset(page, found));
                }
            }
        }
    }
}

impl Collector<'_, '_> {
    pub(super) fn mark(&mut self) {
        let mut marker = Marker { view: self.view, pages: &self.spaces.pages, worklist: self.worklist };
        self.roots.visit(|word| {
            marker.mark(word);
            word
        });
        marker.drain();
    }
}
