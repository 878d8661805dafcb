//! Tiny programs of which every execution is explored.
//!
//! A program of two or three threads becomes a [model](heaplab_checker::model): one execution is one run of the engine
//! of [threads](crate::shadow::run_concurrent) on modelled memory. The explorer makes all executions, without a bound;
//! loom makes all within a bound of preemptions, in both of its passes. The shadows judge each execution.
//!
//! What keeps the time bounded:
//! * the program: [`Program::is_explorable`] says how large it may be, and a [`TinyProgram`] is cut down to that;
//! * the world: seven pages of 32 words;
//! * the exploration: its [`Reach`]. A pass that would run more executions ends there, and then the program counts as
//!   *too large*, never as explored.

use crate::ops::{Limits, Op, Program, WorldSize};
use crate::shadow::{self, run_concurrent};
use arbitrary::{Arbitrary, Unstructured};
use core::fmt;
use heaplab::memory::PageSource;
use heaplab_checker::model::{Certificate, ModelFailure, Spec, try_loud_model};

/// How far to explore.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    /// Preemptions in one execution of loom's.
    pub preemptions: usize,
    /// Executions of one pass at most, blocked runs included.
    pub executions_max: u64,
}

impl Reach {
    /// For a fuzzer. The third preemption costs ten times the executions, for which other programs can be tried.
    pub const QUICK: Reach = Reach { preemptions: 2, executions_max: 20_000 };
    /// For a recorded program: as far as the heap's own models that are bounded.
    pub const THOROUGH: Reach = Reach { preemptions: 3, executions_max: 400_000 };
}

/// Choices of one execution at most. A program has some hundreds.
const BRANCHES_MAX: usize = 20_000;

/// What came of an exploration.
#[derive(Debug)]
pub enum Explored {
    /// Every execution within the bound has been explored, in each pass, and none failed.
    Complete(Vec<Certificate>),
    /// A pass met its limit after so many executions, none of which failed.
    TooLarge(u64),
    /// An execution failed, and has been printed and drawn.
    Failed(Box<ModelFailure>),
}

/// Explores `program`, which the certificates call `name`. A failure names `file` as what to replay.
///
/// # Panics
/// If the program is larger than [`Program::is_explorable`] allows.
#[must_use]
pub fn explore(name: &str, file: &str, program: &Program, reach: Reach) -> Explored {
    if let Err(reason) = program.is_explorable() {
        panic!("the program is not small enough to be explored: {reason}");
    }
    let spec = Spec::bounded(1 + usize::from(program.threads()), reach.preemptions)
        .branches_max(BRANCHES_MAX)
        .executions_max(reach.executions_max);
    let body = program.clone();
    match try_loud_model(name, spec, file.to_owned(), move || {
        run_concurrent(&body, PageSource::default());
    }) {
        Ok(certificates) => Explored::Complete(certificates),
        Err(failure) if failure.truncated => Explored::TooLarge(failure.executions),
        Err(failure) => Explored::Failed(Box::new(failure)),
    }
}

/// Makes a failure print the program and the execution before anything is unwound, and takes away the panic hook that
/// is set, which may end the process: the caller of [`explore`] decides about that. Call it once per process.
pub fn announce() {
    drop(std::panic::take_hook());
    shadow::announce();
}

/// Whether an operation cannot be explored. Refusals of the system are armed outside of the checker; a model that
/// wants such a refusal chooses it as a [fault](heaplab_checker::model). The heap's own thread does not end by itself.
fn is_unseen(op: Op) -> bool {
    matches!(op, Op::FailCommit(_) | Op::FailRelease(_) | Op::FailSpawn(_) | Op::Stress(_))
}

impl Program {
    /// Whether every interleaving of this program can be explored in moments.
    ///
    /// # Errors
    /// What is too large: the program has to be of the world `mite`, for two or three threads counted from 0, with no
    /// more steps than [`Limits::EXPLORED`], nothing that the system is to refuse, no thread of the heap's own, and
    /// not so many steps that each of three threads has more than two.
    pub fn is_explorable(&self) -> Result<(), String> {
        let Limits { steps_max, threads_max } = Limits::EXPLORED;
        if self.world.size != WorldSize::Mite {
            return Err("its world is not mite".to_owned());
        }
        let threads = self.threads();
        if !(2..=threads_max).contains(&threads) {
            return Err(format!("it has {threads} threads, not 2 to {threads_max}"));
        }
        if self.steps.len() > steps_max {
            return Err(format!("it has {} steps, more than {steps_max}", self.steps.len()));
        }
        if let Some(idle) = (0..threads).find(|&thread| self.thread(thread).next().is_none()) {
            return Err(format!("thread {idle} does nothing"));
        }
        if self.steps.iter().any(|step| is_unseen(step.op)) {
            return Err("it arms a refusal of the system, or the heap's own thread".to_owned());
        }
        if threads == 3 && (0..threads).any(|thread| self.thread(thread).count() > 2) {
            return Err("one of its three threads has more than two steps".to_owned());
        }
        Ok(())
    }
}

/// A program that can be explored. Any bytes are one.
#[derive(Clone, PartialEq, Eq)]
pub struct TinyProgram(pub Program);

impl TinyProgram {
    /// The program that these bytes are, cut down until it is small enough. Never fails.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> TinyProgram {
        let mut program = Program::decode(bytes, &Limits::EXPLORED);
        program.world.size = WorldSize::Mite;
        for step in program.steps.iter_mut().filter(|step| is_unseen(step.op)) {
            step.op = Op::Poll;
        }
        // Threads in the order in which they appear, and at most two steps for each of three.
        let mut order: Vec<u8> = Vec::new();
        for step in &mut program.steps {
            let number = order.iter().position(|&thread| thread == step.thread).unwrap_or(order.len());
            if number == order.len() {
                order.push(step.thread);
            }
            step.thread = number as u8;
        }
        if order.len() == 3 {
            let mut counts = [0; 3];
            program.steps.retain(|step| {
                counts[usize::from(step.thread)] += 1;
                counts[usize::from(step.thread)] <= 2
            });
        }
        // Two threads at least: one that is missing polls.
        for thread in program.threads()..2 {
            program.steps.truncate(Limits::EXPLORED.steps_max - 1);
            program.steps.push(crate::ops::Step { thread, op: Op::Poll });
        }
        TinyProgram(program)
    }
}

/// Writes the program's text, which `cargo fuzz fmt` shows.
impl fmt::Debug for TinyProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0)
    }
}

impl<'a> Arbitrary<'a> for TinyProgram {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<TinyProgram> {
        let bytes = u.len();
        Ok(TinyProgram::decode(u.bytes(bytes)?))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> arbitrary::Result<TinyProgram> {
        Ok(TinyProgram::decode(u.take_rest()))
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}
