//! The runner: turns a closure and a [`Spec`] into certificates or a failure that says where it stands.
//!
//! Under the model checker each pass is one call of `heaplab::sync::explore`; the runner adds the rules of the
//! parent module. Without it the closure is repeated on real threads.

use super::{Bound, Certificate, Spec, THREADS_MAX};
use std::fmt;

#[cfg(feature = "loom")]
const _: () = assert!(THREADS_MAX == heaplab::sync::ExploreOptions::THREADS_MAX);

/// Why a model is red.
#[derive(Clone, Debug, PartialEq, Eq)]
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
/// When the model is red; the message names model, pass, bound, executions and the failure inside.
#[track_caller]
pub fn model(name: &str, spec: Spec, f: impl Fn() + Send + Sync + 'static) -> Vec<Certificate> {
    match try_model(name, spec, f) {
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
    if spec.threads == 0 || spec.threads > THREADS_MAX {
        return Err(Failure {
            model: name.to_owned(),
            pass: None,
            bound: spec.bound,
            executions: 0,
            message: format!(
                "it declares {} threads; a model has 1 to {THREADS_MAX}, its first included",
                spec.threads
            ),
        });
    }
    run(name, spec, f)
}

#[cfg(feature = "loom")]
fn run(name: &str, spec: Spec, f: impl Fn() + Send + Sync + 'static) -> Result<Vec<Certificate>, Failure> {
    use super::weaken;
    use heaplab::sync::explore;
    use std::sync::Arc;

    let f: weaken::Body = Arc::new(f);
    let mutant = weaken::mutant_of_environment(name, spec, &f)?;
    let mut certificates = Vec::new();
    for &pass in weaken::passes(spec) {
        let body = f.clone();
        let exploration = explore(&weaken::options(spec, pass), move || body());
        let problem = if let Err(message) = &exploration.outcome {
            Some(message.clone())
        } else if exploration.truncated {
            Some("truncated: executions were left when the limit was met".to_owned())
        } else if exploration.threads_max < spec.threads {
            Some(format!("it declares {} threads and never ran more than {}", spec.threads, exploration.threads_max))
        } else {
            None
        };
        if let Some(message) = problem {
            return Err(Failure {
                model: name.to_owned(),
                pass: Some(pass.to_string()),
                bound: spec.bound,
                executions: exploration.executions,
                message,
            });
        }
        let certificate = Certificate {
            model: name.to_owned(),
            pass: pass.to_string(),
            passes: spec.passes,
            threads: exploration.threads_max,
            bound: spec.bound,
            executions: exploration.executions,
            operations_max: exploration.operations_max,
            duration: exploration.duration,
        };
        // A mutant is not the program that a certificate speaks of.
        if mutant.is_none() {
            certificate.publish();
        }
        certificates.push(certificate);
    }
    super::weaken::sweep(name, spec, &f);
    Ok(certificates)
}

#[cfg(not(feature = "loom"))]
#[expect(clippy::unnecessary_wraps, reason = "the explored form can fail")]
fn run(name: &str, spec: Spec, f: impl Fn() + Send + Sync + 'static) -> Result<Vec<Certificate>, Failure> {
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
