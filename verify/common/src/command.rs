//! The command that runs the binary as this program was built.

/// The command that runs the binary as it was built with this program: with the same feature of a checker, and with
/// the assertions that only some builds have. What failed in this build may pass in another.
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
