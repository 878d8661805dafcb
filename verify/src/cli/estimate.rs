//! `heaplab estimate`: how many executions the explorer would find in models, and how long that would take, guessed
//! from few of them.
//!
//! A guess is rough where executions are many: the table has the least and the greatest of several, which draw other
//! executions. The time is that of one process, by the runs that the guesses took.

use super::find::find_models;
use super::{EstimateOptions, complain};
use crate::report::grouped;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use heaplab::sync::estimate;
use heaplab_checker::model::{Model, Pass, explore_options};
use heaplab_common::exit::Exit;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// What several guesses say of a model.
struct Guess {
    /// What bounds the executions.
    bound: String,
    /// Executions: the mean, the least guess and the greatest.
    mean: f64,
    least: f64,
    greatest: f64,
    /// Runs that are no executions.
    others: f64,
    is_exact: bool,
    /// How long all runs would take.
    time: Duration,
}

/// Estimates the models that the options name and prints their table.
pub(super) fn estimates(all: &[Model], options: &EstimateOptions) -> Exit {
    let chosen = match find_models(all, options.only.as_deref()) {
        Ok(chosen) => chosen,
        Err(text) => {
            complain(&text);
            return Exit::BadUsage;
        }
    };
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(["model", "bound", "executions\nabout", "least\nguess", "greatest\nguess", "other runs", "time"]);
    for column in 1..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut passed = true;
    for model in chosen {
        match guess(model, options) {
            Ok(guess) => {
                let number = |value: f64| grouped(value.round() as u64);
                let exactly = if guess.is_exact { "exactly " } else { "" };
                table.add_row([
                    model.name.to_owned(),
                    guess.bound.clone(),
                    format!("{exactly}{}", number(guess.mean)),
                    number(guess.least),
                    number(guess.greatest),
                    number(guess.others),
                    format!("{:.1} s", guess.time.as_secs_f64()),
                ]);
            }
            Err(text) => {
                complain(&format!("{}: {text}", model.name));
                passed = false;
            }
        }
    }
    let _ = writeln!(std::io::stdout(), "{table}");
    Exit::passed_if(passed)
}

fn guess(model: &Model, options: &EstimateOptions) -> Result<Guess, String> {
    let mut how = explore_options(&model.spec, Pass::Graphs, None);
    how.preemption_bound = options.preemptions;
    // A model's bound of yields stays: without it there are executions of any length.
    let bounds = [(how.preemption_bound, "preemptions"), (how.yields_max, "yields")];
    let bounds: Vec<_> = bounds.iter().filter_map(|(most, of)| Some(format!("{} {of}", (*most)?))).collect();
    let bound = if bounds.is_empty() { "none".to_owned() } else { bounds.join(", ") };
    let start = Instant::now();
    let (mut executions, mut others, mut runs, mut is_exact) = (Vec::new(), 0.0, 0, true);
    for seed in 0..options.guesses {
        let one = estimate(&how, options.breadth, seed, model.body)?;
        executions.push(one.executions);
        others += one.others / options.guesses as f64;
        runs += one.runs;
        is_exact &= one.is_exact;
    }
    let mean = executions.iter().sum::<f64>() / options.guesses as f64;
    let (least, greatest) =
        executions.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), &one| (least.min(one), most.max(one)));
    let seconds = start.elapsed().as_secs_f64() * (mean + others) / runs as f64;
    Ok(Guess {
        bound,
        mean,
        least,
        greatest,
        others,
        is_exact,
        time: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
    })
}
