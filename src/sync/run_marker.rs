//! The run marker: a thread runs at most one local heap, of any heap (H-1).
//!
//! Two local heaps on one thread would deadlock at the first stop, and references of two heaps could meet. So
//! entering twice is refused. A thread leaves by dropping the token that it entered by, and in no other way: nothing
//! else that is safe changes the flag. Each face provides the flag.

use super::face::run_flag;
use core::marker::PhantomData;

/// The mark of a thread as running a local heap, until the token is dropped.
#[derive(Debug)]
#[must_use = "dropping it leaves"]
pub struct RunToken {
    /// Not `Send`: the flag is a thread's own.
    _not_send: PhantomData<*mut ()>,
}

/// Marks the thread; `None` if it is marked already.
#[inline(always)]
pub fn try_enter() -> Option<RunToken> {
    // A token is made only if the flag was clear, because the drop of any token clears the flag.
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

/// A time in which a thread's mark is taken off. Dropping the value marks the thread again, and panics if the thread is
/// marked then.
#[derive(Debug)]
#[must_use = "dropping it marks the thread again"]
pub struct Suspended {
    _not_send: PhantomData<*mut ()>,
}

/// Takes the mark off for a time, in which the thread may enter and leave again.
///
/// # Safety
/// The caller's thread has a [`RunToken`], which is kept until the [`Suspended`] has been dropped, and the local heap
/// that the token is for is parked until then.
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
