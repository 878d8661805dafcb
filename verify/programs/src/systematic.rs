//! Systematic failure: each fallible point of a program fails in turn.
//!
//! Fallible are the page requests of the heap (the system refuses memory), its releases (the system does not take
//! memory back), its threads (the system refuses one) and the attempts of local heaps (memory is exhausted as far as
//! the attempt can tell). A dry run counts all of them. In each run the system refuses every thread of the heap's own:
//! beside such a thread, a program would not do the same twice. Then, for each other point, on a heap of its own:
//!
//! 1. the program runs and that one point fails: the oracle accepts no panic and no wrong answer, only that a request
//!    which the failure struck is refused by `OutOfMemory`; at the end everything is dropped, the verifier finds
//!    nothing but the built-in objects, and the committed pages are those of a new heap, to the byte;
//! 2. the program runs again on the same heap, and does what it does on a heap that nothing ever failed on.
//!
//! Faults of the program's own would disarm the injected ones, so they are left out.

use crate::ops::{Op, Program};
use crate::shadow::{Driver, RoundFault, Tally};
use core::fmt;
use heaplab::memory::PageSource;
use heaplab_common::panics::{WITHOUT_TEXT, panic_text};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What was made to fail in one program, and what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Failures {
    /// Page requests, each refused once.
    pub commits: u64,
    /// Releases, each refused once.
    pub releases: u64,
    /// Threads of the heap's own, each refused in each run.
    pub spawns: u64,
    /// Attempts, each failed once.
    pub attempts: u64,
    /// Requests that a failure struck.
    pub struck: u64,
    /// Requests that were refused beyond those of the dry run.
    pub errors: u64,
}

/// What went wrong, and at which point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which point failed; `None` in the dry run.
    pub fault: Option<RoundFault>,
    /// How the program was driven.
    pub driver: Driver,
    /// What was wrong.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Some(RoundFault::Commit(k)) => write!(f, "when page request {k} is refused")?,
            Some(RoundFault::Release(k)) => write!(f, "when release {k} is refused")?,
            Some(RoundFault::Attempt(k)) => write!(f, "when attempt {k} fails")?,
            None => f.write_str("when nothing fails")?,
        }
        write!(f, ", driver {:?}: {}", self.driver, self.reason)
    }
}

impl core::error::Error for Finding {}

/// The text of a panic.
fn text(payload: &(dyn Any + Send)) -> String {
    panic_text(payload).unwrap_or(WITHOUT_TEXT).to_owned()
}

/// What a round on a used heap has to have in common with one on another used heap.
fn outcome(tally: &Tally) -> [u64; 5] {
    [tally.allocated, tally.refused, tally.unwound, tally.attempts, tally.spawns]
}

/// Fails each fallible point of `program` in turn.
///
/// Costs two runs of the program for each point, and two for the dry run.
///
/// # Errors
/// The first point after which something is not as it should be.
pub fn fail_each_point(program: &Program, driver: Driver, source: PageSource) -> Result<Failures, Finding> {
    let is_fault = |op| matches!(op, Op::FailAttempt(_) | Op::FailCommit(_) | Op::FailRelease(_) | Op::FailSpawn(_));
    let steps = program.steps.iter().filter(|step| !is_fault(step.op)).copied().collect();
    let program = Program { world: program.world, steps };
    let two_rounds = |fault: Option<RoundFault>| {
        let rounds = catch_unwind(AssertUnwindSafe(|| driver.rounds(&program, source, &[fault, None])));
        let finding = |reason| Finding { fault, driver, reason };
        rounds.map(|rounds| [rounds[0], rounds[1]]).map_err(|payload| finding(text(&*payload)))
    };
    let [dry, again] = two_rounds(None)?;
    let mut failures =
        Failures { commits: dry.commits, releases: dry.releases, spawns: dry.spawns, ..Failures::default() };
    let mut fail = |fault: RoundFault| {
        let [struck, after] = two_rounds(Some(fault))?;
        let finding = |reason| Err(Finding { fault: Some(fault), driver, reason });
        let is_reached = match fault {
            RoundFault::Commit(_) => struck.commit_refused,
            RoundFault::Release(_) => struck.release_refused,
            RoundFault::Attempt(_) => true,
        };
        if !is_reached {
            return finding("it was not reached, although nothing differs from the dry run before it".to_owned());
        }
        if outcome(&after) != outcome(&again) {
            return finding(format!("the same program does otherwise afterwards: {after:?}, not {again:?}"));
        }
        failures.struck += struck.struck;
        failures.errors += struck.refused.saturating_sub(dry.refused);
        Ok(struck.struck != 0)
    };
    for k in 0..dry.commits {
        fail(RoundFault::Commit(k))?;
    }
    for k in 0..dry.releases {
        fail(RoundFault::Release(k))?;
    }
    // Each local heap counts its own attempts, so the sum may be more than any of them reaches: the first number that
    // strikes no request is beyond the last.
    let mut attempts = 0;
    while attempts < dry.attempts && fail(RoundFault::Attempt(attempts))? {
        attempts += 1;
    }
    failures.attempts = attempts;
    Ok(failures)
}
