//! The byte form: two bytes of world, then four bytes to a step. Total: any bytes are a program.
//!
//! ```text
//! byte 0   world size        byte 1   bit 0: concurrent allocation off, bit 1: verify, bit 2: wide steps
//! step     [thread << 6 | code, a, b, c], or, wide, for more than four threads, [thread, code, a, b, c]
//! ```
//!
//! Fixed width keeps a fuzzer's insertions and deletions local. Frequent operations have several codes; the encoder uses
//! the first one.

use super::{
    Limits, NearLimitChoice, ObjectShape, Op, Operand, Program, ReserveChoice, Size, SizeBase, Step, World, WorldSize,
};
use arbitrary::{Arbitrary, Unstructured};
use heaplab::{AllocationType, CollectionKind, SpaceKind};

const HEADER_BYTES: usize = 2;
const STEP_BYTES: usize = 4;
/// Set in the second byte where a step has a byte more.
const WIDE: u8 = 4;
/// Threads that two bits tell apart.
const NARROW_THREADS: u8 = 4;

/// What a code stands for, and how many of the 64 codes do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    Allocate,
    FailRelease,
    FailCommit,
    Store,
    FailSpawn,
    Load,
    Write,
    Handle,
    Persist,
    Open,
    Drop,
    StoreRoot,
    LoadRoot,
    RenewRoots,
    OpenScope,
    CloseScope,
    Full,
    Fill,
    Collect,
    CollectParked,
    EnterAlways,
    LeaveAlways,
    GcInterval,
    VerifyHeap,
    Concurrent,
    Stress,
    FailAttempt,
    NearLimit,
    Attach,
    Detach,
    Park,
    Poll,
    Verify,
    Statistics,
}

const WEIGHTS: [(Code, u8); 34] = [
    (Code::Allocate, 15),
    (Code::FailRelease, 1),
    (Code::FailCommit, 1),
    (Code::Store, 8),
    (Code::FailSpawn, 1),
    (Code::Load, 3),
    (Code::Write, 2),
    (Code::Handle, 1),
    (Code::Persist, 2),
    (Code::Open, 1),
    (Code::Drop, 1),
    (Code::StoreRoot, 2),
    (Code::LoadRoot, 1),
    (Code::RenewRoots, 1),
    (Code::OpenScope, 2),
    (Code::CloseScope, 2),
    (Code::Full, 1),
    (Code::Fill, 1),
    (Code::Collect, 3),
    (Code::CollectParked, 1),
    (Code::EnterAlways, 1),
    (Code::LeaveAlways, 1),
    (Code::GcInterval, 1),
    (Code::VerifyHeap, 1),
    (Code::Concurrent, 1),
    (Code::Stress, 1),
    (Code::FailAttempt, 1),
    (Code::NearLimit, 1),
    (Code::Attach, 1),
    (Code::Detach, 1),
    (Code::Park, 1),
    (Code::Poll, 1),
    (Code::Verify, 1),
    (Code::Statistics, 1),
];

const CODES: [Code; 64] = {
    let mut codes = [Code::Poll; 64];
    let (mut kind, mut at) = (0, 0);
    while kind < WEIGHTS.len() {
        let mut left = WEIGHTS[kind].1;
        while left != 0 {
            codes[at] = WEIGHTS[kind].0;
            at += 1;
            left -= 1;
        }
        kind += 1;
    }
    assert!(at == 64, "the weights use every code");
    codes
};

/// Minor collections are the most frequent: after any other one, nothing is young.
const KINDS: [CollectionKind; 8] = {
    use CollectionKind::{Major, MemoryReducing, Minor};
    [Minor, Major, MemoryReducing, Minor, Minor, Minor, Major, Minor]
};

/// Young objects are the most frequent, and so are small ones: large ones use the heap up at once.
const TYPES: [AllocationType; 8] = {
    use AllocationType::{Code, Map, Old, Young};
    [Young, Old, Map, Code, Young, Young, Young, Old]
};

const BASES: [SizeBase; 32] = {
    let mut bases = [SizeBase::Empty; 32];
    let (mut index, some) = (0, SizeBase::ALL.len());
    while index < some {
        bases[index] = SizeBase::ALL[index];
        index += 1;
    }
    (bases[30], bases[31]) = (SizeBase::Lab, SizeBase::Half);
    bases
};

fn pick<T: Copy>(all: &[T], byte: u8) -> T {
    all[usize::from(byte) % all.len()]
}

fn place<T: Copy + PartialEq>(all: &[T], value: T) -> u8 {
    all.iter().position(|&other| other == value).expect("a value of the type") as u8
}

fn operand(byte: u8) -> Operand {
    match byte {
        0..=Operand::HANDLE_MAX => Operand::Handle(byte),
        200..=251 => Operand::Small(signed(byte.wrapping_sub(226))),
        252..=255 => Operand::Immortal(byte - 252),
    }
}

fn signed(byte: u8) -> i8 {
    i8::from_ne_bytes([byte])
}

fn operand_byte(operand: Operand) -> u8 {
    match operand {
        Operand::Handle(handle) => handle.min(Operand::HANDLE_MAX),
        Operand::Small(n) => u8::try_from(226 + i16::from(n)).expect("within the range of small operands"),
        Operand::Immortal(n) => 252 + n % 4,
    }
}

/// How many succeed before one is refused, and 0 for none that is.
fn countdown_byte(countdown: Option<u8>) -> u8 {
    countdown.map_or(0, |k| k.saturating_add(1))
}

impl Op {
    /// The operation of a step of the byte form.
    #[must_use]
    pub fn decode([code, a, b, c]: [u8; STEP_BYTES]) -> Op {
        match CODES[usize::from(code & 63)] {
            Code::Allocate => Op::Allocate {
                ty: pick(&TYPES, b & 7),
                object: pick(&ObjectShape::ALL, a),
                size: Size { base: pick(&BASES, b >> 3), delta: signed(c) },
            },
            Code::Store => Op::Store { host: a, slot: b, value: operand(c) },
            Code::Load => Op::Load { host: a, slot: b },
            Code::Write => Op::Write { host: a, index: b, value: c },
            Code::Handle => Op::Handle(operand(a)),
            Code::Persist => Op::Persist(a),
            Code::Open => Op::Open(a),
            Code::Drop => Op::Drop(a),
            Code::StoreRoot => Op::StoreRoot { slot: a, value: operand(b) },
            Code::LoadRoot => Op::LoadRoot(a),
            Code::RenewRoots => Op::RenewRoots,
            Code::OpenScope => Op::OpenScope { escaping: a & 1 != 0 },
            Code::CloseScope => Op::CloseScope,
            Code::Full => Op::Full(pick(&SpaceKind::ALL, a)),
            Code::Fill => Op::Fill { ty: AllocationType::ALL[usize::from(a & 3)], granules: b },
            Code::Collect => Op::Collect(pick(&KINDS, a)),
            Code::CollectParked => Op::CollectParked(pick(&KINDS, a)),
            Code::EnterAlways => {
                Op::EnterAlways(ReserveChoice { pages: [a & 3, a >> 2 & 3, a >> 4 & 3, a >> 6], large_half_pages: b })
            }
            Code::LeaveAlways => Op::LeaveAlways,
            Code::GcInterval => Op::GcInterval(a),
            Code::VerifyHeap => Op::VerifyHeap(a & 1 != 0),
            Code::Concurrent => Op::Concurrent(a & 1 != 0),
            Code::Stress => Op::Stress(a & 1 != 0),
            Code::FailAttempt => Op::FailAttempt(a.checked_sub(1)),
            Code::FailCommit => Op::FailCommit(a.checked_sub(1)),
            Code::FailRelease => Op::FailRelease(a.checked_sub(1)),
            Code::FailSpawn => Op::FailSpawn(a.checked_sub(1)),
            Code::NearLimit => Op::NearLimit(pick(&NearLimitChoice::ALL, a)),
            Code::Attach => Op::Attach,
            Code::Detach => Op::Detach,
            Code::Park => Op::Park,
            Code::Poll => Op::Poll,
            Code::Verify => Op::Verify,
            Code::Statistics => Op::Statistics,
        }
    }

    /// The step of the byte form, without its thread; `decode` gives the operation back.
    #[must_use]
    pub fn encode(self) -> [u8; STEP_BYTES] {
        let (code, [a, b, c]) = match self {
            Op::Allocate { ty, object, size } => (
                Code::Allocate,
                [
                    place(&ObjectShape::ALL, object),
                    place(&TYPES, ty) | place(&BASES, size.base) << 3,
                    size.delta.to_ne_bytes()[0],
                ],
            ),
            Op::Store { host, slot, value } => (Code::Store, [host, slot, operand_byte(value)]),
            Op::Load { host, slot } => (Code::Load, [host, slot, 0]),
            Op::Write { host, index, value } => (Code::Write, [host, index, value]),
            Op::Handle(value) => (Code::Handle, [operand_byte(value), 0, 0]),
            Op::Persist(handle) => (Code::Persist, [handle, 0, 0]),
            Op::Open(persistent) => (Code::Open, [persistent, 0, 0]),
            Op::Drop(persistent) => (Code::Drop, [persistent, 0, 0]),
            Op::StoreRoot { slot, value } => (Code::StoreRoot, [slot, operand_byte(value), 0]),
            Op::LoadRoot(slot) => (Code::LoadRoot, [slot, 0, 0]),
            Op::RenewRoots => (Code::RenewRoots, [0; 3]),
            Op::OpenScope { escaping } => (Code::OpenScope, [escaping.into(), 0, 0]),
            Op::CloseScope => (Code::CloseScope, [0; 3]),
            Op::Full(space) => (Code::Full, [place(&SpaceKind::ALL, space), 0, 0]),
            Op::Fill { ty, granules } => (Code::Fill, [place(&AllocationType::ALL, ty), granules, 0]),
            Op::Collect(kind) => (Code::Collect, [place(&KINDS, kind), 0, 0]),
            Op::CollectParked(kind) => (Code::CollectParked, [place(&KINDS, kind), 0, 0]),
            Op::EnterAlways(ReserveChoice { pages: [young, old, map, code], large_half_pages }) => {
                (Code::EnterAlways, [young & 3 | (old & 3) << 2 | (map & 3) << 4 | code << 6, large_half_pages, 0])
            }
            Op::LeaveAlways => (Code::LeaveAlways, [0; 3]),
            Op::GcInterval(interval) => (Code::GcInterval, [interval, 0, 0]),
            Op::VerifyHeap(on) => (Code::VerifyHeap, [on.into(), 0, 0]),
            Op::Concurrent(on) => (Code::Concurrent, [on.into(), 0, 0]),
            Op::Stress(on) => (Code::Stress, [on.into(), 0, 0]),
            Op::FailAttempt(attempt) => (Code::FailAttempt, [countdown_byte(attempt), 0, 0]),
            Op::FailCommit(commit) => (Code::FailCommit, [countdown_byte(commit), 0, 0]),
            Op::FailRelease(release) => (Code::FailRelease, [countdown_byte(release), 0, 0]),
            Op::FailSpawn(spawn) => (Code::FailSpawn, [countdown_byte(spawn), 0, 0]),
            Op::NearLimit(choice) => (Code::NearLimit, [place(&NearLimitChoice::ALL, choice), 0, 0]),
            Op::Attach => (Code::Attach, [0; 3]),
            Op::Detach => (Code::Detach, [0; 3]),
            Op::Park => (Code::Park, [0; 3]),
            Op::Poll => (Code::Poll, [0; 3]),
            Op::Verify => (Code::Verify, [0; 3]),
            Op::Statistics => (Code::Statistics, [0; 3]),
        };
        [place(&CODES, code), a, b, c]
    }
}

impl Program {
    /// The program that these bytes are, cut down to `limits`. Never fails.
    #[must_use]
    pub fn decode(bytes: &[u8], limits: &Limits) -> Program {
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let world =
            World { size: pick(&WorldSize::ALL, byte(0)), concurrent: byte(1) & 1 == 0, verify: byte(1) & 2 != 0 };
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
        let mut bytes = vec![place(&WorldSize::ALL, self.world.size), flags];
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
