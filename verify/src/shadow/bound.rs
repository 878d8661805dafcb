//! When a request may be refused, and when its first attempt may not.
//!
//! # The bound
//!
//! `OutOfMemory` comes after two memory-reducing collections and an attempt in one stop. After the second one
//! * new space holds no object, and no page of old, map or code space is without a live one, so those spaces have
//!   exactly the pages in which live objects lie now: `pinned`. That is where fragmentation enters: each live object
//!   may pin a page of its own, and nothing moves out of a page for which there is no other to move to.
//! * a page of large space belongs to a live large object or to a reserve,
//! * the pool is empty, and new space has its whole charge if the limit leaves room for it.
//!
//! So with `fixed = root pages + new space's charge + pinned + pages of live large objects + all reserves`, in pages:
//! * a young request is refused only if `fixed > hard limit`,
//! * an old, map or code request only if `fixed + 1 > hard limit`,
//! * a large one of n pages only if `fixed + n > hard limit`, or no n free pages of the large area are neighbours.
//!
//! Everything on the left is counted by the shadow. Nothing is claimed for the attempt that a fault was injected into.

use super::Census;
use crate::ops::ReserveChoice;
use heaplab::space::Spaces;
use heaplab::words::{Layout, Limit, align_up};
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

/// Whether a request may be refused, and why not: `Err` says what there was room for.
pub fn may_refuse(need: Need, census: &Census, reserved_pages: usize, spaces: &Spaces) -> Result<(), String> {
    let layout = spaces.layout();
    // SAFETY: S-4: asked where there are no rivals, so nobody stops the world.
    let hard = unsafe { spaces.budget.limit(Limit::Hard) };
    let (pinned, large) = (census.pages.len(), census.run_pages());
    let fixed = layout.root_pages() + layout.new_pages() + pinned + large + reserved_pages;
    let (pages, run) = match need {
        Need::Young => (0, 0),
        Need::Page => (1, 0),
        Need::Run(pages) => (pages, pages),
        Need::Reserve(pages, run) => (pages + run, run),
    };
    // Where the runs of reserves lie is not known.
    let scattered = run != 0 && (reserved_pages != 0 || census.longest_free_run(layout) < run);
    if fixed + pages > hard || scattered {
        return Ok(());
    }
    Err(format!(
        "{need:?} was refused although {fixed} pages were enough for what is alive ({pinned} pinned, {large} of large \
         objects, {reserved_pages} reserved), {pages} more for the request, and the hard limit is {hard}"
    ))
}

/// What an open always-allocate scope still guarantees. Guarantees less than the reserve holds, never more.
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

    /// Draws on the reserve for a request; whether its first attempt has to succeed.
    pub fn draw(&mut self, ty: AllocationType, bytes: usize, large: bool, layout: &Layout) -> bool {
        if large {
            return bytes <= core::mem::take(&mut self.large_bytes);
        }
        // A refill may take as much as this of the page, and lose what the request leaves of it.
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

    /// A page was filled, which may have been one of the reserve. (Young pages are filled from the frontier.)
    pub fn filled(&mut self, ty: AllocationType) {
        if ty != AllocationType::Young {
            let left = &mut self.pages_left[ty as usize];
            *left = left.saturating_sub(1);
        }
    }

    /// A stop: pages that are drawn on are given up.
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
