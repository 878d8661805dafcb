//! The limits of a program: how many steps, and of how many threads.

/// How large a program may be. [`Program::fix_up`](super::Program::fix_up) cuts off what lies beyond, and
/// [`Program::parse`](super::Program::parse) refuses what lies beyond [`Limits::ALL`].
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
