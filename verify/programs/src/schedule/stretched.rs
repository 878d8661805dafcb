//! A scheduler that makes short windows long.
//!
//! The scheduler draws any runnable thread, as shuttle's random one does, and sometimes *holds* a thread that stands
//! at a yield point, while the others make as many steps as the draw says. If choices are random, a window of one step
//! stays open for about as many steps as there are threads. With a thread held in it, the window stays open for up to
//! [`HOLD_MAX`].

use heaplab::sync::{YieldPoint, take_yield_point};
use heaplab_common::Dice;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// One in so many visits to yield points holds its thread.
const HOLD_ONE_IN: usize = 8;
/// Choices for which a thread is held at most.
const HOLD_MAX: usize = 200;

/// How often threads came by each yield point.
pub type Visits = Arc<Mutex<BTreeMap<YieldPoint, u64>>>;

/// The scheduler: see the [module](self).
pub struct Stretched {
    seed: u64,
    executions_max: u64,
    execution: u64,
    dice: Dice,
    /// Who is held, and for how many choices more.
    held: Option<(TaskId, usize)>,
    visits: Visits,
}

impl Stretched {
    /// A scheduler of `executions_max` executions, which follow from the seed.
    #[must_use]
    pub fn new(seed: u64, executions_max: u64) -> Stretched {
        let dice = Dice::new(seed, 0);
        Stretched { seed, executions_max, execution: 0, dice, held: None, visits: Visits::default() }
    }

    /// The counts of visits, which go on while the scheduler runs.
    #[must_use]
    pub fn visits(&self) -> Visits {
        Arc::clone(&self.visits)
    }
}

impl Scheduler for Stretched {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.execution == self.executions_max {
            return None;
        }
        self.execution += 1;
        self.dice = Dice::new(self.seed, self.execution);
        self.held = None;
        // Forgets the yield point that a thread of an earlier run stood at.
        let _ = take_yield_point();
        Some(Schedule::new(self.seed))
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        if let (Some(point), Some(current)) = (take_yield_point(), current) {
            *self.visits.lock().expect("nothing panics with it").entry(point).or_default() += 1;
            if self.held.is_none() && self.dice.one_in(HOLD_ONE_IN) {
                self.held = Some((current, 1 + self.dice.below(HOLD_MAX)));
            }
        }
        self.held = self.held.and_then(|(task, left)| left.checked_sub(1).map(|left| (task, left)));
        let is_held = |task: TaskId| self.held.is_some_and(|(held, _)| held == task);
        let waits = |task: TaskId| is_yielding && current == Some(task);
        let mut eligible: Vec<TaskId> =
            runnable.iter().map(|task| task.id()).filter(|&task| !is_held(task) && !waits(task)).collect();
        if eligible.is_empty() {
            // No other thread can go on.
            self.held = None;
            eligible = runnable.iter().map(|task| task.id()).collect();
        }
        Some(eligible[self.dice.below(eligible.len())])
    }

    fn next_u64(&mut self) -> u64 {
        u64::from(self.dice.word()) << 32 | u64::from(self.dice.word())
    }
}
