//! Errors as values. Each variant says who has to act next.

use super::{AllocationType, GRANULE_BYTES};
use core::fmt;

/// Why an allocation failed for good. After every error but `Poisoned` and `Forked` the heap is sound and serves on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
#[non_exhaustive]
pub enum AllocError {
    /// The caller has to ask for a non-zero multiple of 8 bytes; `fill_page_but`, to leave a multiple of the type's
    /// granule, up to half a page.
    InvalidSize {
        /// What was asked for, in bytes.
        size_bytes: usize,
    },
    /// The caller has to ask for an alignment of 8, 16, 32 or 64 bytes.
    InvalidAlignment {
        /// What was asked for, in bytes.
        alignment_bytes: usize,
    },
    /// No collection can help: no heap of this configuration holds an object, a map or a reserve of this size.
    TooLarge {
        /// What was asked for, in bytes (saturated).
        size_bytes: usize,
        /// The largest object of the type that this heap can hold, in bytes; for a reserve, that of any type.
        size_bytes_max: usize,
    },
    /// [`AllocationOrigin::Collector`](super::AllocationOrigin::Collector) was named outside a stop.
    InvalidOrigin,
    /// The shape, or the type of allocation, does not fit what is asked for; the text says why.
    InvalidShape(&'static str),
    /// Every rung of the retry ladder was climbed, or the request may not climb it: in the near-limit callback, or by
    /// `fill_page_but`. The embedder has to drop references, or raise the limit.
    OutOfMemory {
        /// The type of the request that failed; `Old` for a reserve.
        allocation_type: AllocationType,
        /// Its size in bytes.
        size_bytes: usize,
    },
    /// A stop unwound, because it met a broken invariant; this heap serves no more requests. `Heap::poison_message`
    /// says what the stop met, and where.
    Poisoned,
    /// The heap was built in the process that this one was forked from, and serves that process alone.
    Forked,
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            AllocError::InvalidSize { size_bytes } => {
                write!(
                    f,
                    "{size_bytes} bytes is no valid size: ask for a non-zero multiple of {GRANULE_BYTES}; of a page \
                     that is to be filled, leave a multiple of the type's granule, up to half a page"
                )
            }
            AllocError::InvalidAlignment { alignment_bytes } => {
                write!(f, "alignment {alignment_bytes} is not supported: ask for 8, 16, 32 or 64 bytes")
            }
            AllocError::TooLarge { size_bytes, size_bytes_max } => write!(
                f,
                "{size_bytes} bytes can never fit in this heap, whose largest object of the type has {size_bytes_max} \
                 bytes: ask for a smaller object or reserve, or configure a greater hard limit, for a map larger pages"
            ),
            AllocError::InvalidOrigin => {
                f.write_str("the origin Collector is reserved for stops: ask with origin Runtime")
            }
            AllocError::InvalidShape(reason) => write!(f, "invalid shape: {reason}"),
            AllocError::OutOfMemory { allocation_type, size_bytes } => write!(
                f,
                "out of memory: {size_bytes} bytes of type {allocation_type:?} do not fit after every collection; \
                 drop references or raise the hard limit"
            ),
            AllocError::Poisoned => f.write_str(
                "the heap is poisoned: an earlier stop of it unwound (`Heap::poison_message` says why); \
                 build a new heap",
            ),
            AllocError::Forked => {
                f.write_str("the heap belongs to the process that this one was forked from: build a new heap here")
            }
        }
    }
}

impl core::error::Error for AllocError {}

/// Why one attempt, a rung of the retry ladder, failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum AttemptError {
    /// The space has no memory left within the limit that applied: a collection may help.
    Exhausted,
    /// The system refused to commit a page within the limits: a collection may help, since it gives pages back.
    Refused,
}

/// Why a configuration was refused. The text names the field and the range that it must lie in.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use]
pub struct ConfigError {
    field: &'static str,
    reason: String,
}

impl ConfigError {
    /// An error about `field`.
    pub(crate) fn new(field: &'static str, reason: impl Into<String>) -> ConfigError {
        ConfigError { field, reason: reason.into() }
    }

    /// The name of the configuration field that is wrong.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "heap configuration: {}: {}", self.field, self.reason)
    }
}

impl core::error::Error for ConfigError {}
