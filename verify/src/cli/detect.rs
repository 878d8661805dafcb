//! `heaplab detect`: planted bugs, and who notices.

use super::{BAD_USAGE, FAILED, PASSED, complain};
use crate::detect::{Bug, Detection, detect, missed};
use crate::report;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use std::io::Write as _;
use std::path::Path;

/// Plants the bugs whose names contain one of `only`, all if there is none, and prints who noticed.
#[must_use]
pub(super) fn run(only: &[String]) -> u8 {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bugs = match chosen(&package.join("bugs"), only) {
        Ok(bugs) => bugs,
        Err(reason) => {
            complain(&reason);
            return BAD_USAGE;
        }
    };
    let say = |line: &str| complain(line);
    let detections = match detect(&bugs, &package.join(".."), say) {
        Ok(detections) => detections,
        Err(reason) => {
            complain(&reason);
            return FAILED;
        }
    };
    // Whoever closed the stream wants no table.
    let _ = writeln!(std::io::stdout(), "{}", table(&bugs, &detections));
    match report::refresh() {
        Ok(page) => {
            let _ = writeln!(std::io::stdout(), "report: {}", page.display());
        }
        Err(error) => complain(&format!("the report cannot be written: {error}")),
    }
    let missed = missed(&bugs, &detections);
    for bug in &missed {
        complain(&format!("no engine noticed {}: {}", bug.name, bug.what));
    }
    if missed.is_empty() { PASSED } else { FAILED }
}

fn chosen(directory: &Path, only: &[String]) -> Result<Vec<Bug>, String> {
    let mut bugs = Bug::all(directory)?;
    if let Some(stranger) = only.iter().find(|part| !bugs.iter().any(|bug| bug.name.contains(*part))) {
        let names: Vec<&str> = bugs.iter().map(|bug| &*bug.name).collect();
        return Err(format!("no bug's name contains `{stranger}`; there are {}", names.join(", ")));
    }
    bugs.retain(|bug| only.is_empty() || only.iter().any(|part| bug.name.contains(part)));
    Ok(bugs)
}

fn table(bugs: &[Bug], detections: &[Detection]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["bug", "engine", "seconds", "operations"]);
    for bug in bugs {
        for one in detections.iter().filter(|one| one.bug == bug.name) {
            table.add_row([
                one.bug.clone(),
                one.engine.clone(),
                one.seconds.map_or("missed".to_owned(), |seconds| format!("{seconds:.1}")),
                one.operations.map_or(String::new(), |count| count.to_string()),
            ]);
        }
    }
    table
}
