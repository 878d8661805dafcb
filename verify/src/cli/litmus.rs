//! `heaplab litmus`: the blind spots of each engine, measured.

use super::complain;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use heaplab_checker::model::Pass;
use heaplab_checker::model::litmus::Litmus;
use heaplab_checker::record::ExploredRecord;
use heaplab_common::exit::Exit;
use std::io::Write as _;

/// Explores the table and prints it. Red if the checker does not do what it did when the table was written.
pub(super) fn litmus(all: &[Litmus]) -> Exit {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let passes = Pass::ALL.map(|pass| format!("{pass} pass"));
    table.set_header(["program", "allowed"].map(str::to_owned).into_iter().chain(passes));
    let mut passed = true;
    for one in all {
        match one.record() {
            Ok(record) => {
                let mut row = vec![format!("{}\n{}", record.name, record.program), record.allowed.len().to_string()];
                row.extend(record.explored.iter().map(|ExploredRecord(pass, seen, verdict)| {
                    format!("{} in {} executions, {verdict}", seen.len(), one.expected_executions(*pass))
                }));
                table.add_row(row);
            }
            Err(text) => {
                complain(&text);
                passed = false;
            }
        }
    }
    let _ = writeln!(std::io::stdout(), "{table}");
    Exit::passed_if(passed)
}
