//! Goal: recorded programs, and drawn ones, keep to their shadows with real threads. Method: each recorded one also
//! with threads that linger in the heap's shortest windows; small and self-contained, so that Miri, ThreadSanitizer
//! and AddressSanitizer run this file as it is (`verify/miri.sh`, `tsan.sh`, `asan.sh`).
//!
//! `HEAPLAB_REPLAY_SEED` draws other programs, `HEAPLAB_REPLAY_PROGRAMS` more of them. Under Miri the engine of threads
//! alone runs, unless `HEAPLAB_REPLAY_ENGINES=3` asks for all three.
#![cfg(not(feature = "shuttle"))]

use heaplab::memory::PageSource;
use heaplab_common::Dice;
use heaplab_programs::ops::{Op, Program, Step, World, WorldSize, recorded};
use heaplab_programs::shadow::{announce, run_concurrent, run_interleaved, run_single, run_stretched};

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("the variable holds a number"))
}

/// Each recorded program by each engine: none is skipped, and one that cannot be read is an error by its name.
#[test]
fn recorded_programs() {
    announce();
    for (name, program) in recorded() {
        println!("{name}");
        // Miri is slow, and looks for what several threads do; one thread is the special case.
        if !cfg!(miri) || number("HEAPLAB_REPLAY_ENGINES", 1) > 1 {
            run_single(&program, PageSource::default());
            run_interleaved(&program, PageSource::default());
        }
        for seed in 0..if cfg!(miri) { 1 } else { 20 } {
            match seed % 2 {
                0 => run_concurrent(&program, PageSource::default()),
                _ => run_stretched(&program, PageSource::default(), seed),
            };
        }
    }
}

/// Programs of one to four threads, each on threads of its own and step by step on one.
#[test]
fn drawn_programs() {
    announce();
    let first = 1000 * number("HEAPLAB_REPLAY_SEED", 0);
    for index in 0..number("HEAPLAB_REPLAY_PROGRAMS", if cfg!(miri) { 3 } else { 300 }) {
        let mut dice = Dice::new(0x0b5, first + index);
        let threads = 1 + (index % 4) as u8;
        let size = [WorldSize::Tiny, WorldSize::Snug, WorldSize::Mite][dice.below(3)];
        let world = World { size, concurrent: true, verify: dice.one_in(4) };
        let steps = (0..threads * if cfg!(miri) { 8 } else { 20 }).map(|step| {
            let op = Op::decode([0; 4].map(|_: u8| dice.word() as u8));
            Step { thread: step % threads, op }
        });
        let program = Program { world, steps: steps.collect() };
        run_concurrent(&program, PageSource::default());
        if !cfg!(miri) || number("HEAPLAB_REPLAY_ENGINES", 1) > 1 {
            run_interleaved(&program, PageSource::Owned);
        }
    }
}
