//! The engine judged: without any one of its rules it is wrong about some program.
//!
//! A mutant of the engine (`Builder::mutant`) lacks one rule. Each is run on the programs of [`Candidates`] in order,
//! until the comparison with the judge fails: that program *kills* the mutant. Models, in another table, kill mutants
//! of what the judge's programs do not have. A mutant that nothing kills is a rule that nobody would miss;
//! [`SURVIVORS`] says of the few of that kind why they change nothing.
//!
//! ```console
//! cargo test -p heaplab-explorer --test differential without_a_rule -- --nocapture
//! ```
//!
//! prints which program kills which mutant.

use super::axioms::Axioms;
use super::enumerate::{Judgement, Search, enumerate};
use super::exhaustive;
use super::found::found;
use super::generator::Class;
use super::litmus;
use super::program::Program;
use crate::compare;
use heaplab_explorer::cell::UnsafeCell;
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use heaplab_explorer::sync::{Condvar, Mutex};
use heaplab_explorer::{Mutant, hint, thread};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How many random programs there are of each class.
const PROGRAMS: usize = 300;

/// The most candidates that the judge tries for one random program.
const WORK_MAX: u64 = 30_000;

/// The mutants that no program kills, and why they are no different explorer.
const SURVIVORS: &[(Mutant, &str)] = &[
    (
        Mutant::RivalsAreRevisitable,
        "the rule spares work: the graph in which two RMWs have one source is dropped when it is made, and what it \
         revisits is tried only if it may be",
    ),
    (
        Mutant::RivalRevisits,
        "the rule spares a copy of the graph: a revisit that does not take the rival away leaves the rival's write \
         directly behind the common source, where atomicity has no place",
    ),
    (
        Mutant::StoresReschedule,
        "no store ends a wait that the scheduler knows of, unless mutexes are handed over, which is off: the other \
         waits are for RMWs, and who waits for a mutex does so in the graph",
    ),
    (
        Mutant::RmwsReschedule,
        "who goes on after a notification decides the order in which events are added, and any order will do that \
         the runs before decide: maximality goes by the stamps that it gave",
    ),
];

/// A program, and what the judge says of it.
struct Candidate {
    name: String,
    program: Program,
    judged: Judgement,
}

/// The programs, judged as they are asked for.
struct Candidates {
    judged: Vec<Candidate>,
    rest: Box<dyn Iterator<Item = (String, Program)>>,
}

impl Candidates {
    /// Those with names, all of two operations, random ones of each class in turn.
    fn new() -> Candidates {
        let named = litmus::table().into_iter().map(|entry| (entry.name, entry.program)).chain(found());
        let named = named.map(|(name, program)| (name.to_owned(), program));
        let small = exhaustive::programs(&[1, 1]).enumerate().map(|(k, program)| (format!("[1, 1] {k}"), program));
        let mut runners = Class::ALL.map(|class| {
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[class as u8; 32]);
            (class, TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng))
        });
        let random = (0..PROGRAMS * runners.len()).map(move |k| {
            let count = runners.len();
            let (class, runner) = &mut runners[k % count];
            let program = class.programs().new_tree(runner).expect("a class has programs").current();
            (format!("{class:?} {}", k / count), program)
        });
        Candidates { judged: vec![], rest: Box::new(named.chain(small).chain(random)) }
    }

    /// A program by its number; those that are too large for the judge are left out.
    fn get(&mut self, number: usize) -> Option<&Candidate> {
        while self.judged.len() <= number {
            let (name, program) = self.rest.next()?;
            if let Some(judged) = enumerate(&program, &Axioms::RC11, Search::Pruned, WORK_MAX) {
                self.judged.push(Candidate { name, program, judged });
            }
        }
        Some(&self.judged[number])
    }
}

/// How the engine without a rule is wrong about a program, if it is.
fn is_wrong(mutant: Mutant, candidate: &Candidate) -> Option<String> {
    let Judgement { graphs, given_up, deadlocked, .. } = &candidate.judged;
    let mut builder = Builder::new();
    builder.mutant = Some(mutant);
    // A mutant may explore without an end.
    builder.max_permutations = Some(100 * (graphs.len() + *given_up as usize + *deadlocked as usize) + 1000);
    builder.max_duration = Some(Duration::from_secs(2));
    let compared = catch_unwind(AssertUnwindSafe(|| compare(&candidate.program, &candidate.judged, &builder)));
    compared.unwrap_or_else(|_| Err("the engine panics".into())).err()
}

/// A model beside the judge's programs, and what the engine observes of it.
type Model = (&'static str, fn(&Builder) -> String, &'static str);

/// What an exploration comes to, in a line.
fn observe(builder: &Builder, f: impl Fn() + 'static) -> String {
    match builder.explore(f) {
        Ok(stats) => {
            let (executions, blocked, bounds) = (stats.executions, stats.blocked, stats.bounds_met.len());
            format!("{executions} executions, {blocked} blocked, {bounds} bounds")
        }
        Err(failure) => format!("{:?}: {}", failure.kind, failure.message),
    }
}

fn flag() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let flag = Arc::new(AtomicBool::new(false));
    (Arc::clone(&flag), flag)
}

/// A loop that waits for a flag, which another thread sets.
fn waiting_loop(builder: &Builder) -> String {
    observe(builder, || {
        let (setter, flag) = flag();
        let setter = thread::spawn(move || setter.store(true, Ordering::Relaxed));
        while !flag.load(Ordering::Relaxed) {
            hint::spin_wait();
        }
        setter.join().unwrap();
    })
}

/// A loop that yields until a flag is set, which another thread sets.
fn yielding_loop(builder: &Builder) -> String {
    observe(builder, || {
        let (setter, flag) = flag();
        let setter = thread::spawn(move || setter.store(true, Ordering::Relaxed));
        while !flag.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        setter.join().unwrap();
    })
}

/// A loop that takes and gives back a lock in each of its turns until a flag is set, which another thread sets.
fn locking_loop(builder: &Builder) -> String {
    observe(builder, || {
        let lock = AtomicBool::new(false);
        let (setter, flag) = flag();
        let setter = thread::spawn(move || setter.store(true, Ordering::Relaxed));
        loop {
            lock.swap(true, Ordering::Acquire);
            let is_set = flag.load(Ordering::Relaxed);
            lock.store(false, Ordering::Release);
            if is_set {
                break;
            }
            thread::yield_now();
        }
        setter.join().unwrap();
    })
}

/// A model that loads another word in its second run.
fn two_faced(builder: &Builder) -> String {
    let runs = Cell::new(0);
    observe(builder, move || {
        runs.set(runs.get() + 1);
        let words = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let other = Arc::clone(&words);
        let writer = thread::spawn(move || other[0].store(1, Ordering::Relaxed));
        words[usize::from(runs.get() > 1)].load(Ordering::Relaxed);
        writer.join().unwrap();
    })
}

/// How many runs come to their end natively, beside the executions: those that are blocked finish.
fn sections(builder: &Builder) -> String {
    let ends = Rc::new(Cell::new(0));
    let counted = Rc::clone(&ends);
    let seen = observe(builder, move || {
        let mutex = Arc::new(Mutex::new(()));
        let other = Arc::clone(&mutex);
        let rival = thread::spawn(move || drop(other.lock()));
        drop(mutex.lock());
        rival.join().unwrap();
        counted.set(counted.get() + 1);
    });
    format!("{seen}, {} ends", ends.get())
}

/// A wait that nobody ends, cut off before the run that is the deadlock: a blocked run comes to it.
fn lost_wait(builder: &Builder) -> String {
    let mut builder = builder.clone();
    builder.max_permutations = Some(2);
    observe(&builder, || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let (first, second) = (Arc::clone(&shared), Arc::clone(&shared));
        let setter = thread::spawn(move || *first.0.lock().unwrap() = true);
        let waiter = thread::spawn(move || {
            let guard = second.0.lock().unwrap();
            if !*guard {
                drop(second.1.wait(guard));
            }
        });
        setter.join().unwrap();
        waiter.join().unwrap();
    })
}

/// A read of a cell that ends behind the store that tells of it, and a write by whoever is told.
fn long_read(builder: &Builder) -> String {
    observe(builder, || {
        let shared = Rc::new((UnsafeCell::new(0), AtomicBool::new(false)));
        let other = Rc::clone(&shared);
        let reader = thread::spawn(move || {
            other.0.with(|_| other.1.store(true, Ordering::Release));
        });
        let writer = thread::spawn(move || {
            if shared.1.load(Ordering::Acquire) {
                shared.0.with_mut(|_| ());
            }
        });
        reader.join().unwrap();
        writer.join().unwrap();
    })
}

/// A write of a cell within a read.
fn write_within_read(builder: &Builder) -> String {
    observe(builder, || {
        let cell = UnsafeCell::new(0);
        cell.with(|_| cell.with_mut(|_| ()));
    })
}

/// The numbers of a thread that is spawned in each execution, beside another one that is spawned in some, before it.
fn numbers_of_children(builder: &Builder) -> String {
    let numbers = Rc::new(RefCell::new(BTreeSet::new()));
    let seen = Rc::clone(&numbers);
    let explored = observe(builder, move || {
        let (setter, flag) = flag();
        let looker = thread::spawn(move || {
            if flag.load(Ordering::Relaxed) {
                thread::spawn(|| {}).join().unwrap();
            }
        });
        let seen = Rc::clone(&seen);
        let spawner = thread::spawn(move || {
            setter.store(true, Ordering::Relaxed);
            let child = thread::spawn(|| {});
            seen.borrow_mut().insert(child.thread().id().index());
            child.join().unwrap();
        });
        looker.join().unwrap();
        spawner.join().unwrap();
    });
    format!("{explored}, {:?}", numbers.borrow())
}

/// A loop that counts, yields, and ends when a flag is set that another thread sets, within two yields.
fn counting_loop(builder: &Builder) -> String {
    let mut builder = builder.clone();
    builder.max_yields = Some(2);
    observe(&builder, || {
        let (setter, flag) = flag();
        let setter = thread::spawn(move || setter.store(true, Ordering::Relaxed));
        let count = AtomicU64::new(0);
        while !flag.load(Ordering::Relaxed) {
            count.fetch_add(1, Ordering::Relaxed);
            thread::yield_now();
        }
        setter.join().unwrap();
    })
}

const MODELS: &[Model] = &[
    // The flag is seen by the first, the second or the third load.
    ("a loop that counts", counting_loop, "3 executions, 1 blocked, 1 bounds"),
    ("a loop that waits", waiting_loop, "1 executions, 1 blocked, 0 bounds"),
    ("a loop that yields", yielding_loop, "4 executions, 1 blocked, 1 bounds"),
    ("a loop that yields and locks", locking_loop, "4 executions, 1 blocked, 1 bounds"),
    (
        "a model that is not deterministic",
        two_faced,
        "Nondeterminism: T0.2 was `load Relaxed of x0` in an earlier run and is `load Relaxed of x1` in this one",
    ),
    ("a child beside another one", numbers_of_children, "2 executions, 0 blocked, 0 bounds, {3}"),
    ("a read that lasts", long_read, "Race: T2 writes to a cell that T1 read, without an order between them"),
    ("a write within a read", write_within_read, "Overlap: T0 writes to a cell while another access to it lasts"),
    ("two sections", sections, "2 executions, 1 blocked, 0 bounds, 3 ends"),
    (
        "a wait that nobody ends, cut off",
        lost_wait,
        "Deadlock: T0 and T2 wait for each other, or for a change that nobody makes, once all that was written is seen",
    ),
];

/// What kills a mutant, and how the engine without its rule is wrong; `None` if nothing does.
fn killer(mutant: Mutant, candidates: &mut Candidates) -> Option<(String, String)> {
    let mut builder = Builder::new();
    builder.mutant = Some(mutant);
    builder.max_permutations = Some(1000);
    let mut by_program = |numbers: Range<usize>| {
        for number in numbers {
            let candidate = candidates.get(number)?;
            if let Some(reason) = is_wrong(mutant, candidate) {
                return Some((candidate.name.clone(), reason));
            }
        }
        None
    };
    let by_model = || {
        MODELS.iter().find_map(|&(name, model, expected)| {
            let found = catch_unwind(AssertUnwindSafe(|| model(&builder)));
            let found = found.unwrap_or_else(|_| "the engine panics".into());
            (found != expected).then(|| (name.into(), found))
        })
    };
    let named = litmus::table().len() + found().len();
    by_program(0..named).or_else(by_model).or_else(|| by_program(named..usize::MAX))
}

#[test]
fn the_models_of_mutants_hold() {
    for (name, model, expected) in MODELS {
        assert_eq!(model(&Builder::new()), *expected, "{name}");
    }
}

/// Each rule of the engine is needed: without it the engine is wrong about a program.
#[test]
fn without_a_rule_the_engine_is_wrong() {
    let mut candidates = Candidates::new();
    let mut wrong = vec![];
    for &mutant in Mutant::ALL.iter().filter(|mutant| !super::parts::MUTANTS.contains(mutant)) {
        let reason = SURVIVORS.iter().find(|(survivor, _)| *survivor == mutant).map(|(_, reason)| reason);
        match (killer(mutant, &mut candidates), reason) {
            (Some((name, how)), None) => {
                println!("{mutant:?} is killed by `{name}`: {}", how.lines().next().unwrap_or_default());
            }
            (None, Some(reason)) => println!("{mutant:?} survives: {reason}"),
            (None, None) => wrong.push(format!("{mutant:?} is killed by nothing: write a program that needs the rule")),
            (Some((name, how)), Some(_)) => wrong.push(format!("{mutant:?} is no survivor: {name}: {how}")),
        }
    }
    println!("{} programs", candidates.judged.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
