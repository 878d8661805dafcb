//! `heaplab code-mutants`: every small change of the heap's sequential code, and whether the suite notices.

use super::{CodeMutantsOptions, complain};
use crate::code_mutants::{
    CAUGHT_MIN, CodeMutantExcuse, CodeMutantFate, CodeMutantsRecord, EXCUSES, Plan, campaign, committed_excuses, idle,
    listed,
};
use crate::report;
use heaplab_common::exit::Exit;
use heaplab_common::workspace;
use std::io::Write as _;

/// Tries the mutants that the options name, and prints how many were caught, and which were not.
pub(super) fn run(options: &CodeMutantsOptions) -> Exit {
    let root = workspace();
    let plan = Plan { only: options.only.clone(), resume: options.resume, jobs: options.jobs() };
    let begun = committed_excuses().and_then(|excuses| Ok((excuses, listed(&plan, root)?)));
    let (excuses, mutants) = match begun {
        Ok(begun) => begun,
        Err(reason) => {
            complain(&reason);
            return Exit::BadUsage;
        }
    };
    let record = match campaign(&plan, &mutants, &excuses, root, complain) {
        Ok(record) => record,
        Err(reason) => {
            complain(&reason);
            return Exit::Failed;
        }
    };
    // Whoever closed the stream wants no result.
    let _ = std::io::stdout().write_all(summary(&record).as_bytes());
    let written = report::refresh();
    if let Err(error) = &written {
        complain(&format!("the report cannot be written: {error}"));
    }
    let is_whole = options.only.is_empty();
    let fails = objections(&record, &excuses, is_whole);
    for objection in &fails {
        complain(objection);
    }
    Exit::passed_if(fails.is_empty() && written.is_ok())
}

fn summary(record: &CodeMutantsRecord) -> String {
    let counts = record.counts();
    let mut text = String::new();
    for one in record.mutants.iter().filter(|one| one.reason.is_none()) {
        let how = match one.fate {
            CodeMutantFate::Survives => "survives",
            CodeMutantFate::NotReached => "no test runs it",
            _ => continue,
        };
        text.push_str(&format!("{how}: {}:{}: {}    | {}\n", one.file, one.line_number, one.what, one.line));
    }
    text.push_str(&format!(
        "{} mutants: {} viable, of which {} caught ({:.1} %), {} explained, {} not explained; {} do not compile, {} \
         have no place for a switch and were not tried\n",
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
fn objections(record: &CodeMutantsRecord, excuses: &[CodeMutantExcuse], is_whole: bool) -> Vec<String> {
    let counts = record.counts();
    let mut objections = Vec::new();
    if counts.unexplained > 0 {
        objections.push(format!(
            "{} mutants survive without a reason: write a test that notices, or the reason into {EXCUSES}",
            counts.unexplained
        ));
    }
    if !is_whole {
        return objections;
    }
    if counts.percent() < CAUGHT_MIN as f64 {
        objections.push(format!("{:.1} % are caught, less than {CAUGHT_MIN} %", counts.percent()));
    }
    for excuse in idle(excuses, record) {
        objections.push(format!(
            "{EXCUSES} excuses `{}` in {} ({}), which no mutant that survives is: remove the entry",
            excuse.what, excuse.file, excuse.line
        ));
    }
    objections
}
