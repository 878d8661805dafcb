//! A program: a heap, and the steps of its threads.

use super::{Limits, Op, World};

/// What one thread does next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    /// The number of the thread.
    pub thread: u8,
    /// What the thread does.
    pub op: Op,
}

/// A heap, and what threads do to it, in this order. Engines with real threads use [`Program::thread`] and leave the
/// order to chance.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Program {
    /// The heap.
    pub world: World,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Program {
    /// The operations of one thread.
    pub fn thread(&self, thread: u8) -> impl Iterator<Item = Op> + '_ {
        self.steps.iter().filter(move |step| step.thread == thread).map(|step| step.op)
    }

    /// How many threads there are: one more than the greatest number of a thread, 0 without steps.
    #[must_use]
    pub fn threads(&self) -> u8 {
        self.steps.iter().map(|step| step.thread + 1).max().unwrap_or(0)
    }

    /// Cuts the program down to `limits`: surplus steps go, surplus threads join the others.
    pub fn fix_up(&mut self, limits: &Limits) {
        self.steps.truncate(limits.steps_max);
        for step in &mut self.steps {
            step.thread %= limits.threads_max.max(1);
        }
    }
}
