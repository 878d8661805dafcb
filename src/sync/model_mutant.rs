//! Mutants: the same program but for one operation, which is weaker, missing, done twice, torn in two, or late.
//!
//! A test of the tests sets one with [`set_mutant`]; the operations of the model face ask for it by call site and
//! operand. Nothing is compiled anew.
//!
//! | change | a store | a read-modify-write | a compare-exchange that would store | a notify |
//! |---|---|---|---|---|
//! | [`Weaken`](Change::Weaken) | a weaker ordering | likewise | likewise, also of its failure | - |
//! | [`Drop`](Change::Drop) | nothing | only reads | only compares, and says that it stored | nothing |
//! | [`Double`](Change::Double) | twice | twice; returns what the first one read | then stores once more | twice |
//! | [`Split`](Change::Split) | - | a load, then a write of what follows from it | likewise | - |
//! | [`Postpone`](Change::Postpone) | comes late | reads now, writes late | compares now, exchanges late | comes late |
//!
//! Publications are stores, read-modify-writes, exchanges, notifications, unlocks and starts of threads. What is
//! postponed takes effect right after the next publication of the same thread, or earlier: before the thread touches
//! the object again, waits, or ends, and before the object goes away.
//!
//! The writes of [`Double`](Change::Double) and [`Split`](Change::Split) are performed as `swap`: loom lets a plain
//! store slip between other threads' read-modify-writes of the same word, and a mutant killed by that would be killed
//! for nothing.
//!
//! Locks have no mutants: a program that enters a section without its lock has two exclusive borrows of one value,
//! which is undefined behaviour and no other protocol. Plain accesses are not mutated either, but for writes to heap
//! words, which can be dropped.
//!
//! Invariants:
//!
//! - MU-1: a mutant changes one site, and there operations of one operand only; [`MutantGuard::hits`] tells how many.
//! - MU-2: an ordering is replaced only by a strictly weaker one.
//! - MU-3: what is postponed is performed by its own thread, in the same execution, while its object exists and is
//!   where it was. So nothing is postponed before a second thread has started: until then objects are made, and moved
//!   to their place.

use super::model_site::Site;
use super::model_watch::{thread_index, watch_mutant, watch_postponed};
use super::terms::{Change, Operand};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::sync::atomic::Ordering;

/// A program with one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mutant {
    /// Where.
    pub site: Site,
    /// Which operand there.
    pub operand: Operand,
    /// What is different.
    pub change: Change,
}

/// `file:line:column,operand,change`.
impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.site, self.operand, self.change)
    }
}

/// The orderings one step weaker than `written` that make sense for `operand`.
///
/// For a fence, `Relaxed` stands for leaving it out.
#[must_use]
pub fn one_step_weaker(operand: Operand, written: Ordering) -> &'static [Ordering] {
    use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    match (operand, written) {
        (Operand::Load | Operand::CasFailure, SeqCst) => &[Acquire],
        (Operand::Store, SeqCst) => &[Release],
        (Operand::Rmw | Operand::CasSuccess | Operand::Fence, SeqCst) => &[AcqRel],
        (_, AcqRel) => &[Acquire, Release],
        (_, Acquire | Release) => &[Relaxed],
        _ => &[],
    }
}

/// Whether `a` promises strictly less than `b`.
fn is_weaker(a: Ordering, b: Ordering) -> bool {
    // Bit 0: acquires; bit 1: releases; bit 2: takes part in the single total order.
    let promises = |ordering| match ordering {
        Ordering::Relaxed => 0b000_u8,
        Ordering::Acquire => 0b001,
        Ordering::Release => 0b010,
        Ordering::AcqRel => 0b011,
        _ => 0b111,
    };
    promises(a) & !promises(b) == 0 && a != b
}

/// The ordering of the load that an operation of this ordering contains.
pub(super) fn load_part(ordering: Ordering) -> Ordering {
    match ordering {
        Ordering::AcqRel => Ordering::Acquire,
        Ordering::Release => Ordering::Relaxed,
        other => other,
    }
}

/// The ordering of the store that an operation of this ordering contains.
pub(super) fn store_part(ordering: Ordering) -> Ordering {
    match ordering {
        Ordering::AcqRel => Ordering::Release,
        Ordering::Acquire => Ordering::Relaxed,
        other => other,
    }
}

/// An operation that was put off.
struct Postponed {
    thread: usize,
    object: usize,
    perform: Box<dyn FnOnce()>,
}

thread_local! {
    static MUTANT: Cell<Option<Mutant>> = const { Cell::new(None) };
    static HITS: Cell<u64> = const { Cell::new(0) };
    static POSTPONED: RefCell<Vec<Postponed>> = const { RefCell::new(Vec::new()) };
}

/// Ends a mutant when dropped.
#[must_use = "the mutant ends with its guard"]
#[derive(Debug)]
pub struct MutantGuard {
    /// The state is this thread's.
    _not_send: PhantomData<*mut ()>,
}

impl MutantGuard {
    /// How often an operation was changed. Zero means that the test tested nothing.
    #[must_use]
    pub fn hits(&self) -> u64 {
        HITS.get()
    }
}

impl Drop for MutantGuard {
    fn drop(&mut self) {
        MUTANT.set(None);
        watch_mutant(false);
    }
}

/// Changes one site for the explorations of this system thread, as long as the guard lives.
///
/// # Panics
///
/// - When a mutant is set already.
/// - When the operand cannot be changed so.
pub fn set_mutant(mutant: Mutant) -> MutantGuard {
    assert!(MUTANT.get().is_none(), "one mutant at a time");
    assert!(mutant.change.applies_to(mutant.operand), "there is no such change: {mutant}");
    MUTANT.set(Some(mutant));
    HITS.set(0);
    watch_mutant(true);
    MutantGuard { _not_send: PhantomData }
}

/// What is different about this operation, if anything.
#[cold]
pub(super) fn change_at(location: &Location<'_>, operand: Operand) -> Option<Change> {
    let mutant = MUTANT.get()?;
    let is_it = mutant.operand == operand && mutant.site.is_at(location);
    is_it.then_some(mutant.change)
}

/// The ordering to use: a weaker one, if `change` weakens `written`, which counts as a hit; else `written`.
pub(super) fn weakened(change: Option<Change>, written: Ordering) -> Ordering {
    match change {
        Some(Change::Weaken(to)) if is_weaker(to, written) => {
            hit();
            to
        }
        _ => written,
    }
}

/// Counts a changed operation.
pub(super) fn hit() {
    HITS.set(HITS.get() + 1);
}

/// Puts an operation off (MU-3).
pub(super) fn postpone(object: usize, perform: Box<dyn FnOnce()>) {
    hit();
    let thread = thread_index();
    POSTPONED.with_borrow_mut(|postponed| postponed.push(Postponed { thread, object, perform }));
    watch_postponed(true);
}

/// Performs what this thread put off, if `is_due` says so of its object.
#[cold]
pub(super) fn settle(is_due: impl Fn(usize) -> bool) {
    let thread = thread_index();
    let mut due = Vec::new();
    POSTPONED.with_borrow_mut(|postponed| {
        due.extend(postponed.extract_if(.., |one| one.thread == thread && is_due(one.object)));
        watch_postponed(!postponed.is_empty());
    });
    // No borrow is held here: each of these operations may switch threads.
    for one in due {
        (one.perform)();
    }
}

/// Forgets what was put off: the execution has ended, or is unwinding.
pub(super) fn forget_postponed() {
    POSTPONED.with_borrow_mut(Vec::clear);
    watch_postponed(false);
}

/// Forgets what was put off on an object that goes away.
pub(super) fn forget_postponed_on(object: usize) {
    let is_any = POSTPONED.with_borrow_mut(|postponed| {
        postponed.retain(|one| one.object != object);
        !postponed.is_empty()
    });
    watch_postponed(is_any);
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

    /// Goal: a mutant is always a weaker program; a "weakening" that strengthens or changes nothing would test nothing.
    #[test]
    fn one_step_weaker_is_weaker() {
        use Operand::{CasFailure, CasSuccess, Fence, Load, Rmw, Store};
        for operand in [Load, Store, Rmw, CasSuccess, CasFailure, Fence] {
            assert!(one_step_weaker(operand, Relaxed).is_empty());
            for written in [Acquire, Release, AcqRel, SeqCst] {
                let weaker = one_step_weaker(operand, written);
                assert!(!weaker.is_empty(), "{operand:?} {written:?} has no mutant");
                assert!(weaker.iter().all(|&to| is_weaker(to, written)));
            }
        }
        for ordering in [Relaxed, Acquire, Release, AcqRel, SeqCst] {
            assert!(!is_weaker(ordering, ordering));
        }
        assert!(!is_weaker(Acquire, Release));
        assert!(!is_weaker(AcqRel, Acquire));
    }
}
