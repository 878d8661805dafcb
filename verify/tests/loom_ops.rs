//! Goal: programs of the operation language keep to their shadows in *every* interleaving within the stated bound.
//! Method: the recorded programs that are small enough (`Program::is_explorable`), explored completely, or red; the
//! others are listed, with the reason.
//!
//! ```text
//! cargo test -p heaplab-verify --features loom --test loom_ops -- --nocapture
//! ```
#![cfg(feature = "loom")]

use heaplab_checker::suite::{pool, process};
use heaplab_programs::explored::{Explored, Reach, TinyProgram, explore};
use heaplab_programs::ops::{Program, check_made, recorded};
use std::collections::BTreeMap;
use std::path::Path;

/// Explores the programs side by side, each in a process of its own, which runs this test with the program's name in
/// its environment. So a program that fails and ends its process hides nothing of the others.
#[test]
fn recorded_programs_are_explored() {
    let mut explored = Vec::new();
    for (name, program) in recorded() {
        match program.is_explorable() {
            Ok(()) => explored.push((name, program)),
            Err(reason) => println!("not explored: {name}: {reason}"),
        }
    }
    assert!(explored.len() >= 7, "{} recorded programs are small enough to be explored, not 7", explored.len());
    for (name, program) in &explored {
        if process::is_worker_of(name) {
            std::process::exit(i32::from(!is_explored(name, program)));
        }
    }
    let names: Vec<&String> = explored.iter().map(|(name, _)| name).collect();
    let red = pool::run(names, pool::processors(), |name| {
        let outcome = process::run_in_test("recorded_programs_are_explored", name);
        let outcome = outcome.unwrap_or_else(|error| panic!("{name} cannot be explored in a process: {error}"));
        eprint!("{}", outcome.complaints);
        (!outcome.status.success()).then_some(name)
    });
    let red: Vec<&String> = red.into_iter().flatten().collect();
    assert!(red.is_empty(), "recorded programs that fail in some interleaving, see above: {red:?}");
}

/// Whether no interleaving fails. Prints why not: an interleaving that fails, or too many of them.
fn is_explored(name: &str, program: &Program) -> bool {
    let file = format!("verify/regressions/{name}.ops");
    match explore(&format!("regressions::{name}"), &file, program, Reach::THOROUGH) {
        Explored::Complete(_) => true,
        Explored::TooLarge(executions) => {
            eprintln!("{name}: none of {executions} executions fails, but there are more: make the program smaller");
            false
        }
        Explored::Failed(failure) => {
            eprintln!("{name}: {failure}");
            false
        }
    }
}

/// Goal: a recorded program that can be explored is a seed of `loom_programs`.
/// Method: the seeds in the tree are what is generated now; `BLESS=1` writes them.
#[test]
fn fuzz_seeds_are_the_programs_that_can_be_explored() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/loom_programs");
    let mut expected = BTreeMap::new();
    for (name, program) in recorded() {
        if program.is_explorable().is_ok() {
            let bytes = program.encode();
            assert_eq!(TinyProgram::decode(&bytes).0, program, "{name}");
            expected.insert(seeds.join(name), bytes);
        }
    }
    check_made(&expected, &[seeds], "--features loom --test loom_ops");
}

/// Goal: any bytes are a program that can be explored.
#[test]
fn any_bytes_are_a_tiny_program() {
    for seed in 0..2000u32 {
        let bytes: Vec<u8> = (0..seed % 40)
            .map(|index| (seed.wrapping_mul(2_654_435_761).wrapping_add(index * 97) >> 7) as u8)
            .collect();
        let TinyProgram(program) = TinyProgram::decode(&bytes);
        assert_eq!(program.is_explorable(), Ok(()), "{program}");
        assert_eq!(TinyProgram::decode(&program.encode()), TinyProgram(program.clone()), "{program}");
    }
}
