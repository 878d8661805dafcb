//! Goal: programs of the operation language, with up to eight threads, keep to their shadows in interleavings that no
//! machine would show. Method: recorded programs and drawn ones, each in many schedules: PCT, random ones that hold
//! threads at yield points, and ones chosen by bytes as a fuzzer does. Canaries and marks turn this file red when the
//! harness has gone blind.
//!
//! ```text
//! cargo test -p heaplab-verify --features shuttle --test shuttle_ops
//! ```
//!
//! Programs and schedules are the same ones every time. `HEAPLAB_SHUTTLE_SCALE=100` draws a hundred times as many, and
//! `SHUTTLE_RANDOM_SEED` others. A failure prints its program, and its schedule between two quotation marks. Save both,
//! the program as `verify/regressions/NAME.ops`, then
//!
//! ```text
//! HEAPLAB_SHUTTLE_REPLAY=/tmp/schedule HEAPLAB_OPS=verify/regressions/NAME.ops \
//!     cargo test -p heaplab-verify --features shuttle --test shuttle_ops -- --exact one_schedule_again
//! ```
//!
//! runs that execution again.
#![cfg(feature = "shuttle")]

use heaplab::sync::{Arc, AtomicU32, Ordering, YieldPoint, shuttle_config, thread, yield_point};
use heaplab_common::Dice;
use heaplab_programs::ops::{Limits, Op, Program, Step, World, WorldSize, check_made, recorded};
use heaplab_programs::schedule::{Chosen, Preemption, ScheduledProgram, Stretched, replay, run_scheduled};
use heaplab_programs::shadow::{Tally, announce};
use shuttle::Runner;
use shuttle::scheduler::{PctScheduler, Scheduler};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

/// Ordered steps that PCT searches for.
const DEPTH: usize = 3;

fn seed() -> u64 {
    std::env::var("SHUTTLE_RANDOM_SEED").map_or(0x1ab, |seed| seed.parse().expect("a seed is a number"))
}

fn scale() -> usize {
    std::env::var("HEAPLAB_SHUTTLE_SCALE").map_or(1, |scale| scale.parse().expect("a number of times"))
}

/// A program for exactly `threads` threads, of few kinds of operations, so that those meet.
fn drawn(dice: &mut Dice, threads: u8, steps: usize) -> Program {
    let mut codes: Vec<u8> = (0..1 + dice.below(10)).map(|_| dice.below(64) as u8).collect();
    // Allocation and stores are always among them.
    codes.extend([0, 17]);
    let sizes = [WorldSize::Tiny, WorldSize::Snug];
    let world = World { size: sizes[dice.below(2)], concurrent: true, verify: dice.one_in(4) };
    let operand = |dice: &mut Dice| if dice.one_in(2) { dice.below(8) as u8 } else { dice.below(256) as u8 };
    let steps = (0..steps).map(|index| {
        let code = codes[dice.below(codes.len())];
        let op = Op::decode([code, operand(dice), operand(dice), operand(dice)]);
        Step { thread: index as u8 % threads, op }
    });
    Program { world, steps: steps.collect() }
}

fn add(sum: &mut Tally, more: &Tally) {
    sum.allocated += more.allocated;
    sum.refused += more.refused;
    sum.compared += more.compared;
    sum.guaranteed += more.guaranteed;
    sum.collections = [0, 1, 2].map(|kind| sum.collections[kind] + more.collections[kind]);
}

/// Runs drawn programs of two to eight threads, each in some executions of a scheduler of its own.
fn programs(name: &str, programs: usize, scheduler: impl Fn(u64) -> Box<dyn Scheduler + Send>) -> Tally {
    announce();
    let (mut sum, mut executions, start) = (Tally::default(), 0, Instant::now());
    for number in 0..programs * scale() {
        let mut dice = Dice::new(seed(), number as u64);
        let threads = 2 + (number % 7) as u8;
        let program = drawn(&mut dice, threads, usize::from(threads) * 6);
        let (ran, tally) = run_scheduled(&program, scheduler(u64::from(dice.word())));
        executions += ran;
        add(&mut sum, &tally);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{name}: {programs} programs, {executions} executions, {seconds:.1} s, {sum:?}");
    assert!(sum.allocated > 100, "{sum:?}");
    assert!(sum.refused > 0, "{sum:?}");
    assert!(sum.guaranteed > 0, "{sum:?}");
    assert!(sum.collections.iter().all(|&count| count > 0), "{sum:?}");
    sum
}

#[test]
fn drawn_programs_in_pct_schedules() {
    // The first execution of PCT only counts steps.
    programs("pct", 200, |seed| Box::new(PctScheduler::new_from_seed(seed, DEPTH, 10)));
}

#[test]
fn drawn_programs_in_stretched_schedules() {
    programs("stretched", 200, |seed| Box::new(Stretched::new(seed, 8)));
}

/// Each recorded program, whatever engine found it.
#[test]
fn recorded_programs() {
    announce();
    let programs = recorded();
    assert!(programs.len() > 10);
    for (name, program) in programs {
        println!("{name}");
        let executions = 10 * scale();
        // PCT refuses a program of one thread, in which there is nothing to schedule.
        if program.threads() > 1 {
            run_scheduled(&program, PctScheduler::new_from_seed(seed(), DEPTH, executions));
        }
        run_scheduled(&program, Stretched::new(seed(), executions as u64));
        run_scheduled(&program, Chosen::new(Vec::new()));
    }
}

/// An execution that failed, from the environment: see the top of this file.
#[test]
fn one_schedule_again() {
    let (Ok(schedule), Ok(ops)) = (std::env::var("HEAPLAB_SHUTTLE_REPLAY"), std::env::var("HEAPLAB_OPS")) else {
        return;
    };
    announce();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let program = Program::parse(&read(&ops)).unwrap_or_else(|error| panic!("{ops}: {error}"));
    replay(&program, read(&schedule).trim());
}

/// Goal: every yield point can be visited under a scheduler. Method: count visits over drawn programs.
#[test]
fn every_yield_point_is_visited() {
    let mut missing: Vec<YieldPoint> = YieldPoint::ALL.to_vec();
    for number in 0..400 {
        let mut dice = Dice::new(7, number);
        let program = drawn(&mut dice, 3, 40);
        let scheduler = Stretched::new(number, 2);
        let visits = scheduler.visits();
        run_scheduled(&program, scheduler);
        missing.retain(|point| !visits.lock().unwrap().contains_key(point));
        if missing.is_empty() {
            return;
        }
    }
    panic!("never visited: {missing:?}");
}

/// Goal: the fuzzer of schedules begins with the recorded programs of several threads. Method: the seeds in the tree
/// are what is generated now; `BLESS=1` writes them.
#[test]
fn fuzz_seeds_are_the_recorded_programs() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/schedule_ops");
    let mut expected = BTreeMap::new();
    for (name, mut program) in recorded() {
        program.fix_up(&Limits::SCHEDULE);
        if program.threads() > 1 {
            // A switch at every third yield point, to whoever is next.
            let preemptions = vec![Preemption { at_yield_point: true, after: 2, to: 0 }; 8];
            expected.insert(seeds.join(name), ScheduledProgram { program, preemptions }.encode());
        }
    }
    check_made(&expected, &[seeds], "--features shuttle --test shuttle_ops");
}

/// Each of two threads reads a count, comes by a yield point, and writes what it read, plus one.
fn lost_update() {
    let count = Arc::new(AtomicU32::new(0));
    let add = |count: &AtomicU32| {
        let read = count.load(Ordering::SeqCst);
        yield_point(YieldPoint::FrontierSeen);
        count.store(read + 1, Ordering::SeqCst);
    };
    let other = thread::spawn({
        let count = count.clone();
        move || add(&count)
    });
    add(&count);
    other.join().unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2, "an update was lost");
}

fn fails(scheduler: impl Scheduler + 'static) -> bool {
    let run = catch_unwind(AssertUnwindSafe(|| Runner::new(scheduler, shuttle_config()).run(lost_update)));
    run.is_err()
}

/// Canary: a window that is named is found by one preemption at its name, and by holding threads there; and without any
/// preemption there is nothing to find.
#[test]
fn a_window_is_found_by_its_name() {
    let at_name = Preemption { at_yield_point: true, after: 0, to: 0 };
    assert!(!fails(Chosen::new(Vec::new())));
    assert!(fails(Chosen::new(vec![at_name])));
    assert!(fails(Stretched::new(1, 50)));
}

/// Goal: any bytes are a program with a schedule, in bounded size, that survives its encoding.
#[test]
fn any_bytes_are_a_schedule() {
    let mut dice = Dice::new(3, 3);
    for length in (0..700).step_by(7) {
        let bytes: Vec<u8> = (0..length).map(|_| dice.below(256) as u8).collect();
        let scheduled = ScheduledProgram::decode(&bytes);
        assert!(scheduled.program.steps.len() <= Limits::SCHEDULE.steps_max);
        assert!(scheduled.program.threads() <= Limits::SCHEDULE.threads_max);
        assert_eq!(ScheduledProgram::decode(&scheduled.encode()), scheduled, "{bytes:?}");
    }
}

/// Goal: the same bytes are the same execution. Method: two runs of the same bytes have the same tally.
#[test]
fn chosen_schedules_are_deterministic() {
    announce();
    let mut dice = Dice::new(5, 5);
    for _ in 0..60 {
        let program = drawn(&mut dice, 4, 40);
        let preemptions = (0..20).map(|_| Preemption::decode([dice.below(256) as u8, dice.below(256) as u8]));
        let scheduled = ScheduledProgram { program, preemptions: preemptions.collect() };
        assert_eq!(scheduled.run(), scheduled.run());
    }
}
