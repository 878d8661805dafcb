//! `heaplab replay FILE`: what a fuzzer found, or a recorded program, again.

use super::{ReplayOptions, complain};
use crate::replay::{Input, ReplayFailure, Target};
use crate::report::{self, Html, Report};
use heaplab_common::artefact::write_artefact;
use heaplab_common::exit::Exit;
use std::io::Write as _;
use std::path::Path;

/// The page of the last failure that was replayed.
const PAGE: &str = "replay.html";

/// Replays a file: prints the program and what came of it, and draws the heap that a failing step met.
pub(super) fn replay(options: &ReplayOptions) -> Exit {
    let path = Path::new(&options.what);
    if options.what.contains(',') && !path.exists() {
        complain(&format!(
            "`{}` is no file. If it is a token of a model: cargo run --release --features loom -- replay TOKEN",
            options.what
        ));
        return Exit::BadUsage;
    }
    let target = match options.target.as_deref().map(find_target).transpose() {
        Ok(target) => target,
        Err(reason) => {
            complain(&reason);
            return Exit::BadUsage;
        }
    };
    let input = match Input::read(path, target) {
        Ok(input) => input,
        Err(reason) => {
            complain(&reason);
            return Exit::Failed;
        }
    };
    let mut out = std::io::stdout();
    // The input is printed before its run, which may hang or end the process.
    let _ = write!(out, "{input}").and_then(|()| out.flush());
    std::panic::set_hook(Box::new(|_| {}));
    let result = input.run();
    let _ = std::panic::take_hook();
    match result {
        Ok(()) => {
            let _ = writeln!(out, "\nnothing fails");
            Exit::Passed
        }
        Err(failure) => {
            show(&failure, &input);
            Exit::Failed
        }
    }
}

fn find_target(name: &str) -> Result<Target, String> {
    Target::named(name).ok_or_else(|| {
        format!(
            "this build replays no input of `{name}`, but of {}. Those of loom_programs need a build with --features \
             loom, of schedule_ops one with --features shuttle, of all others one without",
            Target::names(", ")
        )
    })
}

fn show(failure: &ReplayFailure, input: &Input) {
    let mut out = std::io::stdout();
    let place = match &failure.step {
        Some((index, text)) => format!("{}, at step {index}: {text}", failure.how),
        None => failure.how.clone(),
    };
    let _ = writeln!(out, "\nFAILS, {place}\n{}", failure.reason);
    match write_artefact(PAGE, &page(failure, &place, input).render()) {
        Ok(page) => _ = writeln!(out, "picture: {}", page.display()),
        Err(error) => complain(&format!("the picture cannot be written: {error}")),
    }
}

fn page(failure: &ReplayFailure, place: &str, input: &Input) -> Report {
    let mut page = Report::new();
    page.section("What is wrong", place, Html::listing(&failure.reason));
    match &failure.picture {
        // A failure without a step has no one heap to draw: a script runs on three, and threads do not stop at a
        // step.
        None if failure.step.is_none() => {}
        Some(picture) => {
            let mut body = report::legend();
            body.push(&report::pictures(std::slice::from_ref(picture)));
            page.section("The heap before that step", "Every page, by what its bytes are used for.", body);
        }
        None => page.section(
            "The heap before that step",
            "It could not be looked at: the step was not reached again, or the heap is broken already.",
            Html::raw(""),
        ),
    }
    match &failure.program {
        Some(program) => {
            let intro = "To keep it, save it under verify/regressions/ as the behaviour that is wrong, .ops; cargo \
                         test replays it.";
            page.section("The program", intro, Html::listing(program));
        }
        None => page.section("The input", "", Html::listing(&input.to_string())),
    }
    page
}
