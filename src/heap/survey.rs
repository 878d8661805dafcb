//! The survey: what each byte of each committed page is used for, at one moment.
//!
//! In a stop, with LABs given up, every page is a gapless sequence of objects, fillers and free blocks (G-2). First the
//! objects that the roots reach are traced, into a set of the survey's own; then the pages are walked:
//!
//! ```text
//! roots, old, map, code   objects: live if traced, else dead; fillers; free blocks
//! new, up to the frontier the same
//! new, beyond it          unused, or wasted if the space was simulated full
//! large run               its object over its pages: live or dead (or a filler); behind it, wasted
//! held run, held page     held
//! pooled                  free; kept by the large-object space, free, or wasted if that was simulated full
//! ```
//!
//! Liveness is what a major collection would find: from the roots, through maps and slots. A minor collection may keep
//! more, since it takes old objects that are dead for alive.
//!
//! Invariants:
//! * **U-1** The pages of a survey are the pages that count as committed, each once, in the order of their numbers.
//! * **U-2** The uses of a page add up to its bytes.
//! * **U-3** A survey collects nothing, counts nothing and moves nothing. As every stop does, it makes local heaps
//!   give up their LABs; else it writes no mark bits, holes or remembered set.
//!
//! U-1 and U-2 are asserted, and the heap is poisoned if they fail: then the page table and the budget disagree, or a
//! page is not walkable. The verifier says how, and is what to call when a heap is in doubt.

use super::object_set::{NoMemory, ObjectSet, Refused};
use crate::collection::Roots;
use crate::object::{View, kind};
use crate::page::{NO_ORDINAL, PageKind};
use crate::space::{Spaces, Stopped};
use crate::words::{By, Limit, Offset, PageIndex, ROOT_BYTES, numbered};

/// What a byte of a committed page is used for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MemoryUse {
    /// An object that roots reach, or a built-in one.
    Live,
    /// An object that no root reaches: free after the next collection of its space.
    Dead,
    /// A filler: a gap that nobody allocates in before the next sweep.
    Filler,
    /// Out of everybody's reach, without an object: pages of new space, or pages that the large-object space keeps,
    /// after that space was simulated full; and what a large object leaves of its last page.
    Wasted,
    /// Free for allocation: a hole, or a page of the pool.
    Free,
    /// Held by an always-allocate scope for its owner.
    Held,
    /// Beyond the frontier of new space: nobody has had it since the last collection.
    Unused,
}

impl MemoryUse {
    /// All of them, in the order of their numbers.
    pub const ALL: [MemoryUse; 7] = [
        MemoryUse::Live,
        MemoryUse::Dead,
        MemoryUse::Filler,
        MemoryUse::Wasted,
        MemoryUse::Free,
        MemoryUse::Held,
        MemoryUse::Unused,
    ];
}

numbered! { MemoryUse: MemoryUse::ALL.len(), }

/// One committed page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageSurvey {
    /// Its number.
    pub index: PageIndex,
    /// What it is. All pages of a held run are `Reserved`.
    pub kind: PageKind,
    bytes: By<MemoryUse, usize, { MemoryUse::ALL.len() }>,
}

impl PageSurvey {
    fn new(index: PageIndex, kind: PageKind) -> PageSurvey {
        PageSurvey { index, kind, bytes: By::splat(0) }
    }

    fn add(&mut self, memory_use: MemoryUse, bytes: usize) {
        self.bytes[memory_use] += bytes;
    }

    /// Its bytes of one use.
    #[must_use]
    pub fn bytes(&self, memory_use: MemoryUse) -> usize {
        self.bytes[memory_use]
    }
}

/// What [`Heap::survey`](super::Heap::survey) found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
#[must_use]
pub struct Survey {
    /// Bytes of a page.
    pub page_bytes: usize,
    /// The soft limit at that moment, in bytes.
    pub soft_limit_bytes: usize,
    /// The hard limit at that moment, in bytes.
    pub hard_limit_bytes: usize,
    /// Objects that roots reach, built-in ones excluded.
    pub objects_live: u64,
    /// Objects that no root reaches.
    pub objects_dead: u64,
    /// Addresses of the large-object space that are out of reach, because it was simulated full. They are not
    /// committed, so no page has them.
    pub large_bytes_out_of_reach: usize,
    /// The committed pages (U-1).
    pub pages: Vec<PageSurvey>,
}

impl Survey {
    /// Bytes of one use, over all pages.
    #[must_use]
    pub fn bytes(&self, memory_use: MemoryUse) -> usize {
        self.pages.iter().map(|page| page.bytes(memory_use)).sum()
    }

    /// Bytes of one use, over the pages of one kind.
    #[must_use]
    pub fn bytes_of(&self, kind: PageKind, memory_use: MemoryUse) -> usize {
        self.pages.iter().filter(|page| page.kind == kind).map(|page| page.bytes(memory_use)).sum()
    }
}

struct Surveyor<'a> {
    spaces: Stopped<'a>,
    view: View<'a>,
    reached: ObjectSet,
    found: Survey,
    refused: Refused,
}

/// Surveys a stopped, walkable heap.
///
/// # Errors
/// The Rust allocator has no memory for what is found.
///
/// # Panics
/// If U-1 or U-2 does not hold: an invariant of the heap is broken. If the roots are another heap's.
pub(super) fn survey(spaces: &Spaces, roots: Roots<'_, '_>) -> Result<Survey, NoMemory> {
    let spaces = roots.stopped(spaces);
    let layout = spaces.layout();
    let limit_bytes = |limit| spaces.limit(limit) * layout.page_bytes();
    let mut surveyor = Surveyor {
        spaces,
        // SAFETY: SW-1; by G-2 it is used on committed pages only, and nothing is written (U-3).
        view: unsafe { spaces.spaces().view() },
        reached: ObjectSet::default(),
        found: Survey {
            page_bytes: layout.page_bytes(),
            soft_limit_bytes: limit_bytes(Limit::Soft),
            hard_limit_bytes: limit_bytes(Limit::Hard),
            large_bytes_out_of_reach: spaces.large.pages_out_of_reach() * layout.page_bytes(),
            ..Survey::default()
        },
        refused: Refused::default(),
    };
    surveyor.trace(roots);
    surveyor.refused.unless(())?;
    surveyor.walk_all();
    let found = surveyor.refused.unless(surveyor.found)?;
    let (pages, committed) = (found.pages.len(), spaces.committed());
    assert!(pages == committed, "U-1: {pages} pages are in use, {committed} count as committed");
    Ok(found)
}

impl Surveyor<'_> {
    /// Fills `reached`. An object is `pending` at most once, so `pending` needs no bound of its own.
    fn trace(&mut self, mut roots: Roots<'_, '_>) {
        let (spaces, view) = (self.spaces, self.view);
        let (reached, refused) = (&mut self.reached, &mut self.refused);
        let mut pending = Vec::new();
        let mut reach = |object: Offset, pending: &mut Vec<Offset>| {
            // The built-in objects refer to each other only.
            if object.bytes() >= ROOT_BYTES && reached.insert(&spaces, object, refused) {
                refused.push(pending, object);
            }
        };
        // SAFETY: roots stay what they are.
        unsafe {
            roots.visit(|word| {
                if word.is_reference() {
                    reach(word.target(), &mut pending);
                }
                word
            });
        }
        while let Some(object) = pending.pop() {
            let map = view.map_of(object);
            reach(map, &mut pending);
            view.for_each_slot(object, view.shape(map), |slot| {
                if let Some(target) = view.tagged(slot).as_reference() {
                    reach(target, &mut pending);
                }
            });
        }
    }

    fn walk_all(&mut self) {
        let layout = self.spaces.layout();
        let mut index = 0;
        while index < layout.pages() {
            let page = PageIndex::new(index);
            let (kind, info) = (self.spaces.kind(page), self.spaces.info(page));
            index += 1;
            match kind {
                PageKind::Free => {}
                PageKind::Pooled if self.is_out_of_reach(page) => self.whole(page, kind, MemoryUse::Wasted),
                PageKind::Pooled => self.whole(page, kind, MemoryUse::Free),
                // A held run has a length, a held page of the paged area has none.
                PageKind::Reserved => {
                    let end = page.index() + (info.run_pages as usize).max(1);
                    (page.index()..end).for_each(|i| self.whole(PageIndex::new(i), kind, MemoryUse::Held));
                    index = end;
                }
                PageKind::New => self.new_page(page, info.ordinal),
                PageKind::Root | PageKind::Old | PageKind::Map | PageKind::Code => {
                    let page = self.walk(page, kind, layout.page_end(page));
                    self.enter(page);
                }
                PageKind::LargeHead => {
                    self.run(page, info.run_pages as usize);
                    index = page.index() + info.run_pages as usize;
                }
                PageKind::LargeTail => unreachable!("{page:?} belongs to no run"),
            }
        }
    }

    /// Whether a pooled page is one of the large area's, which was simulated full.
    fn is_out_of_reach(&self, page: PageIndex) -> bool {
        page.index() >= self.spaces.layout().paged_pages() && self.spaces.large.is_kept_out_of_reach(page)
    }

    fn enter(&mut self, page: PageSurvey) {
        let bytes: usize = page.bytes.iter().map(|(_, bytes)| bytes).sum();
        assert!(bytes == self.found.page_bytes, "U-2: {bytes} bytes of {page:?}");
        self.refused.push(&mut self.found.pages, page);
    }

    fn whole(&mut self, page: PageIndex, kind: PageKind, memory_use: MemoryUse) {
        let mut found = PageSurvey::new(page, kind);
        found.add(memory_use, self.found.page_bytes);
        self.enter(found);
    }

    /// A page of new space: walked up to the frontier. Behind the frontier lies the filler that each stop writes
    /// there, which the next carve overwrites.
    fn new_page(&mut self, page: PageIndex, ordinal: u32) {
        let (new, layout) = (&self.spaces.new, self.spaces.layout());
        let ordinal = ordinal as usize;
        if ordinal != NO_ORDINAL as usize && !new.is_reached(ordinal) {
            let is_within_reach = self.spaces.is_within_reach(ordinal);
            let memory_use = if is_within_reach { MemoryUse::Unused } else { MemoryUse::Wasted };
            return self.whole(page, PageKind::New, memory_use);
        }
        let used = if ordinal == NO_ORDINAL as usize {
            layout.page_bytes()
        } else {
            (new.used_bytes(layout) - (ordinal - 1) * layout.page_bytes()).min(layout.page_bytes())
        };
        let mut found = self.walk(page, PageKind::New, layout.page_start(page).plus(used));
        found.add(MemoryUse::Unused, layout.page_bytes() - used);
        self.enter(found);
    }

    /// Walks a page up to `end`.
    fn walk(&mut self, page: PageIndex, kind: PageKind, end: Offset) -> PageSurvey {
        let mut found = PageSurvey::new(page, kind);
        let mut at = self.spaces.layout().page_start(page);
        while at < end {
            let (memory_use, bytes) = self.object(at);
            assert!(bytes <= end.bytes() - at.bytes(), "U-2: {bytes} bytes at {at:?} reach over {end:?}");
            found.add(memory_use, bytes);
            at = at.plus(bytes);
        }
        found
    }

    fn run(&mut self, head: PageIndex, run_pages: usize) {
        let layout = self.spaces.layout();
        let (memory_use, bytes) = self.object(layout.page_start(head));
        assert!(layout.pages_for(bytes) == run_pages, "U-2: {bytes} bytes in a run of {run_pages} pages");
        let mut left = bytes;
        for i in 0..run_pages {
            let kind = if i == 0 { PageKind::LargeHead } else { PageKind::LargeTail };
            let mut page = PageSurvey::new(PageIndex::new(head.index() + i), kind);
            let here = left.min(layout.page_bytes());
            page.add(memory_use, here);
            page.add(MemoryUse::Wasted, layout.page_bytes() - here);
            self.enter(page);
            left -= here;
        }
    }

    /// Use and bytes of the object at `at`, which is counted if it is live or dead. No shape has 0 bytes, so a walk
    /// ends.
    fn object(&mut self, at: Offset) -> (MemoryUse, usize) {
        let bytes = self.view.size_bytes(at);
        let memory_use = match self.view.shape(self.view.map_of(at)).kind() {
            kind::FILLER => MemoryUse::Filler,
            kind::FREE_BLOCK => MemoryUse::Free,
            _ if at.bytes() < ROOT_BYTES => MemoryUse::Live,
            _ if self.reached.contains(&self.spaces, at) => {
                self.found.objects_live += 1;
                MemoryUse::Live
            }
            _ => {
                self.found.objects_dead += 1;
                MemoryUse::Dead
            }
        };
        assert!(bytes != 0, "U-2: the object at {at:?} has no bytes");
        (memory_use, bytes)
    }
}
