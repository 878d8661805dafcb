//! The slow path of an allocation: what the bump path does not serve.
//!
//! A request is checked, rounded and aligned; the local heap polls, collects if a flag or the memory of roots asks
//! for it, and climbs the [retry ladder](crate::allocation::climb).

use super::RawLocalHeap;
use super::climber::Climber;
use crate::allocation::{Fell, climb, rungs};
use crate::thread::LocalData;
use crate::words::{
    ALIGNMENT_BYTES_MAX, AllocError, AllocationOrigin, AllocationType, CollectionKind, GRANULE_BYTES, Offset, align_up,
};

impl RawLocalHeap {
    /// [`allocate_raw`](RawLocalHeap::allocate_raw) after the bump path failed: checks the request, then rounds,
    /// aligns and climbs.
    ///
    /// # Safety
    ///
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn allocate_raw_slow(
        self,
        size: usize,
        ty: AllocationType,
        origin: AllocationOrigin,
        alignment: usize,
    ) -> Result<Offset, AllocError> {
        if origin != AllocationOrigin::Runtime {
            return Err(AllocError::InvalidOrigin);
        }
        if size == 0 || !size.is_multiple_of(GRANULE_BYTES) {
            return Err(AllocError::InvalidSize { size_bytes: size });
        }
        if !alignment.is_power_of_two() || !(GRANULE_BYTES..=ALIGNMENT_BYTES_MAX).contains(&alignment) {
            return Err(AllocError::InvalidAlignment { alignment_bytes: alignment });
        }
        let layout = self.inner().spaces.layout();
        let size_bytes_max = layout.object_bytes_max();
        if size > size_bytes_max {
            return Err(AllocError::TooLarge { size_bytes: size, size_bytes_max });
        }
        let granule = ty.granule_bytes();
        // A large object starts at a page, so it is aligned.
        let slack = alignment.saturating_sub(granule);
        let bytes = align_up(size, granule) + slack;
        let bytes = if bytes > layout.regular_bytes_max() {
            align_up(size, granule).max(layout.regular_bytes_max() + GRANULE_BYTES)
        } else {
            bytes
        };
        if ty == AllocationType::Map && bytes > layout.regular_bytes_max() {
            return Err(AllocError::TooLarge { size_bytes: size, size_bytes_max: layout.regular_bytes_max() });
        }
        let regular = bytes <= layout.regular_bytes_max();
        // SAFETY.
        unsafe {
            let start = self.allocate_slow(bytes, size, ty)?;
            let at = Offset::new(align_up(start.bytes(), alignment));
            self.view().zero(at, size);
            if regular {
                let view = self.view();
                view.write_filler(start, at.bytes() - start.bytes());
                view.write_filler(at.plus(size), start.bytes() + bytes - at.bytes() - size);
            }
            Ok(at)
        }
    }

    /// Climbs the ladder for `bytes` bytes.
    ///
    /// # Safety
    ///
    unsafe fn allocate_slow(self, bytes: usize, size: usize, ty: AllocationType) -> Result<Offset, AllocError> {
        let out_of_memory = AllocError::OutOfMemory { allocation_type: ty, size_bytes: size };
        // SAFETY: R-1, by the contract.
        unsafe {
            self.inner().safepoint.poll(self.local());
            self.usable()?;
            if self.with_data(|data| data.in_callback) {
                return Err(out_of_memory);
            }
            self.collect_at_interval(ty)?;
            self.collect_for_roots()?;
            let large = bytes > self.inner().spaces.layout().regular_bytes_max();
            let mut climber = Climber::new(self, ty, bytes);
            match climb(rungs(ty, large), &mut climber) {
                Ok(at) => Ok(at),
                Err(Fell::Exhausted | Fell::Poisoned) => {
                    self.usable()?;
                    Err(out_of_memory)
                }
            }
        }
    }

    /// Collects, by a major collection, if what roots take from the Rust allocator has grown by more than was allowed
    /// after the last one; never in an always-allocate scope.
    ///
    /// # Safety
    ///
    unsafe fn collect_for_roots(self) -> Result<(), AllocError> {
        let wanted = |data: &mut LocalData| {
            let wanted = data.wants_collection || data.handles.is_over();
            let wanted = wanted && !data.allocator.is_always_allocating();
            data.requests += u64::from(wanted);
            wanted.then_some(data.counts)
        };
        // SAFETY: R-1, by the contract.
        unsafe {
            if let Some(before) = self.with_data(wanted)
                && self.inner().collect(self.initiator(), CollectionKind::Major, Some(before)).is_err()
            {
                return self.usable();
            }
        }
        Ok(())
    }

    /// Collects at every n-th allocation, by the flag `gc_interval`, but never in an always-allocate scope.
    ///
    /// # Safety
    ///
    unsafe fn collect_at_interval(self, ty: AllocationType) -> Result<(), AllocError> {
        let is_due = |data: &mut LocalData| {
            if data.flags.gc_interval == 0 || data.allocator.is_always_allocating() {
                return false;
            }
            data.flags.countdown = data.flags.countdown.saturating_sub(1);
            let is_due = data.flags.countdown == 0;
            if is_due {
                data.flags.countdown = data.flags.gc_interval;
            }
            is_due
        };
        let kind = if ty == AllocationType::Young { CollectionKind::Minor } else { CollectionKind::Major };
        // SAFETY: R-1, by the contract.
        unsafe {
            if self.with_data(is_due) && self.inner().collect(self.initiator(), kind, None).is_err() {
                return self.usable();
            }
        }
        Ok(())
    }
}
