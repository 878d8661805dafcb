//! The runner: turns a closure and a [`Spec`] into certificates or a failure that says where it stands.
//!
//! Under the model checker each pass is one call of `heaplab::sync::explore`; the runner adds the rules MD-1 to MD-4 of the
//! parent module. Without it the closure is repeated on real threads.

use super::{Bound, Certificate, Spec, THREADS_MAX};
use std::fmt;

#[cfg(feature = "loom")]
pub use explored::{OnExecution, PassOptions, explore_once, explore_pass, passes, write_picture};

/// Why a model is red.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The model.
    pub model: String,
    /// The pass, if it came to one.
    pub pass: Option<String>,
    /// The bound it ran at.
    pub bound: Bound,
    /// Executions run, the failing one included.
    pub executions: u64,
    /// What went wrong.
    pub message: String,
    /// Whether it only met a limit: no execution failed, but not all were seen.
    pub truncated: bool,
    /// The execution that failed, if one did.
    #[cfg(feature = "loom")]
    pub snapshot: Option<Box<super::Snapshot>>,
}

impl Failure {
    /// A model that cannot run at all.
    fn before_it_ran(name: &str, spec: &Spec, message: String) -> Failure {
        Failure {
            model: name.to_owned(),
            pass: None,
            bound: spec.bound,
            executions: 0,
            message,
            truncated: false,
            #[cfg(feature = "loom")]
            snapshot: None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pass {
            None => write!(f, "model {} cannot run: {}", self.model, self.message),
            Some(pass) => write!(
                f,
                "model {} fails in the {pass} pass ({}) after {} executions: {}",
                self.model, self.bound, self.executions, self.message,
            ),
        }
    }
}

impl std::error::Error for Failure {}

/// Runs a model: explored in each of its passes under the model checker, else repeated on real threads.
///
/// Blocks until it is done. Returns the certificates, one for each pass; none without the model checker.
///
/// # Panics
///
/// When the model is red; the message names model, pass, bound, executions and the failure inside. What the failing
/// execution did has been printed and drawn before.
#[track_caller]
pub fn model(name: &str, spec: Spec, f: impl Fn() + Send + Sync + 'static) -> Vec<Certificate> {
    match check(name, spec, f, &How { loud: true, file: None }) {
        Ok(certificates) => certificates,
        Err(failure) => panic!("{failure}"),
    }
}

/// As [`model`], with failure as a value. For the tests of the tests, which need models to fail.
///
/// Without the model checker a failing assertion still unwinds: a repeated program is not contained.
///
/// # Errors
///
/// Why the model is red. Certificates of passes that were green before it are printed and recorded all the same.
pub fn try_model(name: &str, spec: Spec, f: impl Fn() + Send + Sync + 'static) -> Result<Vec<Certificate>, Failure> {
    check(name, spec, f, &How { loud: false, file: None })
}

/// As [`try_model`], but what a failing execution did is printed and drawn, as in [`model`]. For models that no table has:
/// `file` is what the binary replays.
///
/// # Errors
///
/// Why the model is red.
#[cfg(feature = "loom")]
pub fn try_loud_model(
    name: &str,
    spec: Spec,
    file: String,
    f: impl Fn() + Send + Sync + 'static,
) -> Result<Vec<Certificate>, Failure> {
    check(name, spec, f, &How { loud: true, file: Some(file) })
}

/// How a model that is no row of a table is run.
#[cfg_attr(not(feature = "loom"), expect(dead_code, reason = "only an exploration can show what happened"))]
struct How {
    /// Whether a failure is shown as soon as it happens.
    loud: bool,
    /// What the binary replays.
    file: Option<String>,
}

fn check(name: &str, spec: Spec, f: impl Fn() + Send + Sync + 'static, how: &How) -> Result<Vec<Certificate>, Failure> {
    if spec.threads == 0 || spec.threads > THREADS_MAX {
        let message =
            format!("it declares {} threads; a model has 1 to {THREADS_MAX}, its first included", spec.threads);
        return Err(Failure::before_it_ran(name, &spec, message));
    }
    run_passes(name, spec, f, how)
}

#[cfg(not(feature = "loom"))]
#[expect(clippy::unnecessary_wraps, reason = "the explored form can fail")]
fn run_passes(
    name: &str,
    spec: Spec,
    f: impl Fn() + Send + Sync + 'static,
    _how: &How,
) -> Result<Vec<Certificate>, Failure> {
    let start = std::time::Instant::now();
    let how = repeat(spec.smoke_runs, f);
    println!("model {name}: {} runs {how}, {:.2} s, certifies nothing", spec.smoke_runs, start.elapsed().as_secs_f64());
    Ok(Vec::new())
}

/// Runs the model so often, one after the other; says on what.
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
fn repeat(runs: usize, f: impl Fn() + Send + Sync + 'static) -> &'static str {
    for _ in 0..runs {
        f();
    }
    "on real threads"
}

/// Runs the model in so many schedules, the same ones every time; says on what.
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
fn repeat(runs: usize, f: impl Fn() + Send + Sync + 'static) -> &'static str {
    let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(0x1ab, runs);
    shuttle::Runner::new(scheduler, heaplab::sync::shuttle_config()).run(f);
    "in random schedules"
}

#[cfg(feature = "loom")]
use explored::run_passes;

#[cfg(feature = "loom")]
mod explored {
    use super::super::Model;
    use super::super::watch::{self, OnFailure, Subject};
    use super::super::{Fault, Passes, Snapshot};
    use super::{Certificate, Failure, How, Spec, THREADS_MAX};
    use crate::trace::{Counterexample, Sources};
    use heaplab::sync::model_control::{self, Mutant, Pass, set_mutant, start_journal, take_journal};
    use heaplab::sync::{ExploreOptions, explore};
    use heaplab_common::artefact::{COUNTEREXAMPLES, write_artefact};
    use std::path::PathBuf;
    use std::sync::Arc;

    const _: () = assert!(THREADS_MAX == ExploreOptions::THREADS_MAX);

    /// What is called with the number of each execution that begins.
    pub type OnExecution = Arc<dyn Fn(u64) + Send + Sync>;

    /// How to run a pass.
    #[derive(Clone, Default)]
    pub struct PassOptions {
        /// Run this mutant instead of the program.
        pub mutant: Option<Mutant>,
        /// Give up after so many executions, beyond what the specification says.
        pub executions_max: Option<u64>,
        /// Called at the start of each execution, to tell of progress.
        pub on_execution: Option<OnExecution>,
        /// Whether to print and draw a failure as soon as it happens.
        pub loud: bool,
        /// The file that holds what is explored, where no table has it: it is what a failure says to replay.
        pub file: Option<String>,
    }

    /// The passes of a specification.
    #[must_use]
    pub fn passes(spec: &Spec) -> &'static [Pass] {
        match spec.passes {
            Passes::Both => &[Pass::Normal, Pass::ReadAsRmw],
            Passes::NormalOnly { .. } => &[Pass::Normal],
        }
    }

    pub(super) fn run_passes(
        name: &str,
        spec: Spec,
        f: impl Fn() + Send + Sync + 'static,
        how: &How,
    ) -> Result<Vec<Certificate>, Failure> {
        let body = Arc::new(f);
        let mut certificates = Vec::new();
        for &pass in passes(&spec) {
            let body = body.clone();
            let options = PassOptions { loud: how.loud, file: how.file.clone(), ..PassOptions::default() };
            let certificate = explore_pass(name, &spec, pass, &options, move || body())?;
            certificate.publish();
            certificates.push(certificate);
        }
        Ok(certificates)
    }

    /// What to do about a failure that is the model's own.
    fn advice(message: &str) -> &'static str {
        if message.contains("maximum number of branches") {
            " (a loop that waits has to yield: use `Backoff` or a lock; if the model really is that long, give it more with \
             `Spec::branches_max`, or make its world smaller)"
        } else if message.contains("starts thread number") {
            " (declare the threads that it really has in its `Spec`)"
        } else {
            ""
        }
    }

    fn subject(name: &str, spec: &Spec, pass: Pass, options: &PassOptions) -> Subject {
        Subject {
            model: name.to_owned(),
            pass: pass.to_string(),
            bound: spec.bound.to_string(),
            mutant: options.mutant.map(|mutant| mutant.to_string()),
            on_failure: if options.loud { OnFailure::Show } else { OnFailure::Keep },
            file: options.file.clone(),
        }
    }

    fn explore_options(spec: &Spec, pass: Pass, executions_max: Option<u64>) -> ExploreOptions {
        ExploreOptions {
            preemption_bound: spec.bound.preemptions(),
            branches_max: spec.branches_max,
            pass,
            fault: spec.fault.map(|fault| match fault {
                Fault::PageRequest => model_control::Fault::PageRequest,
                Fault::WeakExchange => model_control::Fault::WeakExchange,
                Fault::Wakeup => model_control::Fault::Wakeup,
            }),
            executions_max: [spec.executions_max, executions_max].into_iter().flatten().min(),
            duration_max: None,
            threads_max: spec.threads,
        }
    }

    /// Explores one pass of a model.
    ///
    /// # Errors
    ///
    /// Why it is red. Under a mutant that is what is hoped for.
    pub fn explore_pass(
        name: &str,
        spec: &Spec,
        pass: Pass,
        options: &PassOptions,
        f: impl Fn() + Send + Sync + 'static,
    ) -> Result<Certificate, Failure> {
        let how = explore_options(spec, pass, options.executions_max);
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
        let _ = take_journal();
        let snapshot = watch::end();
        drop(mutant);
        let message = if let Err(message) = &exploration.outcome {
            // What was said first; a later panic may be wreckage.
            let message = snapshot.as_ref().map_or(message.clone(), |snapshot| snapshot.message.clone());
            message.clone() + advice(&message)
        } else if exploration.truncated {
            "truncated: executions were left when the limit was met".to_owned()
        } else if exploration.threads_max < spec.threads {
            format!("it declares {} threads and never ran more than {}", spec.threads, exploration.threads_max)
        } else {
            let sizes = (exploration.threads_max, exploration.executions, exploration.operations_max);
            return Ok(Certificate::new(name, &pass.to_string(), spec, sizes, exploration.duration));
        };
        Err(Failure {
            model: name.to_owned(),
            pass: Some(pass.to_string()),
            bound: spec.bound,
            executions: exploration.executions,
            message,
            truncated: exploration.truncated,
            snapshot: snapshot.map(Box::new),
        })
    }

    /// Runs the first `execution` executions of a pass and returns what the last of them did; fewer if one fails before.
    /// With the counterexample that it makes.
    ///
    /// If the last of them fails, this does not return: it prints and draws what that did, and ends the process as one
    /// that succeeded.
    #[must_use]
    pub fn explore_once(of: &Model, pass: Pass, mutant: Option<Mutant>, execution: u64) -> (Snapshot, Counterexample) {
        let options = PassOptions { mutant, ..PassOptions::default() };
        let on_failure = OnFailure::ShowAndEnd(execution);
        let subject = Subject { on_failure, ..subject(of.name, &of.spec, pass, &options) };
        let how = explore_options(&of.spec, pass, Some(execution));
        let guard = mutant.map(set_mutant);
        watch::begin(subject.clone());
        start_journal();
        let exploration = explore(&how, of.body);
        let journal = take_journal();
        drop(guard);
        let snapshot = watch::end().unwrap_or(Snapshot {
            execution: exploration.executions,
            thread: None,
            message: String::new(),
            journal,
            whereabouts: Vec::new(),
        });
        let counterexample = watch::counterexample(&subject, snapshot.clone());
        (snapshot, counterexample)
    }

    /// Draws a counterexample into `target/heaplab/counterexamples/`; the file.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write_picture(counterexample: &Counterexample, sources: &Sources) -> std::io::Result<PathBuf> {
        let mut name = counterexample.model.replace("::", ".");
        name.extend(counterexample.mutant.iter().flat_map(|mutant| ["-", mutant]).flat_map(str::chars).map(
            |character| {
                if character.is_ascii_alphanumeric() || ".-".contains(character) { character } else { '_' }
            },
        ));
        write_artefact(&format!("{COUNTEREXAMPLES}/{name}.svg"), &counterexample.svg(sources))
    }
}
