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
    /// Executions of all jobs together, as far as one knows.
    expected: Option<u64>,
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
    /// The progress of so many jobs. With the executions that all of them are `expected` to come to, it tells how long
    /// they will take.
    pub(super) fn new(jobs: usize, expected: Option<u64>) -> Live {
        let bar = ProgressBar::new(jobs as u64);
        let style = ProgressStyle::with_template("{elapsed_precise} {bar:24} {pos}/{len}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(250));
        Live { bar, expected, running: Mutex::default() }
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
        let message = format!("{all} executions, {rate:.0}/s{}: {}", self.left(state), names.join(", "));
        self.bar.set_message(message);
    }

    /// How long the rest will take, if that can be told.
    fn left(&self, state: &State) -> String {
        let all = state.ended + state.jobs.values().sum::<u64>();
        match time_left(all, self.expected, self.bar.elapsed()) {
            Some(time) => format!(", about {} s left", time.as_secs()),
            None => String::new(),
        }
    }

    /// Says how far the work is, from time to time.
    fn say_where(&self, state: &mut State) {
        let now = Instant::now();
        if std::io::stderr().is_terminal() || now.duration_since(*state.said.get_or_insert(now)) < PAUSE {
            return;
        }
        state.said = Some(now);
        let (done, jobs) = (self.bar.position(), self.bar.length().unwrap_or(0));
        eprintln!("{done} of {jobs} after {:.0} s{}", self.bar.elapsed().as_secs_f64(), self.left(state));
    }

    /// Prints a line on the error stream, above the line of progress.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// How long it takes from `done` executions after `elapsed` to as many as are expected, at the pace so far.
fn time_left(done: u64, expected: Option<u64>, elapsed: Duration) -> Option<Duration> {
    let expected = expected.filter(|&expected| done > 0 && expected > 0)?;
    let left = expected.saturating_sub(done) as f64 / done as f64;
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * left).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_the_pace() {
        let after = Duration::from_secs(10);
        assert_eq!(time_left(100, Some(300), after), Some(Duration::from_secs(20)));
        assert_eq!(time_left(300, Some(300), after), Some(Duration::ZERO));
        assert_eq!(time_left(400, Some(300), after), Some(Duration::ZERO), "more than was expected");
        for (done, expected) in [(100, None), (0, Some(300)), (0, Some(0)), (100, Some(0))] {
            assert_eq!(time_left(done, expected, after), None, "{done} of {expected:?}");
        }
    }
}
