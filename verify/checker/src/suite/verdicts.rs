//! Mutants that no model can or need kill: committed, with the reason.
//!
//! `verify/weaken.toml` has the orderings that survive because of a published blind spot of the checker, at most
//! [`ORDERINGS_MAX`]; `verify/mutants.toml` has the changed protocols that are no different programs. Both name a mutant by
//! its call (see [`census`](crate::model::census)), operand and change, so that edits elsewhere do not matter. An entry that
//! matches no mutant is an error: it speaks of code that has gone.

use heaplab_common::workspace;
use serde::Deserialize;

/// Orderings that may survive.
pub const ORDERINGS_MAX: usize = 5;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The call: file, function, method, and its number if it is not the first.
    pub call: String,
    /// The operand.
    pub operand: String,
    /// The changes.
    pub changes: Vec<String>,
    /// Why nothing kills them.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    survivor: Vec<Verdict>,
    #[serde(default)]
    equivalent: Vec<Verdict>,
    #[serde(default)]
    named: Vec<NamedFault>,
}

/// A known bug of others, as a mutant of ours.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedFault {
    /// The trap, or the row of the table of races.
    pub fault: String,
    /// The call.
    pub call: String,
    /// The operand.
    pub operand: String,
    /// The change.
    pub change: String,
}

/// A file of verdicts.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
    /// Mutants that may survive.
    pub excused: Vec<Verdict>,
    /// Mutants that stand for a known bug.
    pub named: Vec<NamedFault>,
}

impl Verdicts {
    /// Reads `verify/<name>`.
    ///
    /// # Errors
    /// The file cannot be read, or is not of this form.
    pub fn load(name: &str) -> Result<Verdicts, String> {
        let path = workspace().join("verify").join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("verify/{name}: {error}"))?;
        Verdicts::parse(&text).map_err(|error| format!("verify/{name}: {error}"))
    }

    fn parse(text: &str) -> Result<Verdicts, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let excused: Vec<Verdict> = file.survivor.into_iter().chain(file.equivalent).collect();
        match excused.iter().find(|verdict| verdict.reason.trim().len() < 20) {
            Some(verdict) => Err(format!("{}: a reason is a sentence", verdict.call)),
            None => Ok(Verdicts { excused, named: file.named }),
        }
    }

    /// Why the mutant of this call may survive.
    #[must_use]
    pub fn reason(&self, call: &str, operand: &str, change: &str) -> Option<&str> {
        let is_it = |verdict: &&Verdict| {
            verdict.call == call && verdict.operand == operand && verdict.changes.iter().any(|known| known == change)
        };
        self.excused.iter().find(is_it).map(|verdict| verdict.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_found_by_call_operand_and_change() {
        let text = "[[equivalent]]\ncall = \"src/a.rs A::f swap\"\noperand = \"rmw\"\nchanges = [\"double\", \"split\"]\n\
                    reason = \"the second write finds what the first one wrote\"\n";
        let verdicts = Verdicts::parse(text).unwrap();
        assert!(verdicts.reason("src/a.rs A::f swap", "rmw", "split").is_some());
        assert!(verdicts.reason("src/a.rs A::f swap", "rmw", "drop").is_none());
        assert!(verdicts.reason("src/a.rs A::f swap#2", "rmw", "split").is_none());
        assert!(Verdicts::parse(&text.replace("the second write finds what the first one wrote", "no")).is_err());
        assert!(Verdicts::parse(&text.replace("reason", "because")).is_err());
    }

    /// The committed files can be read.
    #[test]
    fn the_committed_verdicts_are_well_formed() {
        assert!(Verdicts::load("weaken.toml").unwrap().excused.len() <= ORDERINGS_MAX);
        assert!(Verdicts::load("mutants.toml").is_ok());
    }
}
