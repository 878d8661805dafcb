//! The worker: runs one model, or one mutant of it, and says what happens (see [`process`](super::process)).

use super::process::Event;
use crate::model::{Model, OnExecution, Pass, PassOptions, explore_pass, passes};
use crate::record::SiteRecord;
use heaplab::sync::Shard;
use heaplab::sync::model_control::{self, Mutant};
use heaplab_common::exit::Exit;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often progress is told.
const PERIOD: Duration = Duration::from_millis(300);
/// Executions between two looks at the clock.
const STRIDE: u64 = 64;

fn say(event: &Event) {
    let mut line = serde_json::to_string(event).expect("an event has a text");
    line.push('\n');
    // The process that started this one has gone, so nobody wants the result.
    if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
        Exit::Failed.end_process();
    }
}

/// What a worker runs.
#[derive(Clone, Copy, Default)]
pub struct WorkOptions {
    /// This mutant of the model.
    pub mutant: Option<Mutant>,
    /// A pass is given up after so many executions.
    pub executions_max: Option<u64>,
    /// This part of the pass of the explorer, and no other pass.
    pub shard: Option<Shard>,
    /// The explorer has no bound, whatever the model says.
    pub all_graphs: bool,
}

/// Runs the passes of a model until one fails; a pass that only meets a limit is red too, and the next one runs.
/// Returns whether all are green.
#[must_use]
pub fn run(model: &Model, work: &WorkOptions) -> bool {
    let WorkOptions { mutant, executions_max, shard, all_graphs } = *work;
    if mutant.is_none() {
        model_control::start_sites();
    }
    let spec = if all_graphs { model.spec.with_all_graphs() } else { model.spec };
    let mut green = true;
    for &pass in passes(&spec).iter().filter(|&&pass| shard.is_none() || pass == Pass::Graphs) {
        let last = Mutex::new(Instant::now());
        let on_execution = move |executions: u64| {
            if !executions.is_multiple_of(STRIDE) {
                return;
            }
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() >= PERIOD {
                *last = Instant::now();
                say(&Event::Progress { pass, executions });
            }
        };
        let on_execution: Option<OnExecution> = Some(Arc::new(on_execution));
        let loud = mutant.is_none();
        let options = PassOptions { mutant, executions_max, shard, on_execution, loud, file: None };
        match explore_pass(model.name, &spec, pass, &options, model.body) {
            Ok(certificate) => say(&Event::Certified(Box::new(certificate))),
            Err(failure) => {
                say(&Event::Failed {
                    pass,
                    executions: failure.executions,
                    message: failure.message,
                    truncated: failure.truncated,
                });
                green = false;
                // A pass that was given up decides nothing, so the next one runs.
                if !failure.truncated {
                    break;
                }
            }
        }
    }
    if mutant.is_none() {
        say(&Event::Sites { sites: SiteRecord::take_all() });
    }
    if green {
        say(&Event::Done);
    }
    green
}
