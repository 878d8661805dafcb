//! The unfolding of one thread: every sequence of events that it may have, whatever it reads.
//!
//! A thread is run alone. Each read returns each value of its place's *domain* in turn, each choice each of its
//! numbers, each lock is taken or waits forever, and so on; each combination is a [`Trace`]. The domains are the least
//! fixed point: the initial values, and what some trace writes. (Without values out of thin air each value goes back to
//! the initial ones through the program's writes, each at most once, so as many rounds as there are writes are enough.)
//! Which of the traces fit together is not decided here.
//!
//! Places are numbered: first the words, then the mutexes, then the condition variables, then the cells.
//!
//! * A mutex is a word: 0 is free, 1 is held. `lock` is an Acquire read-modify-write from 0 to 1, unlocking a Release
//!   store of 0. `try_lock` is a compare-exchange whose failure is a Relaxed read of a 1.
//! * A condition variable is a word: the set of the threads that wait, one bit a thread. Only Relaxed
//!   read-modify-writes change the set. `wait` adds the thread, unlocks the mutex, wakes, locks the mutex. `notify_all`
//!   empties the set, `notify_one` takes any one member away; each is a read-modify-write of an empty set, too. The
//!   waiter wakes by the notification that takes the waiter out.
//! * A spurious wake-up is a wait that unlocks and locks the mutex and is never a member of the set.
//! * A weak exchange fails spuriously only where it reads the expected value; the failure is a read.

use super::axioms::Mode;
use super::program::{Op, Program};
use std::sync::atomic::Ordering;

/// The most traces of one thread.
const TRACES_MAX: usize = 20_000;

/// An event of a trace. A read-modify-write is one step here, and two events in an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    Begin,
    Finish,
    Spawn(usize),
    Join(usize),
    /// The number that a choice returned.
    Choose(u64),
    /// Of the step at this index, which made the thread a waiter.
    Wake(usize),
    Fence(Mode),
    Read {
        place: usize,
        value: u64,
        mode: Mode,
    },
    Write {
        place: usize,
        value: u64,
        mode: Mode,
    },
    Modify {
        place: usize,
        read: u64,
        written: u64,
        read_mode: Mode,
        write_mode: Mode,
    },
    CellRead {
        place: usize,
    },
    CellWrite {
        place: usize,
    },
}

/// How a trace ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum End {
    /// The thread runs to its end.
    Finished,
    /// Nobody spawns the thread.
    Unborn,
    /// The thread waits for a mutex, which is this place.
    Lock(usize),
    /// The thread waits to be notified; it became a waiter by the step at this index.
    Wait(usize),
    /// The thread waits for this one to finish.
    Join(usize),
    /// An assumption does not hold.
    Assume,
}

/// One way for a thread to go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trace {
    pub(crate) steps: Vec<Step>,
    pub(crate) end: End,
    pub(crate) results: Vec<u64>,
    pub(crate) spurious_wakeups: usize,
    pub(crate) weak_failures: usize,
    /// The mutexes, as places, that the thread holds at the end.
    pub(crate) held: Vec<usize>,
}

/// The values that each place may have.
pub(crate) type Domains = Vec<Vec<u64>>;

impl Program {
    /// The places that have values: words, mutexes, condition variables.
    pub(crate) fn valued_places(&self) -> usize {
        self.words + 2 * self.mutexes
    }

    fn mutex_place(&self, mutex: usize) -> usize {
        self.words + mutex
    }

    fn condvar_place(&self, mutex: usize) -> usize {
        self.words + self.mutexes + mutex
    }

    /// Whether this is a condition variable's place.
    pub(crate) fn is_condvar(&self, place: Option<usize>) -> bool {
        place.is_some_and(|place| (self.condvar_place(0)..self.valued_places()).contains(&place))
    }

    fn cell_place(&self, cell: usize) -> usize {
        self.valued_places() + cell
    }

    /// The traces of each thread; `None` if there are too many.
    pub(crate) fn traces(&self) -> Option<Vec<Vec<Trace>>> {
        let mut domains: Domains = vec![vec![0]; self.valued_places()];
        for _ in 0..=self.writes_max() {
            let traces: Vec<_> = (0..self.threads.len()).map(|t| unfold(self, t, &domains)).collect::<Option<_>>()?;
            if !grow(&mut domains, &traces) {
                return Some(traces);
            }
        }
        // The values still grow: those of longer chains belong to nothing that is consistent.
        (0..self.threads.len()).map(|t| unfold(self, t, &domains)).collect()
    }
}

/// Adds what the traces write to the domains, and says whether that was anything new.
fn grow(domains: &mut Domains, traces: &[Vec<Trace>]) -> bool {
    let mut grown = false;
    for step in traces.iter().flatten().flat_map(|trace| &trace.steps) {
        let (Step::Write { place, value, .. } | Step::Modify { place, written: value, .. }) = *step else { continue };
        if let Err(index) = domains[place].binary_search(&value) {
            domains[place].insert(index, value);
            grown = true;
        }
    }
    grown
}

/// All traces of a thread. They are made one after another, each by the decisions of the last one with the last
/// decision that has an alternative left changed to the next one.
fn unfold(program: &Program, thread: usize, domains: &Domains) -> Option<Vec<Trace>> {
    let mut traces = Vec::new();
    if thread != 0 {
        traces.push(Trace {
            steps: Vec::new(),
            end: End::Unborn,
            results: Vec::new(),
            spurious_wakeups: 0,
            weak_failures: 0,
            held: Vec::new(),
        });
    }
    let mut decisions = Vec::new();
    loop {
        let mut walk = Walk::new(program, thread, domains, decisions);
        let end = walk.thread().err();
        decisions = walk.decisions;
        if end != Some(Stop::Impossible) {
            walk.trace.end = match end {
                Some(Stop::At(end)) => end,
                _ => End::Finished,
            };
            traces.push(walk.trace);
        }
        while decisions.last().is_some_and(|&(chosen, of)| chosen + 1 == of) {
            decisions.pop();
        }
        match decisions.last_mut() {
            Some((chosen, _)) => *chosen += 1,
            None => return Some(traces),
        }
        if traces.len() > TRACES_MAX {
            return None;
        }
    }
}

/// Why a walk ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    At(End),
    /// The decisions ask for a value that the place never has: there is no such trace.
    Impossible,
}

/// A run of one thread by a list of decisions.
struct Walk<'a> {
    program: &'a Program,
    index: usize,
    domains: &'a Domains,
    /// What was chosen, and among how many alternatives.
    decisions: Vec<(usize, usize)>,
    decided: usize,
    last: u64,
    trace: Trace,
}

impl<'a> Walk<'a> {
    fn new(program: &'a Program, index: usize, domains: &'a Domains, decisions: Vec<(usize, usize)>) -> Self {
        let trace = Trace {
            steps: vec![Step::Begin],
            end: End::Finished,
            results: Vec::new(),
            spurious_wakeups: 0,
            weak_failures: 0,
            held: Vec::new(),
        };
        Walk { program, index, domains, decisions, decided: 0, last: 0, trace }
    }

    /// The next decision, among this many alternatives.
    fn decide(&mut self, of: usize) -> Result<usize, Stop> {
        if of == 0 {
            return Err(Stop::Impossible);
        }
        if self.decided == self.decisions.len() {
            self.decisions.push((0, of));
        }
        self.decided += 1;
        Ok(self.decisions[self.decided - 1].0)
    }

    /// Any value of a place that has a property.
    fn guess(&mut self, place: usize, property: impl Fn(u64) -> bool) -> Result<u64, Stop> {
        let domains = self.domains;
        let values: Vec<u64> = domains[place].iter().copied().filter(|&value| property(value)).collect();
        Ok(values[self.decide(values.len())?])
    }

    fn step(&mut self, step: Step) {
        self.trace.steps.push(step);
    }

    fn result(&mut self, value: u64) {
        self.last = value;
        self.trace.results.push(value);
    }

    fn thread(&mut self) -> Result<(), Stop> {
        let body = &self.program.threads[self.index].body;
        for position in 0..=body.len() {
            for child in self.program.spawned_at(self.index, position) {
                self.step(Step::Spawn(child));
            }
            for child in self.program.joined_at(self.index, position) {
                if self.decide(2)? == 1 {
                    return Err(Stop::At(End::Join(child)));
                }
                self.step(Step::Join(child));
            }
            if let Some(op) = body.get(position) {
                self.op(op, None)?;
            }
        }
        self.step(Step::Finish);
        Ok(())
    }

    fn body(&mut self, body: &[Op], mutex: Option<usize>) -> Result<(), Stop> {
        body.iter().try_for_each(|op| self.op(op, mutex))
    }

    /// `mutex` is the one of the innermost section.
    fn op(&mut self, op: &Op, mutex: Option<usize>) -> Result<(), Stop> {
        match *op {
            Op::Load { word, order } => {
                let value = self.guess(word, |_| true)?;
                self.step(Step::Read { place: word, value, mode: Mode::of(order) });
                self.result(value);
            }
            Op::PlainLoad { word } => {
                let value = self.guess(word, |_| true)?;
                self.step(Step::Read { place: word, value, mode: Mode::Plain });
                self.result(value);
            }
            Op::Store { word, value, order } => {
                self.step(Step::Write { place: word, value: value.given(self.last), mode: Mode::of(order) });
            }
            Op::PlainStore { word, value } => {
                self.step(Step::Write { place: word, value: value.given(self.last), mode: Mode::Plain });
            }
            Op::Modify { word, change, value, order } => {
                let read = self.guess(word, |_| true)?;
                self.modify(word, read, change.of(read, value.given(self.last)), order);
                self.result(read);
            }
            Op::Exchange { word, expected, new, success, failure, weak } => {
                let (expected, new) = (expected.given(self.last), new.given(self.last));
                let read = self.guess(word, |_| true)?;
                let may_fail = weak && self.trace.weak_failures < self.program.weak_failures;
                let fails_spuriously = read == expected && may_fail && self.decide(2)? == 1;
                let succeeds = read == expected && !fails_spuriously;
                self.trace.weak_failures += usize::from(fails_spuriously);
                match succeeds {
                    true => self.modify(word, read, new, success),
                    false => self.step(Step::Read { place: word, value: read, mode: Mode::of(failure) }),
                }
                self.trace.results.push(u64::from(succeeds));
                self.result(read);
            }
            Op::Fence(order) => self.step(Step::Fence(Mode::of(order))),
            Op::Section { mutex, ref body } => {
                self.lock(mutex)?;
                self.body(body, Some(mutex))?;
                self.unlock(mutex);
            }
            Op::TrySection { mutex, ref body } => {
                let place = self.program.mutex_place(mutex);
                if self.guess(place, |_| true)? == 0 {
                    self.modify(place, 0, 1, Ordering::Acquire);
                    self.trace.held.push(place);
                    self.result(1);
                    self.body(body, Some(mutex))?;
                    self.unlock(mutex);
                } else {
                    self.step(Step::Read { place, value: 1, mode: Mode::Relaxed });
                    self.result(0);
                }
            }
            Op::Wait => self.wait(mutex.expect("a wait outside of a section"))?,
            Op::NotifyOne { mutex } => {
                let place = self.program.condvar_place(mutex);
                let waiters = self.guess(place, |_| true)?;
                let woken = match waiters.count_ones() as usize {
                    0 => 0,
                    count => {
                        let members = (0..u64::BITS).map(|thread| 1 << thread).filter(|member| waiters & member != 0);
                        members.collect::<Vec<u64>>()[self.decide(count)?]
                    }
                };
                self.modify(place, waiters, waiters & !woken, Ordering::Relaxed);
            }
            Op::NotifyAll { mutex } => {
                let place = self.program.condvar_place(mutex);
                let waiters = self.guess(place, |_| true)?;
                self.modify(place, waiters, 0, Ordering::Relaxed);
            }
            Op::Choose(of) => {
                let chosen = self.decide(of as usize)? as u64;
                self.step(Step::Choose(chosen));
                self.result(chosen);
            }
            Op::Assume(test) => {
                if !test.holds(self.last) {
                    return Err(Stop::At(End::Assume));
                }
            }
            Op::If { test, ref body } => {
                if test.holds(self.last) {
                    self.body(body, mutex)?;
                }
            }
            Op::CellRead { cell } => self.step(Step::CellRead { place: self.program.cell_place(cell) }),
            Op::CellWrite { cell } => self.step(Step::CellWrite { place: self.program.cell_place(cell) }),
        }
        Ok(())
    }

    fn modify(&mut self, place: usize, read: u64, written: u64, order: Ordering) {
        let (read_mode, write_mode) = (Mode::of_read(order), Mode::of_write(order));
        self.step(Step::Modify { place, read, written, read_mode, write_mode });
    }

    fn lock(&mut self, mutex: usize) -> Result<(), Stop> {
        let place = self.program.mutex_place(mutex);
        if self.decide(2)? == 1 {
            return Err(Stop::At(End::Lock(place)));
        }
        self.modify(place, 0, 1, Ordering::Acquire);
        self.trace.held.push(place);
        Ok(())
    }

    fn unlock(&mut self, mutex: usize) {
        let place = self.program.mutex_place(mutex);
        self.step(Step::Write { place, value: 0, mode: Mode::Release });
        self.trace.held.retain(|&held| held != place);
    }

    fn wait(&mut self, mutex: usize) -> Result<(), Stop> {
        let may_wake = self.trace.spurious_wakeups < self.program.spurious_wakeups;
        if may_wake && self.decide(2)? == 1 {
            self.trace.spurious_wakeups += 1;
            self.unlock(mutex);
            return self.lock(mutex);
        }
        let place = self.program.condvar_place(mutex);
        let me = 1 << self.index;
        let others = self.guess(place, |waiters| waiters & me == 0)?;
        let enqueued = self.trace.steps.len();
        self.modify(place, others, others | me, Ordering::Relaxed);
        self.unlock(mutex);
        if self.decide(2)? == 1 {
            return Err(Stop::At(End::Wait(enqueued)));
        }
        self.step(Step::Wake(enqueued));
        self.lock(mutex)
    }
}
