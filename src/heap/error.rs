//! Errors of the heap's own operations.

use crate::memory::MemoryError;
use crate::words::ConfigError;
use thiserror::Error;

/// Why a heap could not be built.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[must_use]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(ConfigError),
    /// The system refused the reservation or its first pages, or the Rust allocator the tables beside them.
    #[error(transparent)]
    Memory(MemoryError),
}

/// Why a thread could not attach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[must_use]
#[non_exhaustive]
pub enum AttachError {
    /// `concurrent_allocation` is off and a local heap is attached: detach it, or switch the flag on.
    #[error("concurrent allocation is off and a local heap is attached: detach it, or switch concurrent_allocation on")]
    ConcurrentAllocationOff,
    /// As many local heaps are attached as `threads_max` allows: detach one, or configure more.
    #[error("{threads_max} local heaps are attached, as many as threads_max allows: detach one or raise it")]
    TooManyThreads {
        /// The configured maximum.
        threads_max: usize,
    },
    /// This thread runs a local heap: attaching waits for a stop to end, which would wait for this thread. Attach
    /// outside of `run`, or inside `park`.
    #[error("this thread runs a local heap: attach outside of `run`, or inside `park`")]
    InsideRun,
    /// An earlier stop unwound: [`Heap::poison_message`](super::Heap::poison_message) says why. Build a new heap.
    #[error("the heap is poisoned: an earlier stop of it unwound (`Heap::poison_message` says why); build a new heap")]
    Poisoned,
    /// The heap was built in the process that this one was forked from: build a new heap here.
    #[error("the heap belongs to the process that this one was forked from: build a new heap here")]
    Forked,
}

/// Why a thread could not run its local heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[must_use]
#[non_exhaustive]
pub enum RunError {
    /// This thread runs a local heap already, of this heap or of another: two would deadlock. Return from `run` first.
    #[error("this thread already runs a local heap, of this or of another heap: return from its `run` first")]
    AlreadyRunning,
    /// An earlier stop unwound: [`Heap::poison_message`](super::Heap::poison_message) says why. Build a new heap.
    #[error("the heap is poisoned: an earlier stop of it unwound (`Heap::poison_message` says why); build a new heap")]
    Poisoned,
    /// The heap was built in the process that this one was forked from: build a new heap here.
    #[error("the heap belongs to the process that this one was forked from: build a new heap here")]
    Forked,
}

/// Why the world could not be stopped from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[must_use]
#[non_exhaustive]
pub enum StopError {
    /// This thread runs a local heap, for which a stop would wait for ever: use the scope's method.
    #[error("this thread runs a local heap, and a stop from outside would wait for it: call the scope's method")]
    InsideRun,
    /// The Rust allocator has no memory for what a verification or a survey remembers.
    #[error(
        "the Rust allocator has no memory for a look at the whole heap: free some, or raise the limits of the process"
    )]
    OutOfMemory,
    /// An earlier stop unwound: [`Heap::poison_message`](super::Heap::poison_message) says why. Build a new heap.
    #[error("the heap is poisoned: an earlier stop of it unwound (`Heap::poison_message` says why); build a new heap")]
    Poisoned,
    /// The heap was built in the process that this one was forked from: build a new heap here.
    #[error("the heap belongs to the process that this one was forked from: build a new heap here")]
    Forked,
}

/// Why a flag could not be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[must_use]
#[non_exhaustive]
pub enum FlagError {
    /// `concurrent_allocation` cannot be switched off while several local heaps are attached.
    #[error("concurrent_allocation cannot be switched off: {attached} local heaps are attached; detach all but one")]
    SeveralAttached {
        /// How many.
        attached: usize,
    },
    /// The system refused the stress thread: end other threads, or raise the limits of the process.
    #[error(
        "the system refused the stress thread{}; end other threads or raise the limits of the process",
        os_code.map(|code| format!(" (error {code})")).unwrap_or_default()
    )]
    Thread {
        /// The system's error code, if it gave one.
        os_code: Option<i32>,
    },
    /// The stress thread could not attach.
    #[error("the stress thread cannot attach: {0}")]
    Attach(AttachError),
    /// This thread runs a local heap: change flags outside of `run`.
    #[error("this thread runs a local heap: change flags outside of `run`")]
    InsideRun,
    /// An earlier stop unwound: [`Heap::poison_message`](super::Heap::poison_message) says why. Build a new heap.
    #[error("the heap is poisoned: an earlier stop of it unwound (`Heap::poison_message` says why); build a new heap")]
    Poisoned,
    /// The heap was built in the process that this one was forked from: build a new heap here.
    #[error("the heap belongs to the process that this one was forked from: build a new heap here")]
    Forked,
}

impl From<StopError> for FlagError {
    fn from(error: StopError) -> FlagError {
        match error {
            StopError::InsideRun => FlagError::InsideRun,
            // A stop for a flag takes no memory.
            StopError::Poisoned | StopError::OutOfMemory => FlagError::Poisoned,
            StopError::Forked => FlagError::Forked,
        }
    }
}

/// A persistent handle or a root set was used in a scope of a heap that it does not belong to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[must_use]
#[error("the persistent handle or root set belongs to another heap: use it in a scope of the heap that made it")]
pub struct WrongHeap;

/// Why a heap could not be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[must_use]
#[non_exhaustive]
pub enum CloseError {
    /// Local heaps are attached: detach them first.
    #[error("{attached} local heaps are attached: detach them before closing")]
    Attached {
        /// How many.
        attached: usize,
    },
    /// The Rust allocator has no memory for the last verification. Dropping the heap needs none.
    #[error("the Rust allocator has no memory for the last verification: free some, or drop the heap instead")]
    OutOfMemory,
    /// This thread runs a local heap.
    #[error("this thread runs a local heap: close the heap outside of `run`")]
    InsideRun,
    /// An earlier stop unwound: [`Heap::poison_message`](super::Heap::poison_message) says why. Build a new heap.
    #[error("the heap is poisoned: an earlier stop of it unwound (`Heap::poison_message` says why); build a new heap")]
    Poisoned,
    /// The heap was built in the process that this one was forked from: build a new heap here.
    #[error("the heap belongs to the process that this one was forked from: build a new heap here")]
    Forked,
}

/// Why the hard limit was not set. The limit is as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[must_use]
#[non_exhaustive]
pub enum LimitError {
    /// No heap of this configuration works with so little: new space, the built-in objects, and a few pages for each
    /// thread.
    #[error("a hard limit of {bytes} bytes is too low: this configuration needs at least {bytes_min}")]
    TooLow {
        /// What was asked for.
        bytes: usize,
        /// The least that is possible.
        bytes_min: usize,
    },
    /// No address space is reserved for so much.
    #[error("a hard limit of {bytes} bytes is too high: hard_limit_bytes_max is {bytes_max}")]
    TooHigh {
        /// What was asked for.
        bytes: usize,
        /// The most that is possible.
        bytes_max: usize,
    },
    /// After memory-reducing collections more than the limit asked for is committed: drop references, or set a higher
    /// limit.
    #[error("{committed_bytes} bytes stay committed after every collection: drop references or set a higher limit")]
    DoesNotFit {
        /// What is committed.
        committed_bytes: usize,
    },
    /// The world could not be stopped.
    #[error(transparent)]
    Stop(#[from] StopError),
}
