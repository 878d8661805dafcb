//! Notices: what a program of the suite tells whoever watches it, at once, though it goes on.
//!
//! A campaign with planted bugs wants to know when an engine has failed, not when it has ended: the models of others
//! run on, and a property goes on shrinking. What such a program prints is for people and may change; so it writes a
//! notice besides, a line of its own on the error stream, where the environment asks for notices ([`ASK`]).

use serde::{Deserialize, Serialize};
use std::io::Write as _;

/// The environment variable that asks a program for notices.
pub const ASK: &str = "HEAPLAB_NOTICES";

/// What a line with a notice begins with; the notice follows, as JSON.
const MARK: &str = "heaplab-notice ";

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Notice {
    /// A model is red.
    Red {
        /// Which.
        model: String,
    },
    /// A property does not hold, and its program has been shrunk.
    Shrunk {
        /// Which.
        property: String,
        /// The operations that are enough.
        operations: usize,
    },
}

impl Notice {
    /// Writes the notice, if notices are asked for. An error is ignored: whoever closed the stream wants no notice.
    pub fn tell(&self) {
        if std::env::var_os(ASK).is_some() {
            // One write, so that lines of several threads do not mix.
            let _ = std::io::stderr().write_all(format!("{}\n", self.line()).as_bytes());
        }
    }

    /// The line of the notice.
    ///
    /// # Panics
    /// Never: each notice has a text.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{MARK}{}", serde_json::to_string(self).expect("a notice has a text"))
    }

    /// The notice in a line. `None` if the line is for people.
    #[must_use]
    pub fn of(line: &str) -> Option<Notice> {
        serde_json::from_str(line.strip_prefix(MARK)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Notice;

    #[test]
    fn a_notice_survives_its_line() {
        for notice in [
            Notice::Red { model: "a::b".to_owned() },
            Notice::Shrunk { property: "programs::\"x\"\n".to_owned(), operations: 7 },
        ] {
            let line = notice.line();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(Notice::of(&line), Some(notice));
        }
    }

    #[test]
    fn what_is_printed_for_people_is_no_notice() {
        for line in ["RED page_set::take_vs_put: it failed", "a:\n7 operations are enough", "heaplab-notice", ""] {
            assert_eq!(Notice::of(line), None, "{line}");
        }
        assert_eq!(Notice::of(r#"heaplab-notice {"notice":"odd"}"#), None);
    }
}
