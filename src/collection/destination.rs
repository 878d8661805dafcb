//! Where a collection moves objects to: holes and fresh pages of old space, survivor pages of new space.

use crate::page::{PageInfo, PageKind};
use crate::space::Stopped;
use crate::words::{Limit, Offset, PageIndex};

/// The collector's own buffers. Memory is not zeroed: a copy overwrites all of it.
pub(super) struct Destination<'a> {
    spaces: Stopped<'a>,
    old: Buffer,
    old_page: Option<PageIndex>,
    survivor: Buffer,
    survivor_pages: usize,
    survivor_pages_max: usize,
}

#[derive(Clone, Copy)]
struct Buffer {
    top: Offset,
    end: Offset,
}

impl Buffer {
    const EMPTY: Buffer = Buffer { top: Offset::new(0), end: Offset::new(0) };

    fn bump(&mut self, bytes: usize) -> Option<Offset> {
        let at = self.top;
        (bytes <= self.end.bytes() - at.bytes()).then(|| {
            self.top = at.plus(bytes);
            at
        })
    }

    fn rest(self) -> usize {
        self.end.bytes() - self.top.bytes()
    }
}

impl<'a> Destination<'a> {
    /// Buffers without memory.
    pub(super) fn new(spaces: Stopped<'a>, survivor_pages_max: usize) -> Destination<'a> {
        Destination {
            spaces,
            old: Buffer::EMPTY,
            old_page: None,
            survivor: Buffer::EMPTY,
            survivor_pages: 0,
            survivor_pages_max,
        }
    }

    /// Memory in a survivor page, which is new space's and has age 1. `None` if all survivor pages are full and no
    /// other may be had.
    pub(super) fn survivor(&mut self, bytes: usize) -> Option<Offset> {
        if let Some(at) = self.survivor.bump(bytes) {
            return Some(at);
        }
        if self.survivor_pages == self.survivor_pages_max {
            return None;
        }
        // SAFETY: S-4, by SW-1.
        let page = unsafe { self.spaces.take_page(PageKind::New, Limit::Hard) }.ok()?;
        self.retire_survivor();
        let layout = self.spaces.layout();
        // SAFETY: S-3: the page was just taken; SW-1.
        unsafe { self.spaces.pages.label(page, PageKind::New, PageInfo { age: 1, ..PageInfo::NEW }) };
        self.survivor_pages += 1;
        self.survivor = Buffer { top: layout.page_start(page), end: layout.page_end(page) };
        self.survivor.bump(bytes)
    }

    /// Memory in old space: the rest of the current hole, another hole, or a fresh page. `None` if there is none of
    /// them.
    pub(super) fn old(&mut self, bytes: usize) -> Option<Offset> {
        if let Some(at) = self.old.bump(bytes) {
            return Some(at);
        }
        let (spaces, layout) = (self.spaces.spaces(), self.spaces.layout());
        self.retire_old_buffer();
        // SAFETY: S-3: `old_page` and a page that was just taken are this collector's.
        let hole = |page| unsafe { spaces.holes(page) }.take(bytes, layout.page_bytes());
        let found = self.old_page.and_then(hole);
        let (start, length) = match found {
            Some(found) => found,
            None => {
                self.put_old_page();
                // SAFETY: S-4, by SW-1; S-3: a page that is taken is this collector's, and a fresh one is empty.
                let page = unsafe {
                    match spaces.old.take(bytes) {
                        Some(page) => page,
                        None => {
                            let page = spaces.take_page(PageKind::Old, Limit::Hard).ok()?;
                            spaces.holes(page).give(layout.page_start(page), layout.page_bytes());
                            page
                        }
                    }
                };
                self.old_page = Some(page);
                hole(page).expect("a page is taken only if its holes have room")
            }
        };
        self.old = Buffer { top: start, end: start.plus(length) };
        self.old.bump(bytes)
    }

    /// Takes back the last allocation from its buffer, of `bytes` bytes at `at`: another collector thread claimed the
    /// object.
    pub(super) fn undo(&mut self, at: Offset, bytes: usize) {
        for buffer in [&mut self.old, &mut self.survivor] {
            if buffer.top == at.plus(bytes) {
                buffer.top = at;
                return;
            }
        }
        unreachable!("only the last allocation is undone");
    }

    fn retire_old_buffer(&mut self) {
        let rest = core::mem::replace(&mut self.old, Buffer::EMPTY);
        if let Some(page) = self.old_page {
            // SAFETY: S-3: `old_page` is this collector's.
            unsafe { self.spaces.holes(page).give(rest.top, rest.rest()) };
        }
    }

    fn put_old_page(&mut self) {
        if let Some(page) = self.old_page.take() {
            // SAFETY: S-3: `old_page` is this collector's until the put. S-4, by SW-1.
            unsafe {
                let greatest = self.spaces.holes(page).greatest();
                self.spaces.old.put(page, greatest);
            }
        }
    }

    fn retire_survivor(&mut self) {
        let rest = core::mem::replace(&mut self.survivor, Buffer::EMPTY);
        // SAFETY: S-3: the buffer lies in a page that this collector took.
        unsafe { self.spaces.view().write_filler(rest.top, rest.rest()) };
    }

    /// Gives the buffers up, so that their pages are walkable. Returns the survivor pages taken.
    pub(super) fn finish(mut self) -> usize {
        self.retire_old_buffer();
        self.put_old_page();
        self.retire_survivor();
        self.survivor_pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::PageSource;
    use crate::space::Spaces;
    use crate::sync::check;
    use crate::words::{Layout, LayoutRequest};

    /// What was taken and given back at once is what the next request gets; what was taken before stays.
    #[test]
    fn the_last_allocation_can_be_undone() {
        check(|| {
            let layout = Layout::derive(&LayoutRequest::EIGHT_PAGES).unwrap();
            let spaces = Spaces::new(&layout, PageSource::for_page_bytes(layout.page_bytes()), 4).unwrap();
            // SAFETY: SW-1: this thread alone has the heap.
            let mut destination = Destination::new(unsafe { Stopped::new(&spaces) }, 1);
            let (old, survivor) = (destination.old(24).unwrap(), destination.survivor(24).unwrap());
            let (next_old, next_survivor) = (destination.old(16).unwrap(), destination.survivor(16).unwrap());
            assert_eq!((next_old, next_survivor), (old.plus(24), survivor.plus(24)));
            destination.undo(next_survivor, 16);
            destination.undo(next_old, 16);
            assert_eq!(destination.survivor(32), Some(next_survivor));
            assert_eq!(destination.old(32), Some(next_old));
            destination.finish();
        });
    }
}
