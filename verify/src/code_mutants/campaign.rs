//! The campaign of code mutants: each has a trial, and the record is kept up to date meanwhile.

use super::list::{self, CodeMutant};
use super::record::{CodeMutantExcuse, CodeMutantFate, CodeMutantRecord, CodeMutantsRecord, Key, keys};
use super::trial::TrialPrograms;
use super::viable;
use crate::detect::Tree;
use heaplab_checker::suite::pool;
use heaplab_common::artefact::artefact_directory;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Mutants that are tried before the record is written again.
const WRITTEN_EVERY: usize = 25;

/// Which mutants to try, and how many at once.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Only mutants whose file or description contains one of these; all if this is empty.
    pub only: Vec<String>,
    /// Whether to leave out what the record says was caught before, or survived and has a reason.
    pub resume: bool,
    /// Mutants that are tried at once.
    pub jobs: usize,
}

impl Plan {
    /// Whether a mutant is asked for.
    fn names(&self, mutant: &CodeMutant) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| mutant.has(part))
    }
}

/// The mutants of the heap at `root`, of which `plan` names some.
///
/// # Errors
/// cargo-mutants does not list them, or the plan names a mutant that is not there.
pub fn listed(plan: &Plan, root: &Path) -> Result<Vec<CodeMutant>, String> {
    let mutants = list::list(root)?;
    match plan.only.iter().find(|part| !mutants.iter().any(|mutant| mutant.has(part))) {
        Some(part) => {
            Err(format!("no mutant's file or description contains `{part}`; `cargo mutants --list` has them all"))
        }
        None => Ok(mutants),
    }
}

/// Tries the mutants that the plan names, and returns the record, which has the other mutants as earlier runs left
/// them. The file of the record is kept up to date meanwhile.
///
/// Takes minutes for building, then one or two seconds for a mutant, and about ten for one that survives.
///
/// # Errors
/// What could not be done, with what to do about it.
pub fn campaign(
    plan: &Plan,
    mutants: &[CodeMutant],
    excuses: &[CodeMutantExcuse],
    root: &Path,
    say: impl Fn(&str) + Sync,
) -> Result<CodeMutantsRecord, String> {
    let tree = Tree::copy(root, &artefact_directory().join("code-mutants"))?;
    let gone = viable::plant(&tree, mutants, &say)?;
    let programs = TrialPrograms::build(&tree, &say)?;

    let keys = keys(mutants.iter().map(|one| (one.file.as_str(), one.what.as_str(), one.line.as_str())));
    let mut fates: BTreeMap<usize, CodeMutantFate> = known_fates(&keys);
    fates.extend(gone.iter().map(|(&number, fate)| (number, fate.clone())));
    let is_to_be_tried = |number: &usize| {
        let mutant = &mutants[*number];
        let is_settled = match fates.get(number) {
            Some(CodeMutantFate::Caught { .. }) => true,
            Some(CodeMutantFate::Survives | CodeMutantFate::NotReached) => excuse_of(excuses, mutant).is_some(),
            _ => false,
        };
        !gone.contains_key(number) && plan.names(mutant) && !(plan.resume && is_settled)
    };
    let to_try: Vec<usize> = (0..mutants.len()).filter(is_to_be_tried).collect();
    say(&format!("{} mutants to try", to_try.len()));

    let count = to_try.len();
    let tried = Mutex::new((fates, 0_usize));
    let results = pool::run(to_try, plan.jobs, |number| {
        let fate = programs.try_mutant(number)?;
        let mut tried = tried.lock().unwrap_or_else(PoisonError::into_inner);
        tried.1 += 1;
        if !matches!(fate, CodeMutantFate::Caught { .. }) {
            let mutant = &mutants[number];
            say(&format!("{}/{count}: survives: {}: {}", tried.1, mutant.place(), mutant.what));
        }
        tried.0.insert(number, fate);
        if tried.1.is_multiple_of(WRITTEN_EVERY) {
            say(&format!("{}/{count}", tried.1));
            record_of(mutants, &tried.0, excuses).write()?;
        }
        Ok(())
    });
    let (fates, _) = tried.into_inner().unwrap_or_else(PoisonError::into_inner);
    let record = record_of(mutants, &fates, excuses);
    record.write()?;
    results.into_iter().collect::<Result<Vec<()>, String>>()?;
    Ok(record)
}

/// The fates that the last record has for mutants of these keys.
fn known_fates(of_mutants: &[Key]) -> BTreeMap<usize, CodeMutantFate> {
    let known = CodeMutantsRecord::known();
    let of_known = known.mutants.iter().map(|one| (one.file.as_str(), one.what.as_str(), one.line.as_str()));
    let of_known = keys(of_known);
    let by_key: BTreeMap<&Key, &CodeMutantFate> =
        of_known.iter().zip(known.mutants.iter().map(|one| &one.fate)).collect();
    let numbered = of_mutants.iter().enumerate();
    numbered.filter_map(|(number, key)| Some((number, (*by_key.get(key)?).clone()))).collect()
}

fn excuse_of<'a>(excuses: &'a [CodeMutantExcuse], mutant: &CodeMutant) -> Option<&'a CodeMutantExcuse> {
    excuses.iter().find(|excuse| excuse.speaks_of(&mutant.file, &mutant.what, &mutant.line))
}

/// The mutants whose fate is known, with their reasons.
fn record_of(
    mutants: &[CodeMutant],
    fates: &BTreeMap<usize, CodeMutantFate>,
    excuses: &[CodeMutantExcuse],
) -> CodeMutantsRecord {
    let of = |(&number, fate): (&usize, &CodeMutantFate)| {
        let mutant = &mutants[number];
        let reason = excuse_of(excuses, mutant).map(|excuse| excuse.reason.clone());
        CodeMutantRecord {
            file: mutant.file.clone(),
            line_number: mutant.span.start.line,
            what: mutant.what.clone(),
            line: mutant.line.clone(),
            fate: fate.clone(),
            reason,
        }
    };
    CodeMutantsRecord { mutants: fates.iter().map(of).collect() }
}
