//! Who drives a program, on which heap, and what is made to fail meanwhile.
//!
//! A driver runs *rounds*: the same program, several times on one heap. After each round everything is dropped and the
//! heap is as it was built, to the byte, so that a round which a fault strikes can be followed by one that has to
//! succeed.

use super::oracle::Oracle;
use super::{RoundFault, Tally, interleaved, single};
use crate::ops::{Program, World};
use heaplab::Heap;
use heaplab::memory::PageSource;

/// How a program is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Driver {
    /// One local heap, through the safe API.
    Single,
    /// A local heap for each thread of the program, step by step, all but one through the raw API.
    Interleaved,
}

impl Driver {
    /// All drivers.
    pub const ALL: [Driver; 2] = [Driver::Single, Driver::Interleaved];

    /// The world that the program runs in.
    fn world(self, program: &Program) -> World {
        match self {
            Driver::Single => program.world,
            // One local heap stays attached, so the others need concurrent allocation at the start.
            Driver::Interleaved => World { concurrent: true, ..program.world },
        }
    }

    /// Runs `program` once.
    ///
    /// # Panics
    /// If the heap is not what the shadow says.
    pub fn run(self, program: &Program, source: PageSource) -> Tally {
        self.rounds(program, source, &[None])[0]
    }

    /// Runs `program` on one heap of its world, once for each of `faults`, and returns what each round did.
    ///
    /// # Panics
    /// As [`rounds_on`](Self::rounds_on).
    #[must_use]
    pub fn rounds(self, program: &Program, source: PageSource, faults: &[Option<RoundFault>]) -> Vec<Tally> {
        let config = self.world(program).config(usize::from(program.threads()), source);
        let heap = Heap::new(config).expect("the worlds are valid and memory is to be had");
        self.rounds_on(heap, program, faults)
    }

    /// Runs `program` on `heap`, once for each of `faults`, and closes the heap; returns what each round did. Nobody
    /// else has the heap, which is as it was built.
    ///
    /// # Panics
    /// If the heap is not what the shadow says, in a round or after it.
    #[must_use]
    pub fn rounds_on(self, mut heap: Heap, program: &Program, faults: &[Option<RoundFault>]) -> Vec<Tally> {
        let program = Program { world: self.world(program), steps: program.steps.clone() };
        let mut tallies = Vec::new();
        for &fault in faults {
            let actors = match self {
                Driver::Single => 1,
                Driver::Interleaved => usize::from(program.threads()).max(2),
            };
            let oracle = Oracle::new(&program, heap, actors, fault);
            let oracle = match self {
                Driver::Single => single::drive(&program, oracle),
                Driver::Interleaved => interleaved::drive(&program, oracle),
            };
            let tally;
            (heap, tally) = oracle.end();
            tallies.push(tally);
        }
        let closed = heap.close().map_err(|(_, error)| error).expect("no local heap is attached");
        assert!(closed.is_sound(), "{}", closed.describe());
        tallies
    }
}

/// Runs `program` on one local heap, through the safe API.
///
/// # Panics
/// If the heap is not what the shadow says.
pub fn run_single(program: &Program, source: PageSource) -> Tally {
    Driver::Single.run(program, source)
}

/// Runs `program` with a local heap for each of its threads, all on this thread.
///
/// # Panics
/// If the heap is not what the shadow says.
pub fn run_interleaved(program: &Program, source: PageSource) -> Tally {
    Driver::Interleaved.run(program, source)
}
