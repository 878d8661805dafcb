//! The table that the main job prints.

use crate::scenario::ScenarioReport;
use crate::stress::StressReport;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

const HEADER: [&str; 7] =
    ["scenario", "mode", "allocations", "collections\nminor/major/reducing", "retries", "objects verified", "verdict"];
/// Columns with numbers.
const NUMBERS: std::ops::RangeInclusive<usize> = 2..=5;

fn collections(counts: [u64; 3]) -> String {
    counts.map(|count| count.to_string()).join(" / ")
}

/// Digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index != 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn verdict(findings: &[String]) -> String {
    match findings.len() {
        0 => "ok".to_owned(),
        1 => "1 FINDING".to_owned(),
        count => format!("{count} FINDINGS"),
    }
}

/// Everything in one table.
pub(super) fn table(scenarios: &[ScenarioReport], stress: Option<&StressReport>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(HEADER);
    for report in scenarios {
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
    if let Some(report) = stress {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
