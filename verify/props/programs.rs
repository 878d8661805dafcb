//! State-machine properties: whatever a program does, the heap is what the shadow says.

use crate::strategies::program;
use heaplab::memory::PageSource;
use heaplab_common::cargo_run;
use heaplab_common::panics::{WITHOUT_TEXT, panic_text};
use heaplab_programs::ops::{Limits, Op, Program, Step, World, WorldSize, found, write_found};
use heaplab_programs::shadow::{quietly, run_concurrent, run_interleaved, run_single};
use heaplab_verify::notice::Notice;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{
    Config, FailurePersistence, FileFailurePersistence, PersistedSeed, RngAlgorithm, TestError, TestRng, TestRunner,
};
use std::any::Any;
use std::cell::RefCell;
use std::fmt::Debug;
use std::panic::catch_unwind;
use std::path::PathBuf;

const LITTLE: &[WorldSize] = &[WorldSize::Tiny, WorldSize::Snug];

/// What `one_local_heap_matches_its_shadow` runs on.
fn little_program() -> impl Strategy<Value = Program> {
    program(LITTLE, 1, 200)
}

/// So many cases, unless the environment has `PROPTEST_CASES`.
fn cases(cases: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig { cases, ..ProptestConfig::default() },
    }
}

/// A program that fails too, and of which no step, and no two steps, can be left out. Proptest gives up after a number
/// of tries, and most steps of a long program do not matter.
fn minimal(mut program: Program, run: fn(&Program)) -> Program {
    let fails = |program: &Program| catch_unwind(|| run(program)).is_err();
    // Leaves steps out, so many neighbours at a time. Returns whether any went.
    let drop_neighbours = |program: &mut Program, count: usize| {
        let (mut from, before) = (0, program.steps.len());
        while from < program.steps.len() {
            let mut shorter = program.clone();
            shorter.steps.drain(from..(from + count).min(program.steps.len()));
            if fails(&shorter) { *program = shorter } else { from += count }
        }
        program.steps.len() < before
    };
    let mut count = program.steps.len().div_ceil(2);
    while count > 1 {
        drop_neighbours(&mut program, count);
        count /= 2;
    }
    let without_two = |program: &Program| {
        let count = program.steps.len();
        let pairs = (0..count).flat_map(|first| (first + 1..count).map(move |second| (first, second)));
        let without = |(first, second)| {
            let mut shorter = program.clone();
            shorter.steps.remove(second);
            shorter.steps.remove(first);
            shorter
        };
        pairs.map(without).find(fails)
    };
    loop {
        // Once one step is gone, another may go.
        while drop_neighbours(&mut program, 1) {}
        let Some(shorter) = without_two(&program) else { return program };
        program = shorter;
    }
}

/// The seeds of the committed file, which are replayed; none is added. A failure is written down as a program instead:
/// it outlives the strategies, and its own property alone runs it. A seed would make each property of the file fail
/// again.
#[derive(Clone, Debug, PartialEq)]
struct ReadOnly(FileFailurePersistence);

impl FailurePersistence for ReadOnly {
    fn load_persisted_failures2(&self, source_file: Option<&'static str>) -> Vec<PersistedSeed> {
        self.0.load_persisted_failures2(source_file)
    }

    fn save_persisted_failure2(&mut self, _: Option<&'static str>, _: PersistedSeed, _: &dyn Debug) {}

    fn box_clone(&self) -> Box<dyn FailurePersistence> {
        Box::new(self.clone())
    }

    fn eq(&self, other: &dyn FailurePersistence) -> bool {
        other.as_any().downcast_ref::<ReadOnly>().is_some_and(|other| other == self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Why a program fails; `None` if it does not. Prints no panic.
fn why(program: &Program, run: fn(&Program)) -> Option<String> {
    let payload = quietly(|| catch_unwind(|| run(program))).err()?;
    Some(panic_text(&*payload).unwrap_or(WITHOUT_TEXT).to_owned())
}

/// The first lines of a text, and how many more there are.
fn beginning(text: &str, lines_max: usize) -> String {
    let count = text.lines().count();
    let mut lines: Vec<String> = text.lines().take(lines_max).map(|line| format!("    {line}\n")).collect();
    if count > lines_max {
        lines.push(format!("    ... and {} lines more\n", count - lines_max));
    }
    lines.concat()
}

/// The message about a program that fails: no more than fits on a screen, since the file has the rest.
fn report(property: &str, reason: &str, program: &Program, file: Option<&Result<PathBuf, String>>) -> String {
    let count = program.steps.len();
    let (place, again) = match file {
        None => (", which is not kept".to_owned(), String::new()),
        Some(Err(error)) => (format!(", but {error}"), String::new()),
        Some(Ok(path)) => (
            format!(": {}", path.display()),
            format!(
                "To look at it: {} replay {}\nUntil it holds, {property} runs it first, and no other test does. Name \
                 it by what is wrong, and every engine replays it.\n",
                cargo_run(),
                path.display()
            ),
        ),
    };
    format!(
        "{property} does not hold:\n{}{count} operations are enough{place}\n{}{again}",
        beginning(reason, 6),
        beginning(&program.to_string(), 12),
    )
}

/// Ends a property that does not hold: tells whoever watches the property, then people.
fn fail(property: &str, reason: &str, program: &Program, file: Option<&Result<PathBuf, String>>) -> ! {
    Notice::Shrunk { property: property.to_owned(), operations: program.steps.len() }.tell();
    panic!("{}", report(property, reason, program, file));
}

/// Runs a property of programs, first on the programs that it found before. A program that fails is shrunk, and
/// written as `.ops` beside the recorded ones, unless the environment says that failures are not kept.
fn hold(test_name: &'static str, cases_default: u32, programs: impl Strategy<Value = Program>, run: fn(&Program)) {
    let mut config = Config { source_file: Some(file!()), test_name: Some(test_name), ..cases(cases_default) };
    let (is_kept, is_shrunk) = (config.failure_persistence.is_some(), config.max_shrink_iters() != 0);
    if is_kept {
        config.failure_persistence = Some(Box::new(ReadOnly(FileFailurePersistence::default())));
        for (path, program) in found(test_name) {
            if let Some(reason) = why(&program, run) {
                fail(test_name, &reason, &program, Some(&Ok(path)));
            }
            println!("{} holds: name it by what was wrong, and keep it, or remove it", path.display());
        }
    }
    let result = quietly(|| {
        TestRunner::new(config).run(&programs, |program| {
            run(&program);
            Ok(())
        })
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, program)) => {
            let program = if is_shrunk { quietly(|| minimal(program, run)) } else { program };
            // With threads, another schedule may not fail.
            let reason = why(&program, run).unwrap_or_else(|| format!("{reason} (not in each schedule)"));
            let file = is_kept.then(|| write_found(test_name, &program));
            fail(test_name, &reason, &program, file.as_ref());
        }
        Err(TestError::Abort(reason)) => panic!("{test_name} cannot draw programs: {reason}"),
    }
}

/// Goal: the message about a failure fits on a screen, whatever was found.
#[test]
fn a_report_has_a_reason_a_program_and_a_path_in_thirty_lines() {
    let world = World { size: WorldSize::Tiny, concurrent: true, verify: false };
    for count in [2, 200] {
        let program = Program { world, steps: vec![Step { thread: 0, op: Op::Poll }; count] };
        let path = Ok(PathBuf::from("verify/regressions/found_it_0123.ops"));
        let text = report("it", &"reason\n".repeat(count), &program, Some(&path));
        // The test harness prints five lines more.
        assert!(text.lines().count() <= 25, "{text}");
        for part in ["it does not hold", "reason", "0 poll", "replay verify/regressions/found_it_0123.ops"] {
            assert!(text.contains(part), "{part} is missing: {text}");
        }
        assert!(text.contains(&format!("{count} operations are enough")), "{text}");
    }
}

/// One local heap, through the safe API, in worlds of a few pages of a few words.
#[test]
fn one_local_heap_matches_its_shadow() {
    hold("one_local_heap_matches_its_shadow", 512, little_program(), |program| {
        // On owned memory first: there a stray access is an assertion that fails, and can be shrunk; on mapped pages a
        // stray access may end the process.
        run_single(program, PageSource::Owned);
        run_single(program, PageSource::default());
    });
}

/// Several local heaps step by step, most of them through the raw API.
#[test]
fn interleaved_local_heaps_match_their_shadow() {
    hold("interleaved_local_heaps_match_their_shadow", 512, program(LITTLE, 3, 200), |program| {
        run_interleaved(program, PageSource::Owned);
    });
}

/// Each thread of the program is a thread, on the safe API, in the machine's schedule.
#[test]
fn local_heaps_of_threads_match_their_shadows() {
    hold("local_heaps_of_threads_match_their_shadows", 512, program(LITTLE, 4, 120), |program| {
        run_concurrent(program, PageSource::Owned);
        run_concurrent(program, PageSource::default());
    });
}

/// One and several local heaps on 4 MiB, where LABs, pages and the work list are of realistic sizes.
#[test]
fn four_mebibytes_match_their_shadow() {
    hold("four_mebibytes_match_their_shadow", 48, program(&[WorldSize::Small], 3, 250), |program| {
        run_single(program, PageSource::Owned);
        run_single(program, PageSource::default());
        run_interleaved(program, PageSource::default());
    });
}

proptest! {
    #![proptest_config(cases(512))]

    /// Text and bytes give back the program that they were made of.
    #[test]
    fn programs_survive_text_and_bytes(program in program(&WorldSize::ALL, 8, 60)) {
        prop_assert_eq!(Program::parse(&program.to_string()), Ok(program.clone()));
        prop_assert_eq!(Program::decode(&program.encode(), &Limits::ALL), program);
    }

    /// Any bytes are a program, and the bytes of that program give it back.
    #[test]
    fn any_bytes_are_a_program(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let program = Program::decode(&bytes, &Limits::FUZZ);
        prop_assert!(program.steps.len() <= Limits::FUZZ.steps_max);
        prop_assert!(program.threads() <= Limits::FUZZ.threads_max);
        prop_assert_eq!(Program::decode(&program.encode(), &Limits::FUZZ), program);
    }
}

/// Goal: the properties reach the states that matter. Method: programs from a fixed seed, and what they did.
#[test]
fn programs_reach_refusals_guarantees_and_every_kind_of_collection() {
    let mut runner = TestRunner::deterministic();
    let (mut allocated, mut refused, mut unwound, mut guaranteed, mut collections) = (0, 0, 0, 0, [0; 3]);
    for _ in 0..600 {
        let tree = program(LITTLE, 1, 200).new_tree(&mut runner).expect("a program");
        let tally = run_single(&tree.current(), PageSource::Owned);
        allocated += tally.allocated;
        refused += tally.refused;
        unwound += tally.unwound;
        guaranteed += tally.guaranteed;
        collections = [0, 1, 2].map(|kind| collections[kind] + tally.collections[kind]);
    }
    println!("{allocated} allocated, {refused} refused, {unwound} unwound, {guaranteed} guaranteed, {collections:?}");
    assert!(allocated > 2000, "{allocated} allocated");
    assert!(refused > 50, "{refused} refused");
    assert!(unwound > 5, "{unwound} unwound");
    assert!(guaranteed > 20, "{guaranteed} first attempts that had to succeed");
    assert!(collections.iter().all(|&count| count > 300), "{collections:?} collections");
}

/// Goal: the program that is written down is short. Method: a "bug" that needs two of two hundred steps, far from one
/// another.
#[test]
fn a_failing_program_loses_every_step_that_does_not_matter() {
    fn has_both(program: &Program) {
        let at = |op: Op| program.steps.iter().position(|step| step.op == op);
        let both = at(Op::Poll).zip(at(Op::Park));
        assert!(both.is_none_or(|(poll, park)| poll > park));
    }
    let world = World { size: WorldSize::Tiny, concurrent: true, verify: false };
    let filler = |index: usize| Step { thread: (index % 3) as u8, op: Op::Detach };
    let mut program = Program { world, steps: (0..200).map(filler).collect() };
    program.steps[20].op = Op::Poll;
    program.steps[170].op = Op::Park;
    let minimal = quietly(|| minimal(program, has_both));
    assert_eq!(minimal.steps.iter().map(|step| step.op).collect::<Vec<_>>(), [Op::Poll, Op::Park]);
}

/// The seeds of the committed file, as bytes.
fn seeds() -> Vec<[u8; 32]> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/programs.txt");
    let text = std::fs::read_to_string(path).expect("the committed file is there");
    let hex = |line: &str| line.strip_prefix("cc ").map(|rest| rest.split_whitespace().next().unwrap_or("").to_owned());
    let seed = |hex: String| {
        let mut seed = [0; 32];
        for (index, byte) in seed.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).expect("a seed is hexadecimal");
        }
        seed
    };
    text.lines().filter_map(hex).map(seed).collect()
}

/// Goal: the committed regression file is replayed, before anything else, whatever runs the tests.
/// Method: a runner with the persistence of this file's properties records the programs that it is given; the first
/// ones have to be those that the committed seeds generate, in whichever order.
#[test]
fn committed_seeds_are_replayed_first() {
    let seeds = seeds();
    assert!(!seeds.is_empty(), "the committed file has a seed");
    let ran: RefCell<Vec<Program>> = RefCell::default();
    let config = Config { cases: 1, ..Config::with_source_file(file!()) };
    let result = TestRunner::new(config.clone()).run(&little_program(), |program| {
        ran.borrow_mut().push(program);
        Ok(())
    });
    result.expect("nothing is asserted");
    let generated = |seed: &[u8; 32]| {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, seed);
        let mut runner = TestRunner::new_with_rng(config.clone(), rng);
        little_program().new_tree(&mut runner).expect("a program").current()
    };
    let sorted = |programs: &[Program]| {
        let mut texts: Vec<String> = programs.iter().map(Program::to_string).collect();
        texts.sort();
        texts
    };
    let expected: Vec<Program> = seeds.iter().map(generated).collect();
    let ran = ran.into_inner();
    assert!(
        ran.len() > expected.len(),
        "{} programs ran: not each of {} seeds, then a new case",
        ran.len(),
        seeds.len()
    );
    assert_eq!(sorted(&ran[..expected.len()]), sorted(&expected), "the first programs are not those of the seeds");
}
