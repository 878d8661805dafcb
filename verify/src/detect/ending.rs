//! How a program of an engine ends, and what that says: one table for each kind of program.
//!
//! | what ended it | a program of tests | a fuzzer | the binary |
//! |---|---|---|---|
//! | 0 | passed | passed | passed |
//! | 1 | failed | not begun: libFuzzer refuses flags and directories so | failed |
//! | 2 | failed | failed | not begun: a job that cannot begin ends so |
//! | any other code | failed: 101 is the harness's | failed: 77, 71 and 70 are libFuzzer's | failed |
//! | a signal | failed | failed | failed |

use heaplab_common::exit::Exit;
use std::process::ExitStatus;

/// What kind of program an engine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgramKind {
    /// Tests, in the harness that comes with the language.
    Tests,
    /// A fuzz target, in libFuzzer.
    Fuzzer,
    /// The binary of the suite.
    Binary,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The program ended, and nothing failed.
    Passed,
    /// Something failed, whether the program has ended or would have gone on.
    Failed,
    /// The program ended before it looked at anything.
    NotBegun,
    /// The program had all of its time, and had found nothing.
    OutOfTime,
}

/// The code with which libFuzzer refuses its arguments.
const REFUSED_BY_LIBFUZZER: i32 = 1;

impl Ending {
    /// The ending that an exit status stands for, in a program of this kind.
    pub(super) fn of(kind: ProgramKind, status: ExitStatus) -> Ending {
        if status.success() {
            return Ending::Passed;
        }
        let has_begun = match kind {
            ProgramKind::Tests => true,
            ProgramKind::Fuzzer => status.code() != Some(REFUSED_BY_LIBFUZZER),
            ProgramKind::Binary => Exit::of(status) != Some(Exit::BadUsage),
        };
        if has_begun { Ending::Failed } else { Ending::NotBegun }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    /// The samples are what programs of each kind were seen to end with.
    #[test]
    fn each_kind_of_program_says_by_its_code_how_it_ended() {
        let code = |code: i32| ExitStatus::from_raw(code << 8);
        const SIGABRT: i32 = 6;
        const SIGSEGV: i32 = 11;
        let all = [ProgramKind::Tests, ProgramKind::Fuzzer, ProgramKind::Binary];
        for kind in all {
            assert_eq!(Ending::of(kind, code(0)), Ending::Passed, "{kind:?}");
            for signal in [SIGABRT, SIGSEGV] {
                assert_eq!(Ending::of(kind, ExitStatus::from_raw(signal)), Ending::Failed, "{kind:?}");
            }
        }
        for (kind, number, ending) in [
            (ProgramKind::Tests, 101, Ending::Failed),
            (ProgramKind::Fuzzer, 77, Ending::Failed),
            (ProgramKind::Fuzzer, 71, Ending::Failed),
            (ProgramKind::Fuzzer, 70, Ending::Failed),
            (ProgramKind::Fuzzer, 1, Ending::NotBegun),
            (ProgramKind::Binary, 1, Ending::Failed),
            (ProgramKind::Binary, 2, Ending::NotBegun),
            (ProgramKind::Binary, 101, Ending::Failed),
        ] {
            assert_eq!(Ending::of(kind, code(number)), ending, "{kind:?} {number}");
        }
    }
}
