//! Why an evaluation ends early: an exception, a failed allocation, or a stop that no script catches.

use super::super::code::Position;
use heaplab::AllocError;

/// A result, or why there is none.
pub type Run<T> = Result<T, Unwind>;

/// Why an evaluation ends early.
#[derive(Debug)]
pub enum Unwind {
    /// An exception is thrown: it is in the root `Exception`.
    Thrown,
    /// An allocation failed. Becomes an exception where it is caught.
    Memory(AllocError),
    /// The script is stopped, and cannot catch it.
    Stopped(Box<Stopped>),
}

/// Why a script is stopped without an exception.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// It uses something that there is not here.
    Unsupported {
        /// What.
        what: String,
        /// Where.
        at: Position,
    },
    /// Its time is over.
    Interrupted,
    /// The heap is poisoned.
    Poisoned,
    /// Its output cannot be written: whoever reads it went away.
    Output,
}

impl From<AllocError> for Unwind {
    fn from(error: AllocError) -> Unwind {
        match error {
            AllocError::Poisoned => Unwind::Stopped(Box::new(Stopped::Poisoned)),
            error => Unwind::Memory(error),
        }
    }
}
