//! Inputs of the target whose threads run in a schedule of the input.

use super::failure::{ReplayFailure, observe};
use heaplab_programs::schedule::ScheduledProgram;
use std::fmt;

/// The fuzz targets whose inputs are replayed here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// A program and a schedule.
    ScheduleOps,
}

impl Target {
    /// All of them.
    pub const ALL: &[Target] = &[Target::ScheduleOps];

    /// Its name, in `fuzz/Cargo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        "schedule_ops"
    }
}

/// What a file says is to be run.
#[derive(Clone, Debug)]
pub struct Input(ScheduledProgram);

impl Input {
    /// What these bytes are for a target.
    ///
    /// # Errors
    /// None: any bytes are an input.
    pub fn decode(Target::ScheduleOps: Target, bytes: &[u8]) -> Result<Input, String> {
        Ok(Input(ScheduledProgram::decode(bytes)))
    }

    pub(super) fn parse(_text: &str) -> Result<Input, String> {
        Err("a program in text form has no schedule; an input of schedule_ops is bytes. A build without shuttle runs it"
            .to_owned())
    }

    /// Runs the input until something fails. The run that surveys the failing step has the same schedule.
    ///
    /// # Errors
    /// The failure.
    pub fn run(&self) -> Result<(), Box<ReplayFailure>> {
        observe("in the schedule of the input", || {
            self.0.run();
        })
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
