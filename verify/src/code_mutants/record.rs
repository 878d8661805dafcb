//! What became of each mutant, and the reasons of those that may survive.

use heaplab_common::artefact::{artefact_directory, write_artefact};
use serde::{Deserialize, Serialize};

/// The file that the record is left in.
pub const CODE_MUTANTS: &str = "code-mutants.json";
/// The share of the viable mutants that has to be caught, in percent.
pub const CAUGHT_MIN: usize = 90;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fate {
    /// A program of tests failed, hung or ended.
    Caught {
        /// Which.
        by: String,
        /// After how long, from the first program on.
        seconds: f64,
    },
    /// All programs that reach it pass.
    Survives,
    /// No program reaches it.
    NotReached,
    /// The heap does not compile with it.
    DoesNotCompile,
    /// No switch can be put there: it is in a constant, in what is evaluated to make one, or a value in the place of an
    /// `impl` type's.
    NotExpressible,
}

/// One mutant of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodeMutantRecord {
    /// The file, from the root of the sources.
    pub file: String,
    /// The line.
    pub line_number: usize,
    /// What is done.
    pub what: String,
    /// The line of the source.
    pub line: String,
    /// What became of it.
    pub fate: Fate,
    /// Why it may survive.
    pub reason: Option<String>,
}

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodeMutantsRecord {
    /// The mutants, in the order of the sources.
    pub mutants: Vec<CodeMutantRecord>,
}

/// How many have which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Noticed.
    pub caught: usize,
    /// Not noticed, with a reason.
    pub explained: usize,
    /// Not noticed, and nobody knows why.
    pub unexplained: usize,
    /// No mutants of a program that compiles.
    pub do_not_compile: usize,
    /// Not tried.
    pub not_expressible: usize,
}

impl Counts {
    /// Mutants that were tried.
    #[must_use]
    pub fn viable(&self) -> usize {
        self.caught + self.explained + self.unexplained
    }

    /// Percent of those that were caught.
    #[must_use]
    pub fn percent(&self) -> f64 {
        100.0 * self.caught as f64 / self.viable().max(1) as f64
    }
}

impl CodeMutantsRecord {
    /// The record that an earlier run left; an empty one if there is none, or if it is damaged.
    #[must_use]
    pub fn known() -> CodeMutantsRecord {
        let text = std::fs::read(artefact_directory().join(CODE_MUTANTS)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Leaves the record.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        write_artefact(CODE_MUTANTS, &text).map_err(|error| format!("{CODE_MUTANTS} cannot be written: {error}"))?;
        Ok(())
    }

    /// How many have which fate.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for mutant in &self.mutants {
            let count = match (&mutant.fate, &mutant.reason) {
                (Fate::Caught { .. }, _) => &mut counts.caught,
                (Fate::Survives | Fate::NotReached, Some(_)) => &mut counts.explained,
                (Fate::Survives | Fate::NotReached, None) => &mut counts.unexplained,
                (Fate::DoesNotCompile, _) => &mut counts.do_not_compile,
                (Fate::NotExpressible, _) => &mut counts.not_expressible,
            };
            *count += 1;
        }
        counts
    }
}

/// A name of a mutant that edits elsewhere in its file do not change: what is done, the line it is in, and which of several.
#[cfg(feature = "loom")]
pub(super) type Key = (String, String, String, usize);

/// The keys of mutants, in their order.
#[cfg(feature = "loom")]
pub(super) fn keys<'a>(mutants: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Vec<Key> {
    let mut seen: std::collections::BTreeMap<(&str, &str, &str), usize> = Default::default();
    let numbered = mutants.into_iter().map(|(file, what, line)| {
        let number = seen.entry((file, what, line)).and_modify(|count| *count += 1).or_insert(0);
        (file.to_owned(), what.to_owned(), line.to_owned(), *number)
    });
    numbered.collect()
}

/// Why a mutant may survive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The file.
    pub file: String,
    /// What is done, as the table says it; or a part of that.
    pub what: String,
    /// A part of the line of the source.
    #[serde(default)]
    pub line: String,
    /// Why nothing notices.
    pub reason: String,
}

impl Reason {
    /// Whether it speaks of a mutant of this file that does this in this line.
    #[must_use]
    pub fn speaks_of(&self, file: &str, what: &str, line: &str) -> bool {
        file == self.file && what.contains(&self.what) && line.contains(&self.line)
    }
}

/// Reasons that speak of no mutant that survives.
#[must_use]
pub fn idle<'a>(reasons: &'a [Reason], record: &CodeMutantsRecord) -> Vec<&'a Reason> {
    let survives = |fate: &Fate| matches!(fate, Fate::Survives | Fate::NotReached);
    let is_needed = |reason: &Reason| {
        record.mutants.iter().any(|one| survives(&one.fate) && reason.speaks_of(&one.file, &one.what, &one.line))
    };
    reasons.iter().filter(|reason| !is_needed(reason)).collect()
}

#[cfg(feature = "loom")]
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reasons {
    #[serde(default)]
    survivor: Vec<Reason>,
}

/// Reads the committed reasons.
///
/// # Errors
/// The file cannot be read, or is not of this form.
#[cfg(feature = "loom")]
pub fn reasons(path: &std::path::Path) -> Result<Vec<Reason>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let reasons: Reasons = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    match reasons.survivor.iter().find(|one| one.reason.trim().is_empty()) {
        Some(one) => Err(format!("{}: {} in {} has no reason", path.display(), one.what, one.file)),
        None => Ok(reasons.survivor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(what: &str, fate: Fate, reason: Option<&str>) -> CodeMutantRecord {
        CodeMutantRecord {
            file: "src/a.rs".to_owned(),
            line_number: 7,
            what: what.to_owned(),
            line: "a + b".to_owned(),
            fate,
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn only_what_was_tried_counts() {
        let caught = Fate::Caught { by: "props".to_owned(), seconds: 0.5 };
        let record = CodeMutantsRecord {
            mutants: vec![
                mutant("a", caught.clone(), None),
                mutant("b", caught, None),
                mutant("c", Fate::Survives, Some("the same program")),
                mutant("d", Fate::NotReached, None),
                mutant("e", Fate::DoesNotCompile, None),
                mutant("f", Fate::NotExpressible, Some("not asked for")),
            ],
        };
        let counts = record.counts();
        assert_eq!((counts.viable(), counts.caught, counts.explained, counts.unexplained), (4, 2, 1, 1));
        assert_eq!((counts.do_not_compile, counts.not_expressible), (1, 1));
        assert!((counts.percent() - 50.0).abs() < 1e-9);
        assert_eq!(CodeMutantsRecord::default().counts().percent(), 0.0);
    }

    #[test]
    fn a_reason_that_excuses_no_survivor_is_idle() {
        let reason = |what: &str, line: &str| Reason {
            file: "src/a.rs".to_owned(),
            what: what.to_owned(),
            line: line.to_owned(),
            reason: "the same program".to_owned(),
        };
        let caught = Fate::Caught { by: "props".to_owned(), seconds: 0.5 };
        let record =
            CodeMutantsRecord { mutants: vec![mutant("+ with -", Fate::Survives, None), mutant("gone", caught, None)] };
        let reasons = [reason("+ with", "a + b"), reason("gone", ""), reason("+ with", "a + c")];
        assert_eq!(idle(&reasons, &record), [&reasons[1], &reasons[2]]);
    }
}

#[cfg(all(test, feature = "loom"))]
mod reading {
    use super::*;

    #[test]
    fn mutants_of_one_line_have_keys_of_their_own() {
        let listed = [("f", "+ with -", "a + b + c"), ("f", "+ with -", "a + b + c"), ("f", "+ with *", "a + b + c")];
        let numbers: Vec<usize> = keys(listed).into_iter().map(|key| key.3).collect();
        assert_eq!(numbers, [0, 1, 0]);
    }

    #[test]
    fn a_reason_has_to_be_one() {
        let directory = std::env::temp_dir().join(format!("heaplab-reasons-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("reasons.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            reasons(&path)
        };
        assert!(read("[[survivor]]\nfile = 'f'\nwhat = 'w'\nreason = ' '\n").unwrap_err().contains("no reason"));
        assert!(read("[[survivor]]\nfile = 'f'\nwho = 'w'\nreason = 'r'\n").unwrap_err().contains("who"));
        assert_eq!(read("").unwrap(), []);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(reasons(&path).unwrap_err().contains("cannot be read"));
    }
}
