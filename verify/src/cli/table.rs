//! The table that the main job prints.

use crate::report::{JobRecord, grouped};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

const HEADER: [&str; 7] =
    ["scenario", "mode", "allocations", "collections\nminor/major/reducing", "retries", "objects verified", "verdict"];
/// Columns with numbers.
const NUMBERS: std::ops::RangeInclusive<usize> = 2..=5;

fn collections(counts: [u64; 3]) -> String {
    counts.map(|count| count.to_string()).join(" / ")
}

fn verdict(findings: &[String]) -> String {
    match findings.len() {
        0 => "ok".to_owned(),
        1 => "1 FINDING".to_owned(),
        count => format!("{count} FINDINGS"),
    }
}

/// Everything in one table.
pub(super) fn table(record: &JobRecord) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(HEADER);
    for report in &record.scenarios {
        table.add_row([
            report.name.clone(),
            report.mode.to_string(),
            grouped(report.allocations + report.rival_allocations),
            collections(report.collections),
            grouped(report.retries),
            grouped(report.objects_verified),
            verdict(&report.violations),
        ]);
    }
    if let Some(report) = &record.stress {
        table.add_row([
            "stress".to_owned(),
            format!("on, {} threads", report.threads),
            grouped(report.allocations),
            collections(report.collections),
            grouped(report.retries),
            grouped(report.objects_verified),
            verdict(&report.findings),
        ]);
    }
    for index in NUMBERS {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
