//! The holes of one page: finding one that fits, taking it, giving the rest back.

use super::PageTable;
use crate::object::{Root, View};
use crate::words::{Offset, PageIndex};

/// The holes of a page, as its owner sees them (G-3).
#[derive(Clone, Copy)]
pub struct Holes<'a> {
    pages: &'a PageTable,
    view: View<'a>,
    page: PageIndex,
}

impl<'a> Holes<'a> {
    /// The holes of `page`.
    ///
    /// # Safety
    /// The caller owns the page for as long as the value is used, and `view` may access its words.
    #[must_use]
    pub unsafe fn new(pages: &'a PageTable, view: View<'a>, page: PageIndex) -> Holes<'a> {
        Holes { pages, view, page }
    }

    fn next(self, granule: usize) -> Option<usize> {
        // SAFETY: the page is the caller's, by the contract of `new`.
        unsafe { self.pages.holes().next(self.page, granule) }
    }

    fn set(self, at: Offset, value: bool) {
        let (page, granule) = self.pages.granule_of(at);
        debug_assert_eq!(page, self.page);
        // SAFETY: the page is the caller's, by the contract of `new`.
        unsafe { self.pages.holes().put(page, granule, value) }
    }

    /// All holes of the page, in address order: start and bytes.
    pub fn iter(self) -> impl Iterator<Item = (Offset, usize)> + 'a {
        let mut granule = 0;
        core::iter::from_fn(move || {
            let found = self.next(granule)?;
            granule = found + 1;
            let start = self.pages.granule_offset(self.page, found);
            Some((start, self.view.size_bytes(start)))
        })
    }

    /// The greatest hole, in bytes; 0 without one.
    #[must_use]
    pub fn greatest(self) -> usize {
        self.iter().map(|(_, bytes)| bytes).max().unwrap_or(0)
    }

    /// Takes the first hole of at least `bytes_min` bytes out of the page, at most `bytes_max` of it; the rest stays a
    /// hole. The range is the caller's then, and holds no object until the caller writes one.
    #[must_use]
    pub fn take(self, bytes_min: usize, bytes_max: usize) -> Option<(Offset, usize)> {
        debug_assert!(bytes_min <= bytes_max);
        let (start, bytes) = self.iter().find(|&(_, bytes)| bytes >= bytes_min)?;
        self.set(start, false);
        let taken = bytes.min(bytes_max);
        self.give(start.plus(taken), bytes - taken);
        Some((start, taken))
    }

    /// Makes a range of the page, which the caller owns, a hole. Does nothing for 0 bytes.
    pub fn give(self, at: Offset, bytes: usize) {
        if bytes != 0 {
            self.view.write_gap(at, bytes, Root::FreeBlockMap);
            self.set(at, true);
        }
    }

    /// Turns every hole of the page into a filler: the memory is wasted until the next sweep. Returns the bytes.
    pub fn drop_all(self) -> usize {
        let mut wasted = 0;
        for (start, bytes) in self.iter() {
            self.view.write_filler(start, bytes);
            wasted += bytes;
        }
        // SAFETY: the page is the caller's, by the contract of `new`.
        unsafe { self.pages.holes().clear_page(self.page) };
        wasted
    }
}
