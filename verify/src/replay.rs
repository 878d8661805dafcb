//! Replaying what a fuzzer found, and recorded programs: reads the file, runs it, and says at which step it fails, why, and
//! what the heap looked like there.
//!
//! | file | who runs it |
//! |---|---|
//! | a program, `.ops` | both drivers |
//! | an input of `heap_ops`, `interleaved_ops`, `fault_ops` | the driver of the target, or of the input |
//! | an input of `hostile_config` | its own configuration |
//!
//! A failure is a panic of the oracle or of the heap. After one the input runs again up to its step, to survey the heap
//! that the step meets; during the panic nobody could look, since the failing thread is in the middle of something.

use crate::hostile::Hostile;
use crate::ops::{Faulty, Limits, Program};
use crate::scenario::{HeapPicture, Moment};
use crate::shadow::{Driver, current_program, current_step, survey_before};
use heaplab::memory::PageSource;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::{fmt, fs};

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
}

impl Target {
    /// All of them.
    pub const ALL: [Target; 4] = [Target::HeapOps, Target::InterleavedOps, Target::FaultOps, Target::HostileConfig];

    /// Its name, in `fuzz/Cargo.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Target::HeapOps => "heap_ops",
            Target::InterleavedOps => "interleaved_ops",
            Target::FaultOps => "fault_ops",
            Target::HostileConfig => "hostile_config",
        }
    }

    /// The target of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|target| target.name() == name)
    }

    /// The target in whose directory a file lies: cargo-fuzz leaves inputs in `artifacts/TARGET/` and `corpus/TARGET/`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Target> {
        path.parent()?.components().rev().find_map(|part| Target::named(part.as_os_str().to_str()?))
    }
}

/// What a file says is to be run.
#[derive(Clone, Debug)]
pub enum Input {
    /// A program, and who drives it.
    Program(Program, Vec<Driver>),
    /// A configuration and a text.
    Hostile(Box<Hostile>),
}

/// Where an input fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// How the program was driven.
    pub driver: Driver,
    /// The program, the failing step marked; nothing if it did not come to one.
    pub program: Option<String>,
    /// The number of the failing step, and its text.
    pub step: Option<(usize, String)>,
    /// The text of the panic.
    pub reason: String,
    /// The heap before that step.
    pub picture: Option<HeapPicture>,
}

/// Greater files are no inputs: no target takes so much.
const FILE_BYTES_MAX: u64 = 16 << 20;

impl Input {
    /// Reads a file: as an input of `target` if one is given, else as a program if it is called `.ops`, else as an input of
    /// the target in whose directory it lies.
    ///
    /// # Errors
    /// What is wrong with the file, and what to do.
    pub fn read(path: &Path, target: Option<Target>) -> Result<Input, String> {
        let named = |reason: String| format!("{}: {reason}", path.display());
        let file = fs::metadata(path).map_err(|error| named(error.to_string()))?;
        if !file.is_file() || file.len() > FILE_BYTES_MAX {
            return Err(named(format!("an input is a file of at most {FILE_BYTES_MAX} bytes")));
        }
        let bytes = fs::read(path).map_err(|error| named(error.to_string()))?;
        let is_text = path.extension().is_some_and(|extension| extension == "ops");
        match target.or_else(|| Target::of_path(path).filter(|_| !is_text)) {
            Some(target) => Ok(Input::decode(target, &bytes)),
            None if is_text => Input::parse(&bytes).map_err(named),
            None => Err(named(format!(
                "whose input is it? Name the target with --target {}, or call a program .ops",
                Target::ALL.map(Target::name).join("|")
            ))),
        }
    }

    /// What these bytes are for a target.
    #[must_use]
    pub fn decode(target: Target, bytes: &[u8]) -> Input {
        match target {
            Target::HeapOps => Input::Program(Program::decode(bytes, &Limits::FUZZ), vec![Driver::Single]),
            Target::InterleavedOps => Input::Program(Program::decode(bytes, &Limits::FUZZ), vec![Driver::Interleaved]),
            Target::FaultOps => {
                let Faulty { interleaved, program } = Faulty::decode(bytes, &Limits::FUZZ);
                Input::Program(program, vec![if interleaved { Driver::Interleaved } else { Driver::Single }])
            }
            Target::HostileConfig => Input::Hostile(Box::new(Hostile::decode(bytes))),
        }
    }

    fn parse(bytes: &[u8]) -> Result<Input, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| format!("no text: {error}"))?;
        let program = Program::parse(text).map_err(|error| error.to_string())?;
        Ok(Input::Program(program, Driver::ALL.to_vec()))
    }

    /// Runs it, until something fails.
    ///
    /// # Errors
    /// The failure.
    pub fn run(&self) -> Result<(), Box<Failure>> {
        match self {
            Input::Program(program, drivers) => drivers.iter().try_for_each(|&driver| {
                observe(driver, || {
                    driver.run(program, PageSource::default());
                })
            }),
            Input::Hostile(hostile) => observe(hostile.driver, || {
                hostile.check();
            }),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Program(program, _) => program.fmt(f),
            Input::Hostile(hostile) => write!(f, "{:#?}\n{}", hostile.config, hostile.text),
        }
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without text".to_owned())
}

/// Runs a program, by `driver` as the failure is to say, and if that panics, looks at where.
///
/// # Errors
/// The failure.
pub fn observe(driver: Driver, run: impl Fn()) -> Result<(), Box<Failure>> {
    let caught = || catch_unwind(AssertUnwindSafe(&run));
    let Err(payload) = caught() else { return Ok(()) };
    let (program, at) = (current_program(), current_step());
    let line = |text: &str| text.lines().find(|line| line.ends_with("# here")).map(str::to_owned);
    let step = at.zip(program.as_deref().and_then(line));
    let survey = at.and_then(|at| {
        // It panics again, most likely, and is over the point of interest then.
        survey_before(at, || drop(caught()))
    });
    let picture = survey.map(|survey| HeapPicture::of(Moment::Step, &survey));
    Err(Box::new(Failure { driver, program, step, reason: text(&*payload), picture }))
}
