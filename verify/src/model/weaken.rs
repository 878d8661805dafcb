//! Ordering mutants: would the models notice if an ordering in the source were weaker?
//!
//! The facade's model face knows the call site of each operation and can perform one site's operation with the next weaker
//! ordering. So a mutant is tried without compiling anything: the model runs again, and either turns red (the mutant is
//! *killed*) or stays green (it *survives* this model). A mutant that survives every model stands for an ordering that is
//! stronger than it has to be, for a model that is missing, or for something that the checker cannot see.
//!
//! | variable | what [`model`](super::model) does with it |
//! |---|---|
//! | `HEAPLAB_WEAKEN` | after a green run, tries the mutants of the sites that it ran, but for those that another model of this process has killed; appends a line for each to `target/heaplab/weaken.jsonl` |
//! | `HEAPLAB_MUTANT` | runs under that one mutant, given as in the lines of that file |
//!
//! Only sites in the heap's own source count; the models' operations are not under test. Each mutant runs in a process of
//! its own, the same test with the second variable set: a heap that breaks inside a stop breaks again in the destructors
//! that unwind it, and then the process aborts. So a mutant is killed when its process does not end well, for whatever
//! reason: a failed assertion, a race, a deadlock, an endless loop that meets the limit on branches.

use super::certificate::{artefact_path, json_string};
use super::{Failure, Passes, Spec};
use heaplab::sync::model_control::{
    Operand, Pass, SiteUse, Weakening, WeakeningGuard, set_weakening, start_sites, take_sites,
};
use heaplab::sync::{ExploreOptions, explore};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

const SWEEP: &str = "HEAPLAB_WEAKEN";
const MUTANT: &str = "HEAPLAB_MUTANT";

/// A model's closure.
pub(super) type Body = Arc<dyn Fn() + Send + Sync>;

/// The options of one pass.
pub(super) fn options(spec: Spec, pass: Pass) -> ExploreOptions {
    ExploreOptions {
        preemption_bound: spec.bound.preemptions(),
        branches_max: spec.branches_max,
        pass,
        executions_max: spec.executions_max,
        duration_max: None,
        threads_max: spec.threads,
    }
}

/// The passes of a specification.
pub(super) fn passes(spec: Spec) -> &'static [Pass] {
    match spec.passes {
        Passes::Both => &[Pass::Normal, Pass::ReadAsRmw],
        Passes::NormalOnly { .. } => &[Pass::Normal],
    }
}

/// The call sites in the heap's source that a model runs, in all its passes together.
#[must_use]
pub fn sites(spec: Spec, f: &Body) -> Vec<SiteUse> {
    start_sites();
    for &pass in passes(spec) {
        let f = f.clone();
        let _ = explore(&options(spec, pass), move || f());
    }
    take_sites().into_iter().filter(|site_use| is_under_test(site_use.site.file)).collect()
}

/// Whether a path is one of the heap's sources; cargo names the files of a workspace's root package from its root.
fn is_under_test(file: &str) -> bool {
    let file = file.replace('\\', "/");
    file.starts_with("src/") || (file.contains("/src/") && !file.contains("verify/"))
}

/// A mutant's name: site, operand and ordering, separated by spaces.
#[must_use]
pub fn name_of(weakening: &Weakening) -> String {
    format!("{} {} {:?}", weakening.site, operand_name(weakening.operand), weakening.to)
}

fn operand_name(operand: Operand) -> &'static str {
    match operand {
        Operand::Load => "load",
        Operand::Store => "store",
        Operand::Rmw => "rmw",
        Operand::CasSuccess => "cas-success",
        Operand::CasFailure => "cas-failure",
        Operand::Fence => "fence",
    }
}

/// Sets the mutant that the environment names, if it names one and this model runs its site.
///
/// # Errors
///
/// The environment names a mutant whose site this model does not run.
pub(super) fn mutant_of_environment(model: &str, spec: Spec, f: &Body) -> Result<Option<WeakeningGuard>, Failure> {
    let Ok(name) = std::env::var(MUTANT) else { return Ok(None) };
    let found = sites(spec, f).iter().flat_map(SiteUse::weakenings).find(|weakening| name_of(weakening) == name);
    match found {
        Some(weakening) => Ok(Some(set_weakening(weakening))),
        None => Err(Failure {
            model: model.to_owned(),
            pass: None,
            bound: spec.bound,
            executions: 0,
            message: format!("it runs no site of the mutant `{name}`"),
        }),
    }
}

/// Mutants that some model of this process has killed.
static KILLED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Tries the mutants of a green model and records what became of them, if the environment asks for it.
///
/// # Panics
///
/// When the test cannot be started again, or the record cannot be written.
pub(super) fn sweep(model: &str, spec: Spec, f: &Body) {
    if std::env::var_os(SWEEP).is_none() || std::env::var_os(MUTANT).is_some() {
        return;
    }
    for site_use in sites(spec, f) {
        for weakening in site_use.weakenings() {
            let name = name_of(&weakening);
            if KILLED.lock().unwrap_or_else(PoisonError::into_inner).contains(&name) {
                continue;
            }
            let start = Instant::now();
            let (killed, why) = judge(&name);
            if killed {
                KILLED.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
            }
            record(&format!(
                "{{\"mutant\":{},\"written\":{},\"model\":{},\"killed\":{killed},\"why\":{},\"seconds\":{:.3}}}\n",
                json_string(&name),
                json_string(&format!("{:?}", site_use.written)),
                json_string(model),
                json_string(&why),
                start.elapsed().as_secs_f64(),
            ));
        }
    }
}

/// Runs this test again, as another process, under a mutant: whether it is killed, and the first complaint.
fn judge(mutant: &str) -> (bool, String) {
    let thread = std::thread::current();
    let test = thread.name().filter(|&name| name != "main");
    let test = test.expect("a sweep needs the test's name, which its thread has: run with --test-threads=2 or more");
    let program = std::env::current_exe().expect("a test has a program");
    let output = Command::new(program)
        .args(["--exact", "--nocapture", test])
        .env(MUTANT, mutant)
        .env_remove(SWEEP)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("a program that runs can be started again");
    if output.status.success() {
        return (false, String::new());
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    let mut lines = complaints.lines().skip_while(|line| !line.contains("panicked at"));
    let why = lines.nth(1).unwrap_or("it ended without a message");
    assert!(!why.contains("it runs no site"), "the mutant was found in this very model: {why}");
    (true, why.to_owned())
}

fn record(line: &str) {
    let path = artefact_path("weaken.jsonl");
    let append = || {
        std::fs::create_dir_all(path.parent().expect("the path has a directory"))?;
        std::fs::OpenOptions::new().create(true).append(true).open(&path)?.write_all(line.as_bytes())
    };
    append().unwrap_or_else(|error: std::io::Error| panic!("cannot append to {}: {error}", path.display()));
}
