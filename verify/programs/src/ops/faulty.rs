//! Programs with faults woven in: the input of the fuzz target `fault_ops`.
//!
//! ```text
//! byte 0        bit 0: how it is driven; the rest, modulo 9: how many faults
//! fault         [before which step, what fails and how many of its kind succeed before]
//! the rest      a program, in its byte form
//! ```
//!
//! The second byte of a fault is 128 plus 0..=127 for an attempt, 64 plus 0..=63 for a release, and 0..=63 for a page
//! request.
//!
//! A fault is an operation like the others: `fail-commit`, `fail-release` or `fail-attempt`. So the result is an
//! ordinary program, whose text replays what the fuzzer found, and shrinking drops the faults that do not matter. In
//! this form faults have bytes of their own: a fuzzer moves a fault to another step, or to another request, by
//! changing one byte.

use super::{Limits, Op, Program, Step};
use arbitrary::{Arbitrary, Unstructured};

const FAULTS_MAX: usize = 8;
const ATTEMPT: u8 = 0x80;
const RELEASE: u8 = 0x40;

/// One fault: where it is armed, and what it strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultPoint {
    /// Before which step.
    pub step: u8,
    /// What it strikes.
    pub strikes: Strikes,
    /// How many of them succeed before: 0..=63, of attempts 0..=127.
    pub after: u8,
}

/// What a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strikes {
    /// A page request.
    Commit,
    /// A release.
    Release,
    /// An attempt.
    Attempt,
}

/// A program with faults, and how it is driven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faulty {
    /// Whether each thread of the program has a local heap of its own.
    pub interleaved: bool,
    /// The program, its faults among the steps.
    pub program: Program,
}

impl FaultPoint {
    fn decode([step, what]: [u8; 2]) -> FaultPoint {
        let (strikes, after) = match what {
            ATTEMPT.. => (Strikes::Attempt, what - ATTEMPT),
            RELEASE.. => (Strikes::Release, what - RELEASE),
            _ => (Strikes::Commit, what),
        };
        FaultPoint { step, strikes, after }
    }

    fn encode(self) -> [u8; 2] {
        let what = match self.strikes {
            Strikes::Commit => self.after % RELEASE,
            Strikes::Release => RELEASE | (self.after % RELEASE),
            Strikes::Attempt => ATTEMPT | (self.after % ATTEMPT),
        };
        [self.step, what]
    }

    fn op(self) -> Op {
        match self.strikes {
            Strikes::Commit => Op::FailCommit(Some(self.after)),
            Strikes::Release => Op::FailRelease(Some(self.after)),
            Strikes::Attempt => Op::FailAttempt(Some(self.after)),
        }
    }
}

impl Faulty {
    /// Arms each fault before its step, on the thread of that step. Steps are counted modulo what there is; a fault
    /// behind the last step is thread 0's.
    #[must_use]
    pub fn weave(interleaved: bool, faults: &[FaultPoint], program: &Program) -> Faulty {
        let places = program.steps.len() + 1;
        let mut steps = Vec::with_capacity(program.steps.len() + faults.len());
        for index in 0..places {
            let step = program.steps.get(index);
            let here = faults.iter().filter(|fault| usize::from(fault.step) % places == index);
            steps.extend(here.map(|fault| Step { thread: step.map_or(0, |step| step.thread), op: fault.op() }));
            steps.extend(step);
        }
        Faulty { interleaved, program: Program { world: program.world, steps } }
    }

    /// What these bytes are. Never fails.
    #[must_use]
    pub fn decode(bytes: &[u8], limits: &Limits) -> Faulty {
        let (&head, bytes) = bytes.split_first().unwrap_or((&0, &[]));
        let count = usize::from(head >> 1) % (FAULTS_MAX + 1);
        let (faults, bytes) = bytes.split_at((2 * count).min(bytes.len()));
        let faults: Vec<FaultPoint> =
            faults.chunks_exact(2).map(|fault| FaultPoint::decode([fault[0], fault[1]])).collect();
        Faulty::weave(head & 1 != 0, &faults, &Program::decode(bytes, limits))
    }

    /// The bytes that stand for these faults in `program`.
    ///
    /// # Panics
    /// If there are more than eight.
    #[must_use]
    pub fn encode(interleaved: bool, faults: &[FaultPoint], program: &Program) -> Vec<u8> {
        assert!(faults.len() <= FAULTS_MAX, "{} faults", faults.len());
        let mut bytes = vec![u8::from(interleaved) | (faults.len() as u8) << 1];
        bytes.extend(faults.iter().flat_map(|fault| fault.encode()));
        bytes.extend(program.encode());
        bytes
    }
}

impl<'a> Arbitrary<'a> for Faulty {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Faulty> {
        let bytes = u.len();
        Ok(Faulty::decode(u.bytes(bytes)?, &Limits::FUZZ))
    }

    fn arbitrary_take_rest(u: Unstructured<'a>) -> arbitrary::Result<Faulty> {
        Ok(Faulty::decode(u.take_rest(), &Limits::FUZZ))
    }

    fn size_hint(_depth: usize) -> (usize, Option<usize>) {
        (0, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Faults end up before their steps, and bytes stand for the same as what they were made of.
    #[test]
    fn faults_are_armed_before_their_steps() {
        let program = Program::parse("heaplab-ops 1\nworld tiny\n0 poll\n1 verify\n").unwrap();
        let faults = [
            FaultPoint { step: 1, strikes: Strikes::Attempt, after: 3 },
            FaultPoint { step: 2, strikes: Strikes::Commit, after: 63 },
            FaultPoint { step: 3, strikes: Strikes::Release, after: 0 },
        ];
        let faulty = Faulty::weave(true, &faults, &program);
        let expected = "0 fail-release 0\n0 poll\n1 fail-attempt 3\n1 verify\n0 fail-commit 63\n".to_owned();
        assert_eq!(faulty.program.to_string(), format!("heaplab-ops 4\nworld tiny\n{expected}"));
        assert_eq!(Faulty::decode(&Faulty::encode(true, &faults, &program), &Limits::FUZZ), faulty);
    }

    /// Any bytes mean something, however few or many.
    #[test]
    fn any_bytes_are_a_program_with_faults() {
        for length in [0, 1, 2, 3, 5, 17, 18, 40, 5000] {
            for byte in [0, 1, 0x11, 0x80, 0xff] {
                let faulty = Faulty::decode(&vec![byte; length], &Limits::FUZZ);
                assert!(faulty.program.steps.len() <= Limits::FUZZ.steps_max + FAULTS_MAX);
                assert_eq!(Program::parse(&faulty.program.to_string()), Ok(faulty.program));
            }
        }
    }
}
