//! Events: what a thread does to shared state, as nodes of an execution graph.
//!
//! An RMW is two events, its read and directly after it its write; a failing one is the read alone. What an RMW does is
//! data ([`Op`]), so that a read whose source changes has its write computed anew without running the program.

use std::panic::Location;
use std::sync::atomic::Ordering;

pub(crate) use crate::id::{Id, small};

use crate::views::Clock;

/// What an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) enum Kind {
    /// The beginning of a thread, after its spawn.
    Begin,
    /// The end of a thread.
    End,
    Load,
    Store,
    /// The read of an RMW.
    RmwRead,
    /// The write of an RMW that succeeds; its read is the event before it.
    RmwWrite,
    Fence,
    /// `detail` is the thread that begins.
    Spawn,
    /// `detail` is the thread that ended.
    Join,
    /// The end of a wait on a condition variable: its source is the change of the waiters that ended it.
    Wake,
    /// An assumption that does not hold: the thread does not go on.
    Block,
    /// The end of a turn of a loop that waits.
    Yield,
    /// A loop that waits goes on though nothing changed, since nobody else could go on.
    Lift,
    /// `detail` is the number that was chosen.
    Choice,
}

/// What an RMW does to the value that it reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    /// No RMW.
    None,
    Add(u64),
    Sub(u64),
    And(u64),
    Or(u64),
    Xor(u64),
    Nand(u64),
    Max(u64),
    Min(u64),
    /// Of signed values with so many bits.
    SignedMax(u64, u32),
    SignedMin(u64, u32),
    Swap(u64),
    /// Compare-exchange: the expected value and the new one.
    Cas(u64, u64),
    /// Takes a mutex: waits until it is free.
    Lock,
    /// Takes one of a reader-writer lock's shares: waits while a writer has it.
    Share,
    /// As [`Op::Share`], and fails instead of waiting.
    TryShare,
    /// Takes a reader-writer lock: waits until it is free.
    Exclude,
    /// Takes a token: waits until it is there.
    Take,
    /// Begins an initialisation: from 0 to 1. Waits while somebody else is at it, and fails where it is over, at 2.
    Once,
    /// Clears one of the bits that are set, each of them being a variant: which waiter is notified.
    ClearOne,
    /// A choice among so many.
    Among(u32),
}

/// The bit of a reader-writer lock's word that a writer sets; below it readers are counted.
pub(crate) const WRITER: u64 = 1 << 32;

impl Op {
    /// The value that is written, or `None` if the RMW fails or has to wait.
    pub(crate) fn apply(self, value: u64, mask: u64, variant: u32) -> Option<u64> {
        let signed = |value: u64, bits: u32| ((value << (64 - bits)) as i64) >> (64 - bits);
        let new = match self {
            Op::None | Op::Among(_) => return None,
            Op::Add(x) => value.wrapping_add(x),
            Op::Sub(x) => value.wrapping_sub(x),
            Op::And(x) => value & x,
            Op::Or(x) => value | x,
            Op::Xor(x) => value ^ x,
            Op::Nand(x) => !(value & x),
            Op::Max(x) => value.max(x),
            Op::Min(x) => value.min(x),
            Op::SignedMax(x, bits) => signed(value, bits).max(signed(x, bits)) as u64,
            Op::SignedMin(x, bits) => signed(value, bits).min(signed(x, bits)) as u64,
            Op::Swap(x) => x,
            Op::Cas(expected, new) => {
                if value != expected {
                    return None;
                }
                new
            }
            Op::Lock if value == 0 => 1,
            Op::Share | Op::TryShare if value < WRITER => value + 1,
            Op::Exclude if value == 0 => WRITER,
            Op::Take if value == 1 => 0,
            Op::Once if value == 0 => 1,
            Op::Once | Op::Lock | Op::Share | Op::TryShare | Op::Exclude | Op::Take => return None,
            Op::ClearOne => {
                let bit = (0..variant).fold(value, |rest, _| rest & rest.wrapping_sub(1));
                value & !(bit & bit.wrapping_neg())
            }
        };
        Some(new & mask)
    }

    /// Whether the thread may have to wait.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Op::Lock | Op::Share | Op::Exclude | Op::Take | Op::Once)
    }

    /// Whether the thread waits where it reads `value`.
    pub(crate) fn waits_at(self, value: u64) -> bool {
        match self {
            Op::Once => value == 1,
            _ => self.waits() && self.apply(value, u64::MAX, 0).is_none(),
        }
    }

    /// The operands, for a comparison.
    pub(crate) fn operands(self) -> [u64; 2] {
        match self {
            Op::None | Op::Lock | Op::Share | Op::TryShare | Op::Exclude | Op::Take | Op::Once | Op::ClearOne => [0, 0],
            Op::Add(x) | Op::Sub(x) | Op::And(x) | Op::Or(x) | Op::Xor(x) | Op::Nand(x) => [x, 0],
            Op::Max(x) | Op::Min(x) | Op::SignedMax(x, _) | Op::SignedMin(x, _) | Op::Swap(x) => [x, 0],
            Op::Cas(expected, new) => [expected, new],
            Op::Among(n) => [u64::from(n), 0],
        }
    }

    /// The name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Op::None => "load",
            Op::Add(_) => "fetch_add",
            Op::Sub(_) => "fetch_sub",
            Op::And(_) => "fetch_and",
            Op::Or(_) => "fetch_or",
            Op::Xor(_) => "fetch_xor",
            Op::Nand(_) => "fetch_nand",
            Op::Max(_) | Op::SignedMax(..) => "fetch_max",
            Op::Min(_) | Op::SignedMin(..) => "fetch_min",
            Op::Swap(_) => "swap",
            Op::Cas(..) => "compare_exchange",
            Op::Lock => "lock",
            Op::Share => "read lock",
            Op::TryShare => "try_read",
            Op::Exclude => "write lock",
            Op::Take => "take a token",
            Op::Once => "initialise",
            Op::ClearOne => "notify_one",
            Op::Among(_) => "choose",
        }
    }
}

pub(crate) fn is_acquire(order: Ordering) -> bool {
    matches!(order, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

pub(crate) fn is_release(order: Ordering) -> bool {
    matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

/// What stands for the location of an event that has none.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// A node of an execution graph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) order: Ordering,
    /// The ordering of an RMW that fails.
    pub(crate) failure_order: Ordering,
    /// Whether an RMW's read succeeded, so that its write follows.
    pub(crate) is_exclusive: bool,
    /// Whether a compare-exchange may fail without a reason: its variant 1.
    pub(crate) is_weak: bool,
    /// Whether a store gives a mutex back.
    pub(crate) is_unlock: bool,
    /// Whether operands and values may be addresses, which differ from run to run.
    pub(crate) is_address: bool,
    pub(crate) op: Op,
    pub(crate) mask: u64,
    pub(crate) location: u32,
    /// Which of several outcomes of the same read it is; 0 is the default.
    pub(crate) variant: u32,
    pub(crate) detail: u32,
    /// When the event was added.
    pub(crate) stamp: u32,
    /// What a read reads from.
    pub(crate) source: Id,
    /// A wait for a mutex that an unlock ended in place: what it had waited on. While that unlock may be deleted, the
    /// wait still counts as one.
    pub(crate) waited: Option<Id>,
    pub(crate) read: u64,
    pub(crate) written: u64,
    /// How many events its thread had with the last release fence, itself included; 0 if there is none.
    pub(crate) released: u32,
    pub(crate) place: &'static Location<'static>,
}

/// The clocks of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    /// The events that happen before this one, and itself.
    pub(crate) before: Clock,
    /// The events that this one depends on by program order, reads-from, spawn and join, and itself.
    pub(crate) causes: Clock,
    /// What a read that acquires from this write gets; of a read: what it would get or got.
    pub(crate) message: Clock,
}

impl Clocks {
    /// Those of an event that nothing is known of.
    pub(crate) const EMPTY: Clocks = Clocks { before: Clock::EMPTY, causes: Clock::EMPTY, message: Clock::EMPTY };
}

impl Event {
    pub(crate) fn new(kind: Kind, location: u32, order: Ordering, place: &'static Location<'static>) -> Event {
        Event {
            kind,
            order,
            failure_order: order,
            is_exclusive: false,
            is_weak: false,
            is_unlock: false,
            is_address: false,
            op: Op::None,
            mask: u64::MAX,
            location,
            variant: 0,
            detail: 0,
            stamp: 0,
            source: Id::INITIAL,
            waited: None,
            read: 0,
            written: 0,
            released: 0,
            place,
        }
    }

    #[inline]
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.kind, Kind::Load | Kind::RmwRead)
    }

    #[inline]
    pub(crate) fn is_write(&self) -> bool {
        matches!(self.kind, Kind::Store | Kind::RmwWrite)
    }

    /// Whether the event reads or writes a location.
    #[inline]
    pub(crate) fn is_access(&self) -> bool {
        self.is_read() || self.is_write()
    }

    /// Whether this read waits for another value than it has.
    #[inline]
    pub(crate) fn is_blocked_wait(&self) -> bool {
        self.kind == Kind::RmwRead && !self.is_exclusive && self.op.waits_at(self.read)
    }

    /// Whether the event is sequentially consistent in some outcome.
    pub(crate) fn may_be_sequential(&self) -> bool {
        (self.is_access() || self.kind == Kind::Fence)
            && (self.order == Ordering::SeqCst || self.kind == Kind::RmwRead && self.failure_order == Ordering::SeqCst)
    }

    /// The ordering that counts: that of a failed RMW is its failure ordering.
    #[inline]
    pub(crate) fn effective_order(&self) -> Ordering {
        if self.kind == Kind::RmwRead && !self.is_exclusive { self.failure_order } else { self.order }
    }

    pub(crate) fn is_sequential(&self) -> bool {
        self.effective_order() == Ordering::SeqCst && (self.is_access() || self.kind == Kind::Fence)
    }

    /// What an RMW that reads `value` writes in a variant.
    #[inline]
    pub(crate) fn apply(&self, value: u64, variant: u32) -> Option<u64> {
        if self.is_weak && variant != 0 { None } else { self.op.apply(value, self.mask, variant) }
    }

    /// How many variants a read of `value` has.
    #[inline]
    pub(crate) fn variants(&self, value: u64) -> u32 {
        match self.op {
            Op::ClearOne => value.count_ones().max(1),
            Op::Cas(..) if self.is_weak && self.apply(value, 0).is_some() => 2,
            _ => 1,
        }
    }

    /// Whether the event changes something that another thread may see.
    pub(crate) fn has_effect(&self) -> bool {
        match self.kind {
            Kind::Load | Kind::RmwRead | Kind::Yield | Kind::Lift | Kind::Choice | Kind::Fence => false,
            Kind::RmwWrite => self.written != self.read,
            _ => true,
        }
    }
}
