//! A campaign: every mutant against the models that run its site, quickest first, until one kills it.
//!
//! A mutant is *killed* when a model turns red, for whatever reason: a failed assertion, a race, a deadlock, an endless
//! loop that meets the limit on choices, an abort. A model that meets the limit on executions decides nothing: a mutant may
//! make the world larger, and a limit that kills would kill everything. A mutant that no model kills survives; it is
//! *explained* if a committed file says why (see [`verdicts`](super::verdicts)), else the campaign is red.

use super::process;
use super::verdicts::Verdicts;
use crate::model::census::Census;
use crate::model::mutation::Campaign;
use crate::record::{Fate, ModelRecord, MutantRecord, SiteRecord};
use heaplab::sync::model_control::Mutant;
use std::collections::BTreeMap;
use std::time::Instant;

/// Limits on the executions of a pass under a mutant, in the order in which they are tried: so many times those of the
/// program, and so many more. Most mutants are killed soon by one of the models that run their site, so a model that a mutant
/// makes large is given up at first, and has its long run only if no other model kills.
const LIMITS: [Limit; 2] =
    [Limit { factor: 2, more: 500, more_at_most: u64::MAX }, Limit { factor: 20, more: 2000, more_at_most: 200_000 }];
/// An explained mutant is tried on models of no more executions than this. Being no different program it survives them
/// all, and the large ones would take hours; an excuse that only one of those could disprove stands.
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

/// A mutant, and who can judge it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The mutant.
    pub mutant: Mutant,
    /// Its call's name.
    pub call: String,
    /// The ordering in the source.
    pub written: String,
    /// The models that run its site, quickest first: name and executions.
    pub models: Vec<(String, u64)>,
}

/// The mutants of a campaign, in source order.
#[must_use]
pub fn candidates(campaign: Campaign, models: &[ModelRecord], census: &Census) -> Vec<Candidate> {
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
        for mutant in campaign.mutants(&site_use) {
            let (call, written, models) = (call.clone(), site.written.clone(), models.clone());
            candidates.push(Candidate { mutant, call, written, models });
        }
    }
    candidates
}

/// Tries a mutant.
///
/// # Errors
/// A process cannot be run.
pub fn judge(candidate: &Candidate, verdicts: &Verdicts) -> std::io::Result<MutantRecord> {
    let mutant = candidate.mutant.to_string();
    let (operand, change) = (candidate.mutant.operand.name(), candidate.mutant.change.name());
    let start = Instant::now();
    let reason = verdicts.reason(&candidate.call, operand, change);
    let size_max = if reason.is_some() { EXECUTIONS_MAX_EXPLAINED } else { u64::MAX };
    let mut undecided: Vec<&(String, u64)> = candidate.models.iter().filter(|(_, size)| *size <= size_max).collect();
    let mut killed = None;
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
                Some(_) if outcome.is_truncated() && !outcome.has_real_failure() => larger.push(one),
                Some(why) => {
                    killed = Some(Fate::Killed { model: model.clone(), why, seconds: begin.elapsed().as_secs_f64() });
                    break;
                }
            }
        }
        undecided = larger;
        if killed.is_some() {
            break;
        }
    }
    let fate = match (killed, reason) {
        (Some(killed), _) => killed,
        (None, Some(reason)) => Fate::Explained { reason: reason.to_owned() },
        (None, None) => Fate::Survived { undecided: undecided.iter().map(|(model, _)| model.clone()).collect() },
    };
    Ok(MutantRecord {
        mutant,
        call: candidate.call.clone(),
        operand: operand.to_owned(),
        change: change.to_owned(),
        written: candidate.written.clone(),
        models: candidate.models.len(),
        fate,
        seconds_in_all: start.elapsed().as_secs_f64(),
    })
}

/// What is wrong with a campaign, but for its survivors: entries of the committed file that explain nothing.
#[must_use]
pub fn objections(records: &[MutantRecord], verdicts: &Verdicts) -> Vec<String> {
    let mut objections = Vec::new();
    for verdict in &verdicts.excused {
        for change in &verdict.changes {
            let found = records
                .iter()
                .find(|one| one.call == verdict.call && one.operand == verdict.operand && one.change == *change);
            match found.map(|one| &one.fate) {
                None => objections
                    .push(format!("`{} {} {change}` is excused and is no mutant", verdict.call, verdict.operand)),
                Some(Fate::Killed { model, .. }) => objections.push(format!(
                    "`{} {} {change}` is excused and is killed by {model}: remove the entry",
                    verdict.call, verdict.operand
                )),
                Some(_) => {}
            }
        }
    }
    for named in &verdicts.named {
        let found = records
            .iter()
            .find(|one| one.call == named.call && one.operand == named.operand && one.change == named.change);
        match found.map(|one| &one.fate) {
            Some(Fate::Killed { .. }) => {}
            None => objections.push(format!(
                "the fault `{}` is no mutant: {} {} {}",
                named.fault, named.call, named.operand, named.change
            )),
            Some(_) => objections.push(format!("the fault `{}` is not killed", named.fault)),
        }
    }
    objections
}
