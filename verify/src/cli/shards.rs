//! `heaplab models --shards N/M`: a part of what the explorer has to explore, for several machines.
//!
//! Each machine runs another part, and keeps a file for each model and part, beside those of whole models. Whoever has
//! the files of all parts, of the same sources, is told the sum, and whether it is that of the baseline.

use super::find::find_models;
use super::live::Live;
use super::models::run_as;
use super::{ModelsOptions, complain};
use crate::report::grouped;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use heaplab::sync::Shard;
use heaplab_checker::model::baseline::Baseline;
use heaplab_checker::model::{Graphs, Model, Pass};
use heaplab_checker::record::ModelRecord;
use heaplab_checker::suite::pool;
use heaplab_common::exit::Exit;
use std::io::Write as _;

/// What the record of a part of a model is called.
fn part_of(model: &str, shard: Shard, all_graphs: bool) -> String {
    format!("{model}{} {shard}", if all_graphs { " all" } else { "" })
}

/// Runs the part that the options name of each model that they name, and prints the table.
pub(super) fn shards(all: &[Model], options: &ModelsOptions) -> Exit {
    let shard = options.shards.as_deref().unwrap_or_default().parse::<Shard>();
    let (shard, chosen) = match (shard, find_models(all, options.only.as_deref())) {
        (Ok(shard), Ok(chosen)) => (shard, chosen),
        (Err(text), _) => {
            complain(&format!("--shards: {text}"));
            return Exit::BadUsage;
        }
        (_, Err(text)) => {
            complain(&text);
            return Exit::BadUsage;
        }
    };
    let is_explored = |model: &&&Model| options.all_graphs || !matches!(model.spec.graphs, Graphs::Left { .. });
    let chosen: Vec<&Model> = chosen.iter().filter(is_explored).copied().collect();
    let name = |model: &Model| part_of(model.name, shard, options.all_graphs);
    let is_known = |model: &&Model| options.resume && ModelRecord::kept(&name(model)).is_some();
    let unknown: Vec<&Model> = chosen.iter().filter(|model| !is_known(model)).copied().collect();
    let baseline = Baseline::committed();
    let graphs = unknown.iter().map(|model| baseline.graphs(model.name).unwrap_or(0)).sum::<u64>();
    // A model without its bound has more than the baseline knows of.
    let expected = (!options.all_graphs).then_some(graphs / shard.count() as u64);
    let live = Live::new(unknown.len(), expected);
    let outcomes = pool::run((0..unknown.len()).collect(), options.jobs(), |index| {
        let model = unknown[index];
        let mut arguments = vec![model.name.to_owned(), "--shard".to_owned(), shard.to_string()];
        arguments.extend(options.all_graphs.then(|| "--all-graphs".to_owned()));
        run_as(&name(model), &arguments, &live)
    });
    live.finish();
    let mut passed = true;
    for outcome in outcomes {
        match outcome {
            Ok((ModelRecord { failure: None, .. }, _)) => {}
            Ok((record, complaints)) => {
                complain(&format!("{} is red: {}\n{complaints}", record.name, record.failure.unwrap_or_default()));
                passed = false;
            }
            Err(text) => {
                complain(&text);
                passed = false;
            }
        }
    }
    passed &= print(&chosen, &baseline, shard, options.all_graphs);
    Exit::passed_if(passed)
}

/// The graphs and the blocked runs of a part, if its record is kept.
fn found(model: &Model, shard: Shard, all_graphs: bool) -> Option<(u64, u64)> {
    let record = ModelRecord::kept(&part_of(model.name, shard, all_graphs))?;
    let graphs = record.certificates.iter().find(|one| one.pass == Pass::Graphs)?;
    Some((graphs.executions, graphs.blocked))
}

/// Prints what is known of the models, and returns whether no sum is another one than the baseline's.
fn print(models: &[&Model], baseline: &Baseline, shard: Shard, all_graphs: bool) -> bool {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["model", "this part", "blocked", "parts known", "graphs", "of the baseline"]);
    for column in 1..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut passed = true;
    for model in models {
        let known: Vec<_> = shard.all().filter_map(|part| found(model, part, all_graphs)).collect();
        let Some((own, blocked)) = found(model, shard, all_graphs) else { continue };
        let is_whole = known.len() == shard.count();
        let sum: u64 = known.iter().map(|(graphs, _)| graphs).sum();
        // The baseline is that of the bound that the model has.
        let is_bounded = matches!(model.spec.graphs, Graphs::Within { .. });
        let expected = baseline.graphs(model.name).filter(|_| !(all_graphs && is_bounded));
        if is_whole && expected.is_some_and(|expected| expected != sum) {
            complain(&format!("{}: the parts have {sum} graphs, which is not what the baseline has", model.name));
            passed = false;
        }
        table.add_row([
            model.name.to_owned(),
            grouped(own),
            grouped(blocked),
            format!("{} of {}", known.len(), shard.count()),
            format!("{}{}", if is_whole { "" } else { "at least " }, grouped(sum)),
            expected.map_or("-".to_owned(), grouped),
        ]);
    }
    let _ = writeln!(std::io::stdout(), "{table}\nshard {shard}");
    passed
}
