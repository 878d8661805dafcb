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
    /// An allocation failed. The error becomes an exception where it is caught (IN-2).
    Memory(AllocError),
    /// The script is stopped, and cannot catch that (IN-3).
    Stopped(Box<Stopped>),
}

/// Why a script is stopped without an exception.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// The script uses something that this interpreter has not got.
    Unsupported {
        /// What.
        what: String,
        /// Where.
        at: Position,
    },
    /// The script's time or fuel is used up.
    Interrupted,
    /// The heap is poisoned.
    Poisoned,
    /// The script's output cannot be written, as when its reader has gone away.
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
