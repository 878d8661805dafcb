//! Replaying what a fuzzer found, and recorded programs: reads the file, runs it, and says at which step it fails,
//! why, and what the heap looked like there.
//!
//! | file | who runs it |
//! |---|---|
//! | a program, `.ops` | both drivers, on owned and on mapped memory; several threads also as real ones, fifty times |
//! | an input of `heap_ops`, `interleaved_ops`, `fault_ops` | the driver of the target, or of the input |
//! | an input of `hostile_config` | its own configuration |
//! | an input of `script_ops` | the three heaps on which a script has to do the same |
//! | an input of `schedule_ops`, in a build with `shuttle` | its threads, in the schedule that it holds |
//!
//! A failure is a panic of the oracle or of the heap. After a failure the input runs again up to the failing step, to
//! survey the heap that the step meets; during the panic no survey is possible, since the failing thread is in the
//! middle of an operation.

mod failure;
#[cfg(not(feature = "shuttle"))]
mod input;
#[cfg(feature = "shuttle")]
mod scheduled;

pub use failure::{ReplayFailure, observe};
#[cfg(not(feature = "shuttle"))]
pub use input::{Input, Target};
#[cfg(feature = "shuttle")]
pub use scheduled::{Input, Target};

use std::fs;
use std::path::Path;

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Target> {
        Target::ALL.iter().copied().find(|target| target.name() == name)
    }

    /// The names of all targets, with `between` between two.
    #[must_use]
    pub fn names(between: &str) -> String {
        Target::ALL.iter().map(|target| target.name()).collect::<Vec<_>>().join(between)
    }

    /// The target in whose directory a file lies: cargo-fuzz leaves inputs in `artifacts/TARGET/` and `corpus/TARGET/`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Target> {
        path.parent()?.components().rev().find_map(|part| Target::named(part.as_os_str().to_str()?))
    }
}

/// Bytes of the largest file that is an input. No target takes more.
const FILE_BYTES_MAX: u64 = 16 << 20;

impl Input {
    /// Reads a file: as an input of `target` if one is given, else as a program if it is called `.ops`, else as an
    /// input of the target in whose directory it lies.
    ///
    /// # Errors
    /// What is wrong with the file, and what to do.
    pub fn read(path: &Path, target: Option<Target>) -> Result<Input, String> {
        let named = |reason: String| format!("{}: {reason}", path.display());
        let file = fs::metadata(path).map_err(|error| named(error.to_string()))?;
        if !file.is_file() || file.len() > FILE_BYTES_MAX {
            return Err(named(format!("an input is a file of at most {FILE_BYTES_MAX} bytes")));
        }
        let bytes = fs::read(path).map_err(|error| named(error.to_string()))?;
        let is_text = path.extension().is_some_and(|extension| extension == "ops");
        match target.or_else(|| Target::of_path(path).filter(|_| !is_text)) {
            Some(target) => Input::decode(target, &bytes).map_err(named),
            None if is_text => {
                let text = std::str::from_utf8(&bytes).map_err(|error| named(format!("no text: {error}")))?;
                Input::parse(text).map_err(named)
            }
            None => Err(named(format!(
                "whose input is it? Name the target with --target {}, or call a program .ops",
                Target::names("|")
            ))),
        }
    }
}
