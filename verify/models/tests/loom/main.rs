//! The models as tests: each row of a protocol's table is a test of the name `protocol::race`.
//!
//! Under `--features loom` each model is explored completely within its stated bound, in a process of its own;
//! otherwise it runs many times with real threads, as a smoke test.

#[cfg(feature = "loom")]
mod red;

use heaplab_checker::model::Model;
use heaplab_checker::suite;
use libtest_mimic::{Arguments, Trial};

/// What this program runs: all models, and what tests the program itself.
fn tests(loud: bool) -> Vec<Trial> {
    #[cfg(feature = "loom")]
    if let Some(models) = red::models() {
        return models.into_iter().map(|model| test_of(model, loud)).collect();
    }
    #[allow(unused_mut, reason = "the canary is the checker's")]
    let mut tests: Vec<_> = heaplab_models::all().into_iter().map(|model| test_of(model, loud)).collect();
    #[cfg(feature = "loom")]
    tests.push(Trial::test(red::NAME, || {
        red::is_shown_and_the_others_run();
        Ok(())
    }));
    tests
}

fn test_of(model: Model, loud: bool) -> Trial {
    Trial::test(model.name, move || {
        let certificates = suite::run(&model, model.name);
        if loud {
            certificates.iter().for_each(|certificate| println!("{certificate}"));
        }
        Ok(())
    })
}

fn main() {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, tests(arguments.nocapture)).exit();
}
