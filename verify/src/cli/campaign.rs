//! `heaplab weaken` and `heaplab mutants`: do the models notice?

use super::live::Live;
use super::models::{run, save};
use super::{BAD_USAGE, CampaignOptions, FAILED, PASSED, complain};
use heaplab_checker::model::Model;
use heaplab_checker::model::census::Census;
use heaplab_checker::model::mutation::Campaign;
use heaplab_checker::record::{Fate, ModelRecord, MutantRecord, SuiteRecord};
use heaplab_checker::suite::campaign::{Candidate, candidates, judge, objections};
use heaplab_checker::suite::pool;
use heaplab_checker::suite::verdicts::{ORDERINGS_MAX, Verdicts};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

/// Tries the mutants that the options name against all models.
#[must_use]
pub(super) fn campaign(all: &[Model], kind: Campaign, options: &CampaignOptions) -> u8 {
    match try_campaign(all, kind, options) {
        Ok(true) => PASSED,
        Ok(false) => FAILED,
        Err((code, text)) => {
            complain(&text);
            code
        }
    }
}

fn try_campaign(all: &[Model], kind: Campaign, options: &CampaignOptions) -> Result<bool, (u8, String)> {
    let failed = |text: String| (FAILED, text);
    let verdicts = Verdicts::load(kind.file()).map_err(|text| (BAD_USAGE, text))?;
    if kind == Campaign::Orderings && verdicts.excused.len() > ORDERINGS_MAX {
        return Err(failed(format!("verify/{} excuses more than {ORDERINGS_MAX} orderings", kind.file())));
    }
    let census = Census::of_the_workspace()
        .map_err(|error| failed(format!("the sources that this was built from cannot be read: {error}")))?;
    let unknown = options.site.iter().find(|site| !census.has(site));
    if let Some(site) = unknown.filter(|_| !options.site_may_be_absent) {
        return Err((
            BAD_USAGE,
            format!("there is no call at `{site}` in the heap's sources: name a file, a FILE:LINE, or a function"),
        ));
    }
    let start = Instant::now();
    let mut record = SuiteRecord::load();
    let known: BTreeMap<&str, &ModelRecord> = record.models.iter().map(|model| (model.name.as_str(), model)).collect();
    if all.iter().any(|model| known.get(model.name).is_none_or(|known| known.failure.is_some())) {
        let _ = writeln!(std::io::stdout(), "first, which model runs which site:");
        let models: Vec<&Model> = all.iter().collect();
        record.models = run(&models, options.jobs()).map_err(failed)?;
        if let Some(red) = record.models.iter().find(|model| model.failure.is_some()) {
            return Err(failed(format!("model {} is red without any mutant: mend that first", red.name)));
        }
        let _ = record.save();
    }
    let mut chosen = candidates(kind, &record.models, &census);
    let in_all = chosen.len();
    if !options.site.is_empty() {
        let is_chosen = |one: &Candidate| {
            options.site.iter().any(|site| one.mutant.site.to_string().starts_with(site) || one.call.contains(site))
        };
        chosen.retain(is_chosen);
        if chosen.is_empty() && !options.site_may_be_absent {
            return Err((
                BAD_USAGE,
                format!("no model runs an operation at `{}` that could be changed so", options.site.join("`, `")),
            ));
        }
    }
    let is_whole = chosen.len() == in_all;
    let live = Live::new(chosen.len());
    let outcomes = pool::run(chosen, options.jobs(), |candidate| {
        let name = candidate.mutant.to_string();
        live.at(&name, 0);
        let outcome = judge(&candidate, &verdicts);
        live.end(&name, 0);
        if let Ok(one) = &outcome
            && let Fate::Survived { undecided } = &one.fate
        {
            live.say(&format!("SURVIVES {name}: {} ({} models, {} undecided)", one.call, one.models, undecided.len()));
        }
        outcome
    });
    live.finish();
    let records: Vec<MutantRecord> = outcomes
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| failed(format!("a mutant cannot be run: {error}")))?;
    let mut passed = print(&records, start.elapsed().as_secs_f64());
    if is_whole {
        for objection in objections(&records, &verdicts) {
            complain(&objection);
            passed = false;
        }
    }
    let table = match kind {
        Campaign::Orderings => &mut record.orderings,
        Campaign::Protocol => &mut record.protocol,
    };
    for one in records {
        table.retain(|known| known.mutant != one.mutant);
        table.push(one);
    }
    passed &= save(&record, options.json.as_deref());
    Ok(passed)
}

/// Prints what became of the mutants; whether each was killed or is explained.
fn print(records: &[MutantRecord], seconds: f64) -> bool {
    let mut out = std::io::stdout().lock();
    let (mut killed, mut explained) = (0, 0);
    for one in records {
        let fate = match &one.fate {
            Fate::Killed { model, why, seconds } => {
                killed += 1;
                let why: String = why.chars().take(70).collect();
                format!("killed by {model} in {seconds:.1} s: {}", why.replace('\n', " "))
            }
            Fate::Explained { reason } => {
                explained += 1;
                format!("explained: {reason}")
            }
            Fate::Survived { undecided } if undecided.is_empty() => format!("SURVIVES {} models", one.models),
            Fate::Survived { undecided } => {
                format!("SURVIVES {} models, of which {} gave up", one.models, undecided.len())
            }
        };
        let _ = writeln!(out, "{} {} {} -> {}: {fate}", one.call, one.operand, one.written, one.change);
    }
    let survived = records.len() - killed - explained;
    let _ = writeln!(
        out,
        "{} mutants: {killed} killed, {explained} explained, {survived} survive; {seconds:.0} s",
        records.len()
    );
    survived == 0
}
