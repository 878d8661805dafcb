//! Where an input fails, and why: an input runs watched, and runs again up to the step that failed.

use heaplab_common::panics::{WITHOUT_TEXT, panic_text};
use heaplab_programs::shadow::{current_program, current_step, forget_program, survey_before};
use heaplab_scenarios::{HeapPicture, Moment};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

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

/// The text of a panic.
pub(super) fn text(payload: &(dyn Any + Send)) -> String {
    panic_text(payload).unwrap_or(WITHOUT_TEXT).to_owned()
}

/// Runs a program. If the run panics, runs the program again up to the failing step, and surveys the heap there.
/// `how` says in the failure how the program was run.
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
        // Most likely the second run panics too, but after the survey.
        survey_before(at, || drop(caught()))
    });
    let picture = survey.map(|survey| HeapPicture::of(Moment::Step, &survey));
    Err(Box::new(ReplayFailure { how: how.to_owned(), program, step, reason: text(&*payload), picture }))
}
