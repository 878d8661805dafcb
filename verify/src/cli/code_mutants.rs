//! `heaplab code-mutants`: every small change of the heap's sequential code, and whether the suite notices.

use super::{BAD_USAGE, CodeMutantsOptions, FAILED, PASSED, complain};
use crate::code_mutants::{CAUGHT_MIN, CodeMutantsRecord, Fate, Plan, Reason, campaign, idle, listed, reasons};
use crate::report;
use heaplab_checker::suite::pool;
use heaplab_common::workspace;
use std::io::Write as _;

/// The reasons of those that may survive.
const REASONS: &str = "code_mutants.toml";

/// Tries the mutants that the options name, and prints how many were caught, and which were not.
#[must_use]
pub(super) fn run(options: &CodeMutantsOptions) -> u8 {
    let root = workspace();
    let jobs = options.jobs.map_or_else(pool::processors, |jobs| jobs as usize);
    let plan = Plan { only: options.only.clone(), resume: options.resume, jobs };
    let begun = reasons(&root.join("verify").join(REASONS)).and_then(|reasons| Ok((reasons, listed(&plan, root)?)));
    let (reasons, mutants) = match begun {
        Ok(begun) => begun,
        Err(reason) => {
            complain(&reason);
            return BAD_USAGE;
        }
    };
    let record = match campaign(&plan, &mutants, &reasons, root, complain) {
        Ok(record) => record,
        Err(reason) => {
            complain(&reason);
            return FAILED;
        }
    };
    // Whoever closed the stream wants no result.
    let _ = std::io::stdout().write_all(summary(&record).as_bytes());
    let written = report::refresh();
    if let Err(error) = &written {
        complain(&format!("the report cannot be written: {error}"));
    }
    let is_whole = options.only.is_empty();
    let fails = objections(&record, &reasons, is_whole);
    for objection in &fails {
        complain(objection);
    }
    if fails.is_empty() && written.is_ok() { PASSED } else { FAILED }
}

fn summary(record: &CodeMutantsRecord) -> String {
    let counts = record.counts();
    let mut text = String::new();
    for one in record.mutants.iter().filter(|one| one.reason.is_none()) {
        let how = match one.fate {
            Fate::Survives => "survives",
            Fate::NotReached => "no test runs it",
            _ => continue,
        };
        text.push_str(&format!("{how}: {}:{}: {}    | {}\n", one.file, one.line_number, one.what, one.line));
    }
    text.push_str(&format!(
        "{} mutants: {} viable, of which {} caught ({:.1} %), {} explained, {} not explained; {} do not compile, {} have \
         no place for a switch and were not tried\n",
        record.mutants.len(),
        counts.viable(),
        counts.caught,
        counts.percent(),
        counts.explained,
        counts.unexplained,
        counts.do_not_compile,
        counts.not_expressible,
    ));
    text
}

/// What is wrong with the outcome.
fn objections(record: &CodeMutantsRecord, reasons: &[Reason], is_whole: bool) -> Vec<String> {
    let counts = record.counts();
    let mut objections = Vec::new();
    if counts.unexplained > 0 {
        objections.push(format!(
            "{} mutants survive without a reason: write a test that notices, or the reason into verify/{REASONS}",
            counts.unexplained
        ));
    }
    if !is_whole {
        return objections;
    }
    if counts.percent() < CAUGHT_MIN as f64 {
        objections.push(format!("{:.1} % are caught, less than {CAUGHT_MIN} %", counts.percent()));
    }
    for reason in idle(reasons, record) {
        objections.push(format!(
            "verify/{REASONS} excuses `{}` in {} ({}), which no mutant that survives is: remove the entry",
            reason.what, reason.file, reason.line
        ));
    }
    objections
}
