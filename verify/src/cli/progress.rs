//! The progress bar of the main job, drawn on the error stream if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Steps of the bar for a second of stress, and for a scenario.
const STEPS_A_SECOND: u64 = 10;

/// The progress bar.
pub(super) struct Progress {
    bar: ProgressBar,
    base: u64,
}

impl Progress {
    pub(super) fn new(scenarios: usize, seconds: u64) -> Progress {
        let bar = ProgressBar::new((scenarios as u64 + seconds) * STEPS_A_SECOND);
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress { bar, base: 0 }
    }

    /// Shows what happens now.
    pub(super) fn say(&self, text: String) {
        self.bar.set_message(text);
    }

    pub(super) fn scenario_done(&mut self) {
        self.base += STEPS_A_SECOND;
        self.bar.set_position(self.base);
    }

    pub(super) fn stress_at(&self, elapsed: Duration, seconds: u64) {
        let steps = (elapsed.as_millis() as u64 * STEPS_A_SECOND / 1000).min(seconds * STEPS_A_SECOND);
        self.bar.set_position(self.base + steps);
    }

    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}
