//! The code mutants' part of the page: how many were caught in each file, and each that was not.

use super::html::{Html, HtmlTable, Tone};
use super::page::Report;
use crate::code_mutants::{CODE_MUTANTS, CodeMutantFate, CodeMutantsRecord};
use std::path::Path;

/// The outcome of the last campaign, if there was one.
pub(super) fn section(report: &mut Report, directory: &Path) {
    let Ok(text) = std::fs::read_to_string(directory.join(CODE_MUTANTS)) else { return };
    let record: CodeMutantsRecord = match serde_json::from_str(&text) {
        Ok(record) => record,
        Err(error) => {
            let intro = "A record of code mutants of another version, or a damaged one.";
            report.section("Unreadable", intro, Html::listing(&error.to_string()));
            return;
        }
    };
    let counts = record.counts();
    let intro = format!(
        "Small changes of the heap's sequential code, as cargo-mutants lists them: {} were tried, {} ({:.1} %) were \
         caught. {} more do not compile, {} have no place for a switch, as in constants.",
        counts.viable(),
        counts.caught,
        counts.percent(),
        counts.do_not_compile,
        counts.not_expressible,
    );
    report.section("Code mutants", &intro, by_file(&record).render());
    let intro = "What no program notices, and why that is no fault of the suite.";
    report.section("Code mutants that survive", intro, survivors(&record).render());
}

fn by_file(record: &CodeMutantsRecord) -> HtmlTable {
    let mut files: Vec<&str> = record.mutants.iter().map(|one| one.file.as_str()).collect();
    files.dedup();
    let mut table = HtmlTable::new().column("file").number_column("viable").number_column("caught");
    table = table.number_column("survive");
    for file in files {
        let mutants = record.mutants.iter().filter(|one| one.file == file).cloned().collect();
        let counts = CodeMutantsRecord { mutants }.counts();
        let survive = counts.explained + counts.unexplained;
        let numbers = [counts.viable(), counts.caught, survive].map(|count| Html::text(&count.to_string()));
        table.row([vec![Html::text(file)], numbers.to_vec()].concat());
    }
    table
}

fn survivors(record: &CodeMutantsRecord) -> HtmlTable {
    let mut table = HtmlTable::new().column("place").column("change").column("line").column("reason");
    for one in &record.mutants {
        if !matches!(one.fate, CodeMutantFate::Survives | CodeMutantFate::NotReached) {
            continue;
        }
        table.row(vec![
            Html::text(&format!("{}:{}", one.file, one.line_number)),
            Html::text(&one.what),
            Html::text(&one.line),
            match &one.reason {
                Some(reason) => Html::text(reason),
                None => Html::badge(Tone::Bad, "none"),
            },
        ]);
    }
    table
}
