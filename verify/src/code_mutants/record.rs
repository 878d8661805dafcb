//! What became of each mutant, and the reasons of those that may survive.

use heaplab_common::artefact::{artefact_directory, write_artefact};
use heaplab_common::workspace;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The file that the record is left in.
pub const CODE_MUTANTS: &str = "code-mutants.json";
/// The file of committed excuses, below the root of the workspace.
pub const EXCUSES: &str = "verify/code_mutants.toml";
/// The share of the viable mutants that has to be caught, in percent.
pub const CAUGHT_MIN: usize = 90;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CodeMutantFate {
    /// A program of tests failed, hung or ended.
    Caught {
        /// The program.
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
    pub fate: CodeMutantFate,
    /// Why it may survive.
    pub reason: Option<String>,
}

/// The record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodeMutantsRecord {
    /// The mutants, in the order of the sources.
    pub mutants: Vec<CodeMutantRecord>,
}

/// How many mutants have which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Noticed.
    pub caught: usize,
    /// Not noticed, with a reason.
    pub explained: usize,
    /// Not noticed, and without a reason.
    pub unexplained: usize,
    /// The heap does not compile with them.
    pub do_not_compile: usize,
    /// Not tried: no switch can be put there.
    pub not_expressible: usize,
}

impl Counts {
    /// Mutants that were tried.
    #[must_use]
    pub fn viable(&self) -> usize {
        self.caught + self.explained + self.unexplained
    }

    /// The share of the viable mutants that were caught, in percent.
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

    /// Writes the record.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        write_artefact(CODE_MUTANTS, &text).map_err(|error| format!("{CODE_MUTANTS} cannot be written: {error}"))?;
        Ok(())
    }

    /// How many mutants have which fate.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for mutant in &self.mutants {
            let count = match (&mutant.fate, &mutant.reason) {
                (CodeMutantFate::Caught { .. }, _) => &mut counts.caught,
                (CodeMutantFate::Survives | CodeMutantFate::NotReached, Some(_)) => &mut counts.explained,
                (CodeMutantFate::Survives | CodeMutantFate::NotReached, None) => &mut counts.unexplained,
                (CodeMutantFate::DoesNotCompile, _) => &mut counts.do_not_compile,
                (CodeMutantFate::NotExpressible, _) => &mut counts.not_expressible,
            };
            *count += 1;
        }
        counts
    }
}

/// A name of a mutant that edits elsewhere in its file do not change: the file, what is done, the line, and a number
/// among mutants that are equal in these.
pub(super) type Key = (String, String, String, usize);

/// The keys of mutants, in their order.
pub(super) fn keys<'a>(mutants: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Vec<Key> {
    let mut seen: BTreeMap<(&str, &str, &str), usize> = Default::default();
    let numbered = mutants.into_iter().map(|(file, what, line)| {
        let number = seen.entry((file, what, line)).and_modify(|count| *count += 1).or_insert(0);
        (file.to_owned(), what.to_owned(), line.to_owned(), *number)
    });
    numbered.collect()
}

/// Why a mutant may survive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeMutantExcuse {
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

impl CodeMutantExcuse {
    /// Whether the excuse speaks of a mutant of this file that does this in this line.
    #[must_use]
    pub fn speaks_of(&self, file: &str, what: &str, line: &str) -> bool {
        file == self.file && what.contains(&self.what) && line.contains(&self.line)
    }
}

/// Excuses that speak of no mutant that survives.
#[must_use]
pub fn idle<'a>(excuses: &'a [CodeMutantExcuse], record: &CodeMutantsRecord) -> Vec<&'a CodeMutantExcuse> {
    let survives = |fate: &CodeMutantFate| matches!(fate, CodeMutantFate::Survives | CodeMutantFate::NotReached);
    let is_needed = |excuse: &CodeMutantExcuse| {
        record.mutants.iter().any(|one| survives(&one.fate) && excuse.speaks_of(&one.file, &one.what, &one.line))
    };
    excuses.iter().filter(|excuse| !is_needed(excuse)).collect()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExcusesFile {
    #[serde(default)]
    survivor: Vec<CodeMutantExcuse>,
}

/// The committed excuses.
///
/// # Errors
/// As [`excuses`].
pub fn committed_excuses() -> Result<Vec<CodeMutantExcuse>, String> {
    excuses(&workspace().join(EXCUSES))
}

/// Reads a file of excuses.
///
/// # Errors
/// The file cannot be read, or an entry is not of its form: it has an unknown field, no reason, or stands there
/// twice. The error names the file.
pub fn excuses(path: &Path) -> Result<Vec<CodeMutantExcuse>, String> {
    let named = |reason: String| format!("{}: {reason}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let ExcusesFile { survivor } = toml::from_str(&text)
        .map_err(|error| named(format!("{error}a [[survivor]] has `file`, `what`, `line` and `reason`")))?;
    let mut seen = BTreeSet::new();
    for one in &survivor {
        if one.reason.trim().is_empty() {
            return Err(named(format!("{} in {} has no reason", one.what, one.file)));
        }
        if !seen.insert((&one.file, &one.what, &one.line)) {
            return Err(named(format!("{} in {} is excused twice: one of the entries goes", one.what, one.file)));
        }
    }
    Ok(survivor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutant(what: &str, fate: CodeMutantFate, reason: Option<&str>) -> CodeMutantRecord {
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
        let caught = CodeMutantFate::Caught { by: "props".to_owned(), seconds: 0.5 };
        let record = CodeMutantsRecord {
            mutants: vec![
                mutant("a", caught.clone(), None),
                mutant("b", caught, None),
                mutant("c", CodeMutantFate::Survives, Some("the same program")),
                mutant("d", CodeMutantFate::NotReached, None),
                mutant("e", CodeMutantFate::DoesNotCompile, None),
                mutant("f", CodeMutantFate::NotExpressible, Some("not asked for")),
            ],
        };
        let counts = record.counts();
        assert_eq!((counts.viable(), counts.caught, counts.explained, counts.unexplained), (4, 2, 1, 1));
        assert_eq!((counts.do_not_compile, counts.not_expressible), (1, 1));
        assert!((counts.percent() - 50.0).abs() < 1e-9);
        assert_eq!(CodeMutantsRecord::default().counts().percent(), 0.0);
    }

    #[test]
    fn an_excuse_of_no_survivor_is_idle() {
        let excuse = |what: &str, line: &str| CodeMutantExcuse {
            file: "src/a.rs".to_owned(),
            what: what.to_owned(),
            line: line.to_owned(),
            reason: "the same program".to_owned(),
        };
        let caught = CodeMutantFate::Caught { by: "props".to_owned(), seconds: 0.5 };
        let survives = mutant("+ with -", CodeMutantFate::Survives, None);
        let record = CodeMutantsRecord { mutants: vec![survives, mutant("gone", caught, None)] };
        let excuses = [excuse("+ with", "a + b"), excuse("gone", ""), excuse("+ with", "a + c")];
        assert_eq!(idle(&excuses, &record), [&excuses[1], &excuses[2]]);
    }

    #[test]
    fn mutants_of_one_line_have_keys_of_their_own() {
        let listed = [("f", "+ with -", "a + b + c"), ("f", "+ with -", "a + b + c"), ("f", "+ with *", "a + b + c")];
        let numbers: Vec<usize> = keys(listed).into_iter().map(|key| key.3).collect();
        assert_eq!(numbers, [0, 1, 0]);
    }

    #[test]
    fn what_is_no_excuse_is_refused() {
        let directory = std::env::temp_dir().join(format!("heaplab-excuses-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("excuses.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            excuses(&path)
        };
        let entry = |words: &str| format!("[[survivor]]\nfile = 'f'\nwhat = 'w'\n{words}\n");
        for (text, words) in [
            (entry("reason = ' '"), "w in f has no reason"),
            (entry(""), "missing field `reason`"),
            (entry("who = 'w'\nreason = 'r'"), "unknown field `who`"),
            ("[[equivalent]]\n".to_owned(), "unknown field `equivalent`"),
            (entry("reason = 'r'").repeat(2), "w in f is excused twice"),
        ] {
            let error = read(&text).expect_err(&text);
            assert!(error.contains(words) && error.contains("excuses.toml"), "no {words:?} in {error}");
        }
        let two = entry("line = 'a'\nreason = 'r'") + &entry("line = 'b'\nreason = 'r'");
        assert_eq!(read(&two).unwrap().len(), 2);
        assert_eq!(read("").unwrap(), []);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(excuses(&path).unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn the_committed_excuses_are_well_formed() {
        assert!(!committed_excuses().unwrap().is_empty());
    }
}
