//! Drawn scripts: they do the same with and without a collection at every allocation, on a large heap and a small one.
//!
//! `cargo fuzz fmt script_ops FILE` prints a script; a crash prints it too.
#![no_main]

use heaplab_programs::shadow;
use heaplab_script::generate::{Script, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: shadow::announce(), |script: Script| check(&script));
