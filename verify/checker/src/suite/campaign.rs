//! A campaign: every mutant against the models that run its site, quickest first, until one kills it.
//!
//! A mutant is *killed* when a model turns red, for whatever reason: a failed assertion, a race, a deadlock, an
//! endless loop that meets the limit on choices, an abort. A model that meets the limit on executions decides
//! nothing: a mutant may only make the world larger, and if the limit counted as a kill, such a mutant would seem
//! noticed. A mutant that no model kills survives. A survivor is *explained* if a committed file says why (see
//! [`excuses`](super::excuses)), else the campaign is red.

use super::excuses::Excuses;
use super::process;
use crate::model::census::Census;
use crate::model::mutation::MutantKind;
use crate::record::{ModelRecord, MutantFate, MutantRecord, SiteRecord};
use heaplab::sync::Ordering;
use heaplab::sync::model_control::Mutant;
use heaplab::sync::terms::{Change, Operand};
use std::collections::BTreeMap;
use std::time::Instant;

/// Limits on the executions of a pass under a mutant, in the order in which they are tried: so many times those of
/// the unchanged program, and so many more. Most mutants are killed soon by one of the models that run their site, so
/// a model that a mutant makes large is given up at first, and has its long run only if no other model kills.
const LIMITS: [Limit; 2] =
    [Limit { factor: 2, more: 500, more_at_most: u64::MAX }, Limit { factor: 20, more: 2000, more_at_most: 200_000 }];
/// Executions of the largest model that an explained mutant is tried on. An explained mutant is expected to survive
/// all models, and the large ones would take hours. So an excuse that only a large model could disprove stands.
const EXECUTIONS_MAX_EXPLAINED: u64 = 5000;

/// How many executions a pass may have.
struct Limit {
    factor: u64,
    more: u64,
    more_at_most: u64,
}

impl Limit {
    /// The limit of a pass that has `executions` without a mutant.
    fn of(&self, executions: u64) -> u64 {
        let more = (executions * (self.factor - 1) + self.more).min(self.more_at_most);
        executions + more
    }
}

/// A mutant, and the models that can judge it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The mutant.
    pub mutant: Mutant,
    /// Its call's name.
    pub call: String,
    /// The ordering in the source.
    pub written: Ordering,
    /// The models that run its site, quickest first: name and executions.
    pub models: Vec<(String, u64)>,
}

/// The mutants of a campaign, in source order.
#[must_use]
pub fn candidates(kind: MutantKind, models: &[ModelRecord], census: &Census) -> Vec<Candidate> {
    let mut quickest: Vec<&ModelRecord> = models.iter().collect();
    quickest.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let mut by_site: BTreeMap<&SiteRecord, Vec<(String, u64)>> = BTreeMap::new();
    for model in quickest {
        let executions = model.certificates.iter().map(|one| one.executions).max().unwrap_or(0);
        for site in &model.sites {
            by_site.entry(site).or_default().push((model.name.clone(), executions));
        }
    }
    let mut candidates = Vec::new();
    for (site, models) in by_site {
        let site_use = site.site_use();
        let call = census.name(&site_use.site).map_or_else(|| site.place(), ToString::to_string);
        for mutant in kind.mutants(&site_use) {
            let (call, models) = (call.clone(), models.clone());
            candidates.push(Candidate { mutant, call, written: site.written, models });
        }
    }
    candidates
}

/// Tries a mutant against its models, each in a process of its own. Blocks until the mutant's fate is known.
///
/// # Errors
/// A process cannot be run.
pub fn judge(candidate: &Candidate, excuses: &Excuses) -> std::io::Result<MutantRecord> {
    let Mutant { operand, change, .. } = candidate.mutant;
    let start = Instant::now();
    let reason = excuses.reason(&candidate.call, operand, change);
    let size_max = if reason.is_some() { EXECUTIONS_MAX_EXPLAINED } else { u64::MAX };
    let tried = try_models(candidate, size_max)?;
    let fate = match (tried, reason) {
        (Tried::Killed(fate), _) => fate,
        (Tried::Survived { .. }, Some(reason)) => MutantFate::Explained { reason: reason.to_owned() },
        (Tried::Survived { undecided }, None) => MutantFate::Survived { undecided },
    };
    Ok(MutantRecord {
        mutant: candidate.mutant.to_string(),
        call: candidate.call.clone(),
        operand,
        change,
        written: candidate.written,
        models: candidate.models.len(),
        fate,
        seconds_in_all: start.elapsed().as_secs_f64(),
    })
}

/// What the models make of a mutant.
enum Tried {
    /// A model has killed the mutant.
    Killed(MutantFate),
    /// No model has killed the mutant, and the `undecided` ones have given up.
    Survived { undecided: Vec<String> },
}

/// Runs the models of at most `size_max` executions with the first limit, then those that met the limit with the
/// second one, until a model kills.
fn try_models(candidate: &Candidate, size_max: u64) -> std::io::Result<Tried> {
    let mutant = candidate.mutant.to_string();
    let mut undecided: Vec<&(String, u64)> = candidate.models.iter().filter(|(_, size)| *size <= size_max).collect();
    for limit in &LIMITS {
        let mut larger = Vec::new();
        for one @ (model, executions) in undecided {
            let begin = Instant::now();
            let most = limit.of(*executions).to_string();
            let arguments = [model, "--mutant", &mutant, "--executions-max", &most].map(str::to_owned);
            let outcome = process::run(&arguments, |_| {})?;
            match outcome.failure() {
                None => {}
                // A limit alone decides nothing; something else may have failed in another pass.
                Some(_) if outcome.is_undecided() => larger.push(one),
                Some(why) => {
                    let seconds = begin.elapsed().as_secs_f64();
                    return Ok(Tried::Killed(MutantFate::Killed { model: model.clone(), why, seconds }));
                }
            }
        }
        undecided = larger;
    }
    Ok(Tried::Survived { undecided: undecided.iter().map(|(model, _)| model.clone()).collect() })
}

/// What is wrong with a campaign, but for its survivors: entries of the committed file that explain nothing, and
/// known bugs that no model kills.
#[must_use]
pub fn objections(records: &[MutantRecord], excuses: &Excuses) -> Vec<String> {
    let fate_of = |call: &str, operand: Operand, change: Change| {
        let found = records.iter().find(|one| one.call == call && one.operand == operand && one.change == change);
        found.map(|one| &one.fate)
    };
    let mut objections = Vec::new();
    for excuse in &excuses.excused {
        for &change in &excuse.changes {
            let named = format!("`{} {} {change}` is excused and is", excuse.call, excuse.operand);
            match fate_of(&excuse.call, excuse.operand, change) {
                None => objections.push(format!("{named} no mutant")),
                Some(MutantFate::Killed { model, .. }) => {
                    objections.push(format!("{named} killed by {model}: remove the entry"));
                }
                Some(_) => {}
            }
        }
    }
    for named in &excuses.named {
        match fate_of(&named.call, named.operand, named.change) {
            Some(MutantFate::Killed { .. }) => {}
            None => objections.push(format!(
                "the fault `{}` is no mutant: {} {} {}",
                named.fault, named.call, named.operand, named.change
            )),
            Some(_) => objections.push(format!("the fault `{}` is not killed", named.fault)),
        }
    }
    objections
}
