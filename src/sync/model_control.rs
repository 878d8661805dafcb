//! What a test may ask of the model face: which pass, which fault, which sites ran, what happened.
//!
//! loom runs all threads of a model as coroutines on one thread of the system, so the state lives in `std`
//! thread-locals: models on different system threads explore independently. An operation of the face comes through
//! here twice:
//!
//! 1. before it takes effect, `prepare` says what is different about it, if a mutant is set (`model_mutant`); an
//!    operation that has no mutants, and may block, calls `attempt` instead;
//! 2. after that, `record` counts the operation and, when somebody listens, notes site and values.
//!
//! loom switches threads *before* an operation takes effect and never between its effect and its return, so the
//! journal's order is the order of the execution. No borrow of the state is ever held over an operation of loom.
//!
//! # Faults
//!
//! A [`Fault`] strikes once, at any one of the points where it can, or never, and every choice is explored. The
//! points of a thread count from 1 in each execution, so a choice is a thread and a number. The exploration in which
//! nothing strikes comes first and finds how many points each thread has at most; then each of these points has an
//! exploration of its own, in which the fault strikes there. Up to its strike an execution is one without a fault, so
//! no point is left out. The choice is no operation of the model, so it adds no order between threads.
//!
//! Invariants:
//!
//! - MC-2: pass, fault and counters belong to one exploration and are reset at its end, also when it panicked.
//!   Register and journal belong to the test and last until it ends them.

pub use super::model_mutant::{Mutant, MutantGuard, one_step_weaker, set_mutant};
pub use super::model_site::Site;
pub use super::terms::{Change, Fault, Operand, Pass};
pub use heaplab_explorer::host::{Access, Mark, ReadFrom};

use super::engine::{self, THREADS_MAX};
use super::model_mutant as mutant;
use super::model_watch::{self as watch, acting_thread, enter_thread, thread_index};
use super::scene::{Scene, SceneGuard};
use core::cell::{Cell, RefCell};
use core::hash::{BuildHasherDefault, Hasher};
use core::panic::Location;
use core::sync::atomic::Ordering;
use std::collections::{BTreeMap, HashMap};

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
    /// The mutants worth trying here: each ordering one step weaker, and each change of the protocol that makes sense.
    pub fn mutants(&self) -> impl Iterator<Item = Mutant> + use<> {
        let Self { site, operand, written, .. } = *self;
        let weaker = one_step_weaker(operand, written).iter().map(|&to| Change::Weaken(to));
        let changed = Change::OF_PROTOCOL.into_iter().filter(move |change| change.applies_to(operand));
        weaker.chain(changed).map(move |change| Mutant { site, operand, change })
    }
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
    /// This fault struck.
    Fault(Fault),
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
    /// What a mutant changed about it.
    pub change: Option<Change>,
    /// What the explorer knows of it; loom keeps to itself what it knows.
    pub access: Option<Access>,
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

/// A point where the fault can strike: a thread, and how many such points it has come to in the execution, this one
/// included.
pub(super) type FaultPoint = (usize, u32);

type SiteKey = (*const Location<'static>, Operand);

/// A cheap hasher, because every operation of a model is looked up. The keys are addresses and small numbers of the
/// program's own, so nobody chooses them to collide.
#[derive(Default)]
struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        // A hash map uses the upper bits and the lower ones.
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_usize(value.cast_unsigned());
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

type Sites = HashMap<SiteKey, SiteUse, BuildHasherDefault<PlaceHasher>>;

struct Control {
    exploring: Cell<bool>,
    pass: Cell<Pass>,
    counters: Cell<Counters>,
    fault: Cell<Option<Fault>>,
    /// Where the fault strikes in the present exploration; nowhere if there is none.
    strike: Cell<Option<FaultPoint>>,
    /// Points that each thread has come to in the present execution.
    points: Cell<[u32; THREADS_MAX + 1]>,
    /// The most points of each thread in any execution.
    points_max: Cell<[u32; THREADS_MAX + 1]>,
    /// The operation that each thread began last, while somebody listens.
    attempts: [Cell<Option<&'static Location<'static>>>; THREADS_MAX + 1],
    sites: RefCell<Option<Sites>>,
    journal: RefCell<Option<Vec<Noted>>>,
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
            fault: Cell::new(None),
            strike: Cell::new(None),
            points: Cell::new([0; THREADS_MAX + 1]),
            points_max: Cell::new([0; THREADS_MAX + 1]),
            attempts: [const { Cell::new(None) }; THREADS_MAX + 1],
            sites: RefCell::new(None),
            journal: RefCell::new(None),
        }
    };
}

impl Control {
    /// Keeps WA-1.
    fn update_watching(&self) {
        watch::listen(self.sites.borrow().is_some() || self.journal.borrow().is_some());
    }
}

/// Sets the pass of this system thread.
///
/// [`explore`](super::explore) sets the pass itself; a test that calls loom directly uses this function.
pub fn set_pass(pass: Pass) {
    CONTROL.with(|control| control.pass.set(pass));
}

/// The pass of this system thread.
#[must_use]
pub fn pass() -> Pass {
    CONTROL.with(|control| control.pass.get())
}

/// Starts an empty register of sites on this system thread.
pub fn start_sites() {
    CONTROL.with(|control| {
        *control.sites.borrow_mut() = Some(Sites::default());
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

/// The entries of the present execution so far, if a journal is kept.
#[must_use]
pub fn journal_so_far() -> Vec<JournalEntry> {
    CONTROL.with(|control| control.journal.borrow().iter().flatten().map(Noted::entry).collect())
}

/// The index of the modelled thread that runs now; the first one's is 0.
#[must_use]
pub fn current_thread() -> usize {
    thread_index()
}

/// Ends the journal; returns the entries of the last execution: the failing one, if the exploration failed.
#[must_use]
pub fn take_journal() -> Vec<JournalEntry> {
    CONTROL.with(|control| {
        let journal = control.journal.borrow_mut().take();
        control.update_watching();
        journal.iter().flatten().map(Noted::entry).collect()
    })
}

/// Marks this system thread as exploring; the drop resets pass and counters (MC-2).
pub(super) struct ExplorationGuard {
    _scene: SceneGuard,
}

impl ExplorationGuard {
    pub(super) fn enter(pass: Pass, fault: Option<Fault>, threads_allowed: usize) -> Self {
        CONTROL.with(|control| {
            assert!(!control.exploring.replace(true), "an exploration cannot run inside another");
            control.pass.set(pass);
            control.fault.set(fault);
            control.points_max.set([0; THREADS_MAX + 1]);
            control.counters.set(Counters { threads_allowed, ..Counters::default() });
        });
        Self { _scene: Scene::enter() }
    }
}

impl Drop for ExplorationGuard {
    fn drop(&mut self) {
        CONTROL.with(|control| {
            control.exploring.set(false);
            control.pass.set(Pass::Normal);
            control.fault.set(None);
            control.strike.set(None);
            control.counters.set(Counters::default());
        });
        mutant::forget_postponed();
    }
}

/// Whether this system thread explores now.
#[must_use]
pub fn is_exploring() -> bool {
    CONTROL.with(|control| control.exploring.get())
}

/// The number of the present execution, from 1; 0 outside of an exploration.
#[must_use]
pub fn execution() -> u64 {
    counters().executions
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
    mutant::forget_postponed();
}

/// Runs an execution's body.
pub(super) fn run_execution(body: impl FnOnce()) {
    watch::forget_threads();
    CONTROL.with(|control| {
        control.attempts.iter().for_each(|attempt| attempt.set(None));
        control.points.set([0; THREADS_MAX + 1]);
    });
    enter_thread(0);
    body();
    settle_thread();
}

/// Every point at which the fault can strike, as the executions so far have come to them.
pub(super) fn fault_points() -> Vec<FaultPoint> {
    let most = CONTROL.with(|control| control.points_max.get());
    most.into_iter().enumerate().flat_map(|(thread, points)| (1..=points).map(move |point| (thread, point))).collect()
}

/// Makes the fault strike there from the next execution on.
pub(super) fn set_strike(at: FaultPoint) {
    CONTROL.with(|control| control.strike.set(Some(at)));
}

/// Whether `fault` strikes here. A fault strikes at most once in an execution.
pub(super) fn strikes(fault: Fault, location: &'static Location<'static>) -> bool {
    let fell = CONTROL.with(|control| {
        if control.fault.get() != Some(fault) {
            return false;
        }
        let thread = thread_index();
        let (mut points, mut most) = (control.points.get(), control.points_max.get());
        points[thread] += 1;
        most[thread] = most[thread].max(points[thread]);
        control.points.set(points);
        control.points_max.set(most);
        control.strike.get() == Some((thread, points[thread]))
    });
    if fell {
        record(|| Event::bare(location, Action::Fault(fault), 0));
    }
    fell
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

/// Whether the memory source is to refuse the request that it has just got.
#[track_caller]
pub(crate) fn page_request_fails() -> bool {
    strikes(Fault::PageRequest, Location::caller())
}

/// Notes that the thread begins an operation, which may be refused, or block for ever, and so never be recorded.
#[inline]
pub(super) fn attempt(location: &'static Location<'static>) {
    CONTROL.with(|control| {
        if watch::is_watching() {
            control.attempts[thread_index()].set(Some(location));
        }
    });
}

/// Where each modelled thread that has begun an operation in this execution stands: index and site.
#[must_use]
pub fn whereabouts() -> Vec<(usize, Site)> {
    CONTROL.with(|control| {
        let attempts = control.attempts.iter().enumerate();
        attempts.filter_map(|(thread, attempt)| Some((thread, Site::of(attempt.get()?)))).collect()
    })
}

/// What is different about an operation that comes now. What its thread put off on the same object is done first.
#[inline]
pub(super) fn prepare(location: &'static Location<'static>, operand: Operand, object: usize) -> Option<Change> {
    attempt(location);
    CONTROL.with(|control| {
        if !watch::is_watching() {
            return None;
        }
        if watch::has_postponed() {
            mutant::settle(|of| of == object);
        }
        if !watch::has_mutant() {
            return None;
        }
        // MU-3.
        let is_shared = control.counters.get().threads > 1;
        mutant::change_at(location, operand).filter(|&change| change != Change::Postpone || is_shared)
    })
}

/// Performs what this thread put off, after it has published something else.
#[inline]
pub(super) fn settle_after_publication() {
    if watch::has_postponed() {
        mutant::settle(|_| true);
    }
}

/// Performs what this thread put off, since it ends or waits.
pub(super) fn settle_thread() {
    settle_after_publication();
}

/// Performs what this thread put off on an object that goes away, unless the thread unwinds, and forgets what other
/// threads put off on the object (MU-3).
#[inline]
pub(super) fn settle_object(object: usize) {
    if watch::has_postponed() {
        if !engine::thread::panicking() {
            mutant::settle(|of| of == object);
        }
        mutant::forget_postponed_on(object);
    }
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
    pub(super) change: Option<Change>,
    /// Whether the object is a word of the heap.
    pub(super) is_heap_word: bool,
}

impl Event {
    /// An event without ordering or values.
    pub(super) fn bare(location: &'static Location<'static>, action: Action, object: usize) -> Self {
        Self {
            location,
            action,
            declared: Ordering::Relaxed,
            object,
            read: None,
            written: None,
            change: None,
            is_heap_word: false,
        }
    }
}

/// An entry of the journal as it is noted: many more are than are ever read.
#[derive(Clone, Copy)]
struct Noted {
    event: Event,
    thread: usize,
    access: Option<Access>,
}

impl Noted {
    fn entry(&self) -> JournalEntry {
        let Event { location, action, object, read, written, change, .. } = self.event;
        let (thread, access) = (self.thread, self.access);
        JournalEntry { thread, site: Site::of(location), action, object, read, written, change, access }
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
        if watch::is_watching() {
            note(control, event());
        }
    });
}

fn note(control: &Control, event: Event) {
    if let Some(sites) = control.sites.borrow_mut().as_mut() {
        register(sites, &event);
    }
    // What destructors do while a panic unwinds is not part of the execution, and after a deadlock loom cannot say
    // whose destructors they are.
    if let Some(journal) = control.journal.borrow_mut().as_mut()
        && let Some(thread) = acting_thread()
    {
        // A mutant's operation is none, or two, or comes later.
        let is_itself = event.change.is_none_or(|change| change.is_of_ordering());
        let is_of_word = matches!(event.action, Action::Ordered(operand, _) if operand != Operand::Fence);
        let access = if is_itself && is_of_word { engine::last_access() } else { None };
        journal.push(Noted { event, thread, access });
    }
}

fn register(sites: &mut Sites, event: &Event) {
    let operand = match event.action {
        Action::Ordered(operand, _) => operand,
        Action::NotifyOne | Action::NotifyAll => Operand::Notify,
        Action::PlainWrite if event.is_heap_word => Operand::PlainStore,
        _ => return,
    };
    let new = || SiteUse { site: Site::of(event.location), operand, written: event.declared, count: 0 };
    sites.entry((event.location, operand)).or_insert_with(new).count += 1;
}
