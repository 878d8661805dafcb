//! `heaplab report`: the page of the report, rendered again.

use super::complaint::complain;
use heaplab_common::exit::Exit;
use std::io::Write as _;

/// Renders the page again, and prints its path.
pub(super) fn render_report() -> Exit {
    match crate::report::refresh() {
        Ok(page) => {
            // Whoever closed the stream wants no line.
            let _ = writeln!(std::io::stdout(), "report: {}", page.display());
            Exit::Passed
        }
        Err(error) => {
            complain(&format!("the report cannot be written: {error}"));
            Exit::Failed
        }
    }
}
