//! A paged space: old, map or code. Its pages with holes wait in page sets for a local heap to own them.
//!
//! A page is in one of two sets by its greatest hole: `roomy` pages serve any regular object, `holey` pages only
//! those up to the small-hole size. So whoever takes a page for an object knows that it fits, and nobody holds a page
//! for an instant only to find that it does not. Pages whose holes are smaller still wait for the next sweep.

use super::PageSet;
use crate::page::PageKind;
use crate::words::{Layout, PageIndex};

/// The pages with holes of one space.
#[derive(Debug)]
pub struct PagedSpace {
    kind: PageKind,
    roomy: PageSet,
    holey: PageSet,
    roomy_bytes: usize,
    holey_bytes: usize,
}

impl PagedSpace {
    /// A space without pages, over the given empty sets.
    #[must_use]
    pub fn new(kind: PageKind, layout: &Layout, roomy: PageSet, holey: PageSet) -> PagedSpace {
        PagedSpace {
            kind,
            roomy,
            holey,
            roomy_bytes: layout.regular_bytes_max(),
            holey_bytes: layout.small_hole_bytes(),
        }
    }

    /// What pages of this space are labelled as.
    #[must_use]
    pub fn kind(&self) -> PageKind {
        self.kind
    }

    /// Takes a page that has a hole of at least `bytes` bytes; the caller owns it then. `None` if each set whose
    /// pages fit was empty at one moment during the call, one after the other: a page that a rival puts into the
    /// first one behind the caller's back is missed.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap.
    #[must_use]
    pub unsafe fn take(&self, bytes: usize) -> Option<PageIndex> {
        self.sets_for(bytes).find_map(PageSet::take)
    }

    /// As [`take`](Self::take), if a look that may be stale sees such a page: `None` decides nothing.
    ///
    /// # Safety
    /// As [`take`](Self::take).
    #[must_use]
    pub unsafe fn take_seen(&self, bytes: usize) -> Option<PageIndex> {
        self.sets_for(bytes).find_map(PageSet::take_seen)
    }

    /// The sets whose pages fit: the smaller holes first.
    fn sets_for(&self, bytes: usize) -> impl Iterator<Item = &PageSet> {
        debug_assert!(bytes <= self.roomy_bytes);
        let holey = self.holey_bytes < self.roomy_bytes && bytes <= self.holey_bytes;
        holey.then_some(&self.holey).into_iter().chain([&self.roomy])
    }

    /// Puts a page whose greatest hole has `greatest` bytes into the set that it fits; whether any does. The caller
    /// gives the page up in either case.
    ///
    /// # Safety
    /// * S-3: the caller owns the page, which is one of this space, walkable, with its holes in its hole bits;
    ///   `greatest` is the greatest of them.
    /// * S-4: it is at work in this heap.
    pub unsafe fn put(&self, page: PageIndex, greatest: usize) -> bool {
        if greatest >= self.roomy_bytes {
            self.roomy.put(page);
        } else if greatest >= self.holey_bytes {
            // One set or the other; the order of two puts is relied on by nobody.
            self.holey.put(page);
        } else {
            return false;
        }
        true
    }

    /// What the set that [`put`](Self::put) chooses for a page promises, if the page's greatest hole has `greatest`
    /// bytes: see [`offered_bytes`](Self::offered_bytes). `None` if no set takes the page.
    #[must_use]
    pub fn offer_of(&self, greatest: usize) -> Option<usize> {
        [self.roomy_bytes, self.holey_bytes].into_iter().find(|&bytes| greatest >= bytes)
    }

    /// What the set that a page is in promises of the page: its greatest hole has so many bytes at least. `None` if the
    /// page is in none of the sets.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn offered_bytes(&self, page: PageIndex) -> Option<usize> {
        // SAFETY: by the contract.
        let promise = |set: &PageSet, bytes| unsafe { set.contains(page) }.then_some(bytes);
        promise(&self.roomy, self.roomy_bytes).or_else(|| promise(&self.holey, self.holey_bytes))
    }

    /// Takes every page off the sets.
    ///
    /// # Safety
    /// S-4: the world is stopped; the pages become the collector's.
    pub unsafe fn clear(&self) {
        // SAFETY: S-4, by the contract.
        unsafe {
            self.roomy.clear();
            // Relied on by nobody: nobody looks before the stop ends.
            self.holey.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The least hole that is offered, and the greatest that is asked for.
    const SMALL: usize = 16;
    const GREAT: usize = 64;

    /// A page each: whose greatest hole is too small to offer, small, and great enough for everything.
    const CROWDED: PageIndex = PageIndex::new(1);
    const HOLEY: PageIndex = PageIndex::new(2);
    const ROOMY: PageIndex = PageIndex::new(5);

    /// A space to which the three pages were given.
    fn space() -> PagedSpace {
        let set = || PageSet::new(8, 4);
        let space =
            PagedSpace { kind: PageKind::Old, roomy: set(), holey: set(), roomy_bytes: GREAT, holey_bytes: SMALL };
        // SAFETY: a space of no heap, whose pages are but numbers.
        unsafe {
            assert!(!space.put(CROWDED, SMALL - 8));
            assert!(space.put(HOLEY, SMALL) && space.put(ROOMY, GREAT));
        }
        space
    }

    #[test]
    fn pages_with_useful_holes_are_on_offer() {
        crate::sync::check(|| {
            let space = space();
            // SAFETY: this test alone has the space.
            let offered = [CROWDED, HOLEY, ROOMY].map(|page| unsafe { space.offered_bytes(page) });
            assert_eq!(offered, [None, Some(SMALL), Some(GREAT)]);
        });
    }

    /// Whoever asks for little gets the smaller holes first.
    #[test]
    fn a_page_is_taken_for_what_fits_it() {
        crate::sync::check(|| {
            for take in [PagedSpace::take, PagedSpace::take_seen] {
                let taken = |bytes: [usize; 3]| {
                    let space = space();
                    // SAFETY: a space of no heap, whose pages are but numbers.
                    bytes.map(|bytes| unsafe { take(&space, bytes) })
                };
                assert_eq!(taken([SMALL; 3]), [Some(HOLEY), Some(ROOMY), None]);
                assert_eq!(taken([SMALL + 8, GREAT, SMALL]), [Some(ROOMY), None, Some(HOLEY)]);
            }
        });
    }
}
