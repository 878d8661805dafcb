//! The models as tests: each row of a protocol's table is a test of the name `protocol::race`.
//!
//! Under `--features loom` each model is explored completely within its stated bound, in a process of its own; otherwise it
//! runs many times with real threads, as a smoke test.

use heaplab_checker::suite;
use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let loud = arguments.nocapture;
    let mut tests = Vec::new();
    for model in heaplab_models::all() {
        tests.push(Trial::test(model.name, move || {
            let certificates = suite::run(&model, model.name);
            if loud {
                certificates.iter().for_each(|certificate| println!("{certificate}"));
            }
            Ok(())
        }));
    }
    libtest_mimic::run(&arguments, tests).exit();
}
