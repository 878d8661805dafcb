//! How many forks this process came from: its *generation*.
//!
//! After `fork` the child has one thread, and copies of locks that other threads may have held: a child that waits
//! for such a lock waits for ever. So a heap remembers the generation of the process that built it, and compares the
//! two before anything that could block. A child learns that it is one by a handler that the system calls in it
//! (`pthread_atfork`): no system call, no process id.
//!
//! Where there is no `fork` to see - under a checker, under Miri, on other systems - the number is a constant
//! (`fork_unseen.rs`).

use super::forks;

/// How many forks this process came from since the first heap was built. One load.
#[inline(always)]
#[must_use]
pub fn generation() -> u32 {
    forks::generation()
}

/// As [`generation`]. The first call registers the handler, so forks are counted from then on.
#[must_use]
pub fn generation_watched() -> u32 {
    forks::generation_watched()
}
