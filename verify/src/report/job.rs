//! The main job's part of the page: what the scenarios and the stress did, and the pictures of their heaps.

use super::heap_picture::{legend, pictures};
use super::html::{Html, HtmlTable, Tone, grouped};
use super::page::Report;
use heaplab_common::artefact::write_artefact;
use heaplab_scenarios::ScenarioReport;
use heaplab_scenarios::stress::StressReport;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::{fs, io};

/// The file that the main job leaves its record in.
pub const SCENARIOS: &str = "scenarios.json";

/// What the main job did: options and results. Written as JSON.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobRecord {
    /// The version of the suite.
    pub version: String,
    /// Seconds of stress that were asked for.
    pub seconds: u64,
    /// Threads of the stress, and rivals of the scenarios.
    pub threads: u64,
    /// MiB of the heaps.
    pub heap_mib: u64,
    /// Bytes of a page, if they were asked for.
    pub page_bytes: Option<usize>,
    /// What every decision of the threads followed from.
    pub seed: u64,
    /// The scenarios, each in each mode; empty if they were left out.
    pub scenarios: Vec<ScenarioReport>,
    /// The stress, unless it was left out.
    pub stress: Option<StressReport>,
    /// Whether every check held.
    pub passed: bool,
}

impl JobRecord {
    /// The record in a file; `None` if there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or is no record of this version; the error names the file.
    pub fn read(path: &Path) -> Result<Option<JobRecord>, String> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Writes the record as an artefact.
    ///
    /// # Errors
    /// The record cannot be written. The error names the file.
    pub fn write(&self) -> io::Result<()> {
        write_artefact(SCENARIOS, &serde_json::to_string(self)?).map(drop)
    }

    /// The record without pictures: what a reader of JSON asks for.
    #[must_use]
    pub fn without_pictures(&self) -> JobRecord {
        let mut record = self.clone();
        record.scenarios.iter_mut().for_each(|report| report.pictures.clear());
        record
    }

    /// What is wrong, each with the part of the job that found it.
    pub fn findings(&self) -> impl Iterator<Item = (String, &String)> {
        let scenarios = self.scenarios.iter().flat_map(|report| {
            let part = format!("{}, {}", report.name, report.mode);
            report.violations.iter().map(move |finding| (part.clone(), finding))
        });
        let stress = self.stress.iter().flat_map(|report| {
            let part = format!("stress, seed {}", report.seed);
            report.findings.iter().map(move |finding| (part.clone(), finding))
        });
        scenarios.chain(stress)
    }
}

fn count(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn verdict(findings: usize) -> Html {
    Html::badge(Tone::of(findings == 0), &if findings == 0 { "held".to_owned() } else { count(findings, "finding") })
}

/// A number with what it counts, side by side with others.
fn card(html: &mut Html, tone: Tone, number: &str, text: &str) {
    writeln!(
        html,
        "<div class=\"card {}\"><b>{}</b><span>{}</span></div>",
        tone.class(),
        Html::text(number),
        Html::text(text)
    );
}

/// The first section: whether every check held, and what was done.
pub(super) fn summary(report: &mut Report, record: Option<&JobRecord>) {
    let Some(record) = record else {
        let body = Html::paragraph("The scenarios have not run on a real heap yet: cargo run --release does that.");
        return report.section("Summary", "What is known so far.", body);
    };
    let findings: Vec<_> = record.findings().collect();
    let mut body = Html::default();
    let (class, text) = match findings.len() {
        0 => ("good", "Every check held.".to_owned()),
        number => ("bad", format!("{}.", count(number, "finding"))),
    };
    writeln!(body, "<p class=\"verdict {class}\">{}</p>", Html::text(&text));
    cards(&mut body, record);
    if !findings.is_empty() {
        body.push(&Html::raw("<h3>Findings</h3>\n"));
        for (part, finding) in findings {
            body.push(&Html::listing(&format!("{part}: {finding}")));
        }
    }
    body.push(&table(record).render());
    writeln!(
        body,
        "<p class=\"note\"><b>Off</b>: the scenario's thread is the only one that allocates. <b>On</b>: rivals \
         allocate, drop and collect all the time. <b>Stress flag</b>: the heap's own background thread does. To repeat \
         it: <code>{}</code></p>",
        Html::text(&command(record))
    );
    report.section(
        "Summary",
        "On real threads and mapped memory. Each scenario makes every space of a heap full and then allocates in \
         each: it must get memory at its first attempt and may ask for no collection. Then many threads allocate, \
         collect and come and go at random, and all that they keep is compared with a shadow.",
        body,
    );
}

/// The command that did this job.
fn command(record: &JobRecord) -> String {
    let mut command = format!(
        "cargo run --release -- --heap-mib {} --threads {} --seconds {} --seed {}",
        record.heap_mib, record.threads, record.seconds, record.seed
    );
    if let Some(bytes) = record.page_bytes {
        command.push_str(&format!(" --page-bytes {bytes}"));
    }
    if record.stress.is_none() {
        command.push_str(" --scenarios-only");
    } else if record.scenarios.is_empty() {
        command.push_str(" --stress-only");
    }
    command
}

fn cards(body: &mut Html, record: &JobRecord) {
    body.push(&Html::raw("<div class=\"cards\">\n"));
    if !record.scenarios.is_empty() {
        let held = record.scenarios.iter().filter(|report| report.passed()).count();
        let all = record.scenarios.len();
        let sum = |number: fn(&ScenarioReport) -> u64| record.scenarios.iter().map(number).sum::<u64>();
        let retries = sum(|report| report.retries);
        let asked = sum(|report| report.collections_in_scope);
        card(body, Tone::of(held == all), &format!("{held} of {all}"), "scenario runs held");
        card(body, Tone::Plain, &grouped(sum(|report| report.allocations)), "allocations in full spaces");
        card(body, Tone::of(retries == 0), &grouped(retries), "of them failed at first");
        card(body, Tone::of(asked == 0), &grouped(asked), "of them asked for a collection");
        card(body, Tone::Plain, &grouped(sum(|report| report.rival_allocations)), "allocations of rivals meanwhile");
    }
    if let Some(stress) = &record.stress {
        card(body, Tone::of(stress.passed()), &grouped(stress.allocations), "allocations in the stress");
        let checks = stress.shadow_checks + stress.parcel_checks;
        card(body, Tone::Plain, &grouped(checks), "objects compared with what they must hold");
    }
    let verified = record.scenarios.iter().map(|report| report.objects_verified).sum::<u64>()
        + record.stress.as_ref().map_or(0, |stress| stress.objects_verified);
    card(body, Tone::Plain, &grouped(verified), "objects verified");
    body.push(&Html::raw("</div>\n"));
}

fn table(record: &JobRecord) -> HtmlTable {
    let mut table = HtmlTable::new()
        .column("scenario")
        .column("concurrent allocation")
        .number_column("allocations")
        .number_column("of rivals")
        .number_column("minor")
        .number_column("major")
        .number_column("reducing collections")
        .number_column("retries")
        .number_column("objects verified")
        .column("verdict");
    let number = |number: u64| Html::text(&grouped(number));
    for report in &record.scenarios {
        let [minor, major, reducing] = report.collections.map(number);
        table.row([
            Html::text(&report.name),
            Html::text(&report.mode.to_string()),
            number(report.allocations),
            number(report.rival_allocations),
            minor,
            major,
            reducing,
            number(report.retries),
            number(report.objects_verified),
            verdict(report.violations.len()),
        ]);
    }
    if let Some(report) = &record.stress {
        let [minor, major, reducing] = report.collections.map(number);
        table.row([
            Html::text("stress"),
            Html::text(&format!("on, {}", count(report.threads, "thread"))),
            number(report.allocations),
            Html::text(""),
            minor,
            major,
            reducing,
            number(report.retries),
            number(report.objects_verified),
            verdict(report.findings.len()),
        ]);
    }
    table
}

/// The section with the pictures of the scenarios' heaps. Left out if there are none.
pub(super) fn heaps(report: &mut Report, record: &JobRecord) {
    if record.scenarios.iter().all(|report| report.pictures.is_empty()) {
        return;
    }
    let mut body = legend();
    let mut last = None;
    for scenario in record.scenarios.iter().filter(|report| !report.pictures.is_empty()) {
        if last != Some(&scenario.name) {
            writeln!(body, "<h3>{}</h3>", Html::text(&scenario.name));
            last = Some(&scenario.name);
        }
        let mut title = Html::text(&format!("concurrent allocation {}", scenario.mode));
        title.push(&Html::raw(" "));
        title.push(&verdict(scenario.violations.len()));
        body.push(&Html::details(&title, &pictures(&scenario.pictures), true));
    }
    report.section(
        "The heaps",
        "Each box is a page of the heap, filled from below by what its bytes are used for; point at one for its \
         numbers. Only committed pages are there; the dashed line is the soft limit, up to which large objects \
         filled the heap. In the middle column every space has been made full, one after the other, and got one more \
         object each time: what is free then is the rest of the pages that the scope had set aside for these. With \
         rivals the heap is full for a moment only: they collect, and what they allocate and drop shows as well.",
        body,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use heaplab_scenarios::Mode;

    fn record() -> JobRecord {
        let scenario = ScenarioReport {
            name: "a_scenario".to_owned(),
            mode: Mode::On { rivals: 2 },
            heap_bytes: 4 << 20,
            allocations: 1234,
            large_allocations: 3,
            soft_limit_reached: true,
            rival_allocations: 99,
            collections: [1, 2, 3],
            collections_in_scope: 0,
            retries: 0,
            objects_verified: 77,
            violations: Vec::new(),
            pictures: Vec::new(),
        };
        JobRecord {
            version: "0".to_owned(),
            seconds: 1,
            threads: 2,
            heap_mib: 4,
            page_bytes: None,
            seed: 42,
            scenarios: vec![scenario],
            stress: Some(StressReport { seed: 42, threads: 1, allocations: 5000, ..StressReport::default() }),
            passed: true,
        }
    }

    fn page(record: &JobRecord) -> String {
        let mut report = Report::new();
        summary(&mut report, Some(record));
        heaps(&mut report, record);
        report.render()
    }

    #[test]
    fn the_summary_says_what_the_record_says() {
        let page = page(&record());
        for text in ["Every check held.", "1 of 1", "1 234", "5 000", "on, 2 rivals", "on, 1 thread", "--seed 42"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("The heaps"), "no picture was taken");
    }

    /// A finding is on the page, as text.
    #[test]
    fn findings_are_shown() {
        let mut record = record();
        record.scenarios[0].violations.push("<b>lost</b>".to_owned());
        let page = page(&record);
        for text in ["1 finding", "0 of 1", "a_scenario, on, 2 rivals: &lt;b&gt;lost&lt;/b&gt;"] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("Every check held."));
    }

    #[test]
    fn a_record_survives_json() {
        let text = serde_json::to_string(&record()).unwrap();
        assert_eq!(serde_json::from_str::<JobRecord>(&text).unwrap(), record());
    }
}
