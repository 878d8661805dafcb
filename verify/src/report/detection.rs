//! The planted bugs' part of the page: bug by engine, with the time that each took.

use super::html::{Html, HtmlTable, Tone};
use super::page::Report;
use crate::detect::{DETECTION, Detection, SECONDS};
use std::path::Path;

/// The matrix of the last detection, if there was one.
pub(super) fn section(report: &mut Report, directory: &Path) {
    let Ok(text) = std::fs::read_to_string(directory.join(DETECTION)) else { return };
    let detections: Vec<Detection> = match serde_json::from_str(&text) {
        Ok(detections) => detections,
        Err(error) => {
            let intro = "A record of planted bugs of another version, or a damaged one.";
            report.section("Unreadable", intro, Html::listing(&error.to_string()));
            return;
        }
    };
    let engines = distinct(detections.iter().map(|one| one.engine));
    let bugs = distinct(detections.iter().map(|one| one.bug.as_str()));
    let mut table = HtmlTable::new().column("bug").column("what is wrong");
    for engine in &engines {
        table = table.column(engine.name());
    }
    table = table.number_column("operations");
    for bug in bugs {
        let of_bug: Vec<&Detection> = detections.iter().filter(|one| one.bug == bug).collect();
        let mut cells = vec![Html::text(bug), Html::text(of_bug.first().map_or("", |one| &one.what))];
        for engine in &engines {
            let seconds = of_bug.iter().find(|one| one.engine == *engine).map(|one| one.seconds);
            cells.push(match seconds {
                Some(Some(seconds)) => Html::badge(Tone::Good, &format!("{seconds:.1} s")),
                Some(None) => Html::text("missed"),
                None => Html::text("not tried"),
            });
        }
        let shrunk = of_bug.iter().filter_map(|one| one.operations).min();
        cells.push(Html::text(&shrunk.map_or(String::new(), |count| count.to_string())));
        table.row(cells);
    }
    let intro = format!(
        "Bugs planted in the heap, one at a time, and after how many seconds each engine failed; each had {SECONDS}. \
         The last column has the operations of the smallest program that shows the bug, where an engine shrinks."
    );
    report.section("Planted bugs", &intro, table.render());
}

/// Each value once, in the order in which they come.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
