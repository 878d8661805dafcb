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
//! The parts of the page come from builds that exclude each other, so each leaves an artefact, and whoever wrote one last
//! renders the page anew from all that are there ([`refresh`]). A part without an artefact is left out.
//!
//! * **RP-1** The page is one file: no script, no link to anything outside.
//! * **RP-2** What was found is text: it passes through [`Html::text`] and cannot become markup.
//! * **RP-3** Rendering depends on the artefacts alone: equal ones make equal pages.

mod code_mutants;
mod detection;
mod heap_picture;
mod html;
mod job;
mod suite;

pub use heap_picture::{legend, pictures};
pub use html::{Html, HtmlTable, Tone, grouped, kib};
pub use job::JobRecord;

use heaplab_checker::record::{CERTIFICATE, SuiteRecord};
use heaplab_common::artefact::{COUNTEREXAMPLES, artefact_directory, write_artefact};
use std::io;
use std::path::{Path, PathBuf};

/// The file that the main job leaves its record in.
pub const SCENARIOS: &str = "scenarios.json";
/// The page.
pub const PAGE: &str = "report.html";

const STYLE: &str = include_str!("style.css");

/// A page in the making: sections in the order in which they are added.
///
/// # Examples
///
/// ```
/// use heaplab_verify::report::{Html, HtmlTable, Report, Tone};
///
/// let mut table = HtmlTable::new().column("model").number_column("executions").column("verdict");
/// table.row([Html::text("add_vs_add"), Html::text("7"), Html::badge(Tone::Good, "complete")]);
/// let mut report = Report::new();
/// report.section("Models", "Every interleaving within a bound.", table.render());
/// assert!(report.render().contains("<td>add_vs_add</td>"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Report {
    sections: Vec<Section>,
}

#[derive(Clone, Debug)]
struct Section {
    title: Html,
    /// What links name it by.
    anchor: String,
    intro: Html,
    body: Html,
}

impl Report {
    /// A page without sections.
    #[must_use]
    pub fn new() -> Report {
        Report::default()
    }

    /// Adds a section: its title and a sentence or two about what it shows, both text, then its body.
    pub fn section(&mut self, title: &str, intro: &str, body: Html) {
        let anchor = title.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        self.sections.push(Section { title: Html::text(title), anchor, intro: Html::text(intro), body });
    }

    /// The page.
    #[must_use]
    pub fn render(&self) -> String {
        let mut page = Html::raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        write!(
            page,
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" \
             content=\"light dark\">\n<title>heaplab: what was checked</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>heaplab</h1>\n<p>A heap that many threads allocate from at once, and what was done to find a \
             fault in it.</p>\n<nav>"
        );
        for section in &self.sections {
            write!(page, "<a href=\"#{}\">{}</a>", section.anchor, section.title);
        }
        page.push(&Html::raw("</nav>\n</header>\n<main>\n"));
        for Section { title, anchor, intro, body } in &self.sections {
            write!(
                page,
                "<section id=\"{anchor}\">\n<h2>{title}</h2>\n<p class=\"intro\">{intro}</p>\n{body}</section>\n"
            );
        }
        write!(
            page,
            "</main>\n<footer>heaplab {}. One file: no script, nothing loaded from elsewhere.</footer>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION")
        );
        page.into_string()
    }

    /// The page of the artefacts in `directory`. One that cannot be read is named on the page.
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

    /// RP-1 and RP-2.
    #[test]
    fn the_page_stands_alone() {
        let mut report = Report::new();
        report.section("Kill matrix, <b>", "Which & why.", Html::paragraph("<script>alert(1)</script>"));
        let page = report.render();
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for outside in ["<script", "http:", "https:", "src=", "url(", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("<a href=\"#kill-matrix---b-\">Kill matrix, &lt;b&gt;</a>"), "{page}");
        assert!(page.contains("Which &amp; why."), "{page}");
    }

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
