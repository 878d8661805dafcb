//! The operation language: programs that every engine runs.
//!
//! A [`Program`] is a world (which heap) and steps: which thread does what. It is one type with three forms, which turn
//! into each other without loss:
//!
//! | form | for | where |
//! |---|---|---|
//! | bytes | fuzzers: **any** bytes are a valid program, four to a step | [`Program::decode`], [`Program::encode`] |
//! | text | people, and `verify/regressions/*.ops`: versioned | [`Program::parse`], `Display` |
//! | values | generators and shrinkers | [`Program`] itself, its `Arbitrary`, the strategies of `verify/props` |
//!
//! Nothing in a program depends on the state it meets: operands are taken modulo what there is. So shrinking by
//! removing steps always leaves a program, and a program recorded by one engine means the same to the next one.
//!
//! An operation is a row of the table in `op.rs`, from which the forms of [`Op`] come.

mod choice;
mod codec;
mod faulty;
#[cfg(test)]
mod frozen;
mod op;
mod operand;
mod operands;
mod recorded;
mod size;
mod table;
mod text;
mod word;
mod words;
mod world;

pub use choice::{NearLimitChoice, ObjectShape, RecordShape, ReserveChoice, ValueChoice};
pub use faulty::{FaultPoint, Faulty, Strikes};
pub use op::Op;
pub use recorded::{FOUND, check_made, found, recorded, write_found};
pub use size::{Size, SizeBase};
pub use text::{ParseError, VERSION};
pub use world::{World, WorldSize};

/// How large a program may be. What lies beyond is cut off by [`Program::fix_up`] and refused by [`Program::parse`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Steps.
    pub steps_max: usize,
    /// Threads.
    pub threads_max: u8,
}

impl Limits {
    /// Limits of the text form: what the byte form can express, and no more steps than replay in a moment.
    pub const ALL: Limits = Limits { steps_max: 4096, threads_max: 8 };
    /// Limits of a fuzz input: bounded time per execution.
    pub const FUZZ: Limits = Limits { steps_max: 256, threads_max: 3 };
    /// Limits of a program whose schedule is chosen: many threads, few steps for each.
    pub const SCHEDULE: Limits = Limits { steps_max: 48, threads_max: 8 };
    /// Limits of a program of which every interleaving is to be explored: see `Program::is_explorable`, with the
    /// feature `loom`.
    pub const EXPLORED: Limits = Limits { steps_max: 6, threads_max: 3 };
}

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

    /// Threads that do anything, counted up to the greatest number.
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
