//! The allocator of one local heap: its LABs, the pages it owns, and where it gets more.

use super::reserve::ReserveMark;
use super::{Lab, Reserve, ReservedMemory};
use crate::page::PageKind;
use crate::space::{LargeSpace, Spaces};
use crate::sync::{YieldPoint, yield_point};
use crate::words::{AllocationType, AttemptError, ByType, GRANULE_BYTES, Limit, Offset, PageIndex};

/// Counts of one local heap, kept without shared words; also their sums over local heaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocationCounters {
    /// LABs installed.
    pub refills: u64,
    /// Bytes of those LABs.
    pub lab_bytes: u64,
    /// Large objects allocated.
    pub large_objects: u64,
    /// Attempts to get memory beyond the bump path: from the LAB, from a refilled one, for a large object or for a
    /// reserve. Each of them can be made to fail.
    pub attempts: u64,
    /// Attempts that failed, injected failures included; those for a reserve excluded.
    pub failed_attempts: u64,
}

/// The memory of one local heap. Used by its owner while it runs, and by the collector in a stop.
#[derive(Debug)]
pub struct Allocator {
    labs: ByType<Lab>,
    /// The page owned in each paged space (L-4); nothing for `Young`.
    owned: ByType<Option<PageIndex>>,
    /// The unused rest of a young page that was taken in an always-allocate scope.
    young_rest: Option<(Offset, usize)>,
    reserved: ReservedMemory,
    always_allocate_depth: usize,
    window_open: bool,
    attempts_before_failure: Option<u64>,
    counters: AllocationCounters,
}

impl Allocator {
    /// An allocator without memory, whose window is open.
    #[must_use]
    pub fn new() -> Allocator {
        Allocator {
            labs: ByType::splat(Lab::EMPTY),
            owned: ByType::splat(None),
            young_rest: None,
            reserved: ReservedMemory::default(),
            always_allocate_depth: 0,
            window_open: true,
            attempts_before_failure: None,
            counters: AllocationCounters::default(),
        }
    }

    /// The bump path: `bytes` bytes, a multiple of the type's granule, from the current LAB. The words hold anything.
    /// `None` if the LAB has too little room or its window is closed.
    #[inline(always)]
    #[must_use]
    pub fn bump(&mut self, ty: AllocationType, bytes: usize) -> Option<Offset> {
        self.labs[ty].bump(bytes)
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> AllocationCounters {
        self.counters
    }

    /// Opens or closes the bump path's window in every LAB. While it is closed, every allocation takes the slow path.
    pub fn set_window(&mut self, open: bool) {
        self.window_open = open;
        for lab in self.labs.values_mut() {
            lab.set_window(open);
        }
    }

    /// Makes the `attempts + 1`-th attempt from now fail, once; `None` for never.
    pub fn fail_after(&mut self, attempts: Option<u64>) {
        self.attempts_before_failure = attempts;
    }

    /// How many attempts are left before the one that [`fail_after`](Self::fail_after) makes fail; `None` if no
    /// attempt is to fail. The attempts before that one may still fail for want of memory.
    #[must_use]
    pub fn attempts_before_failure(&self) -> Option<u64> {
        self.attempts_before_failure
    }

    /// Whether the owner is inside an always-allocate scope.
    #[must_use]
    pub fn is_always_allocating(&self) -> bool {
        self.always_allocate_depth != 0
    }

    fn injected_failure(&mut self) -> bool {
        self.counters.attempts += 1;
        match &mut self.attempts_before_failure {
            None => false,
            Some(0) => {
                self.attempts_before_failure = None;
                true
            }
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }

    /// One attempt, a rung of the ladder: `bytes` bytes within `limit`, from the LAB, from a refilled one, or as a
    /// large object. The words hold anything. May make system calls; never collects, never polls.
    ///
    /// # Errors
    /// The space is exhausted within the limit, the system refused memory, or [`fail_after`](Self::fail_after) makes
    /// this attempt fail.
    ///
    /// # Safety
    /// L-5: the caller is at work in the heap of `spaces`, from which all of this allocator's memory comes.
    #[cold]
    pub unsafe fn attempt(
        &mut self,
        spaces: &Spaces,
        ty: AllocationType,
        bytes: usize,
        limit: Limit,
    ) -> Result<Offset, AttemptError> {
        debug_assert!(bytes != 0 && bytes.is_multiple_of(ty.granule_bytes()));
        let result = if self.injected_failure() {
            Err(AttemptError::Exhausted)
        } else if bytes > spaces.layout().regular_bytes_max() {
            // SAFETY: L-5.
            unsafe { self.attempt_large(spaces, bytes, limit) }
        } else if let Some(at) = self.labs[ty].bump_behind_window(bytes) {
            Ok(at)
        } else {
            // SAFETY: L-5.
            unsafe { self.refill(spaces, ty, bytes, limit) }
                .map(|()| self.labs[ty].bump_behind_window(bytes).expect("a refill makes room for its request"))
        };
        self.counters.failed_attempts += u64::from(result.is_err());
        result
    }

    /// # Safety
    /// L-5.
    unsafe fn attempt_large(&mut self, spaces: &Spaces, bytes: usize, limit: Limit) -> Result<Offset, AttemptError> {
        // SAFETY: S-4, by L-5.
        let take_run = |limit| unsafe { LargeSpace::take_run(spaces, bytes, limit) };
        let mut result = take_run(limit);
        if result.is_err() && self.is_always_allocating() {
            // SAFETY: L-5.
            result = match unsafe { self.reserved.take_run(spaces, bytes) } {
                Some(run) => Ok(run),
                None => take_run(Limit::Hard),
            };
        }
        let at = result?;
        self.counters.large_objects += 1;
        Ok(at)
    }

    /// Installs a LAB of at least `bytes` bytes.
    ///
    /// # Safety
    /// L-5.
    unsafe fn refill(
        &mut self,
        spaces: &Spaces,
        ty: AllocationType,
        bytes: usize,
        limit: Limit,
    ) -> Result<(), AttemptError> {
        // SAFETY: L-5.
        let (start, bytes) = unsafe {
            self.retire(spaces, ty);
            match ty {
                AllocationType::Young => self.refill_young(spaces, bytes)?,
                AllocationType::Old | AllocationType::Map | AllocationType::Code => {
                    self.refill_paged(spaces, ty, bytes, limit)?
                }
            }
        };
        self.install(spaces, ty, start, bytes);
        self.counters.refills += 1;
        self.counters.lab_bytes += bytes as u64;
        Ok(())
    }

    fn install(&mut self, spaces: &Spaces, ty: AllocationType, start: Offset, bytes: usize) {
        spaces.memory.withhold(start.bytes(), bytes);
        self.labs[ty] = Lab::new(start, bytes, self.window_open);
    }

    /// A range that the frontier gave up for this local heap alone, at least `bytes_min` bytes of it.
    ///
    /// # Safety
    /// L-5.
    unsafe fn carve(spaces: &Spaces, bytes_min: usize, bytes_max: usize) -> Result<(Offset, usize), AttemptError> {
        // SAFETY: S-4, by L-5. The tail belongs to the thread whose exchange sealed the page (F-2), and is committed.
        unsafe {
            let carved = spaces.new.carve(&spaces.memory, spaces.layout(), bytes_min, bytes_max)?;
            if let Some((at, bytes)) = carved.tail {
                spaces.view().write_filler(at, bytes);
            }
            Ok((carved.start, carved.bytes))
        }
    }

    /// # Safety
    /// L-5.
    unsafe fn refill_young(&mut self, spaces: &Spaces, bytes: usize) -> Result<(Offset, usize), AttemptError> {
        let layout = spaces.layout();
        let bytes_max = layout.young_lab_bytes().max(bytes);
        // SAFETY: L-5.
        let take_young_rest = |this: &mut Self| unsafe { this.take_young_rest(spaces, bytes, bytes_max) };
        if let Some(lab) = take_young_rest(self) {
            return Ok(lab);
        }
        // SAFETY: L-5.
        match unsafe { Allocator::carve(spaces, bytes, bytes_max) } {
            Ok(carved) => Ok(carved),
            Err(error) if !self.is_always_allocating() => Err(error),
            Err(_) => {
                let page = match self.reserved.take_page(AllocationType::Young) {
                    Some(page) => {
                        // SAFETY: the page was held by this local heap and holds no object.
                        unsafe { spaces.pages.label(page, PageKind::New, crate::page::PageInfo::NEW) };
                        page
                    }
                    // SAFETY: S-4, by L-5.
                    None => unsafe { spaces.take_page(PageKind::New, Limit::Hard) }?,
                };
                debug_assert!(self.young_rest.is_none());
                self.young_rest = Some((layout.page_start(page), layout.page_bytes()));
                Ok(take_young_rest(self).expect("an empty page serves a regular object"))
            }
        }
    }

    /// # Safety
    /// L-5.
    unsafe fn take_young_rest(
        &mut self,
        spaces: &Spaces,
        bytes_min: usize,
        bytes_max: usize,
    ) -> Option<(Offset, usize)> {
        let (start, rest) = self.young_rest.take()?;
        if rest < bytes_min {
            // SAFETY: the rest of the page is this local heap's.
            unsafe { spaces.view().write_filler(start, rest) };
            return None;
        }
        let bytes = rest.min(bytes_max);
        self.young_rest = (rest > bytes).then(|| (start.plus(bytes), rest - bytes));
        Some((start, bytes))
    }

    /// # Safety
    /// L-5.
    unsafe fn refill_paged(
        &mut self,
        spaces: &Spaces,
        ty: AllocationType,
        bytes: usize,
        limit: Limit,
    ) -> Result<(Offset, usize), AttemptError> {
        let bytes_max = spaces.layout().regular_bytes_max();
        if let Some(page) = self.owned[ty] {
            // SAFETY: the page is this local heap's (L-4).
            if let Some(hole) = unsafe { spaces.holes(page) }.take(bytes, bytes_max) {
                return Ok(hole);
            }
            // SAFETY: L-5.
            unsafe { self.give_up_page(spaces, ty) };
        }
        // SAFETY: L-5.
        let page = unsafe { self.take_page_with_room(spaces, ty, bytes, limit) }?;
        self.owned[ty] = Some(page);
        // SAFETY: the page is this local heap's (L-4).
        let hole = unsafe { spaces.holes(page) }.take(bytes, bytes_max);
        Ok(hole.expect("a page is taken only if its holes have room"))
    }

    /// # Safety
    /// L-5.
    unsafe fn take_page_with_room(
        &mut self,
        spaces: &Spaces,
        ty: AllocationType,
        bytes: usize,
        limit: Limit,
    ) -> Result<PageIndex, AttemptError> {
        let space = spaces.paged(ty).expect("a paged type");
        // SAFETY: S-4, by L-5.
        let take_fresh = |limit| unsafe { spaces.take_page(space.kind(), limit) };
        // SAFETY: S-4, by L-5.
        if let Some(page) = unsafe { space.take_seen(bytes) } {
            yield_point(YieldPoint::PageTaken);
            return Ok(page);
        }
        let mut result = take_fresh(limit);
        // The look above may have been stale, and only an exact look may refuse.
        if result.is_err()
            // SAFETY: S-4, by L-5.
            && let Some(page) = unsafe { space.take(bytes) }
        {
            return Ok(page);
        }
        if result.is_err() && self.is_always_allocating() {
            result = match self.reserved.take_page(ty) {
                Some(page) => {
                    // SAFETY: the page was held by this local heap and holds no object.
                    unsafe { spaces.pages.label(page, space.kind(), crate::page::PageInfo::NEW) };
                    Ok(page)
                }
                None => take_fresh(Limit::Hard),
            };
        }
        let page = result?;
        // SAFETY: the page was just taken, and is empty.
        unsafe { spaces.holes(page).give(spaces.layout().page_start(page), spaces.layout().page_bytes()) };
        Ok(page)
    }

    /// Gives the LAB's rest up (L-3). Afterwards the LAB is empty.
    ///
    /// # Safety
    /// As [`attempt`](Self::attempt).
    pub unsafe fn retire(&mut self, spaces: &Spaces, ty: AllocationType) {
        let (at, bytes) = core::mem::replace(&mut self.labs[ty], Lab::EMPTY).rest();
        if bytes == 0 {
            return;
        }
        yield_point(YieldPoint::LabEmptied);
        match self.owned[ty] {
            // SAFETY: the rest is this local heap's (L-2), and so is the page (L-4).
            Some(page) => unsafe { spaces.holes(page).give(at, bytes) },
            // SAFETY: the rest is this local heap's (L-2).
            None => unsafe { spaces.view().write_filler(at, bytes) },
        }
    }

    /// # Safety
    /// L-5; the LAB of the page is retired.
    unsafe fn give_up_page(&mut self, spaces: &Spaces, ty: AllocationType) {
        if let Some(page) = self.owned[ty].take() {
            // SAFETY: the page is this local heap's until the put (L-4). S-4 by L-5.
            unsafe {
                let greatest = spaces.holes(page).greatest();
                yield_point(YieldPoint::PageGivenUp);
                spaces.paged(ty).expect("a paged type").put(page, greatest);
            }
        }
    }

    /// Gives up all LABs and owned pages, so that every page is walkable (G-2). Reserved memory stays. Called when
    /// the local heap is detached, and in every stop.
    ///
    /// # Safety
    /// As [`attempt`](Self::attempt).
    pub unsafe fn give_up(&mut self, spaces: &Spaces) {
        for ty in AllocationType::ALL {
            // SAFETY: L-5.
            unsafe {
                self.retire(spaces, ty);
                self.give_up_page(spaces, ty);
            }
        }
        if let Some((at, bytes)) = self.young_rest.take() {
            // SAFETY: the rest of the page is this local heap's.
            unsafe { spaces.view().write_filler(at, bytes) };
        }
    }

    /// Forgets all memory, after a stop has unwound. Nothing is given up, since it is not known what is free.
    pub fn forget(&mut self) {
        self.labs = ByType::splat(Lab::EMPTY);
        self.owned = ByType::splat(None);
        self.young_rest = None;
        self.reserved = ReservedMemory::default();
    }

    /// Makes one attempt to fill the reserve of an always-allocate scope: adds memory until `reserve` is held beyond
    /// `mark`.
    ///
    /// # Errors
    /// Some memory is missing within `limit`, or [`fail_after`](Self::fail_after) makes this attempt fail. What was
    /// added stays held: try again with the same mark, or give it back.
    ///
    /// # Safety
    /// As [`attempt`](Self::attempt).
    pub unsafe fn fill_reserve(
        &mut self,
        spaces: &Spaces,
        mark: ScopeMark,
        reserve: &Reserve,
        limit: Limit,
    ) -> Result<(), AttemptError> {
        if self.injected_failure() {
            return Err(AttemptError::Exhausted);
        }
        // SAFETY: L-5.
        unsafe { self.reserved.fill(spaces, mark.0, reserve, limit) }
    }

    /// Large runs that are reserved and not yet used.
    #[must_use]
    pub fn reserved_runs(&self) -> usize {
        self.reserved.runs()
    }

    /// What is reserved now, to which the scope that begins will return.
    #[must_use]
    pub fn scope_mark(&self) -> ScopeMark {
        ScopeMark(self.reserved.mark())
    }

    /// Enters an always-allocate scope whose reserve is filled.
    pub fn enter_scope(&mut self) {
        self.always_allocate_depth += 1;
    }

    /// Leaves an always-allocate scope that was entered.
    ///
    /// # Panics
    /// In debug builds, if no scope was entered.
    pub fn leave_scope(&mut self) {
        self.always_allocate_depth -= 1;
    }

    /// Gives back what is reserved beyond `mark`.
    ///
    /// # Safety
    /// As [`attempt`](Self::attempt).
    pub unsafe fn give_back_reserve(&mut self, spaces: &Spaces, mark: ScopeMark) {
        // SAFETY: L-5.
        unsafe { self.reserved.give_back(spaces, mark.0) }
    }

    /// Fills a page of this type's space but for exactly `bytes_left` bytes, which the next allocations of this local
    /// heap get; the other free bytes of the page become fillers. The page is the frontier's for `Young`; of a paged
    /// space it is one with room, for which the local heap gives up its own.
    ///
    /// # Errors
    /// As [`attempt`](Self::attempt), if no page can be had.
    ///
    /// # Safety
    /// As [`attempt`](Self::attempt).
    pub unsafe fn fill_page_but(
        &mut self,
        spaces: &Spaces,
        ty: AllocationType,
        bytes_left: usize,
    ) -> Result<(), AttemptError> {
        let layout = spaces.layout();
        debug_assert!(bytes_left <= layout.regular_bytes_max() && bytes_left.is_multiple_of(ty.granule_bytes()));
        // SAFETY: L-5; the page is this local heap's (L-4).
        let (start, bytes) = unsafe {
            self.retire(spaces, ty);
            if ty == AllocationType::Young {
                Allocator::carve(spaces, GRANULE_BYTES.max(bytes_left), layout.page_bytes())?
            } else {
                self.give_up_page(spaces, ty);
                let page = self.take_page_with_room(spaces, ty, bytes_left.max(ty.granule_bytes()), Limit::Hard)?;
                self.owned[ty] = Some(page);
                let holes = spaces.holes(page);
                let hole = holes.take(bytes_left.max(ty.granule_bytes()), layout.page_bytes());
                holes.drop_all();
                hole.expect("a page is taken only if its holes have room")
            }
        };
        let filled = bytes - bytes_left;
        // SAFETY: the range is this local heap's, and holds no published object.
        unsafe { spaces.view().write_filler(start, filled) };
        self.install(spaces, ty, start.plus(filled), bytes_left);
        Ok(())
    }
}

/// What an allocator had reserved when a scope began.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScopeMark(ReserveMark);

impl Default for Allocator {
    fn default() -> Self {
        Allocator::new()
    }
}
