//! What a round makes fail: one point at which the heap is refused memory.

use core::num::NonZeroUsize;
use heaplab::Heap;
use heaplab::heap::Internals as _;

/// A point at which the heap is refused memory, or the taking back of memory, once. Points are counted from 0, from
/// the start of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoundFault {
    /// A page request of the heap.
    Commit(u64),
    /// An attempt, of each local heap that gets so far.
    Attempt(u64),
    /// A release: the system does not take memory back.
    Release(u64),
}

impl RoundFault {
    /// Arms a fault. With `None`, page requests and releases are counted only.
    pub(super) fn arm(fault: Option<RoundFault>, heap: &Heap) {
        let nth = |k| usize::try_from(k).ok().and_then(|k| NonZeroUsize::MIN.checked_add(k));
        let (commit, attempt, release) = match fault {
            Some(RoundFault::Commit(k)) => (nth(k), None, None),
            Some(RoundFault::Attempt(k)) => (None, Some(k), None),
            Some(RoundFault::Release(k)) => (None, None, nth(k)),
            None => (None, None, None),
        };
        // A countdown that never ends only counts. The one of releases starts at `isize::MAX`, to which `Fault` clamps
        // it.
        let never = NonZeroUsize::new(isize::MAX as usize);
        heap.spaces().memory.fail_release_at(release.or(never));
        heap.spaces().memory.fail_commit_at(commit.or(Some(NonZeroUsize::MAX)));
        heap.set_fail_allocation(attempt).expect("a sound heap, which this thread does not run");
    }
}
