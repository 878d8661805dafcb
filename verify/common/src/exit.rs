//! Exit codes of the binary, and of the processes that a campaign starts.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | every check held |
//! | 1 | a check failed, or a file that is to be replayed cannot be read |
//! | 2 | the arguments are wrong, or the job could not begin |

/// Everything held.
pub const PASSED: u8 = 0;
/// A check failed.
pub const FAILED: u8 = 1;
/// The arguments are wrong, or the job could not begin.
pub const BAD_USAGE: u8 = 2;
