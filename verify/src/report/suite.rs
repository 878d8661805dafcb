//! The suite's part of the page: models, the checker's blind spots, the fates of mutants, and pictures of failures.

use super::html::{Html, HtmlTable, Tone, grouped};
use super::page::Report;
use heaplab_checker::model::{Bound, Certificate, LitmusVerdict, Pass};
use heaplab_checker::record::{ExploredRecord, LitmusRecord, ModelRecord, MutantFate, MutantRecord, SuiteRecord};
use std::fs;
use std::path::Path;

/// The most pictures of failures on the page. The newest are taken; each is a file of its own as well.
const PICTURES_MAX: usize = 24;

/// Models, litmus table and kill matrix.
pub(super) fn sections(report: &mut Report, record: Option<&SuiteRecord>) {
    let Some(record) = record else { return };
    let about = format!("{}, sources {}, based on commit {}", record.checker, record.fingerprint, record.commit);
    if !record.models.is_empty() {
        let mut body = models(record);
        body.push(&trust(record));
        let intro = "Each model is a small world of the shipping code, explored completely within its bound, in two \
                     passes. A model that stopped at a limit would be red. The bound counts preemptions, the passes' \
                     columns executions, longest the operations of the longest one, sites the calls in the heap's \
                     sources, and kills the mutants that this model was the first to notice.";
        report.section("Models", &format!("{intro} {about}."), body);
    }
    if !record.litmus.is_empty() {
        let intro = "What the checker itself explores, against what the memory model allows: the suite's own blind \
                     spots, measured. Where a pass misses an outcome, no argument may lean on it.";
        report.section("Litmus table", intro, litmus(&record.litmus));
    }
    for (title, mutants, intro) in [
        (
            "Ordering mutants",
            &record.orderings,
            "Every ordering in the heap's sources, one step weaker, one at a time: the models must turn red.",
        ),
        (
            "Protocol mutants",
            &record.protocol,
            "Every operation of the protocols dropped, doubled, split into a load and a store, or postponed past the \
             next publication. A change that makes no other program is listed with its reason.",
        ),
    ] {
        if !mutants.is_empty() {
            report.section(title, intro, kill_matrix(mutants));
        }
    }
    if !record.unexercised.is_empty() {
        let body = Html::listing(&record.unexercised.join("\n"));
        report.section("Not exercised", "Calls with an ordering that no model runs.", body);
    }
}

fn models(record: &SuiteRecord) -> Html {
    let mut table = HtmlTable::new()
        .column("model")
        .column("verdict")
        .number_column("threads")
        .number_column("bound of loom")
        .column("fault")
        .number_column("graphs")
        .number_column("normal")
        .number_column("read-as-rmw")
        .number_column("longest")
        .number_column("seconds")
        .number_column("sites")
        .number_column("kills");
    for model in &record.models {
        let first = model.certificates.first();
        let count = |pass: Pass| {
            let found = model.certificates.iter().find(|one| one.pass == pass);
            let is_bounded = |one: &Certificate| pass == Pass::Graphs && one.bound() != Bound::Unbounded;
            Html::text(&found.map_or("-".to_owned(), |one| match is_bounded(one) {
                true => format!("{} ({})", grouped(one.executions), one.bound()),
                false => grouped(one.executions),
            }))
        };
        let longest = model.certificates.iter().map(|one| one.operations_max).max().unwrap_or(0);
        let places: std::collections::BTreeSet<String> = model.sites.iter().map(|site| site.place()).collect();
        table.row([
            Html::text(&model.name),
            verdict(model),
            Html::text(&first.map_or("-".to_owned(), |one| one.threads.to_string())),
            Html::text(
                &model.certificates.last().map_or("-".to_owned(), |one| {
                    one.preemption_bound.map_or("none".to_owned(), |most| most.to_string())
                }),
            ),
            Html::text(first.and_then(|one| one.fault).map_or("", |fault| fault.name())),
            count(Pass::Graphs),
            count(Pass::Normal),
            count(Pass::ReadAsRmw),
            Html::text(&longest.to_string()),
            Html::text(&format!("{:.2}", model.seconds)),
            Html::text(&places.len().to_string()),
            Html::text(&record.kills(&model.name).to_string()),
        ]);
    }
    let mut html = table.render();
    for model in record.models.iter().filter(|model| model.failure.is_some()) {
        html.push(&Html::listing(&format!("{}: {}", model.name, model.failure.as_deref().unwrap_or(""))));
    }
    html
}

fn verdict(model: &ModelRecord) -> Html {
    let green = model.failure.is_none();
    Html::badge(Tone::of(green), if green { "complete" } else { "RED" })
}

/// What the passes do not see, and what every certificate takes on trust.
fn trust(record: &SuiteRecord) -> Html {
    let mut html = Html::default();
    let mut passes: Vec<_> = record.models.iter().flat_map(|model| &model.certificates).collect();
    passes.sort_by_key(|one| one.pass);
    passes.dedup_by_key(|one| one.pass);
    for one in passes {
        let text = format!("The {} pass does not see: {}.", one.pass, one.blind_spots.join("; "));
        html.push(&Html::paragraph(&text));
        if one.pass == Pass::Normal {
            html.push(&Html::paragraph(&format!("Taken on trust: {}.", one.trusted.join("; "))));
        }
    }
    html
}

fn litmus(rows: &[LitmusRecord]) -> Html {
    let mut table = HtmlTable::new().column("program").number_column("allowed");
    for pass in Pass::ALL {
        table = table.column(pass.name());
    }
    for row in rows {
        let mut program = Html::text(&row.name);
        program.push(&Html::raw("<br><code>"));
        program.push(&Html::text(&row.program));
        program.push(&Html::raw("</code>"));
        let mut cells = vec![program, Html::text(&row.allowed.len().to_string())];
        for ExploredRecord(_, seen, verdict) in &row.explored {
            let tone = if *verdict == LitmusVerdict::Exact { Tone::Good } else { Tone::Plain };
            let mut cell = Html::badge(tone, verdict.name());
            cell.push(&Html::text(&difference(&row.allowed, seen)));
            cells.push(cell);
        }
        table.row(cells);
    }
    table.render()
}

/// Outcomes that one set has and the other has not.
fn difference(allowed: &[String], seen: &[String]) -> String {
    let without = |these: &[String], those: &[String]| {
        these
            .iter()
            .filter(|outcome| !those.contains(outcome))
            .map(|outcome| format!("({outcome})"))
            .collect::<Vec<_>>()
    };
    let (missing, impossible) = (without(allowed, seen), without(seen, allowed));
    let mut text = format!(" {} outcomes", seen.len());
    if !missing.is_empty() {
        text += &format!(", not {}", missing.join(" "));
    }
    if !impossible.is_empty() {
        text += &format!(", also {}", impossible.join(" "));
    }
    text
}

fn kill_matrix(mutants: &[MutantRecord]) -> Html {
    let (mut killed, mut explained, mut survived) = (0, 0, 0);
    let mut table = HtmlTable::new()
        .column("call")
        .column("operand")
        .column("written")
        .column("mutant")
        .number_column("models")
        .column("fate")
        .column("how");
    let mut rows: Vec<&MutantRecord> = mutants.iter().collect();
    rows.sort_by_key(|one| (&one.call, one.operand.name(), one.change.name()));
    for one in rows {
        let (fate, how) = match &one.fate {
            MutantFate::Killed { model, why, seconds } => {
                killed += 1;
                (Html::badge(Tone::Good, "killed"), format!("{model}, {seconds:.1} s: {}", first_line(why)))
            }
            MutantFate::Explained { reason } => {
                explained += 1;
                (Html::badge(Tone::Plain, "explained"), reason.clone())
            }
            MutantFate::Survived { undecided } => {
                survived += 1;
                let text = match undecided.len() {
                    0 => String::new(),
                    count => format!("{count} models gave up at their limit"),
                };
                (Html::badge(Tone::Bad, "SURVIVES"), text)
            }
        };
        table.row([
            Html::text(&one.call),
            Html::text(one.operand.name()),
            Html::text(&format!("{:?}", one.written)),
            Html::text(one.change.name()),
            Html::text(&one.models.to_string()),
            fate,
            Html::text(&how),
        ]);
    }
    let text = format!("{} mutants: {killed} killed, {explained} explained, {survived} survive.", mutants.len());
    let mut html = Html::paragraph(&text);
    html.push(&table.render());
    html
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or("").chars().take(110).collect()
}

/// The pictures in a directory, the last written first.
pub(super) fn counterexamples(report: &mut Report, directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut pictures: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "svg"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    pictures.sort_by(|a, b| b.cmp(a));
    pictures.truncate(PICTURES_MAX);
    let mut body = Html::default();
    for (_, path) in pictures {
        let Ok(svg) = fs::read_to_string(&path) else { continue };
        let Some(start) = svg.find("<svg") else { continue };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        // The suite drew the picture, and escaped what the picture quotes.
        body.push(&Html::details(&Html::text(&name), &Html::raw(&svg[start..]), false));
    }
    if body.as_str().is_empty() {
        return;
    }
    let intro = "Executions that failed, or were replayed: a lane for each thread, time downwards, an arrow from a \
                 write to the read that saw it. Made by failing models, and by mutants on purpose.";
    report.section("Counterexamples", intro, body);
}
