//! The recorded programs, `verify/regressions/*.ops`: each is replayed, by each engine on one thread and on each
//! source of memory; and the fuzzers start from them.

use heaplab::memory::PageSource;
use heaplab_programs::ops::{FaultPoint, Faulty, Limits, Op, Program, Strikes, check_made, recorded};
use heaplab_programs::shadow::{run_interleaved, run_single};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[test]
fn each_recorded_program_matches_its_shadow() {
    for (name, program) in recorded() {
        println!("{name}");
        for source in [PageSource::Mapped, PageSource::Owned] {
            if source == PageSource::Mapped && PageSource::default() != source {
                continue;
            }
            run_single(&program, source);
            run_interleaved(&program, source);
        }
    }
}

/// A dictionary for libFuzzer: each step of the recorded programs, without its thread.
fn dictionary(programs: &BTreeMap<String, Program>) -> String {
    let mut entries: BTreeMap<[u8; 4], String> = BTreeMap::new();
    for step in programs.values().flat_map(|program| &program.steps) {
        // By its bytes: operands matter, the thread does not.
        entries.insert(step.op.encode(), step.op.to_string());
    }
    let mut text = "# One step of each kind that verify/regressions has. Written by `BLESS=1 cargo test`.\n".to_owned();
    for ([code, a, b, c], op) in entries {
        writeln!(text, "# {op}\n\"\\x{code:02x}\\x{a:02x}\\x{b:02x}\\x{c:02x}\"").expect("a string takes anything");
    }
    text
}

/// Faults for a recorded program: page requests, an attempt and a release, early and late in it.
fn faults(program: &Program) -> Vec<FaultPoint> {
    let third = (program.steps.len() / 3).min(80) as u8;
    let point = |step, strikes, after| FaultPoint { step, strikes, after };
    vec![
        point(0, Strikes::Commit, 1),
        point(third, Strikes::Attempt, 0),
        point(third, Strikes::Release, 0),
        point(2 * third, Strikes::Commit, 0),
    ]
}

/// An input of `hostile_config` with a recorded program as its text: one of the configurations that the target starts
/// from, with none, one or two fields changed to a small number.
fn hostile(index: usize, text: &str) -> Vec<u8> {
    let edits = index % 3;
    let mut bytes = vec![(index % 16) as u8, edits as u8];
    for edit in 0..edits {
        bytes.extend([(index + 5 * edit) as u8 % 16, [0, 6][edit], 8]);
    }
    bytes.extend(text.bytes());
    bytes
}

/// Inputs of `hostile_config` with configurations that are no recorded program's world: a name, what
/// `heaplab_programs::hostile` starts from, and the edits. Each configuration is refused, or runs the short program of
/// the target.
const CONFIGURATIONS: [(&str, u8, &[[u8; 3]]); 12] = [
    ("a_block_has_one_handle", 0, &[[11, 0, 1]]),
    ("a_collection_overflows_its_worklist", 8, &[[10, 0, 1]]),
    ("pages_are_owned", 8, &[[14, 0, 1]]),
    ("refused_for_a_limit_of_nothing", 0, &[[2, 0, 0]]),
    ("refused_for_a_reservation_beyond_what_words_address", 0, &[[3, 9, 0]]),
    ("refused_for_a_worklist_without_entries", 0, &[[10, 0, 0]]),
    ("refused_for_blocks_without_handles", 0, &[[11, 0, 0]]),
    ("refused_for_more_pages_than_are_numbered", 0, &[[0, 0, 128], [3, 8, 0]]),
    ("refused_for_no_threads", 0, &[[8, 0, 0]]),
    ("refused_for_page_sets_of_no_bits", 0, &[[12, 0, 0]]),
    ("refused_for_pages_of_an_odd_size", 0, &[[0, 11, 1]]),
    ("refused_for_simulated_pages", 0, &[[14, 0, 2]]),
];

/// A dictionary for the target that reads text: the words of the recorded programs.
fn words(texts: &[String]) -> String {
    let lines = texts.iter().flat_map(|text| text.lines()).map(|line| line.split('#').next().unwrap_or(""));
    let words: BTreeSet<&str> = lines.flat_map(str::split_whitespace).filter(|word| word.len() > 1).collect();
    let mut text = "# The words of verify/regressions. Written by `BLESS=1 cargo test`.\n".to_owned();
    for word in words {
        writeln!(text, "\"{word}\"").expect("a string takes anything");
    }
    text
}

/// Goal: a recorded program is a seed of the fuzzers, so that they begin where the last ones ended.
/// Method: the seeds and the dictionary in the tree are what is generated now; `BLESS=1` writes them.
#[test]
fn fuzz_seeds_are_the_recorded_programs() {
    let programs = recorded();
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let seeds = fuzz.join("seeds");
    let mut expected: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    let mut texts = Vec::new();
    for (index, (name, program)) in programs.iter().enumerate() {
        let text = program.to_string();
        expected.insert(seeds.join("hostile_config").join(name), hostile(index, &text));
        texts.push(text);
        let (interleaved, faults) = (index % 2 == 1, faults(program));
        let bytes = Faulty::encode(interleaved, &faults, program);
        assert_eq!(Faulty::decode(&bytes, &Limits::FUZZ), Faulty::weave(interleaved, &faults, program), "{name}");
        expected.insert(seeds.join("fault_ops").join(name), bytes);
        let bytes = program.encode();
        let mut fixed = program.clone();
        fixed.fix_up(&Limits::FUZZ);
        assert_eq!(&Program::decode(&bytes, &Limits::FUZZ), &fixed, "{name}");
        expected.insert(seeds.join("ops").join(name), bytes);
    }
    for (name, start, edits) in CONFIGURATIONS {
        let bytes = [&[start, edits.len() as u8], edits.as_flattened()].concat();
        expected.insert(seeds.join("hostile_config").join(name), bytes);
    }
    expected.insert(fuzz.join("hostile_config.dict"), words(&texts).into_bytes());
    expected.insert(fuzz.join("ops.dict"), dictionary(&programs).into_bytes());
    let directories = ["ops", "fault_ops", "hostile_config"].map(|name| seeds.join(name));
    check_made(&expected, &directories, "--test props");
}

/// Every operation code decodes to an operation whose own code is the first of its kind.
#[test]
fn codes_of_one_operation_agree() {
    for code in 0..64 {
        let op = Op::decode([code, 3, 9, 27]);
        assert_eq!(Op::decode(op.encode()), op);
        assert!(op.encode()[0] <= code);
    }
}
