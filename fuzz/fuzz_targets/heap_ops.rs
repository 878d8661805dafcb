//! One local heap, through the safe API, against the shadow heap.
//!
//! `cargo fuzz fmt heap_ops FILE` prints a program; a crash prints it too, with the step that it was at.
#![no_main]

use heaplab::memory::PageSource;
use heaplab_programs::{ops::Program, shadow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: shadow::announce(), |program: Program| {
    shadow::run_single(&program, PageSource::default());
});
