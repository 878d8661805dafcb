//! The report: one page that says what was checked and what was found, for a reader who has never seen the project.
//!
//! ```text
//! main job (a real heap)        models, weaken, mutants (a model checker)
//!    scenarios.json                certificate.json, counterexamples/*.svg
//!          \                        /
//!           target/heaplab/*  ->  refresh  ->  target/heaplab/report.html
//! ```
//!
//! Outside of the workspace the directory is another one: see [`artefact`](heaplab_common::artefact).
//!
//! The parts of the page come from builds that exclude each other, so each leaves an artefact, and whoever wrote one
//! last renders the page anew from all that are there ([`refresh`]). A part without an artefact is left out.
//!
//! * **RP-1** The page is one file: no script, no link to anything outside.
//! * **RP-2** What was found is text: it passes through [`Html::text`] and cannot become markup.
//! * **RP-3** Rendering depends on the artefacts alone: equal ones make equal pages.

mod code_mutants;
mod detection;
mod heap_picture;
mod html;
mod job;
mod page;
mod suite;

pub use heap_picture::{legend, pictures};
pub use html::{Html, HtmlTable, Tone, grouped, kib};
pub use job::{JobRecord, SCENARIOS};
pub use page::Report;

use heaplab_checker::record::{CERTIFICATE, SuiteRecord};
use heaplab_common::artefact::{COUNTEREXAMPLES, artefact_directory, write_artefact};
use std::io;
use std::path::{Path, PathBuf};

/// The page.
pub const PAGE: &str = "report.html";

impl Report {
    /// The page of the artefacts in `directory`. An artefact that cannot be read is named on the page.
    #[must_use]
    pub fn of_artefacts(directory: &Path) -> Report {
        let mut report = Report::new();
        let record = match JobRecord::read(&directory.join(SCENARIOS)) {
            Ok(record) => record,
            Err(text) => {
                report.section("Unreadable", "An artefact of another version, or a damaged one.", Html::listing(&text));
                None
            }
        };
        job::summary(&mut report, record.as_ref());
        match SuiteRecord::read(&directory.join(CERTIFICATE)) {
            Ok(record) => suite::sections(&mut report, record.as_ref()),
            Err(text) => {
                report.section(
                    "Unreadable",
                    "A certificate of another version, or a damaged one.",
                    Html::listing(&text),
                );
            }
        }
        detection::section(&mut report, directory);
        code_mutants::section(&mut report, directory);
        if let Some(record) = &record {
            job::heaps(&mut report, record);
        }
        suite::counterexamples(&mut report, &directory.join(COUNTEREXAMPLES));
        report
    }
}

/// Renders the page anew from the artefacts that are there, and returns where it is.
///
/// # Errors
/// The page cannot be written; the error names the file.
pub fn refresh() -> io::Result<PathBuf> {
    let page = Report::of_artefacts(&artefact_directory()).render();
    write_artefact(PAGE, &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, process};

    /// A page is rendered whatever is there, even nothing.
    #[test]
    fn missing_and_damaged_artefacts_are_named() {
        let directory = std::env::temp_dir().join(format!("heaplab-report-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        assert!(Report::of_artefacts(&directory).render().contains("cargo run --release"));
        fs::write(directory.join(SCENARIOS), "{\"version\": 7}").unwrap();
        let page = Report::of_artefacts(&directory).render();
        assert!(page.contains("Unreadable") && page.contains(SCENARIOS), "{page}");
        fs::remove_dir_all(&directory).unwrap();
    }
}
