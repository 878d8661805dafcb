//! The differential: random programs, by the judge and by the explorer.
//!
//! For each program the judge enumerates every execution that the axioms of RC11 allow (`judge/enumerate.rs`), and the
//! explorer runs the same program. They must agree on
//!
//! * the outcomes, and how many executions have each: so on the number of executions, too,
//! * that the outcomes with which blocked runs finish are among them,
//! * whether there is a race, and whether there is a deadlock,
//!
//! and the explorer must have met no graph twice and no run in vain. Mutexes are plain: handing them over in place is
//! not right yet, and a table has programs that show it. Without any one of its rules the explorer must disagree with
//! the judge: `judge/mutants.rs`.
//!
//! ```console
//! cargo test -p heaplab-explorer --test differential
//! HEAPLAB_EXPLORER_PROGRAMS=100000 HEAPLAB_EXPLORER_SEED=7 cargo test -p heaplab-explorer --test differential
//! ```
//!
//! The second form draws that many programs of each class; the same seed draws the same programs. A program on which
//! they disagree is shrunk and printed.

mod judge;

use heaplab_explorer::FailureKind;
use heaplab_explorer::model::Builder;
use judge::axioms::Axioms;
use judge::enumerate::{Judgement, Search, enumerate};
use judge::exhaustive;
use judge::generator::Class;
use judge::program::Program;
use judge::runner::{Exploration, explore, replay};
use judge::shrink::shrink;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::Cell;

/// The most candidates that the judge tries for one random program.
const WORK_MAX: u64 = 1_000_000;

/// How many programs of each class are drawn if nobody says how many.
const PROGRAMS: u64 = 2000;

/// The value of an environment variable that is a number.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Draws programs of a class and tests each; the first one that fails is shrunk and ends the test.
fn for_programs(class: Class, programs: u64, test: impl Fn(&Program) -> Result<(), String>) {
    let seed = number("HEAPLAB_EXPLORER_SEED", 1);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8] = class as u8;
    let cases = u32::try_from(programs).expect("at most four thousand million programs");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&class.programs(), |program| test(&program).map_err(TestCaseError::fail));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, program)) => {
            let (program, smaller_reason) = shrink(program, |program| test(program).err());
            let reason = smaller_reason.unwrap_or_else(|| reason.message().to_string());
            panic!("{reason}\nof {class:?}, seed {seed}:\n{program}");
        }
        Err(TestError::Abort(reason)) => panic!("{class:?}: {reason}"),
    }
}

/// The name of an execution leads to it, and to no other.
#[test]
fn routes_lead_to_their_executions() {
    let longest = Cell::new(0);
    for class in Class::ALL {
        for_programs(class, 60, |program| {
            longest.set(longest.get().max(replay(program, 40)?));
            Ok(())
        });
    }
    assert!(longest.get() > 5, "no route had more than {} decisions", longest.get());
}

#[test]
fn pruning_loses_no_execution() {
    for class in Class::ALL {
        let compared = Cell::new(0);
        for_programs(class, 200, |program| {
            let Some(plain) = enumerate(program, &Axioms::RC11, Search::Plain, 20_000) else { return Ok(()) };
            compared.set(compared.get() + 1);
            let pruned = enumerate(program, &Axioms::RC11, Search::Pruned, WORK_MAX).ok_or("pruning makes work")?;
            if plain == pruned { Ok(()) } else { Err(format!("plain: {plain:#?}\npruned: {pruned:#?}")) }
        });
        println!("{class:?}: {} programs compared", compared.get());
        assert!(compared.get() >= 50, "{class:?}: only {} programs are small enough", compared.get());
    }
}

/// What a comparison has seen, to be sure that it sees enough.
#[derive(Debug, Default)]
struct Seen {
    programs: Cell<u64>,
    too_large: Cell<u64>,
    graphs: Cell<u64>,
    racy: Cell<u64>,
    deadlocked: Cell<u64>,
    given_up: Cell<u64>,
}

fn count(counter: &Cell<u64>, by: u64) {
    counter.set(counter.get() + by);
}

/// Whether the explorer says of a program what the judge says.
fn compare(program: &Program, judged: &Judgement, builder: &Builder) -> Result<(), String> {
    let plain_locks = builder.plain_locks;
    let Exploration { result, outcomes, finished } = explore(program, builder);
    let disagree = |what: String| {
        let found = match &result {
            Ok(stats) => format!("{stats:?}"),
            Err(failure) => format!("{:?}: {}", failure.kind, failure.message),
        };
        let Judgement { graphs, deadlocked, given_up, racy, .. } = judged;
        let counts = format!("{} graphs, {deadlocked} deadlocked, {given_up} given up, {racy} racy", graphs.len());
        Err(format!("{what}\nplain locks: {plain_locks}\njudge: {counts}\nexplorer: {found}"))
    };
    let stats = match &result {
        Err(failure) => {
            return match failure.kind {
                FailureKind::Race if judged.racy + judged.racy_given_up > 0 => Ok(()),
                // It is reported as it is met, and not by the run of another graph.
                FailureKind::Deadlock if judged.deadlocked > 0 && failure.message.contains(" waits for ") => Ok(()),
                _ => disagree("the explorer fails".into()),
            };
        }
        Ok(stats) => stats,
    };
    if judged.racy > 0 {
        return disagree("the explorer overlooks a race".into());
    }
    if judged.deadlocked > 0 {
        return disagree("the explorer overlooks a deadlock".into());
    }
    for (outcome, graphs) in &judged.outcomes {
        let executions = outcomes.get(outcome).copied().unwrap_or_default();
        if executions != *graphs {
            return disagree(format!("{outcome:?} has {graphs} graphs and {executions} executions"));
        }
    }
    if let Some(outcome) = outcomes.keys().find(|outcome| !judged.outcomes.contains_key(outcome)) {
        return disagree(format!("{outcome:?} is impossible"));
    }
    if let Some(outcome) = finished.iter().find(|outcome| !judged.outcomes.contains_key(outcome)) {
        return disagree(format!("a blocked run finishes with {outcome:?}, which is impossible"));
    }
    if stats.executions != judged.graphs.len() as u64 {
        return disagree("the explorer counts other executions than those that it ran".into());
    }
    if stats.duplicates != 0 || stats.wasted != 0 || !stats.is_complete() {
        return disagree("the explorer ran executions twice, or in vain, or not all".into());
    }
    if (!plain_locks || program.mutexes == 0) && (stats.blocked > 0) != (judged.given_up > 0) {
        return disagree("executions are blocked without an assumption that fails, or the other way round".into());
    }
    Ok(())
}

/// Compares the judge and the explorer on programs of a class.
fn agree_on(class: Class) -> Seen {
    let seen = Seen::default();
    for_programs(class, number("HEAPLAB_EXPLORER_PROGRAMS", PROGRAMS), |program| {
        count(&seen.programs, 1);
        let Some(judged) = enumerate(program, &Axioms::RC11, Search::Pruned, WORK_MAX) else {
            count(&seen.too_large, 1);
            return Ok(());
        };
        count(&seen.graphs, judged.graphs.len() as u64);
        count(&seen.racy, u64::from(judged.racy > 0));
        count(&seen.deadlocked, u64::from(judged.deadlocked > 0));
        count(&seen.given_up, u64::from(judged.given_up > 0));
        compare(program, &judged, &Builder::new())
    });
    println!("{class:?}: {seen:?}");
    let share = |counter: &Cell<u64>| counter.get() as f64 / seen.programs.get() as f64;
    assert!(share(&seen.too_large) <= 0.1, "too many programs are too large for the judge");
    assert!(share(&seen.graphs) >= 1.0, "the programs have too few executions");
    seen
}

#[test]
fn words_agree() {
    agree_on(Class::Words);
}

#[test]
fn seq_cst_agrees() {
    agree_on(Class::SeqCst);
}

#[test]
fn locks_agree() {
    assert!(agree_on(Class::Locks).deadlocked.get() > 0);
}

#[test]
fn condvars_agree() {
    assert!(agree_on(Class::Condvars).deadlocked.get() > 0);
}

#[test]
fn choices_agree() {
    assert!(agree_on(Class::Choices).given_up.get() > 0);
}

#[test]
fn plain_accesses_agree() {
    assert!(agree_on(Class::Plain).racy.get() > 0);
}

#[test]
fn nested_threads_agree() {
    agree_on(Class::Threads);
}

#[test]
fn mixed_programs_agree() {
    agree_on(Class::Mixed);
}

/// Compares the judge and the explorer on every program of a shape.
fn agree_on_all(shape: &[usize]) {
    let mut compared = 0;
    for program in exhaustive::programs(shape) {
        let judged = enumerate(&program, &Axioms::RC11, Search::Pruned, WORK_MAX).expect("a small program");
        if let Err(reason) = compare(&program, &judged, &Builder::new()) {
            panic!("{reason}\n{program}");
        }
        compared += 1;
    }
    println!("{shape:?}: {compared} programs");
}

/// Three operations; `HEAPLAB_EXPLORER_OPERATIONS=4` has all programs of four in all shapes as well.
#[test]
fn every_small_program_agrees() {
    agree_on_all(&[1, 2]);
    agree_on_all(&[1, 1, 1]);
    if number("HEAPLAB_EXPLORER_OPERATIONS", 3) >= 4 {
        agree_on_all(&[1, 3]);
        agree_on_all(&[2, 2]);
        agree_on_all(&[1, 1, 2]);
        agree_on_all(&[1, 1, 1, 1]);
    }
}

/// Compares on programs that have names, and says of each whether the two disagree.
fn agree_on_named(programs: impl IntoIterator<Item = (&'static str, Program)>) {
    let mut wrong = vec![];
    for (name, program) in programs {
        let judged =
            enumerate(&program, &Axioms::RC11, Search::Pruned, judge::litmus::WORK_MAX).expect("a small program");
        if let Err(reason) = compare(&program, &judged, &Builder::new()) {
            wrong.push(format!("{name}: {reason}\n{program}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The explorer has the counts of the judge's own table, too.
#[test]
fn litmus_programs_agree() {
    agree_on_named(judge::litmus::table().into_iter().map(|entry| (entry.name, entry.program)));
}

#[test]
fn what_was_found_agrees() {
    agree_on_named(judge::found::found());
}

/// Handing over in place is off, since it is wrong about these, in this way. Whoever mends it lets both modes be
/// compared everywhere.
#[test]
fn handing_over_is_still_wrong() {
    let mut wrong = vec![];
    let mut builder = Builder::new();
    builder.plain_locks = false;
    for (name, program) in judge::found::found() {
        let judged =
            enumerate(&program, &Axioms::RC11, Search::Pruned, judge::litmus::WORK_MAX).expect("a small program");
        if let Err(reason) = compare(&program, &judged, &builder) {
            let first = reason.lines().next().unwrap_or_default().to_owned();
            wrong.push((name, if first.contains(" graphs and ") { "lost" } else { "in vain" }, first));
        }
    }
    let in_vain = "the explorer ran executions twice, or in vain, or not all";
    let found: Vec<_> = wrong.iter().map(|(name, how, _)| (*name, *how)).collect();
    assert_eq!(
        found,
        [
            ("a run was wasted on a lock of a thread that had spawned another", "in vain"),
            ("an execution of nested sections was lost", "lost"),
            ("a run was wasted on a lock within the section of a waiter", "in vain"),
        ],
        "{wrong:#?}"
    );
    assert!(wrong.iter().all(|(_, how, reason)| *how == "lost" || reason == in_vain), "{wrong:#?}");
}
