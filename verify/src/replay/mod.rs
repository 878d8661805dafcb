//! Replaying what a fuzzer found, and recorded programs: reads the file, runs it, and says at which step it fails, why, and
//! what the heap looked like there.
//!
//! | file | who runs it |
//! |---|---|
//! | a program, `.ops` | both drivers, on owned and on mapped memory; if it has several threads, those, some fifty times |
//! | an input of `heap_ops`, `interleaved_ops`, `fault_ops` | the driver of the target, or of the input |
//! | an input of `hostile_config` | its own configuration |
//! | an input of `script_ops` | the three heaps on which a script has to do the same |
//! | an input of `schedule_ops`, in a build with `shuttle` | its threads, in the schedule that it holds |
//!
//! A failure is a panic of the oracle or of the heap. After one the input runs again up to its step, to survey the heap
//! that the step meets; during the panic nobody could look, since the failing thread is in the middle of something.

#[cfg(not(feature = "shuttle"))]
mod input;
#[cfg(feature = "shuttle")]
mod scheduled;

#[cfg(not(feature = "shuttle"))]
pub use input::{Input, Target};
#[cfg(feature = "shuttle")]
pub use scheduled::{Input, Target};

use heaplab_common::panics::{WITHOUT_TEXT, panic_text};
use heaplab_programs::shadow::{current_program, current_step, forget_program, survey_before};
use heaplab_scenarios::{HeapPicture, Moment};
use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

impl Target {
    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Target> {
        Target::ALL.iter().copied().find(|target| target.name() == name)
    }

    /// The names of all of them, with this between two.
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

/// Where an input fails, and why.
#[derive(Clone, Debug)]
pub struct ReplayFailure {
    /// How it was run.
    pub how: String,
    /// The program, with the failing step marked. `None` if the input did not come to one.
    pub program: Option<String>,
    /// The number of the failing step, and its text.
    pub step: Option<(usize, String)>,
    /// The text of the panic.
    pub reason: String,
    /// The heap before that step.
    pub picture: Option<HeapPicture>,
}

/// Bytes of the largest file that is an input. No target takes more.
const FILE_BYTES_MAX: u64 = 16 << 20;

impl Input {
    /// Reads a file: as an input of `target` if one is given, else as a program if it is called `.ops`, else as an input of
    /// the target in whose directory it lies.
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

fn text(payload: &(dyn Any + Send)) -> String {
    panic_text(payload).unwrap_or(WITHOUT_TEXT).to_owned()
}

/// Runs a program, in the way that the failure is to name, and if that panics, looks at where.
///
/// # Errors
/// The failure.
pub fn observe(how: &str, run: impl Fn()) -> Result<(), Box<ReplayFailure>> {
    let caught = || catch_unwind(AssertUnwindSafe(&run));
    forget_program();
    let Err(payload) = caught() else { return Ok(()) };
    let (program, at) = (current_program(), current_step());
    let line = |text: &str| text.lines().find(|line| line.ends_with("# here")).map(str::to_owned);
    let step = at.zip(program.as_deref().and_then(line));
    let survey = at.and_then(|at| {
        // It panics again, most likely, and is over the point of interest then.
        survey_before(at, || drop(caught()))
    });
    let picture = survey.map(|survey| HeapPicture::of(Moment::Step, &survey));
    Err(Box::new(ReplayFailure { how: how.to_owned(), program, step, reason: text(&*payload), picture }))
}
