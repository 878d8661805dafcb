//! Where each read came from, and what happened before what.
//!
//! - *Reads-from.* The explorer tells which write an atomic operation read from, and which newer ones it passed over.
//!   loom does not, and the journal has values, so there a read of `v` is taken to come from the newest write of `v` to
//!   the object. If a newer write exists, of another value, then the read is stale: it passed over that write. With no
//!   write of `v` it read the initial value, which the journal does not have; any write is then newer. The checker
//!   reports every race of a plain read, so plain reads are never called stale.
//! - *Order.* Vector clocks, one component for each thread. A release (or a release fence before a relaxed write)
//!   gives the write its thread's clock, a read-modify-write carries on the clock of the write that it replaced (the
//!   release sequence), an acquire (or a relaxed read before an acquire fence) takes it over. Locks, wake-ups, starts
//!   and ends of threads hand clocks on likewise.
//!
//! What cannot be known: under loom, which of several writes of the same value was read (the newest is taken, so a
//! stale read of an equal value is not seen, and an edge may be missed or invented); and which thread a `join` has
//! joined (the first started by this thread that does nothing more and was not joined yet).

use heaplab::sync::Ordering;
use heaplab::sync::model_control::{Action, JournalEntry, Mark, Operand, Pass, ReadFrom};
use std::collections::BTreeMap;

/// One component a thread: how many of its entries happened before.
type Clock = Vec<usize>;

/// What a read says about order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// The read synchronises: what the writer did before is before the reader from here on.
    Synchronises,
    /// The write was before the read already, by other edges.
    Known,
    /// The read makes no order.
    Unordered,
}

/// Where a read came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// The entry that wrote the value. `None` for the initial value.
    pub(super) source: Option<usize>,
    /// The newest write, if the read passed over it, and how many it passed over.
    pub(super) newer: Option<(usize, usize)>,
    pub(super) edge: Edge,
}

/// What the walk found, by entry.
pub(super) struct History {
    pub(super) reads: Vec<Option<Read>>,
    /// The entry that this one had to wait for: the unlock before a lock, the notification before a wake-up, the last
    /// entry of a thread before its join, the start of a thread before its first entry.
    pub(super) after: Vec<Option<usize>>,
    /// The thread joined here.
    pub(super) joined: Vec<Option<usize>>,
    clocks: Vec<Clock>,
}

struct Write {
    entry: usize,
    value: Option<u64>,
    release: Option<Clock>,
    is_plain: bool,
}

/// The state of the walk.
struct Walk<'a> {
    journal: &'a [JournalEntry],
    /// Stores are swaps and loads are read-modify-writes.
    is_rmw_pass: bool,
    now: Vec<Clock>,
    /// By thread: what an acquire fence would take over, and which reads are waiting for one.
    pending: Vec<(Clock, Vec<usize>)>,
    /// By thread: the clock of its last release fence.
    fenced: Vec<Option<Clock>>,
    total_order: Clock,
    writes: BTreeMap<usize, Vec<Write>>,
    /// The entries of the writes that the explorer tells apart.
    marked: BTreeMap<Mark, usize>,
    /// By mutex or condition variable: the last entry that gave it up or notified, and that thread's clock.
    handed: BTreeMap<usize, (usize, Clock)>,
    /// By thread: mutexes held, in the order of locking.
    held: Vec<Vec<usize>>,
    /// By thread: the mutex that a wait gave up.
    waiting: Vec<Option<usize>>,
    /// By thread: the entry that started it, and whether it was joined.
    started: Vec<Option<(usize, bool)>>,
    history: History,
}

fn join(clock: &mut Clock, other: &Clock) {
    for (mine, theirs) in clock.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

fn releases(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

fn acquires(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

impl History {
    /// Walks a journal of `threads` threads.
    pub(super) fn new(journal: &[JournalEntry], threads: usize, pass: Pass) -> Self {
        let none = || vec![None; journal.len()];
        let mut walk = Walk {
            journal,
            is_rmw_pass: pass == Pass::ReadAsRmw,
            now: vec![vec![0; threads]; threads],
            pending: vec![(vec![0; threads], Vec::new()); threads],
            fenced: vec![None; threads],
            total_order: vec![0; threads],
            writes: BTreeMap::new(),
            marked: BTreeMap::new(),
            handed: BTreeMap::new(),
            held: vec![Vec::new(); threads],
            waiting: vec![None; threads],
            started: vec![None; threads],
            history: Self { reads: vec![None; journal.len()], after: none(), joined: none(), clocks: Vec::new() },
        };
        for at in 0..journal.len() {
            walk.step(at);
        }
        walk.history
    }

    /// Whether entry `a` happened before entry `b`, as far as the journal tells.
    pub(super) fn is_before(&self, journal: &[JournalEntry], a: usize, b: usize) -> bool {
        let thread = journal[a].thread;
        a < b && self.clocks[a][thread] <= self.clocks[b][thread]
    }

    /// The newest access that races with the plain access `at`: by another thread, to the same object, one of the two a
    /// write, and not before it.
    pub(super) fn rival_of(&self, journal: &[JournalEntry], at: usize) -> Option<usize> {
        let writes = |entry: &JournalEntry| match entry.action {
            Action::PlainWrite => true,
            Action::PlainRead => false,
            _ => entry.written.is_some(),
        };
        let accesses =
            |entry: &JournalEntry| matches!(entry.action, Action::Ordered(..) | Action::PlainRead | Action::PlainWrite);
        let this = &journal[at];
        (0..at).rev().find(|&other| {
            let entry = &journal[other];
            entry.object == this.object
                && entry.thread != this.thread
                && accesses(entry)
                && (writes(entry) || writes(this))
                && !self.is_before(journal, other, at)
        })
    }
}

impl Walk<'_> {
    fn step(&mut self, at: usize) {
        let entry = self.journal[at];
        let thread = entry.thread;
        if self.now[thread][thread] == 0
            && let Some((start, _)) = self.started[thread]
        {
            self.history.after[at] = Some(start);
        }
        self.now[thread][thread] += 1;
        match entry.action {
            Action::Ordered(Operand::Fence, ordering) => self.fence(thread, ordering),
            Action::Ordered(_, ordering) => {
                let carried = entry.read.and_then(|value| self.read(at, value, Some(ordering)));
                if let Some(value) = entry.written {
                    self.write(at, value, ordering, carried);
                }
            }
            Action::PlainRead => {
                if let Some(value) = entry.read {
                    self.read(at, value, None);
                }
            }
            Action::PlainWrite => {
                let write = Write { entry: at, value: entry.written, release: None, is_plain: true };
                self.writes.entry(entry.object).or_default().push(write);
            }
            Action::Lock => {
                self.take_over(at, entry.object);
                self.held[thread].push(entry.object);
            }
            Action::Unlock => {
                self.held[thread].retain(|held| *held != entry.object);
                self.hand_over(at, entry.object);
            }
            Action::Wait => self.wait(at),
            Action::Woken => self.wake(at),
            // A notification orders nothing by itself, but the picture shows who woke whom; the mutex carries the
            // order.
            Action::NotifyOne | Action::NotifyAll => {
                self.handed.insert(entry.object, (at, vec![0; self.now.len()]));
            }
            Action::Spawn => self.start_thread(at),
            Action::Join => self.join_thread(at),
            _ => {}
        }
        self.history.clocks.push(self.now[thread].clone());
    }

    /// A wait gives up the mutex that its thread locked last.
    fn wait(&mut self, at: usize) {
        let thread = self.journal[at].thread;
        self.waiting[thread] = self.held[thread].pop();
        if let Some(mutex) = self.waiting[thread] {
            self.hand_over(at, mutex);
        }
    }

    /// A wake-up comes after the notification, and after the mutex was given back.
    fn wake(&mut self, at: usize) {
        let JournalEntry { thread, object, .. } = self.journal[at];
        self.take_over(at, object);
        if let Some(mutex) = self.waiting[thread].take() {
            let notified = self.history.after[at];
            self.take_over(at, mutex);
            self.history.after[at] = notified;
            self.held[thread].push(mutex);
        }
    }

    fn start_thread(&mut self, at: usize) {
        let JournalEntry { thread, written, .. } = self.journal[at];
        let child = written.map_or(0, |index| index as usize);
        if child < self.now.len() {
            self.started[child] = Some((at, false));
            let clock = self.now[thread].clone();
            join(&mut self.now[child], &clock);
        }
    }

    /// Finds the source of a read; returns the clock that a read-modify-write carries on.
    fn read(&mut self, at: usize, value: u64, ordering: Option<Ordering>) -> Option<Clock> {
        let thread = self.journal[at].thread;
        let writes = self.writes.get(&self.journal[at].object).map_or(&[][..], Vec::as_slice);
        let access = self.journal[at].access;
        let entry_of = |mark: Mark| self.marked.get(&mark).copied();
        let by_value = || writes.iter().rposition(|write| write.value == Some(value));
        let found = match access.and_then(|access| access.read_from) {
            Some(ReadFrom::Write(mark)) => match entry_of(mark) {
                Some(entry) => writes.iter().rposition(|write| write.entry == entry),
                None => by_value(),
            },
            // A plain store begins the history of a word anew.
            Some(ReadFrom::Initial) => writes.iter().rposition(|write| write.is_plain),
            None => by_value(),
        };
        let passed = writes.len() - found.map_or(0, |index| index + 1);
        let newer = match access {
            Some(access) => access.newer.and_then(|(mark, count)| Some((entry_of(mark)?, count))),
            None => (passed > 0).then(|| (writes[writes.len() - 1].entry, passed)),
        };
        let source = found.map(|index| &writes[index]);
        let mut read = Read { source: source.map(|write| write.entry), newer: None, edge: Edge::Unordered };
        let release = source.and_then(|write| write.release.clone());
        if let Some(write) = source {
            let writer = self.journal[write.entry].thread;
            if self.history.clocks[write.entry][writer] <= self.now[thread][writer] {
                read.edge = Edge::Known;
            }
        }
        if let Some(ordering) = ordering {
            read.newer = newer;
            if let Some(clock) = &release {
                if acquires(ordering) {
                    join(&mut self.now[thread], clock);
                    if read.edge == Edge::Unordered {
                        read.edge = Edge::Synchronises;
                    }
                } else {
                    join(&mut self.pending[thread].0, clock);
                    self.pending[thread].1.push(at);
                }
            }
        }
        self.history.reads[at] = Some(read);
        release
    }

    fn write(&mut self, at: usize, value: u64, ordering: Ordering, carried: Option<Clock>) {
        let JournalEntry { thread, object, action, .. } = self.journal[at];
        let mut release = if releases(ordering) { Some(self.now[thread].clone()) } else { self.fenced[thread].clone() };
        let writes = self.writes.entry(object).or_default();
        let is_swap = self.is_rmw_pass && matches!(action, Action::Ordered(Operand::Store, _));
        let carried = if is_swap { writes.last().and_then(|write| write.release.clone()) } else { carried };
        if let Some(carried) = carried {
            match &mut release {
                Some(release) => join(release, &carried),
                None => release = Some(carried),
            }
        }
        writes.push(Write { entry: at, value: Some(value), release, is_plain: false });
        if let Some(access) = self.journal[at].access {
            self.marked.insert(access.mark, at);
        }
    }

    fn fence(&mut self, thread: usize, ordering: Ordering) {
        if acquires(ordering) {
            let (clock, reads) = std::mem::replace(&mut self.pending[thread], (vec![0; self.now.len()], Vec::new()));
            join(&mut self.now[thread], &clock);
            for at in reads {
                if let Some(read) = &mut self.history.reads[at]
                    && read.edge == Edge::Unordered
                {
                    read.edge = Edge::Synchronises;
                }
            }
        }
        if ordering == Ordering::SeqCst {
            join(&mut self.now[thread], &self.total_order);
            self.total_order = self.now[thread].clone();
        }
        if releases(ordering) {
            self.fenced[thread] = Some(self.now[thread].clone());
        }
    }

    fn take_over(&mut self, at: usize, object: usize) {
        if let Some((from, clock)) = self.handed.get(&object) {
            self.history.after[at] = Some(*from);
            join(&mut self.now[self.journal[at].thread], clock);
        }
    }

    fn hand_over(&mut self, at: usize, object: usize) {
        self.handed.insert(object, (at, self.now[self.journal[at].thread].clone()));
    }

    fn join_thread(&mut self, at: usize) {
        let journal = self.journal;
        let is_over = |child: usize| journal[at..].iter().all(|entry| entry.thread != child);
        let is_mine = |start: usize| journal[start].thread == journal[at].thread;
        let found = (0..self.started.len())
            .find(|&child| matches!(self.started[child], Some((start, false)) if is_mine(start) && is_over(child)));
        let Some(child) = found else { return };
        let start = self.started[child].map(|(start, _)| start);
        self.started[child] = start.map(|start| (start, true));
        self.history.joined[at] = Some(child);
        self.history.after[at] = journal[..at].iter().rposition(|entry| entry.thread == child).or(start);
        let clock = self.now[child].clone();
        join(&mut self.now[journal[at].thread], &clock);
    }
}
