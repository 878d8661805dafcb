//! Why a process of the suite ended: exit codes of the binary, and of the processes that a campaign starts.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | every check held |
//! | 1 | a check failed, or a file that is to be replayed cannot be read |
//! | 2 | the arguments are wrong, or the job could not begin |

use std::process::{ExitCode, ExitStatus};

/// Why a process ends; the number is its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    /// Everything held.
    Passed = 0,
    /// A check failed.
    Failed = 1,
    /// The arguments are wrong, or the job could not begin.
    BadUsage = 2,
}

impl Exit {
    /// All exits.
    pub const ALL: [Exit; 3] = [Exit::Passed, Exit::Failed, Exit::BadUsage];

    /// Passed, if everything held, and failed otherwise.
    pub fn passed_if(everything_held: bool) -> Exit {
        if everything_held { Exit::Passed } else { Exit::Failed }
    }

    /// Why a process of the suite ended. `None` if the process ended in another way: by a signal, or with a code that
    /// is no `Exit`'s, as after a panic.
    #[must_use]
    pub fn of(status: ExitStatus) -> Option<Exit> {
        Exit::ALL.into_iter().find(|exit| Some(*exit as i32) == status.code())
    }

    /// Ends this process.
    pub fn end_process(self) -> ! {
        std::process::exit(self as i32)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::Exit;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    #[test]
    fn a_reason_is_known_by_its_code_alone() {
        for exit in Exit::ALL {
            assert_eq!(Exit::of(ExitStatus::from_raw((exit as i32) << 8)), Some(exit));
        }
        assert_eq!(Exit::of(ExitStatus::from_raw(101 << 8)), None, "a panic");
        assert_eq!(Exit::of(ExitStatus::from_raw(6)), None, "an abort");
    }
}
