//! Strategies of programs. They shrink by removing steps, and by making operands smaller.

use heaplab_verify::ops::{Limits, Op, Program, Step, World, WorldSize};
use proptest::collection::vec;
use proptest::prelude::*;

/// Any operation, as often as the byte form has codes for it.
pub(crate) fn op() -> impl Strategy<Value = Op> {
    // Small operands half of the time: they mean the youngest handles and the first slots.
    let operand = || prop_oneof![0u8..8, any::<u8>()];
    (0u8..64, operand(), operand(), operand()).prop_map(|(code, a, b, c)| Op::decode([code, a, b, c]))
}

/// A program of one of `sizes`, for up to `threads` threads.
pub(crate) fn program(sizes: &'static [WorldSize], threads: u8, steps_max: usize) -> impl Strategy<Value = Program> {
    let world = (proptest::sample::select(sizes), prop::bool::weighted(0.9), prop::bool::weighted(0.2));
    let world = world.prop_map(|(size, concurrent, verify)| World { size, concurrent, verify });
    let step = (0..threads, op()).prop_map(|(thread, op)| Step { thread, op });
    (world, vec(step, 0..steps_max)).prop_map(|(world, steps)| {
        let mut program = Program { world, steps };
        program.fix_up(&Limits::FUZZ);
        program
    })
}
