//! The runner under the model checker: each pass of a model is one exploration, watched, and certified or red.

use super::failure::check;
use super::token::ExecutionName;
use super::watch::{self, OnFailure, Subject};
use super::{Certificate, Graphs, Model, ModelFailure, Pass, Passes, Snapshot, Spec, THREADS_MAX};
use crate::trace::{Counterexample, FailureKind};
use heaplab::sync::model_control::{self, Mutant, set_mutant, start_journal, take_journal};
use heaplab::sync::{ExploreOptions, Shard, explore, replay};
use std::sync::Arc;

const _: () = assert!(THREADS_MAX == ExploreOptions::THREADS_MAX);

/// What is called with the number of each execution that begins.
pub type OnExecution = Arc<dyn Fn(u64) + Send + Sync>;

/// How to run a pass.
#[derive(Clone, Default)]
pub struct PassOptions {
    /// Run this mutant instead of the program.
    pub mutant: Option<Mutant>,
    /// Give up after so many executions, unless the specification gives up before.
    pub executions_max: Option<u64>,
    /// Explore this part of the explorer's executions.
    pub shard: Option<Shard>,
    /// Called at the start of each execution, to tell of progress.
    pub on_execution: Option<OnExecution>,
    /// Whether to print and draw a failure as soon as it happens.
    pub loud: bool,
    /// The file that holds the explored program, where no table has the program. A failure says to replay this file.
    pub file: Option<String>,
}

/// The passes of a specification.
#[must_use]
pub fn passes(spec: &Spec) -> &'static [Pass] {
    match (spec.graphs, spec.passes) {
        (Graphs::Explored | Graphs::Within { .. }, Passes::Both) => &[Pass::Graphs, Pass::Normal, Pass::ReadAsRmw],
        (Graphs::Explored | Graphs::Within { .. }, Passes::NormalOnly { .. }) => &[Pass::Graphs, Pass::Normal],
        (Graphs::Left { .. }, Passes::Both) => &[Pass::Normal, Pass::ReadAsRmw],
        (Graphs::Left { .. }, Passes::NormalOnly { .. }) => &[Pass::Normal],
    }
}

/// Runs a model in each of its passes; a `loud` one shows what a failing execution did as soon as it fails.
///
/// # Errors
///
/// Why the model is red. Certificates of passes that were green before are published all the same.
pub(super) fn run_passes(
    name: &str,
    spec: &Spec,
    f: impl Fn() + Send + Sync + 'static,
    loud: bool,
) -> Result<Vec<Certificate>, ModelFailure> {
    run_passes_with(name, spec, f, &PassOptions { loud, ..PassOptions::default() })
}

/// As [`try_model`](super::try_model), but what a failing execution did is printed and drawn, as in
/// [`model`](super::model). For models that no table has: `file` is what the binary replays.
///
/// # Errors
///
/// Why the model is red.
pub fn try_loud_model(
    name: &str,
    spec: Spec,
    file: String,
    f: impl Fn() + Send + Sync + 'static,
) -> Result<Vec<Certificate>, ModelFailure> {
    check(name, &spec)?;
    run_passes_with(name, &spec, f, &PassOptions { loud: true, file: Some(file), ..PassOptions::default() })
}

fn run_passes_with(
    name: &str,
    spec: &Spec,
    f: impl Fn() + Send + Sync + 'static,
    options: &PassOptions,
) -> Result<Vec<Certificate>, ModelFailure> {
    let body = Arc::new(f);
    let mut certificates = Vec::new();
    for &pass in passes(spec) {
        let body = body.clone();
        let certificate = explore_pass(name, spec, pass, options, move || body())?;
        certificate.publish();
        certificates.push(certificate);
    }
    Ok(certificates)
}

/// What to do about a failure that is the model's own.
fn advice(message: &str) -> &'static str {
    match FailureKind::of(message) {
        FailureKind::BranchLimit => {
            " (a loop that waits has to yield: use `Backoff` or a lock; if the model really is that long, give it more \
             with `Spec::branches_max`, or make its world smaller)"
        }
        FailureKind::ThreadLimit => " (declare the threads that it really has in its `Spec`)",
        FailureKind::Assertion | FailureKind::Race | FailureKind::Deadlock => "",
    }
}

fn subject(name: &str, spec: &Spec, pass: Pass, options: &PassOptions) -> Subject {
    Subject {
        model: name.to_owned(),
        pass,
        bound: spec.bound_of(pass).to_string(),
        mutant: options.mutant.map(|mutant| mutant.to_string()),
        on_failure: if options.loud { OnFailure::Show } else { OnFailure::Keep },
        file: options.file.clone(),
    }
}

/// How to explore a pass of a model, with at most so many executions.
#[must_use]
pub fn explore_options(spec: &Spec, pass: Pass, executions_max: Option<u64>) -> ExploreOptions {
    ExploreOptions {
        preemption_bound: spec.bound_of(pass).preemptions(),
        yields_max: spec.bound_of(pass).yields(),
        branches_max: spec.branches_max,
        pass,
        fault: spec.fault,
        executions_max: [spec.executions_max, executions_max].into_iter().flatten().min(),
        duration_max: None,
        shard: None,
        threads_max: spec.threads,
    }
}

/// Explores one pass of a model.
///
/// # Errors
///
/// Why the pass is red. Under a mutant, a red pass is the hoped-for result.
pub fn explore_pass(
    name: &str,
    spec: &Spec,
    pass: Pass,
    options: &PassOptions,
    f: impl Fn() + Send + Sync + 'static,
) -> Result<Certificate, ModelFailure> {
    let how = ExploreOptions { shard: options.shard, ..explore_options(spec, pass, options.executions_max) };
    let on_execution = options.on_execution.clone();
    let mutant = options.mutant.map(set_mutant);
    watch::begin(subject(name, spec, pass, options));
    start_journal();
    let exploration = explore(&how, move || {
        if let Some(on_execution) = &on_execution {
            on_execution(model_control::execution());
        }
        f();
    });
    let snapshot = watch::end(&exploration, take_journal());
    drop(mutant);
    let message = if let Err(message) = &exploration.outcome {
        // The first message counts; a later panic may only follow from the first one.
        let message = snapshot.as_ref().map_or(message.clone(), |snapshot| snapshot.message.clone());
        message.clone() + advice(&message)
    } else if exploration.truncated {
        "truncated: executions were left when the limit was met".to_owned()
    } else if exploration.threads_max < spec.threads && options.shard.is_none() {
        format!("it declares {} threads and never ran more than {}", spec.threads, exploration.threads_max)
    } else {
        let sizes = (exploration.threads_max, exploration.executions, exploration.operations_max);
        let certificate = Certificate::new(name, pass, spec, sizes, exploration.blocked, exploration.duration);
        return Ok(Certificate { shard: options.shard.map(|shard| shard.to_string()), ..certificate });
    };
    Err(ModelFailure {
        model: name.to_owned(),
        pass: Some(pass),
        bound: spec.bound_of(pass),
        executions: exploration.executions,
        message,
        truncated: exploration.truncated,
        snapshot: snapshot.map(Box::new),
    })
}

/// Runs one execution of a pass again: by its name, or as the last of the first `execution` ones, or of fewer if one
/// fails before. Returns what it did, as a snapshot and as a counterexample.
///
/// If the execution of that number fails, this function does not return: it prints and draws what the execution did,
/// and ends the process with the exit code of success.
///
/// # Errors
///
/// The model has no execution of that name.
pub fn explore_once(
    of: &Model,
    pass: Pass,
    mutant: Option<Mutant>,
    execution: &ExecutionName,
) -> Result<(Snapshot, Counterexample), String> {
    let options = PassOptions { mutant, ..PassOptions::default() };
    let (number, on_failure) = match execution {
        ExecutionName::Number(number) => (Some(*number), OnFailure::ShowAndEnd(*number)),
        ExecutionName::Graph(_) => (None, OnFailure::Keep),
    };
    let subject = Subject { on_failure, ..subject(of.name, &of.spec, pass, &options) };
    let how = explore_options(&of.spec, pass, number);
    let guard = mutant.map(set_mutant);
    watch::begin(subject.clone());
    start_journal();
    let exploration = match execution {
        ExecutionName::Number(_) => Ok(explore(&how, of.body)),
        ExecutionName::Graph(name) => replay(&how, name, of.body),
    };
    let journal = take_journal();
    drop(guard);
    let exploration = exploration.inspect_err(|_| watch::forget())?;
    let snapshot = watch::end(&exploration, journal.clone()).unwrap_or(Snapshot {
        execution: exploration.runs,
        graph: match execution {
            ExecutionName::Number(_) => None,
            ExecutionName::Graph(name) => Some(name.clone()),
        },
        thread: None,
        message: String::new(),
        journal,
        whereabouts: Vec::new(),
    });
    let counterexample = watch::counterexample(&subject, snapshot.clone());
    Ok((snapshot, counterexample))
}
