//! `heaplab replay FILE` in a build with loom: an input of `loom_programs`, or a tiny program, again. Every
//! interleaving of the program runs, and the failing one is printed and drawn.

use super::{ReplayOptions, complain};
use heaplab_common::exit::Exit;
use heaplab_programs::explored::{self, Explored, Reach, TinyProgram};
use heaplab_programs::ops::Program;
use std::io::Write as _;
use std::path::Path;

/// Bytes of the largest file that is an input. No target takes more.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The target that this build has.
const TARGET: &str = "loom_programs";

/// Replays a file: prints the program and what came of it.
pub(super) fn replay(options: &ReplayOptions) -> Exit {
    let path = Path::new(&options.what);
    match read(path, options.target.as_deref()) {
        Ok(bytes) => run(path, &bytes).unwrap_or_else(|reason| {
            complain(&format!("{}: {reason}", path.display()));
            Exit::Failed
        }),
        Err(reason) => {
            complain(&reason);
            Exit::Failed
        }
    }
}

/// Whether its name says that a file is a program in text form.
fn is_text(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ops")
}

/// The bytes of an input of this build's target.
fn read(path: &Path, target: Option<&str>) -> Result<Vec<u8>, String> {
    let named = |reason: String| format!("{}: {reason}", path.display());
    let file = std::fs::metadata(path).map_err(|error| named(error.to_string()))?;
    if !file.is_file() || file.len() > FILE_BYTES_MAX {
        return Err(named(format!("an input is a file of at most {FILE_BYTES_MAX} bytes")));
    }
    let lies_there = || path.parent().is_some_and(|parent| parent.iter().any(|part| part == TARGET));
    let is_ours = target.map_or_else(|| is_text(path) || lies_there(), |name| name == TARGET);
    if !is_ours {
        return Err(named(format!(
            "this build replays inputs of {TARGET}, from a directory of that name or with --target {TARGET}; a build \
             without loom and shuttle replays those of the other targets"
        )));
    }
    std::fs::read(path).map_err(|error| named(error.to_string()))
}

fn run(path: &Path, bytes: &[u8]) -> Result<Exit, String> {
    let program = if is_text(path) {
        let text = std::str::from_utf8(bytes).map_err(|error| format!("it is no text: {error}"))?;
        let program = Program::parse(text).map_err(|error| error.to_string())?;
        program.is_explorable().map_err(|reason| format!("it is too large to be explored: {reason}"))?;
        program
    } else {
        TinyProgram::decode(bytes).0
    };
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{program}").and_then(|()| out.flush());
    explored::announce();
    let file = path.display().to_string();
    // First as the target explores, so that what failed there fails here; then with the larger bounds.
    let mut explored = explored::explore(TARGET, &file, &program, Reach::QUICK);
    if !matches!(explored, Explored::Failed(_)) {
        explored = explored::explore(TARGET, &file, &program, Reach::THOROUGH);
    }
    Ok(match explored {
        Explored::Complete(_) => {
            let _ = writeln!(out, "no interleaving of at most {} preemptions fails", Reach::THOROUGH.preemptions);
            Exit::Passed
        }
        Explored::TooLarge(executions) => {
            complain(&format!("none of {executions} executions fails, but there are more: nothing is known of those"));
            Exit::Failed
        }
        Explored::Failed(failure) => {
            let _ = writeln!(out, "FAILS\n{failure}");
            Exit::Failed
        }
    })
}
