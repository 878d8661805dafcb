//! Schedules as bytes: what a fuzzer can steer.
//!
//! By default a thread runs until it blocks, ends or yields; then the thread with the next number runs. So every
//! schedule is a list of *preemptions* of that default, and no bytes at all are a schedule too. A preemption is two
//! bytes:
//!
//! ```text
//! after    bit 7: count yield points only       to    which of the other runnable threads,
//!          bits 0..=6: so many are passed             modulo how many there are
//! ```
//!
//! Bytes that a fuzzer inserts, removes or copies move some preemptions and leave the others what they were. A
//! preemption that counts yield points gets from one window of the heap's protocols to the next in one byte, over all
//! the steps between.
//!
//! A program and its schedule are one input: a byte that says how many steps, the program's [byte form](crate::ops),
//! and the preemptions.

use super::run_scheduled;
use crate::ops::{Limits, Program, WorldSize};
use crate::shadow::Tally;
use arbitrary::{Arbitrary, Unstructured};
use core::fmt;
use heaplab::sync::take_yield_point;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Bit of the first byte of a preemption: count yield points.
const AT_YIELD_POINT: u8 = 0x80;
/// More preemptions are cut off.
const PREEMPTIONS_MAX: usize = 64;

/// A switch that no thread asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preemption {
    /// Whether yield points are counted, and other scheduling points are not.
    pub at_yield_point: bool,
    /// Scheduling points, or yield points, that are passed between the preemption before and this one.
    pub after: u8,
    /// Which of the other threads that can run, counted from the next number on.
    pub to: u8,
}

impl Preemption {
    /// The preemption that two bytes are.
    #[must_use]
    pub fn decode([after, to]: [u8; 2]) -> Preemption {
        Preemption { at_yield_point: after & AT_YIELD_POINT != 0, after: after & !AT_YIELD_POINT, to }
    }

    /// The two bytes.
    #[must_use]
    pub fn encode(self) -> [u8; 2] {
        [self.after | if self.at_yield_point { AT_YIELD_POINT } else { 0 }, self.to]
    }
}

/// One execution, in which exactly these preemptions happen, in this order.
#[derive(Debug)]
pub struct Chosen {
    preemptions: std::vec::IntoIter<Preemption>,
    next: Option<(Preemption, u8)>,
    begun: bool,
    drawn: u64,
}

impl Chosen {
    /// The schedule of these preemptions.
    #[must_use]
    pub fn new(preemptions: Vec<Preemption>) -> Chosen {
        let mut chosen = Chosen { preemptions: preemptions.into_iter(), next: None, begun: false, drawn: 0 };
        chosen.advance();
        chosen
    }

    fn advance(&mut self) {
        self.next = self.preemptions.next().map(|preemption| (preemption, preemption.after));
    }

    /// Whether the current thread is to be preempted here, and in whose favour.
    fn preempts(&mut self, at_yield_point: bool) -> Option<u8> {
        let (preemption, left) = self.next.as_mut()?;
        if preemption.at_yield_point && !at_yield_point {
            return None;
        }
        if *left != 0 {
            *left -= 1;
            return None;
        }
        let to = preemption.to;
        self.advance();
        Some(to)
    }
}

impl Scheduler for Chosen {
    fn new_execution(&mut self) -> Option<Schedule> {
        // Forgets the yield point that a thread of an earlier run stood at.
        let _ = take_yield_point();
        (!core::mem::replace(&mut self.begun, true)).then(|| Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let at_yield_point = take_yield_point().is_some();
        let Some(current) = current else { return Some(runnable[0].id()) };
        // The others, from the next number on.
        let mut others: Vec<TaskId> = runnable.iter().map(|task| task.id()).filter(|&task| task != current).collect();
        if others.is_empty() {
            return Some(current);
        }
        others.sort_unstable_by_key(|&task| (task < current, task));
        let goes_on = !is_yielding && others.len() < runnable.len();
        if !goes_on {
            return Some(others[0]);
        }
        match self.preempts(at_yield_point) {
            Some(to) => Some(others[usize::from(to) % others.len()]),
            None => Some(current),
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }
}

/// A program and a schedule of it. Any bytes are one.
#[derive(Clone, PartialEq, Eq)]
pub struct ScheduledProgram {
    /// The program.
    pub program: Program,
    /// The schedule.
    pub preemptions: Vec<Preemption>,
}

impl ScheduledProgram {
    /// The program and the schedule that these bytes are. Never fails.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> ScheduledProgram {
        let (&steps, rest) = bytes.split_first().unwrap_or((&0, &[]));
        let steps = usize::from(steps) % (Limits::SCHEDULE.steps_max + 1);
        let (program, schedule) = rest.split_at(Program::encoded_bytes(steps, rest).min(rest.len()));
        let preemptions = schedule.chunks_exact(2).take(PREEMPTIONS_MAX);
        let mut program = Program::decode(program, &Limits::SCHEDULE);
        if program.world.size == WorldSize::Small {
            // The heap of the small world costs more than any number of steps; schedules are searched by the thousand.
            program.world.size = WorldSize::Snug;
        }
        ScheduledProgram {
            program,
            preemptions: preemptions.map(|pair| Preemption::decode([pair[0], pair[1]])).collect(),
        }
    }

    /// The bytes of this program and its schedule; `decode` gives both back if they are within the limits.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.program.steps.len() as u8];
        bytes.extend(self.program.encode());
        bytes.extend(self.preemptions.iter().flat_map(|preemption| preemption.encode()));
        bytes
    }

    /// Runs the program in its schedule.
    ///
    /// # Panics
    /// If the heap is not what the shadows say.
    pub fn run(&self) -> Tally {
        run_scheduled(&self.program, Chosen::new(self.preemptions.clone())).1
    }
}

/// Writes the program's text and its preemptions, which `cargo fuzz fmt` and a crash show.
impl fmt::Debug for ScheduledProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.program)?;
        self.preemptions.iter().try_for_each(|preemption| {
            let points = if preemption.at_yield_point { "yield points" } else { "scheduling points" };
            writeln!(f, "# preempt after {} {points}, in favour of other {}", preemption.after, preemption.to)
        })
    }
}

impl<'a> Arbitrary<'a> for ScheduledProgram {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<ScheduledProgram> {
        let bytes = u.len();
        Ok(ScheduledProgram::decode(u.bytes(bytes)?))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> arbitrary::Result<ScheduledProgram> {
        Ok(ScheduledProgram::decode(u.take_rest()))
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}
