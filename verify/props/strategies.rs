//! Strategies of programs. They shrink by removing steps, and by making operands smaller.
//!
//! Each program uses a few operations only, chosen anew (swarm testing): what two operations do to each other shows
//! when both are frequent, and many operations hide each other's effects.

use heaplab_programs::ops::{Limits, Op, Program, Step, World, WorldSize};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Codes of the operations that a program uses; allocation and store are always among them.
fn codes() -> impl Strategy<Value = Vec<u8>> {
    vec(0u8..64, 1..12).prop_map(|mut codes| {
        codes.extend([Op::decode([0; 4]), Op::decode([17, 0, 0, 0])].map(|op| op.encode()[0]));
        codes
    })
}

/// A program of one of `sizes`, for up to `threads` threads.
pub(crate) fn program(sizes: &'static [WorldSize], threads: u8, steps_max: usize) -> impl Strategy<Value = Program> {
    let world = (proptest::sample::select(sizes), prop::bool::weighted(0.9), prop::bool::weighted(0.2));
    let world = world.prop_map(|(size, concurrent, verify)| World { size, concurrent, verify });
    // Small operands half of the time: they mean the youngest handles and the first slots.
    let operand = || prop_oneof![0u8..8, any::<u8>()];
    let step = (0..threads, any::<Index>(), operand(), operand(), operand());
    (world, codes(), vec(step, 0..steps_max)).prop_map(|(world, codes, steps)| {
        let step = |(thread, code, a, b, c): (u8, Index, u8, u8, u8)| Step {
            thread,
            op: Op::decode([codes[code.index(codes.len())], a, b, c]),
        };
        let mut program = Program { world, steps: steps.into_iter().map(step).collect() };
        program.fix_up(&Limits::ALL);
        program
    })
}
