//! A tiny program of two or three threads, of which every interleaving within a bound is explored, against the shadows.
//!
//! `cargo fuzz fmt --features loom loom_programs FILE` prints a program. A failure prints it with the failing
//! execution, a column for each thread, and says where the picture of it is.
#![no_main]

use heaplab_programs::explored::{self, Explored, Reach, TinyProgram};
use libfuzzer_sys::{Corpus, fuzz_target};

/// What to replay: libFuzzer names the file when the target has ended.
const FILE: &str = "FILE, which is named below";

fuzz_target!(init: explored::announce(), |tiny: TinyProgram| -> Corpus {
    match explored::explore("loom_programs", FILE, &tiny.0, Reach::QUICK) {
        Explored::Complete(_) => Corpus::Keep,
        // The program has too many interleavings: nothing is claimed about it, and nothing is bred from it.
        Explored::TooLarge(_) => Corpus::Reject,
        Explored::Failed(failure) => {
            eprintln!("{failure}");
            std::process::abort()
        }
    }
});
