//! New space: LABs are carved off a frontier that moves through a table of pages.
//!
//! ```text
//! table      ordinal 1 | ordinal 2 | ... | ordinal n     pages; changes only in a stop
//! frontier   (k, offset): pages below ordinal k are used up, page k up to `offset`; starts as (0, page size)
//!
//! carve      (k, offset) -> (k, offset + lab)            one compare-exchange
//! seal       (k, offset) -> (k + 1, lab)                 one compare-exchange: seals page k, advances, carves in k + 1
//! ```
//!
//! Page k + 1 is committed before the sealing exchange, by everyone who tries it (a commit is idempotent); its address
//! and its budget belong to new space already. The winner owns the tail of page k, from `offset` to its end, and fills
//! it before it can poll.
//!
//! Invariants:
//! * **F-1** Between two stops the frontier only grows (as a pair), so an old value never returns: no ABA.
//! * **F-2** Every byte below the frontier belongs to exactly one LAB or one tail.
//! * **F-3** In a stop, after [`NewSpace::make_walkable`], every page up to ordinal k is walkable.
//! * **F-4** A refusal may be decided by a load: a stale frontier is a smaller one (F-1), and what a smaller one
//!   refuses a greater one refuses too.
//!
//! O-2: a carver writes to words of page k that another thread committed. The sealing exchange is Release, and every
//! exchange that succeeds after it is an RMW and so continues its release sequence; a carver's successful exchange is
//! Acquire. The load before it is a guess and Relaxed.

use crate::memory::Memory;
use crate::object::View;
use crate::page::{PageInfo, PageKind, PageTable};
use crate::sync::{AtomicU64, CachePadded, Ordering, UnsafeCell, YieldPoint, yield_point};
use crate::words::{AttemptError, Layout, Offset, PageIndex};

/// An entry of the frontier's table.
#[derive(Clone, Copy, Debug)]
pub struct Ordinal {
    /// The page.
    pub page: PageIndex,
    /// Whether the page is known to be committed, so that sealing need not ask the system.
    pub committed: bool,
}

impl Ordinal {
    /// A page that is not committed yet.
    #[must_use]
    pub fn uncommitted(page: PageIndex) -> Ordinal {
        Ordinal { page, committed: false }
    }

    /// A page that is committed.
    #[must_use]
    pub fn committed(page: PageIndex) -> Ordinal {
        Ordinal { page, committed: true }
    }
}

/// What a carve won: ranges that belong to whoever carved them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Carved {
    /// The LAB.
    pub start: Offset,
    /// The LAB's bytes.
    pub bytes: usize,
    /// The rest of the page that this carve sealed: the caller fills it before it polls.
    pub tail: Option<(Offset, usize)>,
}

#[derive(Debug)]
struct Table {
    ordinals: Vec<Ordinal>,
    /// Ordinals beyond this one are out of reach: the last one, or less once the space was simulated full.
    limit: usize,
}

/// New space: the frontier and its table.
#[derive(Debug)]
pub struct NewSpace {
    frontier: CachePadded<AtomicU64>,
    table: UnsafeCell<Table>,
}

/// The greatest offset: a frontier that has not got its table yet is beyond the end of any page.
const OFFSET_MAX: usize = u32::MAX as usize >> 1;

const fn pack(ordinal: usize, offset: usize) -> u64 {
    (ordinal as u64) << 32 | offset as u64
}

const fn unpack(frontier: u64) -> (usize, usize) {
    ((frontier >> 32) as usize, (frontier & 0xffff_ffff) as usize)
}

impl NewSpace {
    /// A new space without pages.
    #[must_use]
    pub fn new() -> NewSpace {
        NewSpace {
            frontier: CachePadded::new(AtomicU64::new(pack(0, OFFSET_MAX))),
            table: UnsafeCell::new(Table { ordinals: Vec::new(), limit: 0 }),
        }
    }

    /// # Safety
    /// S-4: the caller is at work in this heap, and lets go of the borrow before a stop can begin.
    unsafe fn table(&self) -> &Table {
        // SAFETY: S-4: the table changes in a stop alone, and the collector, who runs then, has no borrow of it.
        unsafe { &*self.table.peek() }
    }

    /// # Safety
    /// S-4: the caller is at work in this heap.
    unsafe fn ordinal(&self, ordinal: usize) -> Ordinal {
        // SAFETY: S-4, by the contract; the borrow ends with the expression.
        unsafe { self.table() }.ordinals[ordinal - 1]
    }

    /// Carves a LAB of `bytes_min..=bytes_max` bytes; `bytes_min` is at most a page. Lock-free; may commit a page,
    /// which is a system call.
    ///
    /// # Errors
    /// `Exhausted` if the table has no page left; `Refused` if the system refused the next one.
    ///
    /// # Safety
    /// S-4: the caller is at work in this heap, of which `memory` and `layout` are parts. The LAB is its own then
    /// (F-2); it writes a filler over the tail before it polls (F-3).
    pub unsafe fn carve(
        &self,
        memory: &Memory,
        layout: &Layout,
        bytes_min: usize,
        bytes_max: usize,
    ) -> Result<Carved, AttemptError> {
        debug_assert!(bytes_min <= bytes_max && bytes_min <= layout.page_bytes());
        // SAFETY: S-4, by the contract; no borrow outlives its expression.
        let (limit, ordinal_at) = unsafe { (self.table().limit, |ordinal| self.ordinal(ordinal)) };
        // Relaxed: a guess (O-2).
        let mut seen = self.frontier.load(Ordering::Relaxed);
        yield_point(YieldPoint::FrontierSeen);
        loop {
            let (ordinal, offset) = unpack(seen);
            let rest = layout.page_bytes().saturating_sub(offset);
            if bytes_min <= rest {
                let bytes = bytes_max.min(rest);
                // O-2: Acquire pairs with the sealing exchange of this page; Relaxed on failure: another guess.
                match self.frontier.compare_exchange_weak(
                    seen,
                    pack(ordinal, offset + bytes),
                    Ordering::Acquire,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => {
                        yield_point(YieldPoint::FrontierCarved);
                        let start = layout.page_start(ordinal_at(ordinal).page).plus(offset);
                        return Ok(Carved { start, bytes, tail: None });
                    }
                    Err(newer) => seen = newer,
                }
                continue;
            }
            if ordinal >= limit {
                // F-4: decided by a load.
                return Err(AttemptError::Exhausted);
            }
            let next = ordinal_at(ordinal + 1);
            if !next.committed && memory.commit(layout.page_start(next.page).bytes(), layout.page_bytes()).is_err() {
                return Err(AttemptError::Refused);
            }
            yield_point(YieldPoint::FrontierCommitted);
            let bytes = bytes_max.min(layout.page_bytes());
            // O-2: Release publishes the commit of page k + 1 to its carvers; Acquire, because the winner fills the
            // tail of page k, which another thread may have committed. Relaxed on failure: another guess.
            match self.frontier.compare_exchange_weak(
                seen,
                pack(ordinal + 1, bytes),
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    yield_point(YieldPoint::FrontierSealed);
                    let tail = (rest != 0).then(|| (layout.page_start(ordinal_at(ordinal).page).plus(offset), rest));
                    return Ok(Carved { start: layout.page_start(next.page), bytes, tail });
                }
                Err(newer) => seen = newer,
            }
        }
    }

    /// In a stop: writes a filler over the rest of the current page, which stays the frontier's.
    ///
    /// # Safety
    /// S-4: the world is stopped and `view` is the collector's.
    pub unsafe fn make_walkable(&self, view: View<'_>, layout: &Layout) {
        // SAFETY: S-4, by the contract.
        if let Some((at, bytes)) = unsafe { self.rest(layout) } {
            view.write_filler(at, bytes);
        }
    }

    /// # Safety
    /// S-4: the world is stopped.
    unsafe fn rest(&self, layout: &Layout) -> Option<(Offset, usize)> {
        // Relaxed: in a stop.
        let (ordinal, offset) = unpack(self.frontier.load(Ordering::Relaxed));
        (ordinal != 0 && offset < layout.page_bytes()).then(|| {
            // SAFETY: S-4, by the contract.
            let page = unsafe { self.ordinal(ordinal) }.page;
            (layout.page_start(page).plus(offset), layout.page_bytes() - offset)
        })
    }

    /// In a stop: takes all memory that no LAB holds out of reach. Returns its bytes: the current page's rest, which is
    /// a filler already (F-3), and the pages that the frontier has not reached.
    ///
    /// # Safety
    /// S-4: the world is stopped, and the space was made walkable.
    pub unsafe fn exhaust(&self, layout: &Layout) -> usize {
        // SAFETY: S-4, by the contract.
        let (rest, limit) = unsafe { (self.rest(layout).map_or(0, |(_, bytes)| bytes), self.table().limit) };
        // Relaxed: in a stop.
        let (ordinal, _) = unpack(self.frontier.load(Ordering::Relaxed));
        let wasted = rest + (limit - ordinal) * layout.page_bytes();
        // An RMW, because the word is RMWed elsewhere.
        self.frontier.swap(pack(ordinal, layout.page_bytes()), Ordering::Relaxed);
        // SAFETY: S-4, by the contract: the table is the collector's.
        unsafe { self.table.with_mut(|table| (*table).limit = ordinal) };
        wasted
    }

    /// Whether the frontier has reached `ordinal`, counted from 1. Exact while nobody allocates, else a snapshot.
    #[must_use]
    pub fn is_reached(&self, ordinal: usize) -> bool {
        // Relaxed: a snapshot; in a stop the safepoint orders it.
        ordinal <= unpack(self.frontier.load(Ordering::Relaxed)).0
    }

    /// In a stop: whether the frontier has reached `ordinal` or may still get there, counted from 1. Once the space
    /// was simulated full, it gets no further.
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn is_within_reach(&self, ordinal: usize) -> bool {
        // SAFETY: S-4, by the contract.
        ordinal <= unsafe { self.table() }.limit
    }

    /// Bytes between the start of the table and the frontier. Exact while nobody allocates, else a snapshot.
    #[must_use]
    pub fn used_bytes(&self, layout: &Layout) -> usize {
        // Relaxed: a snapshot; in a stop the safepoint orders it.
        match unpack(self.frontier.load(Ordering::Relaxed)) {
            (0, _) => 0,
            (ordinal, offset) => (ordinal - 1) * layout.page_bytes() + offset,
        }
    }

    /// In a stop: the table, each entry with whether the frontier reached it (and so committed it).
    ///
    /// # Safety
    /// S-4: the world is stopped.
    #[must_use]
    pub unsafe fn ordinals(&self) -> Vec<(Ordinal, bool)> {
        // SAFETY: S-4, by the contract.
        let table = unsafe { self.table() };
        (1..=table.ordinals.len()).map(|k| (table.ordinals[k - 1], self.is_reached(k))).collect()
    }

    /// In a stop: starts again with these pages, in this order, and labels them as new.
    ///
    /// # Safety
    /// S-4: the world is stopped (or the heap is being built), no live object is in these pages, and they are new
    /// space's.
    pub unsafe fn rebuild(&self, pages: &PageTable, ordinals: Vec<Ordinal>) {
        for (index, ordinal) in ordinals.iter().enumerate() {
            let info = PageInfo { ordinal: index as u32 + 1, ..PageInfo::NEW };
            // SAFETY: S-3, S-4: the page is new space's and holds no object, by the contract.
            unsafe { pages.label(ordinal.page, PageKind::New, info) };
        }
        // SAFETY: S-4, by the contract: the table is the collector's.
        unsafe {
            self.table.with_mut(|table| *table = Table { limit: ordinals.len(), ordinals });
        }
        // Relaxed: in a stop. An RMW, because the word is RMWed elsewhere.
        self.frontier.swap(pack(0, pages.layout().page_bytes()), Ordering::Relaxed);
    }
}

impl Default for NewSpace {
    fn default() -> Self {
        NewSpace::new()
    }
}
