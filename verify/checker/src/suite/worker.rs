//! The worker: runs one model, or one mutant of it, and says what happens (see [`process`](super::process)).

use super::process::Event;
use crate::model::{Model, OnExecution, PassOptions, explore_pass, passes};
use crate::record::SiteRecord;
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

/// Runs the passes of a model until one fails; a pass that only meets a limit is red too, and the next one runs.
/// Returns whether all are green.
///
/// A pass is given up after `executions_max` executions, if there is such a limit.
#[must_use]
pub fn run(model: &Model, mutant: Option<Mutant>, executions_max: Option<u64>) -> bool {
    if mutant.is_none() {
        model_control::start_sites();
    }
    let mut green = true;
    for &pass in passes(&model.spec) {
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
        let options = PassOptions { mutant, executions_max, on_execution, loud: mutant.is_none(), file: None };
        match explore_pass(model.name, &model.spec, pass, &options, model.body) {
            Ok(certificate) => say(&Event::Certified(certificate)),
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
