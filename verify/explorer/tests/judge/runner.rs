//! The same programs, run by the explorer.
//!
//! The words, cells, mutexes and condition variables are the explorer's; what the threads do is read off the program.
//! The results of the threads are kept natively, and an execution counts when the main thread has joined all others
//! and read the words: so an outcome is recorded once for each complete execution. Reading the words adds nothing to
//! the graphs: every thread has been joined, so coherence leaves each of these loads one source.

use super::enumerate::Outcome;
use super::program::{Change, Op, Program};
use heaplab_explorer::cell::UnsafeCell;
use heaplab_explorer::journal::Journal;
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::{AtomicU64, Ordering, fence};
use heaplab_explorer::sync::{Condvar, Mutex, MutexGuard};
use heaplab_explorer::{Failure, Stats, assume, choose, thread};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex as NativeMutex};

/// What the explorer found.
pub(crate) struct Exploration {
    pub(crate) result: Result<Stats, Failure>,
    /// How many complete executions had which outcome.
    pub(crate) outcomes: BTreeMap<Outcome, u64>,
    /// The outcomes of blocked runs that came to their end.
    pub(crate) finished: BTreeSet<Outcome>,
}

/// Explores a program with the settings of a builder and the program's budgets.
pub(crate) fn explore(program: &Program, builder: &Builder) -> Exploration {
    let mut builder = builder.clone();
    builder.spurious_wakeups = program.spurious_wakeups;
    builder.weak_failures = program.weak_failures;
    builder.check_unique = true;
    let program = Arc::new(program.clone());
    let last: Rc<RefCell<Option<Outcome>>> = Rc::default();
    let finished: Rc<RefCell<BTreeSet<Outcome>>> = Rc::default();
    let mut outcomes = BTreeMap::new();
    let (recorded, before) = (Rc::clone(&last), Rc::clone(&finished));
    let result = builder.explore_each(
        move || {
            let world = Rc::new(World::new(program.clone()));
            Runner::new(&world, 0).thread();
            let words = world.words.iter().map(|word| word.load(Ordering::Relaxed)).collect();
            let results = world.results.lock().unwrap().clone();
            // What the last run left here, nobody has counted: it was blocked.
            before.borrow_mut().extend(recorded.replace(Some(Outcome { results, words })));
        },
        |_| {
            let outcome = last.take().expect("a complete execution has an outcome");
            *outcomes.entry(outcome).or_insert(0) += 1;
        },
    );
    finished.borrow_mut().extend(last.take());
    let finished = finished.take();
    Exploration { result, outcomes, finished }
}

/// A journal's text. The first thread begins where the exploration was called, and a replay is called elsewhere.
pub(crate) fn without_places(journal: &Journal) -> String {
    let text = journal.to_string();
    text.lines().map(|line| line.split("  [").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// A program as a model.
pub(crate) fn body_of(program: &Program) -> impl Fn() + Clone + 'static {
    let shared = Arc::new(program.clone());
    move || Runner::new(&Rc::new(World::new(shared.clone())), 0).thread()
}

/// Explores a program and runs each execution again by its route, up to so many. What is not the same, if anything is;
/// else how many decisions the longest route had.
pub(crate) fn replay(program: &Program, executions_max: usize) -> Result<usize, String> {
    let mut builder = Builder::new();
    builder.spurious_wakeups = program.spurious_wakeups;
    builder.weak_failures = program.weak_failures;
    let body = body_of(program);
    let mut seen = Vec::new();
    let result = builder.explore_each(body.clone(), |execution| {
        if seen.len() < executions_max {
            seen.push((execution.route().to_string(), without_places(&execution.journal())));
        }
    });
    let longest = |route: &String| route.split('-').count();
    for (route, journal) in &seen {
        let parsed = route.parse().map_err(|error| format!("{route}: {error}"))?;
        match builder.replay(&parsed, body.clone()) {
            Ok((again, true)) if without_places(&again) == *journal => {}
            Ok((again, is_complete)) => {
                return Err(format!("{route} leads to (complete: {is_complete})\n{again}\nand not to\n{journal}"));
            }
            Err(failure) => return Err(format!("{route}: {failure}")),
        }
    }
    if let Err(failure) = result {
        let again = builder.replay(&failure.route, body).err().map(|again| (again.kind, again.message));
        if again.as_ref() != Some(&(failure.kind, failure.message.clone())) {
            return Err(format!("{} leads to {again:?} and not to {failure}", failure.route));
        }
    }
    Ok(seen.iter().map(|(route, _)| longest(route)).max().unwrap_or(0))
}

/// What the threads of an execution share.
struct World {
    program: Arc<Program>,
    words: Vec<AtomicU64>,
    cells: Vec<UnsafeCell<u64>>,
    mutexes: Vec<Mutex<()>>,
    condvars: Vec<Condvar>,
    /// Of each thread. The explorer does not know of them.
    results: NativeMutex<Vec<Vec<u64>>>,
}

impl World {
    fn new(program: Arc<Program>) -> Self {
        World {
            words: (0..program.words).map(|_| AtomicU64::new(0)).collect(),
            cells: (0..program.cells).map(|_| UnsafeCell::new(0)).collect(),
            mutexes: (0..program.mutexes).map(|_| Mutex::new(())).collect(),
            condvars: (0..program.mutexes).map(|_| Condvar::new()).collect(),
            results: NativeMutex::new(vec![vec![]; program.threads.len()]),
            program,
        }
    }
}

/// The section around an operation: its mutex and, unless a wait has it, the guard.
struct Section<'w> {
    mutex: usize,
    guard: Option<MutexGuard<'w, ()>>,
}

/// A thread of an execution.
struct Runner<'w> {
    world: &'w Rc<World>,
    index: usize,
    last: u64,
}

impl<'w> Runner<'w> {
    fn new(world: &'w Rc<World>, index: usize) -> Self {
        Runner { world, index, last: 0 }
    }

    fn thread(&mut self) {
        let program = self.world.program.clone();
        let body = &program.threads[self.index].body;
        let mut children = BTreeMap::new();
        for position in 0..=body.len() {
            for child in program.spawned_at(self.index, position) {
                let world = self.world.clone();
                children.insert(child, thread::spawn(move || Runner::new(&world, child).thread()));
            }
            for child in program.joined_at(self.index, position) {
                // An error only in an execution that is given up.
                let _ = children.remove(&child).expect("a child is joined once").join();
            }
            if let Some(op) = body.get(position) {
                self.op(op, None);
            }
        }
    }

    fn result(&mut self, value: u64) {
        self.last = value;
        self.world.results.lock().unwrap()[self.index].push(value);
    }

    fn body(&mut self, body: &[Op], mut section: Option<&mut Section<'w>>) {
        for op in body {
            self.op(op, section.as_deref_mut());
        }
    }

    fn op(&mut self, op: &Op, section: Option<&mut Section<'w>>) {
        let world: &'w World = self.world;
        let last = self.last;
        match *op {
            Op::Load { word, order } => self.result(world.words[word].load(order)),
            Op::Store { word, value, order } => world.words[word].store(value.given(last), order),
            Op::Modify { word, change, value, order } => {
                let (word, value) = (&world.words[word], value.given(last));
                self.result(match change {
                    Change::Add => word.fetch_add(value, order),
                    Change::Or => word.fetch_or(value, order),
                    Change::Swap => word.swap(value, order),
                });
            }
            Op::Exchange { word, expected, new, success, failure, weak } => {
                let (word, expected, new) = (&world.words[word], expected.given(last), new.given(last));
                let exchanged = match weak {
                    true => word.compare_exchange_weak(expected, new, success, failure),
                    false => word.compare_exchange(expected, new, success, failure),
                };
                self.result(u64::from(exchanged.is_ok()));
                self.result(exchanged.unwrap_or_else(|read| read));
            }
            Op::Fence(order) => fence(order),
            Op::Section { mutex, ref body } => {
                let guard = world.mutexes[mutex].lock().unwrap();
                self.body(body, Some(&mut Section { mutex, guard: Some(guard) }));
            }
            Op::TrySection { mutex, ref body } => match world.mutexes[mutex].try_lock() {
                Ok(guard) => {
                    self.result(1);
                    self.body(body, Some(&mut Section { mutex, guard: Some(guard) }));
                }
                Err(_) => self.result(0),
            },
            Op::Wait => {
                let section = section.expect("a wait outside of a section");
                let guard = section.guard.take().expect("a section has its guard between operations");
                section.guard = Some(world.condvars[section.mutex].wait(guard).unwrap());
            }
            Op::NotifyOne { mutex } => world.condvars[mutex].notify_one(),
            Op::NotifyAll { mutex } => world.condvars[mutex].notify_all(),
            Op::Choose(of) => self.result(choose(of as usize) as u64),
            Op::Assume(test) => assume(test.holds(last)),
            Op::If { test, ref body } => {
                if test.holds(last) {
                    self.body(body, section);
                }
            }
            Op::CellRead { cell } => world.cells[cell].with(|_| ()),
            Op::CellWrite { cell } => world.cells[cell].with_mut(|_| ()),
            // SAFETY: the explorer fails an execution in which a plain access races.
            Op::PlainLoad { word } => self.result(unsafe { world.words[word].unsync_load() }),
            Op::PlainStore { word, value } => {
                // SAFETY: the explorer fails an execution in which a plain access races.
                unsafe { world.words[word].unsync_store(value.given(last)) };
            }
        }
    }
}
