//! Inputs of the targets that run on real primitives.

use super::failure::{ReplayFailure, observe, text};
use crate::scripts::DrawnScript;
use heaplab::memory::PageSource;
use heaplab_programs::hostile::Hostile;
use heaplab_programs::ops::{Faulty, Limits, Program};
use heaplab_programs::shadow::{Driver, run_concurrent};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The fuzz targets whose inputs are replayed here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// One local heap.
    HeapOps,
    /// Several.
    InterleavedOps,
    /// Either, with faults.
    FaultOps,
    /// Any configuration and any text.
    HostileConfig,
    /// A drawn script.
    ScriptOps,
}

impl Target {
    /// All of them.
    pub const ALL: &[Target] =
        &[Target::HeapOps, Target::InterleavedOps, Target::FaultOps, Target::HostileConfig, Target::ScriptOps];

    /// Its name, in `fuzz/Cargo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Target::HeapOps => "heap_ops",
            Target::InterleavedOps => "interleaved_ops",
            Target::FaultOps => "fault_ops",
            Target::HostileConfig => "hostile_config",
            Target::ScriptOps => "script_ops",
        }
    }
}

/// Runs of a program on real threads. The schedule is the machine's, so one run says little.
const SCHEDULES: usize = 50;

/// What a file says is to be run.
#[derive(Clone, Debug)]
pub enum Input {
    /// A program, and who drives it.
    Program(Program, Driver),
    /// A program in text form, which any engine may have found.
    Recorded(Program),
    /// A configuration and a text.
    Hostile(Box<Hostile>),
    /// A script.
    Script(DrawnScript),
}

impl Input {
    /// What these bytes are for a target.
    ///
    /// # Errors
    /// This build cannot run inputs of this target.
    pub fn decode(target: Target, bytes: &[u8]) -> Result<Input, String> {
        Ok(match target {
            Target::HeapOps => Input::Program(Program::decode(bytes, &Limits::FUZZ), Driver::Single),
            Target::InterleavedOps => Input::Program(Program::decode(bytes, &Limits::FUZZ), Driver::Interleaved),
            Target::FaultOps => {
                let Faulty { interleaved, program } = Faulty::decode(bytes, &Limits::FUZZ);
                Input::Program(program, if interleaved { Driver::Interleaved } else { Driver::Single })
            }
            Target::HostileConfig => Input::Hostile(Box::new(Hostile::decode(bytes))),
            Target::ScriptOps => Input::Script(DrawnScript::decode(bytes)?),
        })
    }

    pub(super) fn parse(text: &str) -> Result<Input, String> {
        let program = Program::parse(text).map_err(|error| error.to_string())?;
        Ok(Input::Recorded(program))
    }

    /// Runs the input until something fails.
    ///
    /// # Errors
    /// The failure.
    pub fn run(&self) -> Result<(), Box<ReplayFailure>> {
        let driven_by = |driver: Driver| format!("driver {driver:?}");
        match self {
            Input::Program(program, driver) => observe(&driven_by(*driver), || {
                driver.run(program, PageSource::default());
            }),
            Input::Recorded(program) => {
                for driver in Driver::ALL {
                    // On owned memory first, as the properties do: there a stray access is an assertion that fails.
                    for source in [PageSource::Owned, PageSource::default()] {
                        observe(&driven_by(driver), || {
                            driver.run(program, source);
                        })?;
                    }
                }
                if program.threads() < 2 {
                    return Ok(());
                }
                (1..=SCHEDULES).try_for_each(|number| {
                    let how = format!("with a thread for each of its threads, run {number} of {SCHEDULES}");
                    observe_threads(&how, program, || {
                        run_concurrent(program, PageSource::Owned);
                    })
                })
            }
            Input::Hostile(hostile) => observe(&driven_by(hostile.driver), || {
                hostile.check();
            }),
            Input::Script(script) => observe("on three heaps", || script.check()),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Program(program, _) | Input::Recorded(program) => program.fmt(f),
            Input::Hostile(hostile) => write!(f, "{:#?}\n{}", hostile.config, hostile.text),
            Input::Script(script) => script.fmt(f),
        }
    }
}

/// As [`observe`], for a program that runs on real threads: the failing thread prints its step, and another run may
/// fail at another step.
///
/// # Errors
/// The failure.
fn observe_threads(how: &str, program: &Program, run: impl Fn()) -> Result<(), Box<ReplayFailure>> {
    let Err(payload) = catch_unwind(AssertUnwindSafe(run)) else { return Ok(()) };
    let (program, reason) = (Some(program.to_string()), text(&*payload));
    Err(Box::new(ReplayFailure { how: how.to_owned(), program, step: None, reason, picture: None }))
}
