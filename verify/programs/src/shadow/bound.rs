//! When a request may be refused, and when its first attempt may not.
//!
//! # The bound
//!
//! `OutOfMemory` comes after two memory-reducing collections and an attempt in one stop. After the second collection
//! * new space holds no object, and no page of old, map or code space is without a live one, so those spaces have
//!   exactly the pages in which live objects lie now: `pinned`. Fragmentation enters here: each live object may pin a
//!   page of its own, and no object leaves a page for which there is no other to move to.
//! * a page of the large-object space belongs to a live large object or to a reserve,
//! * the pool is empty, and new space has its whole charge if the limit leaves room for it.
//!
//! So with `used = root pages + pinned + pages of live large objects + pages that reserves hold`, in pages:
//! * a young request is refused only if `used + 1 > hard limit`: new space has not one page of its charge,
//! * an old, map or code request only if `used + new space's charge + 1 > hard limit`,
//! * a large one of n pages only if `used + charge + n > hard limit`, or no n free pages of the large area are
//!   neighbours.
//!
//! The shadow counts what is alive. The page table says what reserves hold, and where; reserves hold no more than the
//! open scopes were given. Nothing is claimed for the attempt that a fault was injected into.
//!
//! # After a major collection
//!
//! What is committed is known exactly then: [`check_committed`].

use super::GraphCensus;
use crate::ops::ReserveChoice;
use heaplab::collection::ROOT_BYTES_FREE;
use heaplab::page::{NO_ORDINAL, PageKind};
use heaplab::space::Spaces;
use heaplab::words::{Layout, Limit, PageIndex, align_up};
use heaplab::{AllocationType, Reserve};

/// What a refused request needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Memory for a regular young object.
    Young,
    /// A page at most.
    Page,
    /// Pages in a row.
    Run(usize),
    /// Pages, and perhaps pages in a row.
    Reserve(usize, usize),
}

/// What the reserves of always-allocate scopes hold, by the page table.
#[derive(Clone, Debug, Default)]
pub struct Held {
    pages: usize,
    /// First pages and lengths of runs.
    runs: Vec<(PageIndex, usize)>,
    /// Free pages that are committed all the same: a release of them may have been refused.
    refused: usize,
}

impl Held {
    /// What is held if a release may have been refused: pages that are free and committed now are held by that
    /// refusal.
    #[must_use]
    pub fn with_refused_releases(self, spaces: &Spaces) -> Held {
        Held { refused: spaces.fresh.pooled() + spaces.large.kept_pages(), ..self }
    }

    /// What reserves hold now, which is at most `pages_max` pages.
    ///
    /// # Panics
    /// If more is held than the open scopes were given.
    ///
    /// # Safety
    /// No other thread runs in the heap, and nobody stops it.
    #[must_use]
    pub unsafe fn of(spaces: &Spaces, pages_max: usize) -> Held {
        let layout = spaces.layout();
        let mut held = Held::default();
        for page in (0..layout.pages()).map(PageIndex::new) {
            // SAFETY: by the contract the table of pages is the caller's.
            unsafe {
                match (spaces.pages.kind(page), page.index() < layout.paged_pages()) {
                    (PageKind::Reserved, true) => held.pages += 1,
                    (PageKind::Reserved, false) => held.runs.push((page, spaces.pages.info(page).run_pages as usize)),
                    _ => {}
                }
            }
        }
        let all = held.all_pages();
        assert!(all <= pages_max, "{all} pages are held for always-allocate scopes, which were given {pages_max}");
        held
    }

    fn all_pages(&self) -> usize {
        self.pages + self.runs.iter().map(|(_, pages)| pages).sum::<usize>()
    }
}

/// Whether a request may be refused.
///
/// # Errors
/// The request may not be refused: what there was room for.
///
/// # Safety
/// No other thread runs in the heap, and nobody stops it.
pub unsafe fn may_refuse(need: Need, census: &GraphCensus, held: &Held, spaces: &Spaces) -> Result<(), String> {
    let layout = spaces.layout();
    // SAFETY: S-4, by the contract.
    let hard = unsafe { spaces.budget.limit(Limit::Hard) };
    let (pinned, large, reserved) = (census.pages.len(), census.run_pages(), held.all_pages());
    let used = layout.root_pages() + pinned + large + reserved + held.refused;
    let charge = layout.new_pages();
    let (pages, run) = match need {
        Need::Young => (1, 0),
        Need::Page => (charge + 1, 0),
        Need::Run(pages) => (charge + pages, pages),
        Need::Reserve(pages, run) => (charge + pages + run, run),
    };
    let scattered = || census.longest_free_run(&held.runs, layout) < run;
    if used + pages > hard || run != 0 && scattered() {
        return Ok(());
    }
    Err(format!(
        "{need:?} was refused although {used} pages were enough for what is alive ({pinned} pinned, {large} of large \
         objects, {reserved} reserved), {pages} more for the request and new space's charge, and the hard limit is \
         {hard}"
    ))
}

/// Checks what is committed after a major collection, exactly: the pages of the roots, of new space, those in which
/// live objects lie, what reserves hold, and the pool. The pool has no more than it may, and nothing after a
/// memory-reducing collection, but for pages whose release was refused. Checks the soft limit too: it leaves room for
/// as much again, memory for roots of `roots_bytes` bytes included.
///
/// # Panics
/// If more or less is committed, or the soft limit is another.
///
/// # Safety
/// No other thread runs in the heap, and nobody stops it.
pub unsafe fn check_committed(census: &GraphCensus, held: &Held, spaces: &Spaces, reduced: bool, roots_bytes: usize) {
    let (layout, budget) = (spaces.layout(), &spaces.budget);
    let (pinned, large, reserved) = (census.pages.len(), census.run_pages(), held.all_pages());
    // SAFETY: by the contract the table of pages is the caller's.
    let is_new = |page: &PageIndex| unsafe { spaces.pages.kind(*page) } == PageKind::New;
    let new: Vec<PageIndex> = (0..layout.paged_pages()).map(PageIndex::new).filter(is_new).collect();
    // SAFETY: as above.
    let is_the_frontiers = |page: &PageIndex| unsafe { spaces.pages.info(*page) }.ordinal != NO_ORDINAL;
    assert!(new.iter().all(is_the_frontiers), "no survivor is left, so every page of new space is the frontier's");
    let new = new.len();
    assert!(new <= layout.new_pages(), "C-4: new space has {new} pages, and is charged for {}", layout.new_pages());
    // A page that the system did not take back is as good as pooled.
    let (committed, pooled) = (budget.committed(), spaces.fresh.pooled() + spaces.large.kept_pages());
    let pooled_max = if reduced { 0 } else { layout.pool_pages_max() }.max(held.refused);
    assert!(pooled <= pooled_max, "{pooled} pages are pooled, of at most {pooled_max}");
    let found = layout.root_pages() + new + pinned + large + reserved + pooled;
    assert_eq!(
        committed, found,
        "pages committed, and used: {new} of new space, {pinned} with live objects, {large} of large ones, {reserved} \
         reserved, {pooled} pooled"
    );
    // SAFETY: S-4, by the contract.
    let (soft, hard) = unsafe { (budget.limit(Limit::Soft), budget.limit(Limit::Hard)) };
    let beside = roots_bytes.saturating_sub(ROOT_BYTES_FREE) / layout.page_bytes();
    let expected = layout.soft_limit_pages().max(2 * (committed - pooled + beside)).saturating_sub(beside).min(hard);
    assert_eq!(
        soft, expected,
        "the soft limit with {committed} pages committed, {pooled} pooled, and {roots_bytes} bytes of memory for roots"
    );
}

/// What an open always-allocate scope guarantees still, by a lower estimate: the reserve may hold more.
#[derive(Clone, Debug)]
pub struct ReserveGuard {
    /// Whose scope it is.
    pub owner: usize,
    /// Pages of the reserve, its run included.
    pub pages: usize,
    pages_left: [usize; 4],
    /// Bytes that allocations may have used up of the page that is being drawn on.
    used: [usize; 4],
    large_bytes: usize,
}

impl ReserveGuard {
    /// The guarantee of a reserve that is filled.
    pub fn new(owner: usize, reserve: &Reserve, layout: &Layout) -> ReserveGuard {
        let pages_left = [reserve.young_pages, reserve.old_pages, reserve.map_pages, reserve.code_pages];
        let run = if reserve.large_bytes == 0 { 0 } else { layout.pages_for(reserve.large_bytes) };
        ReserveGuard {
            owner,
            pages: pages_left.iter().sum::<usize>() + run,
            pages_left,
            used: [0; 4],
            large_bytes: reserve.large_bytes,
        }
    }

    /// Draws on the reserve for a request. Returns whether its first attempt has to succeed.
    pub fn draw(&mut self, ty: AllocationType, bytes: usize, large: bool, layout: &Layout) -> bool {
        if large {
            return bytes <= core::mem::take(&mut self.large_bytes);
        }
        // A refill may take this much of the page, and lose what the request leaves of it.
        let cost = match ty {
            AllocationType::Young => layout.young_lab_bytes().max(align_up(bytes, ty.granule_bytes())),
            AllocationType::Old | AllocationType::Map | AllocationType::Code => layout.regular_bytes_max(),
        };
        let (left, used) = (&mut self.pages_left[ty as usize], &mut self.used[ty as usize]);
        if *used + cost > layout.page_bytes() {
            *left = left.saturating_sub(1);
            *used = 0;
        }
        *used += cost;
        *left != 0
    }

    /// Notes that a page was filled, which may have been one of the reserve. (Young pages are filled from the
    /// frontier.)
    pub fn filled(&mut self, ty: AllocationType) {
        if ty != AllocationType::Young {
            let left = &mut self.pages_left[ty as usize];
            *left = left.saturating_sub(1);
        }
    }

    /// Notes a stop, in which pages that are drawn on are given up.
    pub fn stopped(&mut self) {
        for (left, used) in self.pages_left.iter_mut().zip(&mut self.used) {
            if core::mem::take(used) != 0 {
                *left = left.saturating_sub(1);
            }
        }
    }
}

/// The reserve that a choice stands for.
#[must_use]
pub fn reserve(choice: ReserveChoice, layout: &Layout) -> Reserve {
    let [young_pages, old_pages, map_pages, code_pages] = choice.pages.map(usize::from);
    let large_bytes = usize::from(choice.large_half_pages) * layout.regular_bytes_max();
    Reserve { young_pages, old_pages, map_pages, code_pages, large_bytes }
}
