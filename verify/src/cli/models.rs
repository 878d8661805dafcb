//! `heaplab models`: every model, side by side as processes.

use super::find::find_models;
use super::live::Live;
use super::page::render_report;
use super::{ModelsOptions, complain};
use crate::notice::Notice;
use crate::report::grouped;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use heaplab_checker::model::baseline::{BLESS, Baseline};
use heaplab_checker::model::census::Census;
use heaplab_checker::model::litmus::Litmus;
use heaplab_checker::model::{Bound, Certificate, Model, Pass};
use heaplab_checker::record::{ModelRecord, SuiteRecord};
use heaplab_checker::suite::pool;
use heaplab_checker::suite::process::{self, Event};
use heaplab_common::cargo_run;
use heaplab_common::exit::Exit;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

/// Runs the models that the options name and prints their table.
pub(super) fn models(all: &[Model], options: &ModelsOptions) -> Exit {
    let chosen = match find_models(all, options.only.as_deref()) {
        Ok(chosen) => chosen,
        Err(text) => {
            complain(&text);
            return Exit::BadUsage;
        }
    };
    if options.bless && options.only.is_some() {
        complain("--bless writes the whole baseline: it needs every model, so it cannot go with --only");
        return Exit::BadUsage;
    }
    let start = Instant::now();
    let records = match run_unknown(all, &chosen, options) {
        Ok(records) => records,
        Err(text) => {
            complain(&text);
            return Exit::Failed;
        }
    };
    print(&records, start.elapsed().as_secs_f64());
    let mut passed = records.iter().all(|record| record.failure.is_none());
    if options.bless {
        passed &= bless(&records);
    } else {
        for objection in objections(all, &records, options.only.is_none()) {
            complain(&objection);
            passed = false;
        }
    }
    let mut record = SuiteRecord::load();
    if options.only.is_none() {
        for objection in put_all(&mut record, records, Census::of_the_workspace(), heaplab_models::litmus::TABLE) {
            complain(&objection);
            passed = false;
        }
    } else {
        put_some(&mut record, records);
    }
    for site in &record.unexercised {
        complain(&format!("no model runs {site}"));
        passed = false;
    }
    passed &= save(&record, options.json.as_deref());
    Exit::passed_if(passed)
}

/// Runs the chosen models, with `--resume` only those of which no record is kept. Returns the records of all chosen
/// models, in the order of the tables.
fn run_unknown(all: &[Model], chosen: &[&Model], options: &ModelsOptions) -> Result<Vec<ModelRecord>, String> {
    let kept = |model: &&Model| if options.resume { ModelRecord::kept(model.name) } else { None };
    let known: Vec<ModelRecord> = chosen.iter().filter_map(kept).collect();
    if options.resume {
        let _ = writeln!(std::io::stdout(), "{} of {} models are known to be complete", known.len(), chosen.len());
    }
    let unknown: Vec<&Model> =
        chosen.iter().copied().filter(|model| known.iter().all(|record| record.name != model.name)).collect();
    let mut records = [known, run(&unknown, options.jobs())?].concat();
    records.sort_by_key(|record| all.iter().position(|model| model.name == record.name));
    Ok(records)
}

/// Makes the baseline what these models came to. Returns whether that was done.
fn bless(records: &[ModelRecord]) -> bool {
    if records.iter().any(|record| record.failure.is_some()) {
        complain("a model is red: the baseline stays as it is");
        return false;
    }
    let certificates: Vec<_> = records.iter().flat_map(|record| record.certificates.clone()).collect();
    let written = std::fs::write(Baseline::path(), Baseline::of(&certificates).text());
    if let Err(error) = &written {
        complain(&format!("the baseline cannot be written: {error}"));
    }
    written.is_ok()
}

/// Puts the records of all models into the record of the suite, with the calls of the census that no model runs, and
/// with the litmus table. Returns what of these could not be told; the record says nothing of it then, as what an
/// earlier run found may have changed.
fn put_all(
    record: &mut SuiteRecord,
    models: Vec<ModelRecord>,
    census: io::Result<Census>,
    litmus: &[Litmus],
) -> Vec<String> {
    let unknown = |error| format!("the sources cannot be read, so it is not known what no model runs: {error}");
    let unexercised = census.map(|census| unexercised(&models, &census)).map_err(unknown);
    let litmus = litmus.iter().map(Litmus::record).collect::<Result<Vec<_>, _>>();
    let objections = [unexercised.as_ref().err(), litmus.as_ref().err()].into_iter().flatten().cloned().collect();
    record.models = models;
    record.unexercised = unexercised.unwrap_or_default();
    record.litmus = litmus.unwrap_or_default();
    objections
}

/// Puts the records of some models into the record of the suite, in the place of its records of the same models.
fn put_some(record: &mut SuiteRecord, models: Vec<ModelRecord>) {
    for one in models {
        record.models.retain(|known| known.name != one.name);
        record.models.push(one);
    }
}

/// Writes the record, a copy to the file `json`, and the report. Returns whether all of them were written.
pub(super) fn save(record: &SuiteRecord, json: Option<&Path>) -> bool {
    let saved = record.save().map_err(|error| error.to_string());
    let copied = json.map_or(Ok(()), |path| {
        let text = serde_json::to_string_pretty(record).map_err(std::io::Error::from);
        text.and_then(|text| std::fs::write(path, text + "\n"))
            .map_err(|error| format!("--json {}: {error}", path.display()))
    });
    for error in [saved.as_ref().err(), copied.as_ref().err()].into_iter().flatten() {
        complain(error);
    }
    if let Ok(path) = &saved {
        let _ = writeln!(std::io::stdout(), "certificate: {}", path.display());
    }
    saved.is_ok() && copied.is_ok() && render_report() == Exit::Passed
}

/// Runs the models as processes.
pub(super) fn run(models: &[&Model], jobs: usize) -> Result<Vec<ModelRecord>, String> {
    // The longest first, by the last known counts, so that no processor waits for a long model at the end.
    let baseline = Baseline::committed();
    let expected = models.iter().map(|model| baseline.executions(model.name)).sum();
    let live = Live::new(models.len(), Some(expected));
    let mut order: Vec<usize> = (0..models.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(baseline.executions(models[index].name)));
    let outcomes = pool::run(order, jobs, |index| {
        let (record, complaints) = run_one(models[index].name, &live)?;
        Ok::<_, String>((index, record, complaints))
    });
    live.finish();
    let mut records = BTreeMap::new();
    for outcome in outcomes {
        let (index, record, complaints) = outcome?;
        if record.failure.is_some() {
            // Whoever closed the stream wants no message.
            let _ = std::io::stderr().write_all(complaints.as_bytes());
        }
        records.insert(index, record);
    }
    Ok(records.into_values().collect())
}

/// Runs one model as a process, shows how far it is, and keeps its record. Returns the record, and what the process
/// wrote to its error stream.
fn run_one(name: &str, live: &Live) -> Result<(ModelRecord, String), String> {
    run_as(name, &[name.to_owned()], live)
}

/// As [`run_one`], with further arguments of the process, and a name for what it finds.
pub(super) fn run_as(name: &str, arguments: &[String], live: &Live) -> Result<(ModelRecord, String), String> {
    let (mut before, mut last) = (0, 0);
    let start = Instant::now();
    let outcome = process::run(arguments, |event| match event {
        Event::Progress { executions, .. } => {
            last = before + executions;
            live.at(name, last);
        }
        Event::Certified(certificate) => {
            before += certificate.executions;
            last = before;
            live.at(name, last);
        }
        _ => {}
    });
    live.end(name, last);
    let outcome = outcome.map_err(|error| format!("model {name} cannot be run as a process: {error}"))?;
    let record = ModelRecord {
        name: name.to_owned(),
        certificates: outcome.certificates().cloned().collect(),
        sites: outcome.sites().to_vec(),
        failure: outcome.failure(),
        seconds: start.elapsed().as_secs_f64(),
    };
    if let Some(failure) = &record.failure {
        Notice::Red { model: name.to_owned() }.tell();
        live.say(&format!("RED {name}: {failure}"));
    }
    record.keep().map_err(|error| error.to_string())?;
    Ok((record, outcome.complaints))
}

/// What the baseline says of these records, and of models that are gone.
fn objections(all: &[Model], records: &[ModelRecord], is_whole: bool) -> Vec<String> {
    let baseline = Baseline::committed();
    let mut objections = Vec::new();
    for one in records.iter().flat_map(|record| &record.certificates) {
        let objection = baseline.objection(&one.model, one.pass, one.executions);
        objections.extend(objection.map(|text| format!("model {}, {} pass: {text}", one.model, one.pass)));
    }
    if is_whole {
        let gone = baseline.models().filter(|name| all.iter().all(|model| model.name != *name));
        objections.extend(gone.map(|name| format!("model {name} is in the baseline and has gone")));
    }
    if !objections.is_empty() {
        objections.push(BLESS.to_owned());
    }
    objections
}

/// Calls that no model can run, or none needs to, each with the reason.
const UNMODELLED: [(&str, &str); 2] = [
    (
        "src/thread/state.rs ThreadState::poison fetch_or",
        "it happens where a stop unwinds, which the checker's locks do not survive: `tests/poisoned.rs` has it",
    ),
    ("src/thread/state.rs ThreadState::standing load", "a look for a report about a deadlock, which decides nothing"),
];

/// Calls with an ordering that none of these models runs and that are not [`UNMODELLED`]; and entries there that
/// excuse no call.
fn unexercised(models: &[ModelRecord], census: &Census) -> Vec<String> {
    let ran: BTreeSet<String> = models.iter().flat_map(|model| &model.sites).map(|site| site.place()).collect();
    let is_missing = |place: &&(String, u32, u32)| !ran.contains(&format!("{}:{}:{}", place.0, place.1, place.2));
    let mut missing: Vec<String> =
        census.ordered().iter().filter(is_missing).map(|place| census.name_of(place).to_string()).collect();
    for (name, _) in UNMODELLED {
        match missing.iter().position(|call| call == name) {
            Some(index) => _ = missing.remove(index),
            None => missing.push(format!("{name}, which is excused for it, but is run or gone")),
        }
    }
    missing
}

fn print(records: &[ModelRecord], seconds: f64) {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "model",
        "threads",
        "bound\nof loom",
        "fault",
        "execution\ngraphs",
        "executions\nnormal",
        "executions\nread-as-rmw",
        "longest",
        "seconds",
        "verdict",
    ]);
    let mut executions = 0;
    for record in records {
        let of = |pass: Pass| record.certificates.iter().find(|one| one.pass == pass);
        let count = |pass| of(pass).map_or("-".to_owned(), |one| grouped(one.executions));
        // The column of the bound is loom's.
        let graphs = match of(Pass::Graphs).map(Certificate::bound) {
            Some(bound) if bound != Bound::Unbounded => format!("{} *", count(Pass::Graphs)),
            _ => count(Pass::Graphs),
        };
        executions += record.certificates.iter().map(|one| one.executions).sum::<u64>();
        let first = record.certificates.first();
        table.add_row([
            record.name.clone(),
            first.map_or("-".to_owned(), |one| one.threads.to_string()),
            record
                .certificates
                .last()
                .map_or("-".to_owned(), |one| one.preemption_bound.map_or("none".to_owned(), |most| most.to_string())),
            first.and_then(|one| one.fault).map_or(String::new(), |fault| fault.to_string()),
            graphs,
            count(Pass::Normal),
            count(Pass::ReadAsRmw),
            record.certificates.iter().map(|one| one.operations_max).max().unwrap_or(0).to_string(),
            format!("{:.2}", record.seconds),
            if record.failure.is_some() { "RED".to_owned() } else { "complete".to_owned() },
        ]);
    }
    for column in [1, 2, 4, 5, 6, 7, 8] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let red: Vec<&str> =
        records.iter().filter(|record| record.failure.is_some()).map(|record| record.name.as_str()).collect();
    let _ = writeln!(
        std::io::stdout(),
        "{table}\n{} models, {} red, {} executions, {seconds:.1} s",
        records.len(),
        red.len(),
        grouped(executions)
    );
    for one in records.iter().flat_map(|record| &record.certificates).filter(|one| one.pass == Pass::Graphs) {
        if let Some(reason) = &one.graphs_reason {
            let _ = writeln!(std::io::stdout(), "* {}: {}: {reason}", one.model, one.bound());
        }
    }
    for name in red {
        complain(&format!("{name} is red; to run it again: {} models --only {name}", cargo_run()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of an earlier run would say that calls are run, or are not, of which nothing is known.
    #[test]
    fn sources_that_cannot_be_read_are_an_objection() {
        let mut record = SuiteRecord::empty();
        record.unexercised = vec!["src/a.rs A::a load".to_owned()];
        let objections = put_all(&mut record, Vec::new(), Err(io::Error::other("no such file")), &[]);
        assert!(matches!(&objections[..], [one] if one.contains("no such file")), "{objections:?}");
        assert_eq!(record.unexercised, [""; 0]);
        let objections = put_all(&mut record, Vec::new(), Census::of_the_workspace(), &[]);
        assert_eq!(objections, [""; 0]);
        assert!(record.unexercised.len() > 50, "no model was run: {:?}", record.unexercised);
    }
}
