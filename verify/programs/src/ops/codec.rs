//! The byte form: two bytes of world, then four bytes to a step. Any bytes are a program.
//!
//! ```text
//! byte 0   world size        byte 1   bit 0: concurrent allocation off, bit 1: verify, bit 2: wide steps
//! step     [thread << 6 | code, a, b, c], or, wide, for more than four threads, [thread, code, a, b, c]
//! ```
//!
//! Fixed width keeps a fuzzer's insertions and deletions local. Codes, and the bits of `a`, `b` and `c`, are in the
//! [table](super::table) of operations. Frequent operations have several codes; the encoder uses the first one.

use super::operand::Operand;
use super::table::CODES;
use super::{Limits, Op, Program, Step, World, WorldSize};
use arbitrary::{Arbitrary, Unstructured};

const HEADER_BYTES: usize = 2;
const STEP_BYTES: usize = 4;
/// Set in the second byte where a step has a byte more.
const WIDE: u8 = 4;
/// Threads that two bits tell apart.
const NARROW_THREADS: u8 = 4;

impl Op {
    /// The operation of a step of the byte form.
    #[must_use]
    pub fn decode([code, a, b, c]: [u8; STEP_BYTES]) -> Op {
        Op::from_code(code % CODES, u32::from_le_bytes([a, b, c, 0]))
    }

    /// The step of the byte form, without its thread; `decode` gives the operation back.
    #[must_use]
    pub fn encode(self) -> [u8; STEP_BYTES] {
        let (code, operands) = self.code();
        let [a, b, c, _] = operands.to_le_bytes();
        [code, a, b, c]
    }
}

impl Program {
    /// The program that these bytes are, cut down to `limits`. Never fails.
    #[must_use]
    pub fn decode(bytes: &[u8], limits: &Limits) -> Program {
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let world = World {
            size: WorldSize::from_bits(byte(0).into()),
            concurrent: byte(1) & 1 == 0,
            verify: byte(1) & 2 != 0,
        };
        let wide = byte(1) & WIDE != 0;
        let steps = bytes.get(HEADER_BYTES..).unwrap_or(&[]).chunks_exact(STEP_BYTES + usize::from(wide));
        let steps = steps.take(limits.steps_max);
        let step = |chunk: &[u8]| {
            let (thread, chunk) = if wide { (chunk[0], &chunk[1..]) } else { (chunk[0] >> 6, chunk) };
            let thread = thread % Limits::ALL.threads_max;
            Step { thread, op: Op::decode([chunk[0], chunk[1], chunk[2], chunk[3]]) }
        };
        let mut program = Program { world, steps: steps.map(step).collect() };
        program.fix_up(limits);
        program
    }

    /// Bytes of the byte form of a program of so many steps, which begins as `bytes` do.
    #[must_use]
    pub fn encoded_bytes(steps: usize, bytes: &[u8]) -> usize {
        let wide = bytes.get(1).is_some_and(|flags| flags & WIDE != 0);
        HEADER_BYTES + steps * (STEP_BYTES + usize::from(wide))
    }

    /// The bytes of this program; `decode` gives it back.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let wide = self.threads() > NARROW_THREADS;
        let flags = u8::from(!self.world.concurrent) | u8::from(self.world.verify) << 1 | if wide { WIDE } else { 0 };
        let mut bytes = vec![self.world.size.bits() as u8, flags];
        for step in &self.steps {
            let [code, a, b, c] = step.op.encode();
            if wide {
                bytes.extend([step.thread, code, a, b, c]);
            } else {
                bytes.extend([code | step.thread << 6, a, b, c]);
            }
        }
        bytes
    }
}

impl<'a> Arbitrary<'a> for Program {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Program> {
        let bytes = u.len();
        Ok(Program::decode(u.bytes(bytes)?, &Limits::FUZZ))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> arbitrary::Result<Program> {
        Ok(Program::decode(u.take_rest(), &Limits::FUZZ))
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}
