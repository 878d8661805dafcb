//! Errors of the heap's own operations.

use crate::memory::MemoryError;
use crate::words::ConfigError;
use core::fmt;

macro_rules! message {
    ($type:ty, $self:ident => $($pattern:pat => $text:expr),+ $(,)?) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $self = self;
                match $self { $($pattern => f.write_str(&$text)),+ }
            }
        }
        impl core::error::Error for $type {}
    };
}

/// Why a heap could not be built.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration contradicts itself.
    Config(ConfigError),
    /// The system refused the reservation or its first pages.
    Memory(MemoryError),
}

message!(BuildError, this =>
    BuildError::Config(error) => error.to_string(),
    BuildError::Memory(error) => error.to_string(),
);

/// Why a thread could not attach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum AttachError {
    /// `concurrent_allocation` is off and a local heap is attached: detach it, or switch the flag on.
    ConcurrentAllocationOff,
    /// As many local heaps are attached as `threads_max` allows: detach one, or configure more.
    TooManyThreads {
        /// The configured maximum.
        threads_max: usize,
    },
    /// This thread runs a local heap, for which a stop that attaching waits for would wait: attach outside of `run`.
    InsideRun,
    /// An invariant broke in an earlier stop: build a new heap.
    Poisoned,
}

message!(AttachError, this =>
    AttachError::ConcurrentAllocationOff =>
        "concurrent allocation is off and a local heap is attached: detach it, or switch concurrent_allocation on".to_owned(),
    AttachError::TooManyThreads { threads_max } =>
        format!("{threads_max} local heaps are attached, as many as threads_max allows: detach one or raise it"),
    AttachError::InsideRun => "this thread runs a local heap: attach outside of `run`, or inside `park`".to_owned(),
    AttachError::Poisoned => POISONED.to_owned(),
);

const POISONED: &str = "the heap is poisoned: an invariant broke in an earlier stop; build a new heap";

/// Why a thread could not run its local heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum RunError {
    /// This thread runs a local heap already, of this heap or of another: two would deadlock. Return from `run` first.
    AlreadyRunning,
    /// An invariant broke in an earlier stop: build a new heap.
    Poisoned,
}

message!(RunError, this =>
    RunError::AlreadyRunning =>
        "this thread already runs a local heap, of this or of another heap: return from its `run` first".to_owned(),
    RunError::Poisoned => POISONED.to_owned(),
);

/// Why the world could not be stopped from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum StopError {
    /// This thread runs a local heap, for which a stop would wait for ever: use the scope's method.
    InsideRun,
    /// An invariant broke in an earlier stop: build a new heap.
    Poisoned,
}

message!(StopError, this =>
    StopError::InsideRun =>
        "this thread runs a local heap, and a stop from outside would wait for it: call the scope's method".to_owned(),
    StopError::Poisoned => POISONED.to_owned(),
);

/// Why a flag could not be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum FlagError {
    /// `concurrent_allocation` cannot be switched off while several local heaps are attached.
    SeveralAttached {
        /// How many.
        attached: usize,
    },
    /// The stress thread could not attach.
    Attach(AttachError),
    /// This thread runs a local heap: change flags outside of `run`.
    InsideRun,
    /// An invariant broke in an earlier stop: build a new heap.
    Poisoned,
}

message!(FlagError, this =>
    FlagError::SeveralAttached { attached } =>
        format!("concurrent_allocation cannot be switched off: {attached} local heaps are attached; detach all but one"),
    FlagError::Attach(error) => format!("the stress thread cannot attach: {error}"),
    FlagError::InsideRun => "this thread runs a local heap: change flags outside of `run`".to_owned(),
    FlagError::Poisoned => POISONED.to_owned(),
);

/// A persistent handle was opened in a heap that it does not belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct WrongHeap;

message!(WrongHeap, this =>
    WrongHeap => "the persistent handle belongs to another heap: open it in a scope of its own".to_owned(),
);

/// A heap could not be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum CloseError {
    /// Local heaps are attached: detach them first.
    Attached {
        /// How many.
        attached: usize,
    },
    /// This thread runs a local heap.
    InsideRun,
    /// An invariant broke in an earlier stop.
    Poisoned,
}

message!(CloseError, this =>
    CloseError::Attached { attached } => format!("{attached} local heaps are attached: detach them before closing"),
    CloseError::InsideRun => "this thread runs a local heap: close the heap outside of `run`".to_owned(),
    CloseError::Poisoned => POISONED.to_owned(),
);
