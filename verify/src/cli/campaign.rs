//! `heaplab weaken` and `heaplab mutants`: a campaign, and whether the models notice.

use super::live::Live;
use super::models::{run, save};
use super::{CampaignOptions, complain};
use heaplab_checker::model::Model;
use heaplab_checker::model::census::Census;
use heaplab_checker::model::mutation::MutantKind;
use heaplab_checker::record::{ModelRecord, MutantFate, MutantRecord, SuiteRecord};
use heaplab_checker::suite::campaign::{Candidate, candidates, judge, objections};
use heaplab_checker::suite::excuses::{Excuses, ORDERINGS_MAX};
use heaplab_checker::suite::pool;
use heaplab_common::exit::Exit;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

/// Tries the mutants that the options name against all models.
pub(super) fn campaign(all: &[Model], kind: MutantKind, options: &CampaignOptions) -> Exit {
    match try_campaign(all, kind, options) {
        Ok(passed) => Exit::passed_if(passed),
        Err((exit, text)) => {
            complain(&text);
            exit
        }
    }
}

/// Why a campaign cannot begin or go on, and how the process ends then.
type Stopped = (Exit, String);

fn failed(text: String) -> Stopped {
    (Exit::Failed, text)
}

fn try_campaign(all: &[Model], kind: MutantKind, options: &CampaignOptions) -> Result<bool, Stopped> {
    let excuses = Excuses::load(kind).map_err(|text| (Exit::BadUsage, text))?;
    if kind == MutantKind::Ordering && excuses.excused.len() > ORDERINGS_MAX {
        return Err(failed(format!("verify/{} excuses more than {ORDERINGS_MAX} orderings", kind.file())));
    }
    let census = census(options)?;
    let start = Instant::now();
    let mut record = SuiteRecord::load();
    find_sites(all, options, &mut record)?;
    let every = candidates(kind, &record.models, &census);
    let in_all = every.len();
    let chosen = choose(every, options)?;
    let is_whole = chosen.len() == in_all;
    let records = try_all(chosen, &excuses, options.jobs())?;
    let mut passed = print(&records, start.elapsed().as_secs_f64());
    if is_whole {
        for objection in objections(&records, &excuses) {
            complain(&objection);
            passed = false;
        }
    }
    let table = match kind {
        MutantKind::Ordering => &mut record.orderings,
        MutantKind::Protocol => &mut record.protocol,
    };
    for one in records {
        table.retain(|known| known.mutant != one.mutant);
        table.push(one);
    }
    passed &= save(&record, options.json.as_deref());
    Ok(passed)
}

/// The calls of the heap's sources, among which those that the options name have to be.
fn census(options: &CampaignOptions) -> Result<Census, Stopped> {
    let census = Census::of_the_workspace()
        .map_err(|error| failed(format!("the sources that this was built from cannot be read: {error}")))?;
    match options.site.iter().find(|site| !census.has(site)) {
        Some(site) if !options.site_may_be_absent => Err((
            Exit::BadUsage,
            format!("there is no call at `{site}` in the heap's sources: name a file, a FILE:LINE, or a function"),
        )),
        _ => Ok(census),
    }
}

/// Sees to it that the record says which model runs which site: runs the models, unless all are known.
fn find_sites(all: &[Model], options: &CampaignOptions, record: &mut SuiteRecord) -> Result<(), Stopped> {
    let known: BTreeMap<&str, &ModelRecord> = record.models.iter().map(|model| (model.name.as_str(), model)).collect();
    if all.iter().all(|model| known.get(model.name).is_some_and(|known| known.failure.is_none())) {
        return Ok(());
    }
    let _ = writeln!(std::io::stdout(), "first, which model runs which site:");
    let models: Vec<&Model> = all.iter().collect();
    record.models = run(&models, options.jobs()).map_err(failed)?;
    if let Some(red) = record.models.iter().find(|model| model.failure.is_some()) {
        return Err(failed(format!("model {} is red without any mutant: mend that first", red.name)));
    }
    let _ = record.save();
    Ok(())
}

/// The mutants at the sites that the options name. All of them if the options name no site.
fn choose(mut candidates: Vec<Candidate>, options: &CampaignOptions) -> Result<Vec<Candidate>, Stopped> {
    if options.site.is_empty() {
        return Ok(candidates);
    }
    let is_chosen = |one: &Candidate| {
        options.site.iter().any(|site| one.mutant.site.to_string().starts_with(site) || one.call.contains(site))
    };
    candidates.retain(is_chosen);
    if candidates.is_empty() && !options.site_may_be_absent {
        return Err((
            Exit::BadUsage,
            format!("no model runs an operation at `{}` that could be changed so", options.site.join("`, `")),
        ));
    }
    Ok(candidates)
}

/// Tries mutants, as many at once as `jobs` says, and tells of those that survive as soon as they do.
fn try_all(candidates: Vec<Candidate>, excuses: &Excuses, jobs: usize) -> Result<Vec<MutantRecord>, Stopped> {
    let live = Live::new(candidates.len(), None);
    let outcomes = pool::run(candidates, jobs, |candidate| {
        let name = candidate.mutant.to_string();
        live.at(&name, 0);
        let outcome = judge(&candidate, excuses);
        live.end(&name, 0);
        if let Ok(one) = &outcome
            && let MutantFate::Survived { undecided } = &one.fate
        {
            live.say(&format!("SURVIVES {name}: {} ({} models, {} undecided)", one.call, one.models, undecided.len()));
        }
        outcome
    });
    live.finish();
    let records: Result<_, std::io::Error> = outcomes.into_iter().collect();
    records.map_err(|error| failed(format!("a mutant cannot be run: {error}")))
}

/// Prints what became of the mutants; whether each was killed or is explained.
fn print(records: &[MutantRecord], seconds: f64) -> bool {
    let mut out = std::io::stdout().lock();
    let (mut killed, mut explained) = (0, 0);
    for one in records {
        let fate = match &one.fate {
            MutantFate::Killed { model, why, seconds } => {
                killed += 1;
                let why: String = why.chars().take(70).collect();
                format!("killed by {model} in {seconds:.1} s: {}", why.replace('\n', " "))
            }
            MutantFate::Explained { reason } => {
                explained += 1;
                format!("explained: {reason}")
            }
            MutantFate::Survived { undecided } if undecided.is_empty() => format!("SURVIVES {} models", one.models),
            MutantFate::Survived { undecided } => {
                format!("SURVIVES {} models, of which {} gave up", one.models, undecided.len())
            }
        };
        let _ = writeln!(out, "{} {} {:?} -> {}: {fate}", one.call, one.operand, one.written, one.change);
    }
    let survived = records.len() - killed - explained;
    let _ = writeln!(
        out,
        "{} mutants: {killed} killed, {explained} explained, {survived} survive; {seconds:.0} s",
        records.len()
    );
    survived == 0
}
