//! The ledger: what is really committed, beside what is charged for it. It checks, and the heap asks it in stops only.
//!
//! Each page of the reservation is in one state. `headroom` is one word, which both charges and commits change:
//!
//! ```text
//!             commit                              headroom = charged - committed - late
//!   reserved ────────► committed                  charge n pages     + n      commit a reserved page   - 1
//!    ▲ ▲ │  ◄────────    ▲                        discharge n pages  - n      release a page           + 1
//!    │ │ │    release    │ commit                 begin late         - 1      end late                 + 1
//!    │ │ └────────────► late                      commit a late page   0
//!    │ └────────────────┘
//!      end late                late: charged for good, and committed when the frontier gets there (new space)
//! ```
//!
//! Invariants:
//! * **LG-1** (S-1 made physical) `headroom` is never negative: at no moment is a page committed that is not charged.
//! * **LG-2** In a stop `headroom` is 0: nothing is charged that is not committed, or late.
//!
//! LG-1 is checked by every read-modify-write that lowers the word, with the value that it left, so no alarm is
//! false: a thread charges before it commits and releases before it discharges, its own steps are in program order,
//! and a page passes from one thread to the next by an edge (S-3). So every prefix of the word's modification order
//! holds for each charge and for each page a prefix of what became of it, and none of those prefixes is below 0. The
//! check is sharp because late pages are no headroom: otherwise new space's charge would hide what others overdraw.
//!
//! Nothing here is an operation of a model ([`Gauge`]), so models are as large with the ledger as without. A
//! reservation without a budget (in unit tests) is not audited.

use super::{MemoryError, try_table};
use crate::sync::{Gauge, Tag};
use core::fmt;

const RESERVED: u8 = 0;
const COMMITTED: u8 = 1;
const LATE: u8 = 2;

/// What is committed, and what is charged.
pub struct Ledger {
    /// By page.
    pages: Box<[Tag]>,
    page_bytes: usize,
    committed: Gauge,
    late: Gauge,
    charged: Gauge,
    headroom: Gauge,
    /// Whether a budget charges here.
    audited: Tag,
}

fn pages(count: usize) -> isize {
    isize::try_from(count).expect("a count of pages")
}

impl Ledger {
    /// A ledger of a reservation of which nothing is committed and nothing charged.
    ///
    /// # Errors
    /// [`MemoryError::Tables`]: the Rust allocator has no byte per page.
    pub(super) fn new(bytes: usize, page_bytes: usize) -> Result<Ledger, MemoryError> {
        let pages = try_table(bytes.div_ceil(page_bytes), || Tag::new(RESERVED))?;
        let (committed, late, charged, headroom) = (Gauge::new(0), Gauge::new(0), Gauge::new(0), Gauge::new(0));
        Ok(Ledger { pages, page_bytes, committed, late, charged, headroom, audited: Tag::new(0) })
    }

    /// A ledger for a budget without memory.
    #[must_use]
    pub fn without_memory() -> Ledger {
        Ledger::new(0, 1).expect("a table without entries")
    }

    /// Asserts LG-1 from now on: a budget charges here.
    pub fn audit(&self) {
        self.audited.swap(1);
    }

    fn change_headroom(&self, change: isize, what: &dyn fmt::Display) {
        let headroom = self.headroom.add(change);
        assert!(
            change >= 0 || headroom >= 0 || self.audited.get() == 0,
            "S-1: {what} leaves {} pages committed beyond what is charged ({self:?})",
            -headroom
        );
    }

    /// Charges `count` pages, which the budget has counted.
    pub fn charge(&self, count: usize) {
        self.charged.add(pages(count));
        self.change_headroom(pages(count), &"a charge");
    }

    /// Discharges `count` pages, which the budget is about to count no longer.
    ///
    /// # Panics
    /// If more is committed than is charged then (LG-1): budget was given back before its memory.
    pub fn discharge(&self, count: usize) {
        self.charged.add(-pages(count));
        self.change_headroom(-pages(count), &format_args!("giving back the budget of {count} pages"));
    }

    fn range(&self, offset: usize, bytes: usize) -> &[Tag] {
        &self.pages[offset / self.page_bytes..(offset + bytes).div_ceil(self.page_bytes)]
    }

    /// # Panics
    /// If more is committed than is charged then (LG-1).
    pub(super) fn commit(&self, offset: usize, bytes: usize) {
        let (mut reserved, mut late) = (0, 0);
        for page in self.range(offset, bytes) {
            match page.swap(COMMITTED) {
                RESERVED => reserved += 1,
                LATE => late += 1,
                _ => {}
            }
        }
        self.committed.add(reserved + late);
        self.late.add(-late);
        self.change_headroom(-reserved, &format_args!("the commit of {bytes} bytes at {offset}"));
    }

    pub(super) fn release(&self, offset: usize, bytes: usize) {
        let mut released = 0;
        for page in self.range(offset, bytes) {
            released += isize::from(page.swap(RESERVED) == COMMITTED);
        }
        self.committed.add(-released);
        self.change_headroom(released, &"a release");
    }

    pub(super) fn begin_late(&self, offset: usize) {
        let before = self.range(offset, 1)[0].swap(LATE);
        assert!(before == RESERVED, "the page at {offset} is late, and is committed or late already");
        self.late.add(1);
        self.change_headroom(-1, &format_args!("the late page at {offset}"));
    }

    pub(super) fn end_late(&self, offset: usize) {
        let before = self.range(offset, 1)[0].swap(RESERVED);
        assert!(before == LATE, "the page at {offset} is not late");
        self.late.add(-1);
        self.change_headroom(1, &"the end of a late page");
    }

    pub(super) fn is_committed(&self, offset: usize) -> bool {
        self.range(offset, 1)[0].get() == COMMITTED
    }

    /// Pages that are committed. Exact while nobody commits or releases, else a snapshot.
    pub(super) fn committed(&self) -> usize {
        usize::try_from(self.committed.get()).unwrap_or(0)
    }

    /// Asserts that `counted` pages are charged, and that all of them are committed or late, as they are while nobody
    /// allocates.
    ///
    /// # Panics
    /// If it is not so (LG-2).
    pub fn assert_settled(&self, counted: usize) {
        let (charged, headroom) = (self.charged.get(), self.headroom.get());
        assert!(charged == pages(counted), "S-1: {counted} pages are counted, {charged} were charged ({self:?})");
        assert!(headroom == 0, "S-1: {headroom} charged pages are neither committed nor late in a stop ({self:?})");
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("pages", &self.pages.len())
            .field("charged", &self.charged.get())
            .field("committed", &self.committed.get())
            .field("late", &self.late.get())
            .finish_non_exhaustive()
    }
}
