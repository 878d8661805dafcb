//! The litmus table: what each pass of the model checker explores, against what the memory model allows.
//!
//! A [`Litmus`] is a tiny program whose outcomes are known. Its outcomes are collected over a complete exploration of
//! each pass and compared with two sets: what the memory model allows, and what this version of the checker is known
//! to explore. A difference from the first set is the checker's blind spot (an outcome is missing) or a false alarm
//! (an impossible outcome is there), and is published with the certificates. A difference from the second set means
//! that the checker has changed, for better or worse, and fails the test of the table.

use super::explore::{PassOptions, explore_pass};
use super::{Bound, LitmusVerdict, Pass, Spec};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Values that an execution ends with.
pub type Values = Vec<u32>;

/// A tiny program.
#[derive(Clone, Copy)]
pub struct Litmus {
    /// Its usual name in the literature.
    pub name: &'static str,
    /// What its threads do, and what the values of an outcome are.
    pub program: &'static str,
    /// Threads, the first included.
    pub threads: usize,
    /// Preemptions explored. An outcome that does not depend on preemptions shows within a few.
    pub bound: Bound,
    /// Runs one execution and returns its outcome.
    pub run: fn() -> Values,
    /// What the memory model allows.
    pub allowed: &'static [&'static [u32]],
    /// What the explorer explores, if it is not what the memory model allows.
    pub graphs: Option<&'static [&'static [u32]]>,
    /// What the normal pass explores.
    pub normal: &'static [&'static [u32]],
    /// What the read-as-RMW pass explores.
    pub read_as_rmw: &'static [&'static [u32]],
    /// How many executions each pass has, in the order of [`Pass::ALL`]: the explorer as many as there are execution
    /// graphs.
    pub executions: [u64; 3],
}

fn set(outcomes: &[&[u32]]) -> BTreeSet<Values> {
    outcomes.iter().map(|values| values.to_vec()).collect()
}

/// The verdict on a pass that explores these outcomes.
#[must_use]
pub fn verdict(allowed: &BTreeSet<Values>, explored: &BTreeSet<Values>) -> LitmusVerdict {
    match (allowed.is_subset(explored), explored.is_subset(allowed)) {
        (true, true) => LitmusVerdict::Exact,
        (false, true) => LitmusVerdict::Misses,
        (true, false) => LitmusVerdict::FalseAlarm,
        (false, false) => LitmusVerdict::MissesAndFalseAlarm,
    }
}

impl fmt::Debug for Litmus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Litmus").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Litmus {
    /// What the pass is known to explore.
    #[must_use]
    pub fn expected(&self, pass: Pass) -> BTreeSet<Values> {
        set(match pass {
            Pass::Graphs => self.graphs.unwrap_or(self.allowed),
            Pass::Normal => self.normal,
            Pass::ReadAsRmw => self.read_as_rmw,
        })
    }

    /// How many executions the pass is known to have.
    #[must_use]
    pub fn expected_executions(&self, pass: Pass) -> u64 {
        let index = Pass::ALL.iter().position(|&known| known == pass).expect("there are no other passes");
        self.executions[index]
    }

    /// What the memory model allows.
    #[must_use]
    pub fn allowed(&self) -> BTreeSet<Values> {
        set(self.allowed)
    }

    /// Explores one pass completely and returns every outcome, and how many executions there are. Blocks meanwhile.
    ///
    /// # Errors
    /// An execution failed, or not all were seen.
    pub fn explore(&self, pass: Pass) -> Result<(BTreeSet<Values>, u64), String> {
        let seen = Arc::new(Mutex::new(BTreeSet::new()));
        let (collector, run) = (seen.clone(), self.run);
        let spec = Spec { bound: self.bound, ..Spec::bounded(self.threads, 0) };
        let certificate = explore_pass(self.name, &spec, pass, &PassOptions::default(), move || {
            let outcome = run();
            collector.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
        })
        .map_err(|failure| failure.to_string())?;
        let outcomes = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((outcomes, certificate.executions))
    }
}
