//! Inputs of the targets that run on real primitives.

use super::{ReplayFailure, observe, text};
use crate::hostile::Hostile;
use crate::ops::{Faulty, Limits, Program};
#[cfg(heaplab_scripts)]
use crate::script::generate::{Script, check};
use crate::shadow::{Driver, run_concurrent};
#[cfg(heaplab_scripts)]
use arbitrary::{Arbitrary as _, Unstructured};
use heaplab::memory::PageSource;
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
    #[cfg(heaplab_scripts)]
    ScriptOps,
}

impl Target {
    /// All of them.
    pub const ALL: &[Target] = &[
        Target::HeapOps,
        Target::InterleavedOps,
        Target::FaultOps,
        Target::HostileConfig,
        #[cfg(heaplab_scripts)]
        Target::ScriptOps,
    ];

    /// Its name, in `fuzz/Cargo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Target::HeapOps => "heap_ops",
            Target::InterleavedOps => "interleaved_ops",
            Target::FaultOps => "fault_ops",
            Target::HostileConfig => "hostile_config",
            #[cfg(heaplab_scripts)]
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
    #[cfg(heaplab_scripts)]
    Script(Script),
}

impl Input {
    /// What these bytes are for a target.
    #[must_use]
    pub fn decode(target: Target, bytes: &[u8]) -> Input {
        match target {
            Target::HeapOps => Input::Program(Program::decode(bytes, &Limits::FUZZ), Driver::Single),
            Target::InterleavedOps => Input::Program(Program::decode(bytes, &Limits::FUZZ), Driver::Interleaved),
            Target::FaultOps => {
                let Faulty { interleaved, program } = Faulty::decode(bytes, &Limits::FUZZ);
                Input::Program(program, if interleaved { Driver::Interleaved } else { Driver::Single })
            }
            Target::HostileConfig => Input::Hostile(Box::new(Hostile::decode(bytes))),
            #[cfg(heaplab_scripts)]
            Target::ScriptOps => {
                // As the target has it; where the bytes end, zeroes follow.
                let script = Script::arbitrary_take_rest(Unstructured::new(bytes));
                Input::Script(script.unwrap_or_else(|_| Script(String::new())))
            }
        }
    }

    pub(super) fn parse(text: &str) -> Result<Input, String> {
        let program = Program::parse(text).map_err(|error| error.to_string())?;
        Ok(Input::Recorded(program))
    }

    /// Runs it, until something fails.
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
            #[cfg(heaplab_scripts)]
            Input::Script(script) => observe("on three heaps", || check(script)),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Program(program, _) | Input::Recorded(program) => program.fmt(f),
            Input::Hostile(hostile) => write!(f, "{:#?}\n{}", hostile.config, hostile.text),
            #[cfg(heaplab_scripts)]
            Input::Script(script) => f.write_str(&script.0),
        }
    }
}

/// As [`observe`], for a program that runs on real threads: which step fails is printed by its thread, and by the next run
/// it may be another.
///
/// # Errors
/// The failure.
fn observe_threads(how: &str, program: &Program, run: impl Fn()) -> Result<(), Box<ReplayFailure>> {
    let Err(payload) = catch_unwind(AssertUnwindSafe(run)) else { return Ok(()) };
    let (program, reason) = (Some(program.to_string()), text(&*payload));
    Err(Box::new(ReplayFailure { how: how.to_owned(), program, step: None, reason, picture: None }))
}
