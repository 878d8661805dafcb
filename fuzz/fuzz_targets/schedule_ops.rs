//! Threads in a schedule that the input chooses, each against a shadow of its own.
//!
//! `cargo fuzz fmt --features shuttle schedule_ops FILE` prints a program and its schedule; a crash prints the
//! program too.
#![no_main]

use heaplab_programs::{schedule::ScheduledProgram, shadow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: shadow::announce(), |scheduled: ScheduledProgram| {
    scheduled.run();
});
