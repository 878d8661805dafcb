//! The counterexample as text: a column for each thread, a row for each step.
//!
//! A cell has the operation on the left and its place in the source on the right. `<=#4` after a value says that it was
//! written in step 4 and that the read synchronises with it; `<-#4` that it was read without making an order.

use super::history::Edge;
use super::label::{mutant, number_of};
use super::scene::Scene;
use super::text::{cut, ordering_short, wrap};
use heaplab::sync::model_control::Change;
use std::fmt::Write as _;

/// Characters in a line.
const WIDTH: usize = 150;
/// Characters of the steps' numbers, with the blank after them.
const NUMBER: usize = 5;
/// Characters of the narrowest column. With more threads the lines get longer instead.
const COLUMN_MIN: usize = 36;
/// Characters of the widest column. A wider one would move the places out of sight.
const COLUMN_MAX: usize = 76;
const SEPARATOR: &str = " │ ";

pub(super) fn render(scene: &Scene<'_>) -> String {
    let separators = (scene.threads - 1) * SEPARATOR.chars().count();
    let column = ((WIDTH - NUMBER).saturating_sub(separators) / scene.threads).clamp(COLUMN_MIN, COLUMN_MAX);
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    heading(scene).iter().for_each(|text| line(text));
    let row = |number: &str, cells: &[(usize, String)]| {
        let mut row = format!("{number:>width$} ", width = NUMBER - 1);
        for thread in 0..scene.threads {
            let cell = cells.iter().find(|(at, _)| *at == thread).map_or("", |(_, cell)| cell);
            let separator = if thread == 0 { "" } else { SEPARATOR };
            let _ = write!(row, "{separator}{cell:<column$}");
        }
        row
    };
    let heads: Vec<_> = (0..scene.threads).map(|thread| (thread, format!("thread {thread}"))).collect();
    line(&row("", &heads));
    line(&row("", &(0..scene.threads).map(|thread| (thread, "─".repeat(column))).collect::<Vec<_>>()));
    for (index, step) in scene.steps.iter().enumerate() {
        let number = number_of(index).to_string();
        match step.thread {
            Some(thread) => {
                let (first, second) = cell(scene, index, column);
                line(&row(&number, &[(thread, first)]));
                if let Some(second) = second {
                    line(&row("", &[(thread, second)]));
                }
            }
            None => line(&format!("{number:>width$} {}", scene.label(step).what, width = NUMBER - 1)),
        }
    }
    let mut failures = Vec::new();
    for &thread in &scene.diagnosis.threads {
        let (heading, details) = scene.describe_failure(thread);
        failures.push((thread, wrap(&format!("{heading}: {details}"), column)));
    }
    let height = failures.iter().map(|(_, lines)| lines.len()).max().unwrap_or(0);
    for at in 0..height {
        let cells: Vec<_> =
            failures.iter().filter_map(|(thread, lines)| Some((*thread, lines.get(at)?.clone()))).collect();
        line(&row(if at == 0 { "✗" } else { "" }, &cells));
    }
    text
}

/// The lines above the columns: what ran, under which mutant, how to see it again, and what the signs mean.
fn heading(scene: &Scene<'_>) -> Vec<String> {
    let counterexample = scene.counterexample;
    let mut lines = vec![format!("{}: {}", counterexample.model, scene.circumstances())];
    let mutant = counterexample.mutant.as_ref();
    lines.extend(mutant.map(|mutant| format!("mutant: {mutant} (its operations are marked !)")));
    if !counterexample.token.is_empty() {
        lines.push(format!("replay: {}", counterexample.token));
    }
    lines.push("<=#n: reads step n's value and synchronises; <-#n: reads it and makes no order".to_owned());
    lines.push(String::new());
    lines
}

/// A step in `width` characters, indented by a dot for each lock held. What stands on the right gives way first, the
/// function before file and line; then what is odd about a read gets a line of its own.
fn cell(scene: &Scene<'_>, index: usize, width: usize) -> (String, Option<String>) {
    let step = &scene.steps[index];
    let label = scene.label(step);
    let indent = "· ".repeat(scene.locks_around(index));
    let mut left = indent.clone() + &label.what.replace(".fetch_", ".");
    if !label.value.is_empty() {
        let _ = write!(left, " {}", label.value.replace('→', "->"));
    }
    if let Some(ordering) = label.ordering {
        let mark = if label.change.is_some_and(Change::is_of_ordering) { "!" } else { "" };
        let _ = write!(left, " {}{mark}", ordering_short(ordering));
    }
    if let Some(change) = label.change.filter(|change| !change.is_of_ordering()) {
        left.push_str(&mutant(change));
    }
    if let Some(from) = label.from {
        let read = scene.history.reads[step.entries[0]];
        let is_edge = read.is_some_and(|read| read.edge == Edge::Synchronises);
        let _ = write!(left, " {}#{from}", if is_edge { "<=" } else { "<-" });
    }
    let line_only = label.place.rsplit(' ').next().unwrap_or_default();
    let room = width.saturating_sub(line_only.chars().count() + 2);
    let mut second = None;
    if let Some(stale) = &label.stale {
        let note = format!(" STALE: {stale}");
        if left.chars().count() + note.chars().count() <= room {
            left.push_str(&note);
        } else {
            second = Some(cut(&format!("{indent} {note}"), width));
        }
    }
    let used = left.chars().count();
    for right in [label.place.as_str(), line_only] {
        let length = right.chars().count();
        if !right.is_empty() && used + 2 + length <= width {
            return (format!("{left}{}{right}", " ".repeat(width - used - length)), second);
        }
    }
    (format!("{}  {line_only}", cut(&left, room)), second)
}
