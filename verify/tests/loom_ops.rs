//! Goal: programs of the operation language keep to their shadows in *every* interleaving within the stated bound. Method:
//! the recorded programs that are small enough (`Program::is_explorable`), explored completely, or red; the others are
//! listed, with the reason.
//!
//! ```text
//! cargo test -p heaplab-verify --features loom --test loom_ops -- --nocapture
//! ```
#![cfg(feature = "loom")]

use heaplab_verify::explored::{Explored, Reach, TinyProgram, explore};
use heaplab_verify::ops::{check_made, recorded};
use std::collections::BTreeMap;
use std::path::Path;

/// Side by side: a program is explored on one thread.
#[test]
fn recorded_programs_are_explored() {
    let mut explored = Vec::new();
    for (name, program) in recorded() {
        match program.is_explorable() {
            Ok(()) => explored.push((name, program)),
            Err(reason) => println!("not explored: {name}: {reason}"),
        }
    }
    assert!(explored.len() >= 7, "{} are explored", explored.len());
    std::thread::scope(|scope| {
        for (name, program) in &explored {
            scope.spawn(move || match explore(&format!("regressions::{name}"), program, Reach::THOROUGH) {
                Explored::Complete(_) => {}
                Explored::TooLarge(executions) => panic!("{name}: not explored after {executions} executions"),
                Explored::Failed(failure) => panic!("{name}: {failure}"),
            });
        }
    });
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
