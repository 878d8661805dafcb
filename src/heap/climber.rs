//! What the retry ladder needs of the heap: attempts, collections, the near-limit callback and the last resort of one
//! request.

use super::RawLocalHeap;
use super::inner::NearLimit;
use crate::allocation::{Collect, Collected};
use crate::thread::{CollectionCounts, LocalData};
use crate::words::{AllocationType, CollectionKind, Limit, Offset};

/// A request of a running local heap, on its way up the ladder.
pub(super) struct Climber {
    heap: RawLocalHeap,
    ty: AllocationType,
    bytes: usize,
    /// Whether no attempt has been made.
    first: bool,
    /// What the callback answered, in bytes, if it was called.
    answer_bytes: Option<usize>,
}

impl Climber {
    /// A request for `bytes` bytes, before its first attempt.
    ///
    /// # Safety
    /// for as long as the value is used.
    pub(super) unsafe fn new(heap: RawLocalHeap, ty: AllocationType, bytes: usize) -> Climber {
        Climber { heap, ty, bytes, first: true, answer_bytes: None }
    }
}

/// Counts a request for a collection, and returns how many collections were started before it.
fn count_request(data: &mut LocalData) -> CollectionCounts {
    data.requests += 1;
    data.requests_in_scope += u64::from(data.allocator.is_always_allocating());
    data.counts
}

impl Collect for Climber {
    fn attempt(&mut self, limit: Limit) -> Option<Offset> {
        let heap = self.heap;
        let attempt = |data: &mut LocalData| {
            // SAFETY: L-5: the local heap is one of this heap, and runs.
            let result = unsafe { data.allocator.attempt(&heap.inner().spaces, self.ty, self.bytes, limit) }.ok();
            if result.is_none() && core::mem::take(&mut self.first) {
                data.retries += 1;
            }
            result
        };
        // SAFETY: R-1, by the contract of `new`.
        unsafe { heap.with_data(attempt) }
    }

    fn collect(&mut self, kind: CollectionKind) -> Collected {
        // T-5: the counts as of the last attempt.
        // SAFETY: R-1, by the contract of `new`.
        let before = unsafe { self.heap.with_data(count_request) };
        // SAFETY, by the contract of `new`.
        let initiator = unsafe { self.heap.initiator() };
        if self.heap.inner().collect(initiator, kind, Some(before)).is_err() {
            return Collected::Poisoned;
        }
        if self.heap.inner().is_thrashing() { Collected::Thrashing } else { Collected::Done }
    }

    fn near_limit(&mut self) {
        struct CallbackGuard(RawLocalHeap);
        impl Drop for CallbackGuard {
            fn drop(&mut self) {
                // SAFETY: R-1, by the contract of `new`, also when the callback unwinds.
                unsafe { self.0.with_data(|data| data.in_callback = false) };
            }
        }
        let inner = self.heap.inner();
        // SAFETY: R-1, by the contract of `new`.
        if unsafe { self.heap.with_data(|data| data.internal) } {
            return;
        }
        let Some(callback) = inner.near_limit.lock().clone() else { return };
        let (layout, budget) = (inner.spaces.layout(), &inner.spaces.budget);
        let near = NearLimit {
            // SAFETY: R-1: the local heap runs, so the caller is at work (S-4).
            hard_limit_bytes: unsafe { budget.limit(Limit::Hard) } * layout.page_bytes(),
            hard_limit_bytes_initial: layout.hard_limit_pages() * layout.page_bytes(),
            hard_limit_bytes_max: layout.hard_limit_pages_max() * layout.page_bytes(),
            committed_bytes: budget.committed() * layout.page_bytes(),
        };
        // SAFETY: R-1, by the contract of `new`.
        unsafe { self.heap.with_data(|data| data.in_callback = true) };
        let guard = CallbackGuard(self.heap);
        let answer = callback(near);
        drop(guard);
        self.answer_bytes = Some(answer);
    }

    fn last_resort(&mut self) -> Option<Offset> {
        let inner = self.heap.inner();
        let (ty, bytes) = (self.ty, self.bytes);
        // SAFETY: R-1, by the contract of `new`.
        unsafe { self.heap.with_data(count_request) };
        let attempt = |data: &mut LocalData| {
            // SAFETY: L-5: the local heap is one of this heap, which is stopped.
            unsafe { data.allocator.attempt(&inner.spaces, ty, bytes, Limit::Hard) }.ok()
        };
        // SAFETY, by the contract of `new`; an attempt leaves what an allocator may have (L-5).
        unsafe { inner.last_resort(self.heap.initiator(), self.answer_bytes, attempt) }
    }
}
