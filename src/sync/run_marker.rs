//! The run marker: a thread runs at most one local heap, of any heap (H-1).
//!
//! Two local heaps on one thread would deadlock at the first stop, and references of two heaps could meet. So entering twice
//! is refused. A thread leaves by dropping the token that it entered by, and in no other way: nothing else that is safe
//! changes the flag. Each face has the flag itself.

use super::face::run_flag;
use core::marker::PhantomData;

/// This thread is marked as running a local heap, until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it leaves"]
pub struct RunToken {
    /// Not `Send`: the flag is a thread's own.
    _not_send: PhantomData<*mut ()>,
}

/// Marks the thread; `None` if it is marked already.
#[inline(always)]
pub fn try_enter() -> Option<RunToken> {
    // Made only if the flag was clear: the drop of a token clears it.
    if run_flag::replace(true) { None } else { Some(RunToken { _not_send: PhantomData }) }
}

/// Whether the thread is marked.
#[inline(always)]
#[must_use]
pub fn is_inside() -> bool {
    run_flag::get()
}

impl Drop for RunToken {
    #[inline(always)]
    fn drop(&mut self) {
        run_flag::replace(false);
    }
}

/// The mark of this thread is taken off, until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it marks the thread again"]
pub struct Suspended {
    _not_send: PhantomData<*mut ()>,
}

/// Takes the mark off for a time, in which the thread may enter and leave again.
///
/// # Safety
/// The caller's thread has a [`RunToken`], which is kept until this has been dropped, and the local heap that the token is
/// for is parked until then.
#[inline(always)]
pub unsafe fn suspend() -> Suspended {
    run_flag::replace(false);
    Suspended { _not_send: PhantomData }
}

impl Drop for Suspended {
    #[inline(always)]
    fn drop(&mut self) {
        let inside = run_flag::replace(true);
        assert!(!inside, "H-1: a run inside `park` ends before it");
    }
}
