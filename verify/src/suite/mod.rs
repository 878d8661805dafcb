//! The suite as a whole: all models side by side, mutants against models, and what is written about it.
//!
//! Models and mutants run in processes of their own, as many at once as there are processors: loom explores on one thread,
//! and a mutant may end in an abort. `process` speaks with one such process, `pool` keeps the processors busy,
//! `kept` remembers what is complete, `campaign` tries mutants (all with the feature `loom`), [`record`] is what is known in the end, `target/heaplab/certificate.json`.

#[cfg(feature = "loom")]
pub mod campaign;
#[cfg(feature = "loom")]
mod kept;
#[cfg(feature = "loom")]
pub mod pool;
#[cfg(feature = "loom")]
pub mod process;
pub mod record;
#[cfg(feature = "loom")]
mod sites;
#[cfg(feature = "loom")]
pub mod verdicts;
#[cfg(feature = "loom")]
pub mod worker;

/// The command that runs the binary as it was built with this program: with the same feature of a checker, and with the
/// assertions that only some builds have. What failed here may not fail in a build that is another one.
#[must_use]
pub const fn cargo_run() -> &'static str {
    const ASSERTIONS: bool = cfg!(debug_assertions);
    if cfg!(feature = "loom") {
        if ASSERTIONS {
            "cargo run --profile test --features loom --"
        } else {
            "cargo run --release --features loom --"
        }
    } else if cfg!(feature = "shuttle") {
        if ASSERTIONS {
            "cargo run --profile test --features shuttle --"
        } else {
            "cargo run --release --features shuttle --"
        }
    } else if ASSERTIONS {
        "cargo run --profile test --"
    } else {
        "cargo run --release --"
    }
}
