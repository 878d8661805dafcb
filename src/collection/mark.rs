//! Marking: everything that the roots reach, maps included, gets its mark bit. Each object is visited once, however
//! small the work list is: what the list has no room for is set aside in the remembered bits, which are empty (C-3).

use super::Collector;
use super::worklist::{Aside, Work};
use crate::object::{Tagged, View};
use crate::space::Stopped;
use crate::words::{Offset, ROOT_BYTES};

struct Marker<'a> {
    view: View<'a>,
    spaces: Stopped<'a>,
    work: Work<'a>,
}

impl Marker<'_> {
    /// Marks the object that `word` refers to, if any; whoever marks an object first pushes it.
    #[inline]
    fn mark(&mut self, word: Tagged) {
        if word.is_reference() {
            self.mark_object(word.target());
        }
    }

    #[inline]
    fn mark_object(&mut self, object: Offset) {
        // The built-in objects are immortal and refer to each other only.
        // SAFETY: SW-1; an object starts where a reference leads.
        if object.bytes() >= ROOT_BYTES && unsafe { self.spaces.pages.mark(object) } {
            // W-1: whoever marks an object first pushes it.
            self.work.push(object);
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
        while let Some(object) = self.work.pop() {
            self.visit(object);
        }
    }
}

impl Collector<'_, '_> {
    /// Marks everything that the roots reach. The remembered set is empty.
    pub(super) fn mark(&mut self) {
        let spaces = self.spaces;
        let mut marker = Marker { view: self.view, spaces, work: Work::new(self.worklist, spaces, Aside::Remembered) };
        // SAFETY: roots stay what they are.
        unsafe {
            self.roots.visit(|word| {
                marker.work.done.roots += 1;
                marker.mark(word);
                word
            });
        }
        marker.drain();
        self.summary.work = marker.work.done;
    }
}
