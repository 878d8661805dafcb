//! Layer 6: collections. They run in a stop, by one collector thread, over interfaces made for several: marks are set
//! by RMW, an object's fate is decided by a compare-exchange on its header, work lists have a bound and survive
//! overflow.
//!
//! ```text
//! minor             roots and remembered set -> copy live young objects: to survivor pages, by age to old space
//! major             mark -> sweep old, code, large -> promote every marked young object -> update references
//!                   -> sweep maps -> clear marks
//! memory-reducing   a major one that also evacuates sparse old pages, and gives every free page to the system
//! ```
//!
//! Invariants:
//! * **C-1** A collection never fails. An object without a destination stays where it is; its page is relabelled as
//!   old in place, and whatever else the page held becomes holes.
//! * **C-2** After a collection every page is walkable (G-2), mark bits are clear, every header names a map, and no
//!   page is flagged.
//! * **C-3** After a minor collection the remembered set holds exactly the slots of old objects that refer to young
//!   ones; after a major one it is empty and so is new space.
//! * **C-4** New space's charge: outside of collections, the pages of kind New exceed `new_pages` by no more than the
//!   pages that scopes added.
//! * **C-5** Maps and code objects never move. Maps are swept last, since everything else is measured by them.
//! * **C-6** A collection looks into each object that it marks or copies once, whatever the work list has room for.
//!
//! Nothing here calls an embedder: roots are words, shapes are data.

mod destination;
mod evacuate;
mod mark;
mod minor;
pub(crate) mod policy;
mod renew;
mod roots;
mod sweep;
mod worklist;

pub use roots::{ROOT_BYTES_FREE, Roots};
pub use worklist::{WorkDone, Worklist};

use crate::object::View;
use crate::page::PageKind;
use crate::space::{Spaces, Stopped};
use crate::thread::Stop;
use crate::words::{CollectionKind, PageIndex};

/// What one collection did. Sizes in bytes, pages in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CollectionSummary {
    /// Bytes copied within new space.
    pub survived_bytes: usize,
    /// Bytes moved from new to old space by copying.
    pub promoted_bytes: usize,
    /// Bytes moved out of sparse old pages.
    pub evacuated_bytes: usize,
    /// Pages relabelled in place, because an object found no destination.
    pub pages_kept: usize,
    /// Bytes of live old, map, code and large objects, but for what the collection itself moved there. Counted by major
    /// collections, else 0.
    pub live_bytes: usize,
    /// Bytes of the holes that a major collection's sweep left, those included that objects then moved into; else 0.
    pub hole_bytes: usize,
    /// The roots and objects that the collection looked at.
    pub work: WorkDone,
}

/// What a collection works on.
pub struct Collector<'a, 's> {
    spaces: Stopped<'a>,
    view: View<'a>,
    roots: Roots<'a, 's>,
    worklist: &'a mut Worklist,
    summary: CollectionSummary,
}

impl<'a, 's> Collector<'a, 's> {
    /// A collector for this stop. Every local heap gives its LABs and owned pages up, so that pages are walkable.
    ///
    /// # Panics
    /// If `roots` are another heap's than `spaces`, or the heap is poisoned: an earlier stop of it has unwound.
    #[track_caller]
    pub fn new(spaces: &'a Spaces, roots: Roots<'a, 's>, worklist: &'a mut Worklist) -> Collector<'a, 's> {
        let spaces = roots.stopped(spaces);
        // SAFETY: SW-1; by G-2 it is used on committed pages only.
        let view = unsafe { spaces.spaces().view() };
        let mut this = Collector { spaces, view, roots, worklist, summary: CollectionSummary::default() };
        assert!(!this.roots.stop().registry().is_poisoned(), "a poisoned heap is not collected");
        make_walkable(spaces.spaces(), this.roots.stop());
        this
    }

    /// Collects. Never fails (C-1).
    pub fn collect(mut self, kind: CollectionKind) -> CollectionSummary {
        self.roots.stop().count_collection(kind);
        match kind {
            CollectionKind::Minor => self.minor(),
            CollectionKind::Major => self.major(false),
            CollectionKind::MemoryReducing => self.major(true),
        }
        self.roots.trim();
        self.summary
    }

    fn major(&mut self, reduce: bool) {
        // SAFETY: SW-1; no young object will be left to remember (C-3).
        unsafe { self.spaces.pages.retain_remembered(|_| false) };
        self.mark();
        let sparse = if reduce { self.select_sparse() } else { Vec::new() };
        let pool_pages_max = if reduce { 0 } else { self.spaces.layout().pool_pages_max() };
        self.sweep(pool_pages_max);
        self.evacuate(&sparse, pool_pages_max);
        self.sweep_maps(pool_pages_max);
        self.clear_marks();
        // SAFETY: new space is empty.
        unsafe { self.roots.forget_young() };
        if reduce {
            self.uncommit_new_space();
        }
        self.spaces.trim_pool(pool_pages_max);
        self.spaces.release_kept();
        self.set_soft_limit();
    }

    fn clear_marks(&self) {
        for page in self.pages() {
            if self.kind(page).space().is_some() {
                // SAFETY: SW-1; marks mean nothing any more (C-2).
                unsafe { self.spaces.pages.marks().clear_page(page) };
            }
        }
    }

    /// Sets the soft limit after a major collection: room for as much again as is live, memory for roots included,
    /// between the configured soft limit and the hard one; less what roots take already.
    fn set_soft_limit(&mut self) {
        let layout = self.spaces.layout();
        let beside = self.roots.bytes().saturating_sub(ROOT_BYTES_FREE) / layout.page_bytes();
        let charge = policy::Charge::of(self.spaces);
        let soft = charge.soft_limit(layout.soft_limit_pages(), beside);
        self.spaces.set_limits(soft, charge.hard);
    }

    fn pages(&self) -> impl Iterator<Item = PageIndex> + use<> {
        (self.spaces.layout().root_pages()..self.spaces.layout().pages()).map(PageIndex::new)
    }

    fn kind(&self, page: PageIndex) -> PageKind {
        self.spaces.kind(page)
    }

    fn pages_of(&self, kind: PageKind) -> Vec<PageIndex> {
        self.pages().filter(|&page| self.kind(page) == kind).collect()
    }
}

/// Makes every page walkable (G-2). All local heaps give up their LABs and owned pages.
///
/// # Panics
/// If `stop` is another heap's than `spaces`.
#[track_caller]
pub fn make_walkable(spaces: &Spaces, stop: &mut Stop<'_>) {
    let spaces = stop.spaces(spaces).spaces();
    // SAFETY: SW-1, by which all of it is at work (S-4); the local heaps of the stop are those of the spaces (L-5).
    unsafe {
        stop.for_each_local(|data| data.allocator.give_up(spaces));
        spaces.new.make_walkable(spaces.view(), spaces.layout());
    }
}
