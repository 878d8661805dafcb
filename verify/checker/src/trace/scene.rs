//! A counterexample made ready for drawing: folded into steps, with the regions and the links between steps.
//!
//! Both renderings draw the same scene, so a number means the same step in both.
//!
//! What is folded into one step:
//!
//! - *setup*: what the first thread does before it starts another, unless it is short. Nothing runs beside it.
//! - *plain runs*: plain accesses of one thread, one after the other, at one site, to one object, all to heap words
//!   (zeroing, walking), or all to cells that no other thread uses once threads have started.
//! - *empty locks*: a mutex locked and unlocked with nothing in between.
//! - *spins*: reads of one thread, at one site, of the same value from the same write, with nothing but yields between.
//!   Drawn where the first was.
//! - *asides*: in a long execution, what says nothing about the failure (`asides`).
//! - *elided*: when there are still more than `STEPS_MAX` steps, the earliest.
//!
//! The accesses that a data race is about are never folded.
//!
//! Regions: a mutex is held from its lock to its unlock, without the waits in between (a wait gives up the mutex
//! locked last); a thread waits on a condition variable from the wait to the wake-up. A stop of the world is
//! recognised by the safepoint's own text, `Safepoint::stop` in `src/thread/safepoint.rs`: the world stands from
//! where that function gives up the mutex of `outstanding` to where it gives up the collector lock. If the function
//! is renamed, stops are drawn as plain locks.

use super::asides;
use super::counterexample::Counterexample;
use super::failure::Diagnosis;
use super::history::{Edge, History};
use super::names::Names;
use super::sources::Sources;
use super::step::{Step, StepKind};
use heaplab::sync::model_control::{Action, JournalEntry, Operand};
use std::collections::{BTreeMap, BTreeSet};

/// A setup of at most so many entries is drawn step by step.
const SETUP_MAX: usize = 3;
/// The shortest run of plain accesses that is folded: two rows are read faster than their summary, unless no other
/// thread uses the objects (`RUN_MIN_OWN`).
const RUN_MIN: usize = 3;
const RUN_MIN_OWN: usize = 2;
/// The most steps of a picture: nobody can take in a longer one.
const STEPS_MAX: usize = 160;

/// A stretch of time in which a thread holds a mutex, waits, or has stopped the world.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) kind: RegionKind,
    pub(super) thread: usize,
    /// First and last step; the last one is missing when the execution ended before.
    pub(super) first: usize,
    pub(super) last: Option<usize>,
    /// How many regions of the same thread lie around this one.
    pub(super) depth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RegionKind {
    /// The thread holds this mutex.
    Lock(usize),
    /// The thread waits on this condition variable.
    Wait(usize),
    /// The world is stopped, and the thread is the one that stopped it.
    Stop,
}

/// A line between two steps.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: LinkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LinkKind {
    /// A read synchronises with the write it reads.
    Synchronises,
    /// A read of a write that was before it already.
    Known,
    /// A read that makes no order.
    Unordered,
    /// A stale read, from the write that it read.
    Stale,
    /// From a stale read to the newer write that it passed over.
    PassedOver,
    /// A lock, wake-up, join or start, after what it had to wait for.
    HandedOver,
    /// Two accesses that race.
    Race,
}

/// Everything there is to draw.
pub(super) struct Scene<'a> {
    pub(super) counterexample: &'a Counterexample,
    pub(super) sources: &'a Sources,
    pub(super) journal: &'a [JournalEntry],
    pub(super) threads: usize,
    pub(super) names: Names,
    pub(super) history: History,
    pub(super) diagnosis: Diagnosis,
    pub(super) steps: Vec<Step>,
    /// Objects that one thread alone uses after the setup.
    own: BTreeSet<usize>,
    /// By entry.
    pub(super) step_of: Vec<usize>,
    pub(super) regions: Vec<Region>,
    pub(super) links: Vec<Link>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(counterexample: &'a Counterexample, sources: &'a Sources) -> Self {
        let journal = &counterexample.journal[..];
        let started = |entry: &JournalEntry| match entry.action {
            Action::Spawn => entry.written.map_or(0, |index| index as usize),
            _ => entry.thread,
        };
        let known = counterexample.failed_thread.unwrap_or(0);
        let threads = journal.iter().map(started).max().unwrap_or(0).max(known) + 1;
        let setup = journal.iter().take_while(|entry| entry.thread == 0 && entry.action != Action::Spawn).count();
        let setup = if setup == journal.len() { 0 } else { setup };
        let names = Names::new(journal, setup, sources);
        let history = History::new(journal, threads, counterexample.pass);
        let diagnosis = Diagnosis::new(counterexample, journal, &history);
        let mut scene = Self {
            counterexample,
            sources,
            journal,
            threads,
            names,
            history,
            diagnosis,
            own: own_objects(&journal[setup..]),
            steps: Vec::new(),
            step_of: Vec::new(),
            regions: Vec::new(),
            links: Vec::new(),
        };
        scene.steps = scene.fold(setup);
        scene.step_of = vec![0; journal.len()];
        for (index, step) in scene.steps.iter().enumerate() {
            for &entry in &step.entries {
                scene.step_of[entry] = index;
            }
        }
        scene.regions = scene.find_regions();
        scene.links = scene.find_links();
        scene
    }

    fn fold(&self, setup: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = 0;
        if setup > SETUP_MAX {
            steps.push(Step { kind: StepKind::Setup, thread: Some(0), entries: (0..setup).collect() });
            at = setup;
        }
        let fixed = steps.len();
        // By thread: the step of the read that it may be repeating.
        let mut reading: Vec<Option<usize>> = vec![None; self.threads];
        while at < self.journal.len() {
            let entry = &self.journal[at];
            let thread = entry.thread;
            if let Some(open) = reading[thread]
                && self.is_spinning(&steps[open], at)
            {
                steps[open].entries.push(at);
                if steps[open].entries.iter().filter(|&&entry| !self.is_yield(entry)).count() > 1 {
                    steps[open].kind = StepKind::Spin;
                }
                at += 1;
                continue;
            }
            if self.is_empty_lock(at) {
                steps.push(Step { kind: StepKind::EmptyLock, thread: Some(thread), entries: vec![at, at + 1] });
                reading[thread] = None;
                at += 2;
                continue;
            }
            let run = self.plain_run(at);
            reading[thread] = (run == 1 && (self.changes_nothing(at) || self.is_yield(at))).then_some(steps.len());
            let kind = if run == 1 { StepKind::Single } else { StepKind::PlainRun };
            steps.push(Step { kind, thread: Some(thread), entries: (at..at + run).collect() });
            at += run;
        }
        if steps.len() > asides::STEPS_MIN {
            let is_end_of_stop = |entry: &JournalEntry| {
                matches!(entry.action, Action::Lock | Action::Unlock)
                    && (self.is_in_stop(entry, "outstanding") || self.is_in_stop(entry, "collector"))
            };
            let telling = asides::telling(self.journal, &self.diagnosis, &self.history, is_end_of_stop);
            steps = asides::folded(steps, fixed, &telling);
        }
        if steps.len() > STEPS_MAX {
            let end = steps.len() - STEPS_MAX + fixed + 1;
            let mut entries: Vec<usize> = steps.drain(fixed..end).flat_map(|step| step.entries).collect();
            entries.sort_unstable();
            steps.insert(fixed, Step { kind: StepKind::Elided, thread: None, entries });
        }
        steps
    }

    fn is_yield(&self, at: usize) -> bool {
        self.journal[at].action == Action::Yield
    }

    /// Whether an entry is an atomic read that left the value as it was.
    fn changes_nothing(&self, at: usize) -> bool {
        let entry = &self.journal[at];
        match entry.action {
            Action::Ordered(Operand::Load | Operand::CasFailure, _) => true,
            Action::Ordered(Operand::Rmw, _) => entry.read == entry.written,
            _ => false,
        }
    }

    /// Whether the entry `at` repeats the read of `step`, or yields after it.
    fn is_spinning(&self, step: &Step, at: usize) -> bool {
        let (first, this) = (step.entries[0], &self.journal[at]);
        let reference = &self.journal[first];
        if self.is_yield(at) {
            return true;
        }
        let from = |at: usize| self.history.reads[at].map(|read| (read.source, read.newer.is_some()));
        this.site == reference.site
            && this.object == reference.object
            && this.read == reference.read
            && this.action == reference.action
            && self.changes_nothing(at)
            && (from(at) == from(first) || this.written.is_some())
    }

    fn is_empty_lock(&self, at: usize) -> bool {
        let entry = &self.journal[at];
        entry.action == Action::Lock
            && self.journal.get(at + 1).is_some_and(|next| {
                next.action == Action::Unlock && next.thread == entry.thread && next.object == entry.object
            })
            && !self.is_in_stop(entry, "outstanding")
    }

    /// How many entries from `at` on make one run of plain accesses; 1 if it is none.
    fn plain_run(&self, at: usize) -> usize {
        let first = &self.journal[at];
        let is_plain = |entry: &JournalEntry| matches!(entry.action, Action::PlainRead | Action::PlainWrite);
        let is_heap = |entry: &JournalEntry| self.names.is_heap_word(entry.object);
        let is_own = |entry: &JournalEntry| self.own.contains(&entry.object) && !is_heap(entry);
        let belongs = |(offset, entry): &(usize, &JournalEntry)| {
            is_plain(entry)
                && entry.thread == first.thread
                && (entry.site == first.site
                    || entry.object == first.object
                    || (is_heap(entry) && is_heap(first))
                    || (is_own(entry) && is_own(first)))
                && !self.diagnosis.is_about(at + offset)
        };
        let run = self.journal[at..].iter().enumerate().take_while(belongs).count();
        let least = if is_own(first) { RUN_MIN_OWN } else { RUN_MIN };
        if run >= least { run } else { 1 }
    }

    fn find_regions(&self) -> Vec<Region> {
        let mut regions = Regions::new(self);
        for (at, entry) in self.journal.iter().enumerate() {
            match entry.action {
                Action::Lock => regions.lock(at),
                Action::Unlock => regions.unlock(at),
                Action::Wait => regions.wait(at),
                Action::Woken => regions.wake(at),
                _ => {}
            }
        }
        regions.end()
    }

    /// How many mutexes a step's thread holds both before and after the step.
    pub(super) fn locks_around(&self, step: usize) -> usize {
        let is_around = |region: &&Region| {
            matches!(region.kind, RegionKind::Lock(_))
                && Some(region.thread) == self.steps[step].thread
                && region.first < step
                && region.last.is_none_or(|last| step < last)
        };
        self.regions.iter().filter(is_around).count()
    }

    /// Whether `Safepoint::stop` locks or unlocks a mutex here, through this field.
    pub(super) fn is_in_stop(&self, entry: &JournalEntry, field: &str) -> bool {
        entry.site.file.replace('\\', "/").ends_with("src/thread/safepoint.rs")
            && self.sources.function(entry.site).as_deref() == Some("stop")
            && self.sources.receiver(entry.site).is_some_and(|receiver| receiver.name == field)
    }

    fn find_links(&self) -> Vec<Link> {
        let mut links = Vec::new();
        let mut link = |from: usize, to: usize, kind| {
            let (from, to) = (self.step_of[from], self.step_of[to]);
            let (start, end) = (&self.steps[from], &self.steps[to]);
            let is_drawn =
                |step: &Step| step.thread.is_some() && !matches!(step.kind, StepKind::Setup | StepKind::Aside);
            if from != to && is_drawn(start) && is_drawn(end) {
                links.push(Link { from, to, kind });
            }
        };
        for (at, entry) in self.journal.iter().enumerate() {
            if let Some(before) = self.history.after[at] {
                let is_handed = matches!(entry.action, Action::Lock | Action::Woken | Action::Join);
                let is_start = self.journal[before].action == Action::Spawn;
                if is_handed && !is_start && self.journal[before].thread != entry.thread {
                    link(before, at, LinkKind::HandedOver);
                }
            }
            let Action::Ordered(..) = entry.action else { continue };
            let Some(read) = self.history.reads[at] else { continue };
            if let Some((newer, _)) = read.newer {
                link(at, newer, LinkKind::PassedOver);
            }
            let Some(source) = read.source else { continue };
            let kind = match (read.newer, read.edge) {
                (Some(_), _) => LinkKind::Stale,
                _ if self.journal[source].thread == entry.thread => continue,
                (None, Edge::Synchronises) => LinkKind::Synchronises,
                (None, Edge::Known) => LinkKind::Known,
                (None, Edge::Unordered) => LinkKind::Unordered,
            };
            link(source, at, kind);
        }
        if let Some((first, second)) = self.diagnosis.race {
            link(first, second, LinkKind::Race);
        }
        // Repetitions that were folded into one step draw the same line.
        links.sort_by_key(|link| (link.to, link.from, link.kind));
        links.dedup_by_key(|link| (link.to, link.from, link.kind));
        links
    }
}

/// The walk that finds regions: what is open, and what has been closed.
struct Regions<'a> {
    scene: &'a Scene<'a>,
    /// By thread: what is open, with the entry that opened it.
    open: Vec<Vec<(RegionKind, usize)>>,
    /// By thread: the mutex that its wait gave up.
    given_up: Vec<Option<usize>>,
    closed: Vec<Region>,
}

impl<'a> Regions<'a> {
    fn new(scene: &'a Scene<'a>) -> Regions<'a> {
        let threads = scene.threads;
        Regions { scene, open: vec![Vec::new(); threads], given_up: vec![None; threads], closed: Vec::new() }
    }

    fn open(&mut self, kind: RegionKind, at: usize) {
        self.open[self.scene.journal[at].thread].push((kind, at));
    }

    /// Closes the innermost region of this kind at the entry `end`, or where the execution ended.
    fn close(&mut self, thread: usize, kind: RegionKind, end: Option<usize>) {
        let Some(depth) = self.open[thread].iter().rposition(|(held, _)| *held == kind) else { return };
        let (kind, start) = self.open[thread].remove(depth);
        let first = self.scene.step_of[start];
        let last = end.map(|entry| self.scene.step_of[entry]);
        // A region inside one folded step has no extent.
        if last != Some(first) {
            self.closed.push(Region { kind, thread, first, last, depth });
        }
    }

    fn lock(&mut self, at: usize) {
        let lock = RegionKind::Lock(self.scene.journal[at].object);
        // A guard that a caught panic has dropped left no unlock in the journal.
        for thread in 0..self.scene.threads {
            self.close(thread, lock, Some(at));
        }
        self.open(lock, at);
    }

    fn unlock(&mut self, at: usize) {
        let entry = &self.scene.journal[at];
        if self.scene.is_in_stop(entry, "collector") {
            self.close(entry.thread, RegionKind::Stop, Some(at));
        }
        self.close(entry.thread, RegionKind::Lock(entry.object), Some(at));
        if self.scene.is_in_stop(entry, "outstanding") {
            self.open(RegionKind::Stop, at);
        }
    }

    fn wait(&mut self, at: usize) {
        let entry = &self.scene.journal[at];
        let innermost = self.open[entry.thread].iter().rev().find_map(|(kind, _)| match kind {
            RegionKind::Lock(object) => Some(*object),
            _ => None,
        });
        self.given_up[entry.thread] = innermost;
        if let Some(object) = innermost {
            self.close(entry.thread, RegionKind::Lock(object), Some(at));
        }
        self.open(RegionKind::Wait(entry.object), at);
    }

    fn wake(&mut self, at: usize) {
        let entry = &self.scene.journal[at];
        self.close(entry.thread, RegionKind::Wait(entry.object), Some(at));
        if let Some(object) = self.given_up[entry.thread].take() {
            self.open(RegionKind::Lock(object), at);
        }
    }

    /// All regions, the outer ones first; what is open lasts until the execution ended.
    fn end(mut self) -> Vec<Region> {
        for thread in 0..self.scene.threads {
            while let Some(&(kind, _)) = self.open[thread].last() {
                self.close(thread, kind, None);
            }
        }
        self.closed.sort_by_key(|region| (region.depth, region.first));
        self.closed
    }
}

fn own_objects(journal: &[JournalEntry]) -> BTreeSet<usize> {
    let mut users: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for entry in journal {
        users.entry(entry.object).or_default().insert(entry.thread);
    }
    users.into_iter().filter(|(_, threads)| threads.len() == 1).map(|(object, _)| object).collect()
}
