//! Live progress of many processes: a line on the error stream that changes, or, if the stream is no terminal, a new
//! line from time to time.

use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two lines, if the error stream is no terminal.
const PAUSE: Duration = Duration::from_secs(60);

/// The line of progress.
pub(super) struct Live {
    bar: ProgressBar,
    running: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Executions of each job that runs.
    jobs: BTreeMap<String, u64>,
    /// Executions of the jobs that have ended.
    ended: u64,
    /// When a line was last written, if the error stream is no terminal.
    said: Option<Instant>,
}

impl Live {
    pub(super) fn new(jobs: usize) -> Live {
        let bar = ProgressBar::new(jobs as u64);
        let style = ProgressStyle::with_template("{elapsed_precise} {bar:24} {pos}/{len}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(250));
        Live { bar, running: Mutex::default() }
    }

    /// Shows that a job stands at so many executions.
    pub(super) fn at(&self, job: &str, executions: u64) {
        let mut state = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.insert(job.to_owned(), executions);
        self.show(&state);
    }

    /// Shows that a job has ended, after so many executions.
    pub(super) fn end(&self, job: &str, executions: u64) {
        let mut state = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.remove(job);
        state.ended += executions;
        self.bar.inc(1);
        self.show(&state);
        self.say_where(&mut state);
    }

    fn show(&self, state: &State) {
        let all = state.ended + state.jobs.values().sum::<u64>();
        let rate = all as f64 / self.bar.elapsed().as_secs_f64().max(0.001);
        let names: Vec<String> = state.jobs.iter().map(|(job, count)| format!("{job} {count}")).collect();
        let message = format!("{all} executions, {rate:.0}/s: {}", names.join(", "));
        self.bar.set_message(message);
    }

    /// Says how far the work is, from time to time.
    fn say_where(&self, state: &mut State) {
        let now = Instant::now();
        if std::io::stderr().is_terminal() || now.duration_since(*state.said.get_or_insert(now)) < PAUSE {
            return;
        }
        state.said = Some(now);
        let (done, jobs) = (self.bar.position(), self.bar.length().unwrap_or(0));
        eprintln!("{done} of {jobs} after {:.0} s", self.bar.elapsed().as_secs_f64());
    }

    /// Prints a line on the error stream, above the line of progress.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
