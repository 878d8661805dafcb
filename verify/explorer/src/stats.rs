//! What an exploration counted.

use std::fmt;
use std::time::Duration;

use crate::place::Place;

/// A bound that cut executions off. Without one an exploration is complete.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Bound {
    /// [`Builder::max_permutations`](crate::model::Builder::max_permutations) ended the exploration.
    Executions(u64),
    /// [`Builder::max_duration`](crate::model::Builder::max_duration) ended the exploration.
    Duration(Duration),
    /// Executions that need more preemptions than [`Builder::preemption_bound`] are left out. Those within it are
    /// explored, each once.
    ///
    /// [`Builder::preemption_bound`]: crate::model::Builder::preemption_bound
    Preemptions(usize),
    /// Executions in which a thread yields more often than [`Builder::max_yields`] are left out. Those in which none
    /// does are explored, each once.
    ///
    /// [`Builder::max_yields`]: crate::model::Builder::max_yields
    Yields(usize),
    /// A loop that waits turned as often as [`Builder::max_turns`](crate::model::Builder::max_turns) allows without
    /// reading anything new, and was taken for endless.
    Turns {
        /// Where the loop yields.
        place: Place,
        /// How many turns were explored.
        turns: usize,
    },
    /// The check for leaks was left out: values of `lazy_static!` live on, and may own what looks leaked.
    LeaksOfStatics,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Executions(count) => write!(f, "ended after {count} executions"),
            Bound::Duration(time) => write!(f, "ended after {time:?}"),
            Bound::Preemptions(bound) => write!(f, "executions with more than {bound} preemptions were left out"),
            Bound::Yields(bound) => write!(f, "executions with more than {bound} yields of a thread were left out"),
            Bound::Turns { place, turns } => write!(f, "a loop that waits at {place} was cut off after {turns} turns"),
            Bound::LeaksOfStatics => f.write_str("leaks were not looked for, as there are lazy statics"),
        }
    }
}

/// What was explored.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Complete executions: each consistent execution graph of the model once.
    pub executions: u64,
    /// Executions that ended in an assumption that does not hold, or in a wait that another execution ends.
    pub blocked: u64,
    /// Complete executions that were run and are no part of the result, as they need more preemptions than
    /// [`Builder::preemption_bound`](crate::model::Builder::preemption_bound).
    pub beyond: u64,
    /// Complete executions that were seen before, counted if [`Builder::check_unique`] is on. Always 0, unless the
    /// explorer has a fault.
    ///
    /// [`Builder::check_unique`]: crate::model::Builder::check_unique
    pub duplicates: u64,
    /// Runs that were given up as they could not become an execution. Always 0 with [`Builder::plain_locks`].
    ///
    /// [`Builder::plain_locks`]: crate::model::Builder::plain_locks
    pub wasted: u64,
    /// How often the model was run.
    pub runs: u64,
    /// The bounds that cut executions off, each once. Empty: the exploration is complete.
    pub bounds_met: Vec<Bound>,
    /// The greatest number of events in an execution.
    pub events_max: usize,
    /// The greatest number of graphs that waited for their turn.
    pub depth_max: usize,
    /// Threads of abandoned runs whose stacks could not be unwound, and whose memory is lost: a destructor waited for
    /// what never came.
    pub leaked_threads: u64,
    /// How long the exploration took.
    pub elapsed: Duration,
}

impl Stats {
    /// Whether every execution was explored: no bound was met.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.bounds_met.is_empty()
    }

    pub(crate) fn meet(&mut self, bound: Bound) {
        if !self.bounds_met.contains(&bound) {
            self.bounds_met.push(bound);
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} executions, {} blocked, {:.3} s", self.executions, self.blocked, self.elapsed.as_secs_f64())?;
        for (count, what) in [
            (self.beyond, "over the bound"),
            (self.wasted, "in vain"),
            (self.duplicates, "twice"),
            (self.leaked_threads, "threads lost"),
        ] {
            if count != 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        for bound in &self.bounds_met {
            write!(f, "; {bound}")?;
        }
        Ok(())
    }
}
