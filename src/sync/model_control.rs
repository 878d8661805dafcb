//! What a test may ask of the model face: which pass, which weakening, which sites ran, what happened.
//!
//! loom runs all threads of a model as coroutines on one thread of the system, so the state lives in `std` thread-locals:
//! models on different system threads explore independently. Every operation of the face comes through here twice:
//!
//! 1. before it, `effective` decides its ordering: the one written, or the weaker one the test put at this site;
//! 2. after it, `record` counts it and, when somebody listens, notes site and values.
//!
//! loom switches threads *before* an operation takes effect and never between its effect and its return, so the journal's
//! order is the order of the execution. No borrow of the state is ever held over an operation of loom.
//!
//! Invariants:
//!
//! - C-1: `watching` is set exactly when a weakening, the site register or the journal is in use. While it is clear an
//!   operation pays two thread-local flags and a counter, no more.
//! - C-2: a weakening applies at one site and one operand, and only where it is strictly weaker than what is written there;
//!   [`WeakeningGuard::hits`] tells whether it ever did.
//! - C-3: pass and counters belong to one exploration and are reset at its end, also when it panicked. Weakening, register
//!   and journal belong to the test and last until it ends them.

use core::cell::{Cell, RefCell};
use core::fmt;
use core::marker::PhantomData;
use core::panic::Location;
use core::sync::atomic::Ordering;
use std::collections::{BTreeMap, HashMap};

/// The form in which loads and stores are performed; the module [`sync`](crate::sync) says why there are two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pass {
    /// As written.
    #[default]
    Normal,
    /// Loads as `fetch_or(0)`, stores as `swap`.
    ReadAsRmw,
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Normal => "normal",
            Self::ReadAsRmw => "read-as-rmw",
        })
    }
}

/// A place in the source that performs operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Path of the source file, as the compiler was given it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

impl Site {
    fn of(location: &'static Location<'static>) -> Self {
        Self { file: location.file(), line: location.line(), column: location.column() }
    }

    /// Cheapest difference first: this runs at every operation while a weakening is set.
    fn is_at(&self, location: &Location<'_>) -> bool {
        self.line == location.line() && self.column == location.column() && self.file == location.file()
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Which of a site's orderings is meant. A compare-exchange has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operand {
    /// Of a load.
    Load,
    /// Of a store.
    Store,
    /// Of a read-modify-write that cannot fail.
    Rmw,
    /// Of a compare-exchange that stored.
    CasSuccess,
    /// Of a compare-exchange that did not store.
    CasFailure,
    /// Of a fence.
    Fence,
}

/// What replaces one ordering at one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weakening {
    /// Where.
    pub site: Site,
    /// Which operand there.
    pub operand: Operand,
    /// The ordering to use. A fence weakened to `Relaxed` is left out.
    pub to: Ordering,
}

/// A site that ran, as the register saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteUse {
    /// Where.
    pub site: Site,
    /// Which operand.
    pub operand: Operand,
    /// The ordering written there.
    pub written: Ordering,
    /// Times it ran.
    pub count: u64,
}

impl SiteUse {
    /// The weakenings worth trying here, each one step down.
    pub fn weakenings(&self) -> impl Iterator<Item = Weakening> + use<> {
        let Self { site, operand, written, .. } = *self;
        one_step_weaker(operand, written).iter().map(move |&to| Weakening { site, operand, to })
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

/// What happened, in the journal's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// An atomic operation or fence, with the ordering it was performed with.
    Ordered(Operand, Ordering),
    /// A plain read.
    PlainRead,
    /// A plain write, or the start of exclusive access.
    PlainWrite,
    /// A lock was taken.
    Lock,
    /// A lock was tried and found held.
    LockHeld,
    /// A lock was given back.
    Unlock,
    /// A wait on a condition variable began. The lock is given back with it.
    Wait,
    /// A wait ended; the lock is held again.
    Woken,
    /// One waiter was notified.
    NotifyOne,
    /// Every waiter was notified.
    NotifyAll,
    /// A thread was started; `written` is its index.
    Spawn,
    /// A thread was seen to have ended.
    Join,
    /// The thread let others run.
    Yield,
}

/// One line of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Who; 0 is the thread that runs the model, the others count in the order of their start.
    pub thread: usize,
    /// Where in the source.
    pub site: Site,
    /// What.
    pub action: Action,
    /// On which object: its address, the same all through one execution; 0 for none.
    pub object: usize,
    /// The value read, where there is one.
    pub read: Option<u64>,
    /// The value written, where there is one.
    pub written: Option<u64>,
}

/// Counters of the exploration that this system thread runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    /// Executions begun.
    pub(super) executions: u64,
    /// Operations in the present execution.
    pub(super) operations: u64,
    /// Operations in the longest execution.
    pub(super) operations_max: u64,
    /// Threads in the present execution, the first included.
    pub(super) threads: usize,
    /// Threads in the execution that had most.
    pub(super) threads_max: usize,
    /// Threads an execution may have.
    pub(super) threads_allowed: usize,
}

type SiteKey = (*const Location<'static>, Operand);

struct Control {
    exploring: Cell<bool>,
    pass: Cell<Pass>,
    counters: Cell<Counters>,
    watching: Cell<bool>,
    weakening: Cell<Option<Weakening>>,
    weakening_hits: Cell<u64>,
    sites: RefCell<Option<HashMap<SiteKey, SiteUse>>>,
    journal: RefCell<Option<Vec<JournalEntry>>>,
}

thread_local! {
    static CONTROL: Control = const {
        Control {
            exploring: Cell::new(false),
            pass: Cell::new(Pass::Normal),
            counters: Cell::new(Counters {
                executions: 0,
                operations: 0,
                operations_max: 0,
                threads: 0,
                threads_max: 0,
                threads_allowed: 0,
            }),
            watching: Cell::new(false),
            weakening: Cell::new(None),
            weakening_hits: Cell::new(0),
            sites: RefCell::new(None),
            journal: RefCell::new(None),
        }
    };
}

impl Control {
    /// Restores C-1.
    fn update_watching(&self) {
        self.watching
            .set(self.weakening.get().is_some() || self.sites.borrow().is_some() || self.journal.borrow().is_some());
    }
}

/// Sets the pass of this system thread.
///
/// [`explore`](super::explore) does this itself; a test that drives loom by its own hand uses this.
pub fn set_pass(pass: Pass) {
    CONTROL.with(|control| control.pass.set(pass));
}

/// The pass of this system thread.
#[must_use]
pub fn pass() -> Pass {
    CONTROL.with(|control| control.pass.get())
}

/// Ends a weakening when dropped.
#[must_use = "the weakening ends with its guard"]
#[derive(Debug)]
pub struct WeakeningGuard {
    /// The state is this thread's.
    _not_send: PhantomData<*mut ()>,
}

impl WeakeningGuard {
    /// How often the weakening replaced an ordering. Zero means that the test tested nothing.
    #[must_use]
    pub fn hits(&self) -> u64 {
        CONTROL.with(|control| control.weakening_hits.get())
    }
}

impl Drop for WeakeningGuard {
    fn drop(&mut self) {
        CONTROL.with(|control| {
            control.weakening.set(None);
            control.update_watching();
        });
    }
}

/// Weakens one ordering at one site for the explorations of this system thread, as long as the guard lives.
///
/// # Panics
///
/// When a weakening is set already.
pub fn set_weakening(weakening: Weakening) -> WeakeningGuard {
    CONTROL.with(|control| {
        assert!(control.weakening.get().is_none(), "one weakening at a time");
        control.weakening.set(Some(weakening));
        control.weakening_hits.set(0);
        control.update_watching();
    });
    WeakeningGuard { _not_send: PhantomData }
}

/// Starts an empty register of sites on this system thread.
pub fn start_sites() {
    CONTROL.with(|control| {
        *control.sites.borrow_mut() = Some(HashMap::new());
        control.update_watching();
    });
}

/// Ends the register; returns each site and operand that ran, in source order. Empty if none was started.
#[must_use]
pub fn take_sites() -> Vec<SiteUse> {
    let sites = CONTROL.with(|control| {
        let sites = control.sites.borrow_mut().take();
        control.update_watching();
        sites.unwrap_or_default()
    });
    // One place can have several `Location`s, one for each unit of compilation.
    let mut merged = BTreeMap::new();
    for site_use in sites.into_values() {
        merged
            .entry((site_use.site, site_use.operand))
            .and_modify(|known: &mut SiteUse| known.count += site_use.count)
            .or_insert(site_use);
    }
    merged.into_values().collect()
}

/// Starts the journal on this system thread. It is emptied when an execution begins, and pauses while a panic unwinds.
pub fn start_journal() {
    CONTROL.with(|control| {
        *control.journal.borrow_mut() = Some(Vec::new());
        control.update_watching();
    });
}

/// Ends the journal; returns the entries of the last execution: the failing one, if the exploration failed.
#[must_use]
pub fn take_journal() -> Vec<JournalEntry> {
    CONTROL.with(|control| {
        let journal = control.journal.borrow_mut().take();
        control.update_watching();
        journal.unwrap_or_default()
    })
}

/// Marks this system thread as exploring; the drop resets pass and counters (C-3).
pub(super) struct ExplorationGuard;

impl ExplorationGuard {
    pub(super) fn enter(pass: Pass, threads_allowed: usize) -> Self {
        CONTROL.with(|control| {
            assert!(!control.exploring.replace(true), "an exploration cannot run inside another");
            control.pass.set(pass);
            control.counters.set(Counters { threads_allowed, ..Counters::default() });
        });
        Self
    }
}

impl Drop for ExplorationGuard {
    fn drop(&mut self) {
        CONTROL.with(|control| {
            control.exploring.set(false);
            control.pass.set(Pass::Normal);
            control.counters.set(Counters::default());
        });
    }
}

pub(super) fn counters() -> Counters {
    CONTROL.with(|control| control.counters.get())
}

fn update_counters(update: impl FnOnce(&mut Counters)) -> Counters {
    CONTROL.with(|control| {
        let mut counters = control.counters.get();
        update(&mut counters);
        control.counters.set(counters);
        counters
    })
}

/// Counts a new execution and forgets the one before.
pub(super) fn begin_execution() {
    update_counters(|counters| {
        counters.executions += 1;
        counters.operations = 0;
        counters.threads = 1;
        counters.threads_max = counters.threads_max.max(1);
    });
    CONTROL.with(|control| {
        if let Some(journal) = control.journal.borrow_mut().as_mut() {
            journal.clear();
        }
    });
}

/// Counts a new thread; returns its index.
pub(super) fn begin_thread() -> usize {
    let counters = update_counters(|counters| {
        counters.threads += 1;
        counters.threads_max = counters.threads_max.max(counters.threads);
    });
    assert!(
        counters.threads_allowed == 0 || counters.threads <= counters.threads_allowed,
        "the model starts thread number {}, but may have {} threads, its first included",
        counters.threads,
        counters.threads_allowed,
    );
    counters.threads - 1
}

/// The ordering to perform an operation with.
#[inline]
pub(super) fn effective(location: &'static Location<'static>, operand: Operand, written: Ordering) -> Ordering {
    CONTROL.with(|control| {
        if !control.watching.get() {
            return written;
        }
        match control.weakening.get() {
            Some(weakening)
                if weakening.operand == operand
                    && weakening.site.is_at(location)
                    && is_weaker(weakening.to, written) =>
            {
                control.weakening_hits.set(control.weakening_hits.get() + 1);
                weakening.to
            }
            _ => written,
        }
    })
}

/// An operation that has just taken effect.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub(super) location: &'static Location<'static>,
    pub(super) action: Action,
    /// The ordering in the source; the action has the one performed.
    pub(super) declared: Ordering,
    pub(super) object: usize,
    pub(super) read: Option<u64>,
    pub(super) written: Option<u64>,
}

impl Event {
    /// An event without ordering or values.
    pub(super) fn bare(location: &'static Location<'static>, action: Action, object: usize) -> Self {
        Self { location, action, declared: Ordering::Relaxed, object, read: None, written: None }
    }
}

/// Counts an operation that has taken effect, and notes it where somebody listens.
#[inline]
pub(super) fn record(event: impl FnOnce() -> Event) {
    CONTROL.with(|control| {
        let mut counters = control.counters.get();
        counters.operations += 1;
        counters.operations_max = counters.operations_max.max(counters.operations);
        control.counters.set(counters);
        if control.watching.get() {
            note(control, event());
        }
    });
}

#[cold]
fn note(control: &Control, event: Event) {
    let site = Site::of(event.location);
    if let Action::Ordered(operand, _) = event.action
        && let Some(sites) = control.sites.borrow_mut().as_mut()
    {
        sites
            .entry((event.location, operand))
            .or_insert(SiteUse { site, operand, written: event.declared, count: 0 })
            .count += 1;
    }
    // What destructors do while a panic unwinds is not part of the execution, and after a deadlock loom cannot say whose
    // destructors they are.
    if !std::thread::panicking()
        && let Some(journal) = control.journal.borrow_mut().as_mut()
    {
        journal.push(JournalEntry {
            thread: thread_index(),
            site,
            action: event.action,
            object: event.object,
            read: event.read,
            written: event.written,
        });
    }
}

/// The index of the modelled thread. loom shows it only in the `Debug` form of the thread's identity, "ThreadId(1)".
fn thread_index() -> usize {
    let shown = format!("{:?}", loom::thread::current().id());
    shown
        .trim_start_matches("ThreadId(")
        .trim_end_matches(')')
        .parse()
        .expect("loom shows a thread's identity as ThreadId(index)")
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
