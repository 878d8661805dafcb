//! What the harness of tests says of each test: the one thing in its output that is relied on.
//!
//! The harness has no machine-readable output on a stable toolchain, and its exit code comes when all tests have run.
//! So its lines are read, to know of the first failure at once.

/// What a line says of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TestVerdict {
    /// The test passed.
    Passed,
    /// The test failed.
    Failed,
    /// The test was left out.
    Ignored,
}

impl TestVerdict {
    /// The verdict in a line of the harness's, `test NAME ... VERDICT`; `None` if the line has none. What a test
    /// printed without ending the line may stand before that.
    pub(crate) fn of(line: &str) -> Option<TestVerdict> {
        let (before, verdict) = line.rsplit_once(" ... ")?;
        if !before.contains("test ") {
            return None;
        }
        // Behind a verdict there may be a reason or a time.
        match verdict.split([' ', ',']).next()? {
            "ok" => Some(TestVerdict::Passed),
            "FAILED" => Some(TestVerdict::Failed),
            "ignored" => Some(TestVerdict::Ignored),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TestVerdict;

    /// The sample is what the harness printed of tests that pass, fail, panic as they should, and are left out.
    #[test]
    fn verdicts_are_read_from_what_the_harness_prints() {
        const SAMPLE: &str = "\
running 5 tests
test fails ... FAILED
test inner::fails_too ... FAILED
test left_out ... ignored, it takes long
test passes ... ok
test unwinds - should panic ... ok

failures:

---- inner::fails_too stdout ----
something

thread 'inner::fails_too' panicked at s.rs:5:61:
no


failures:
    fails
    inner::fails_too

test result: FAILED. 2 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.08s
";
        let of = |verdict| SAMPLE.lines().filter(|line| TestVerdict::of(line) == Some(verdict)).collect::<Vec<_>>();
        assert_eq!(of(TestVerdict::Passed), ["test passes ... ok", "test unwinds - should panic ... ok"]);
        assert_eq!(of(TestVerdict::Failed), ["test fails ... FAILED", "test inner::fails_too ... FAILED"]);
        assert_eq!(of(TestVerdict::Ignored), ["test left_out ... ignored, it takes long"]);
    }

    #[test]
    fn what_tests_print_is_no_verdict() {
        assert_eq!(TestVerdict::of("printed test inner::fails_too ... FAILED"), Some(TestVerdict::Failed));
        for line in ["", "running 5 tests", "it goes on ... FAILED", "test a", "test result: FAILED. 2 passed"] {
            assert_eq!(TestVerdict::of(line), None, "{line}");
        }
    }
}
