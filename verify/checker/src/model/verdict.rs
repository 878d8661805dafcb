//! How what a pass explores relates to what the memory model allows.

use std::fmt;
use std::str::FromStr;

/// A verdict on one pass of the checker and one program of the litmus table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LitmusVerdict {
    /// The outcomes are the same.
    Exact,
    /// An allowed outcome is missing.
    Misses,
    /// An impossible outcome is there.
    FalseAlarm,
    /// An allowed outcome is missing, and an impossible one is there.
    MissesAndFalseAlarm,
}

impl LitmusVerdict {
    /// All of them.
    pub const ALL: [LitmusVerdict; 4] =
        [LitmusVerdict::Exact, LitmusVerdict::Misses, LitmusVerdict::FalseAlarm, LitmusVerdict::MissesAndFalseAlarm];

    /// Its text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            LitmusVerdict::Exact => "exact",
            LitmusVerdict::Misses => "misses",
            LitmusVerdict::FalseAlarm => "false alarm",
            LitmusVerdict::MissesAndFalseAlarm => "misses and false alarm",
        }
    }
}

impl fmt::Display for LitmusVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for LitmusVerdict {
    type Err = String;

    fn from_str(text: &str) -> Result<LitmusVerdict, String> {
        let known = LitmusVerdict::ALL.into_iter().find(|known| known.name() == text);
        known.ok_or_else(|| format!("`{text}` is no verdict on a pass"))
    }
}

#[cfg(test)]
mod tests {
    use super::LitmusVerdict;

    #[test]
    fn a_verdict_is_read_from_its_text() {
        for verdict in LitmusVerdict::ALL {
            assert_eq!(verdict.to_string().parse(), Ok(verdict));
        }
        assert!("inexact".parse::<LitmusVerdict>().unwrap_err().contains("`inexact`"));
    }
}
