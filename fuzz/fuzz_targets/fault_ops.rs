//! Programs in which page requests, releases and attempts fail, at points that the input chooses, against the shadow
//! heap: one local heap through the safe API, or several step by step, as the input says.
//!
//! `cargo fuzz fmt fault_ops FILE` prints a program; a crash prints it too, with the step that it was at.
#![no_main]

use heaplab::memory::PageSource;
use heaplab_programs::ops::Faulty;
use heaplab_programs::shadow::{self, Driver};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: shadow::announce(), |faulty: Faulty| {
    let driver = if faulty.interleaved { Driver::Interleaved } else { Driver::Single };
    driver.run(&faulty.program, PageSource::default());
});
