//! The spaces of a stopped heap: what a stop alone allows, as safe methods of the proof that there is one.
//!
//! A [`Stopped`] is made by the stop (`Stop::spaces` in the layer of threads), which compares heaps first, and cannot
//! outlive the stop. So a function that takes a `Stopped` asks nothing more of its caller. The parts know of no stop:
//! their functions are `unsafe`, and safe here.
//!
//! Invariants:
//! * **SW-1** While a value of this type exists, the heap of its spaces is stopped, and the thread that has it is the
//!   stop's collector, at work in the heap (S-4): nobody else reads or writes a page, a table, a count or a limit of
//!   it.
//!
//! What is a look, or changes numbers that only decide who is refused, is safe here. What memory safety rests on -
//! who owns a page (S-3), what a page is, what is marked or remembered - stays `unsafe` in the parts: a stop says who
//! may do it, and the invariants of the collection say why it is right.

use super::{LargeSpace, Ordinal, PagedSpace, Spaces};
use crate::page::{PageInfo, PageKind};
use crate::words::{Layout, Limit, Offset, PageIndex};
use core::marker::PhantomData;
use core::ops::Deref;

/// The spaces of a heap that is stopped, in the hands of the stop's collector (SW-1).
#[derive(Clone, Copy, Debug)]
pub struct Stopped<'a> {
    spaces: &'a Spaces,
    /// Of one thread: neither `Send` nor `Sync`.
    _collector: PhantomData<*const ()>,
}

impl<'a> Stopped<'a> {
    /// The proof that the heap of `spaces` is stopped.
    ///
    /// # Safety
    /// SW-1 holds for all of `'a`.
    #[must_use]
    pub unsafe fn new(spaces: &'a Spaces) -> Stopped<'a> {
        Stopped { spaces, _collector: PhantomData }
    }

    /// The spaces, for as long as they are stopped.
    #[inline(always)]
    #[must_use]
    pub fn spaces(self) -> &'a Spaces {
        self.spaces
    }

    /// The geometry.
    #[inline(always)]
    #[must_use]
    pub fn layout(self) -> &'a Layout {
        self.spaces.layout()
    }

    /// The kind of a page.
    #[inline(always)]
    #[must_use]
    pub fn kind(self, page: PageIndex) -> PageKind {
        // SAFETY: SW-1.
        unsafe { self.spaces.pages.kind(page) }
    }

    /// What is known about a page.
    #[inline(always)]
    #[must_use]
    pub fn info(self, page: PageIndex) -> PageInfo {
        // SAFETY: SW-1.
        unsafe { self.spaces.pages.info(page) }
    }

    /// Whether the objects of a page are being moved elsewhere.
    #[inline(always)]
    #[must_use]
    pub fn is_evacuated(self, page: PageIndex) -> bool {
        // SAFETY: SW-1.
        unsafe { self.spaces.pages.is_evacuated(page) }
    }

    /// The first granule of `page`, at `from` or after it, where a marked object starts.
    #[inline(always)]
    #[must_use]
    pub fn next_marked(self, page: PageIndex, from: usize) -> Option<usize> {
        // SAFETY: SW-1; no bit is changed.
        unsafe { self.spaces.pages.marks().next(page, from) }
    }

    /// The holes of a page: start and bytes, in address order.
    pub fn holes_of(self, page: PageIndex) -> impl Iterator<Item = (Offset, usize)> + 'a {
        // SAFETY: SW-1; no hole is changed.
        unsafe { self.spaces.holes(page) }.iter()
    }

    /// The greatest hole of a page, in bytes; 0 without one.
    #[must_use]
    pub fn greatest_hole_of(self, page: PageIndex) -> usize {
        // SAFETY: SW-1; no hole is changed.
        unsafe { self.spaces.holes(page) }.greatest()
    }

    /// The next page with an object that is set aside, at `from` or after it, else from the first page on.
    #[must_use]
    pub fn next_with_aside(self, from: usize) -> Option<PageIndex> {
        // SAFETY: SW-1.
        unsafe { self.spaces.pages.next_with_aside(from) }
    }

    /// The pages that `limit` allows.
    #[must_use]
    pub fn limit(self, limit: Limit) -> usize {
        // SAFETY: SW-1.
        unsafe { self.spaces.budget.limit(limit) }
    }

    /// Sets both limits, in pages; the soft one is at most `hard`.
    pub fn set_limits(self, soft: usize, hard: usize) {
        // SAFETY: SW-1.
        unsafe { self.spaces.budget.set_limits(soft, hard) }
    }

    /// The committed pages, exactly.
    #[must_use]
    pub fn committed(self) -> usize {
        // SAFETY: SW-1.
        unsafe { self.spaces.budget.committed_in_stop() }
    }

    /// The committed free pages of the pool, exactly.
    #[must_use]
    pub fn pooled(self) -> usize {
        // SAFETY: SW-1.
        unsafe { self.spaces.fresh.pooled_in_stop() }
    }

    /// The free pages of the large area that are committed still, exactly.
    #[must_use]
    pub fn kept_pages(self) -> usize {
        // SAFETY: SW-1.
        unsafe { self.spaces.large.kept_pages_in_stop() }
    }

    /// Whether the address of `page` is one that nobody uses.
    #[must_use]
    pub fn has_address(self, page: PageIndex) -> bool {
        // SAFETY: SW-1.
        unsafe { self.spaces.fresh.has_address(page) }
    }

    /// Whether `page` is in the pool.
    #[must_use]
    pub fn is_pooled(self, page: PageIndex) -> bool {
        // SAFETY: SW-1.
        unsafe { self.spaces.fresh.is_pooled(page) }
    }

    /// Each paged space of the heap that offers `page`, and what it promises of it: see [`PagedSpace::offered_bytes`].
    pub fn offers_of(self, page: PageIndex) -> impl Iterator<Item = (&'a PagedSpace, usize)> {
        self.spaces.paged_spaces().into_iter().filter_map(move |space| {
            // SAFETY: SW-1.
            let offered = unsafe { space.offered_bytes(page) };
            offered.map(|bytes| (space, bytes))
        })
    }

    /// The frontier's table, each entry with whether the frontier reached it (and so committed it).
    #[must_use]
    pub fn ordinals(self) -> Vec<(Ordinal, bool)> {
        // SAFETY: SW-1.
        unsafe { self.spaces.new.ordinals() }
    }

    /// Whether the frontier has reached `ordinal` or may still get there, counted from 1.
    #[must_use]
    pub fn is_within_reach(self, ordinal: usize) -> bool {
        // SAFETY: SW-1.
        unsafe { self.spaces.new.is_within_reach(ordinal) }
    }

    /// Gives pooled pages back to the system until at most `pool_pages_max` are left, as far as the system takes
    /// them.
    pub fn trim_pool(self, pool_pages_max: usize) {
        // SAFETY: SW-1.
        unsafe { self.spaces.trim_pool(pool_pages_max) }
    }

    /// Tries to give every kept page within reach of the large area back to the system.
    pub fn release_kept(self) {
        // SAFETY: SW-1.
        unsafe { LargeSpace::release_kept(self.spaces) }
    }
}

impl Deref for Stopped<'_> {
    type Target = Spaces;

    #[inline(always)]
    fn deref(&self) -> &Spaces {
        self.spaces
    }
}
