//! Any configuration and any text: a refusal that says what to do, or a heap that works and a program that it runs.
//!
//! `cargo fuzz fmt hostile_config FILE` prints both.
#![no_main]

use heaplab_programs::{hostile::Hostile, shadow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: shadow::announce(), |hostile: Hostile| {
    hostile.check();
});
