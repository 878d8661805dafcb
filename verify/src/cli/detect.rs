//! `heaplab detect`: planted bugs, and which engine notices.

use super::{DetectOptions, complain};
use crate::detect::{Bug, Detection, Engine, detect, missed};
use crate::report;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use heaplab_common::exit::Exit;
use heaplab_common::workspace;
use std::io::Write as _;
use std::path::Path;

/// Plants the bugs that the options name, lets the engines that they name look, and prints who noticed.
pub(super) fn run(options: &DetectOptions) -> Exit {
    let root = workspace();
    let chosen = bugs(&root.join("verify/bugs"), &options.only)
        .and_then(|bugs| Ok((bugs, named("engine", Engine::ALL.to_vec(), |one| one.name.name(), &options.engine)?)));
    let (bugs, engines) = match chosen {
        Ok(chosen) => chosen,
        Err(reason) => {
            complain(&reason);
            return Exit::BadUsage;
        }
    };
    let say = |line: &str| complain(line);
    let detections = match detect(&bugs, &engines, root, say) {
        Ok(detections) => detections,
        Err(reason) => {
            complain(&reason);
            return Exit::Failed;
        }
    };
    // Whoever closed the stream wants no table.
    let _ = writeln!(std::io::stdout(), "{}", table(&bugs, &detections));
    let written = report::refresh();
    match &written {
        Ok(page) => {
            let _ = writeln!(std::io::stdout(), "report: {}", page.display());
        }
        Err(error) => complain(&format!("the report cannot be written: {error}")),
    }
    let missed = missed(&bugs, &detections);
    for bug in &missed {
        complain(&format!("no engine noticed {}: {}", bug.name, bug.what));
    }
    Exit::passed_if(missed.is_empty() && written.is_ok())
}

fn bugs(directory: &Path, only: &[String]) -> Result<Vec<Bug>, String> {
    named("bug", Bug::all(directory)?, |bug| &bug.name, only)
}

/// Those whose names contain one of `only`. All of them if `only` is empty.
fn named<T>(kind: &str, mut all: Vec<T>, name: impl Fn(&T) -> &str, only: &[String]) -> Result<Vec<T>, String> {
    if let Some(stranger) = only.iter().find(|part| !all.iter().any(|one| name(one).contains(*part))) {
        let names: Vec<&str> = all.iter().map(&name).collect();
        return Err(format!("no {kind}'s name contains `{stranger}`; there are {}", names.join(", ")));
    }
    all.retain(|one| only.is_empty() || only.iter().any(|part| name(one).contains(part)));
    Ok(all)
}

fn table(bugs: &[Bug], detections: &[Detection]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["bug", "engine", "seconds", "operations"]);
    for bug in bugs {
        for one in detections.iter().filter(|one| one.bug == bug.name) {
            table.add_row([
                one.bug.clone(),
                one.engine.to_string(),
                one.seconds.map_or("missed".to_owned(), |seconds| format!("{seconds:.1}")),
                one.operations.map_or(String::new(), |count| count.to_string()),
            ]);
        }
    }
    table
}
