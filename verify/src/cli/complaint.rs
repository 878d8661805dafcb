//! What the binary says when something is wrong.

use std::io::Write as _;

/// Says what is wrong, on the error stream. Whoever closed that wants no message.
pub(super) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "heaplab: {text}");
}
