//! An engine: a way to run the suite, built by cargo and started without it.

use super::ending::{Ending, ProgramKind};
use super::process::{Target, build, end, forward};
use super::tree::Tree;
use crate::notice::{self, Notice};
use std::fmt;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long an engine may look.
pub const SECONDS: u64 = 60;
/// Lines of what an engine says last that are kept for a message.
const TAIL: usize = 20;
/// The environment of a build that libFuzzer can steer by coverage, as `cargo fuzz` sets it without a sanitizer.
const STEERED: &[(&str, &str)] = &[
    (
        "RUSTFLAGS",
        "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
         -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
         -Cllvm-args=-sanitizer-coverage-trace-compares",
    ),
    ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true"),
];

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineName {
    /// The tests of the heap's own package.
    HeapTests,
    /// Programs that failed once.
    RecordedPrograms,
    /// Properties of drawn programs.
    Properties,
    /// Each fallible point of a program fails in turn.
    SystematicFailure,
    /// The mission's scenarios.
    Scenarios,
    /// Threads that allocate at random.
    Stress,
    /// Two fuzz targets, without seeds.
    Fuzzing,
    /// Every model.
    Models,
}

impl EngineName {
    /// All of them.
    pub const ALL: [EngineName; 8] = [
        EngineName::HeapTests,
        EngineName::RecordedPrograms,
        EngineName::Properties,
        EngineName::SystematicFailure,
        EngineName::Scenarios,
        EngineName::Stress,
        EngineName::Fuzzing,
        EngineName::Models,
    ];

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            EngineName::HeapTests => "tests of the heap",
            EngineName::RecordedPrograms => "recorded programs",
            EngineName::Properties => "properties",
            EngineName::SystematicFailure => "systematic failure",
            EngineName::Scenarios => "scenarios",
            EngineName::Stress => "stress",
            EngineName::Fuzzing => "fuzzing",
            EngineName::Models => "models",
        }
    }
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EngineName {
    type Err = String;

    fn from_str(text: &str) -> Result<EngineName, String> {
        let known = EngineName::ALL.into_iter().find(|known| known.name() == text);
        known.ok_or_else(|| {
            format!("`{text}` is no engine; there are {}", EngineName::ALL.map(EngineName::name).join(", "))
        })
    }
}

/// A way to run the suite.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// Which.
    pub name: EngineName,
    /// What kind of program it is.
    kind: ProgramKind,
    /// Arguments of cargo that build it.
    build: &'static [&'static str],
    /// What cargo's environment has then.
    environment: &'static [(&'static str, &'static str)],
    /// Arguments of each program that was built.
    run: &'static [&'static str],
}

impl ProgramKind {
    /// What cargo builds it as.
    fn target(self) -> Target {
        match self {
            ProgramKind::Tests => Target::Tests,
            ProgramKind::Fuzzer | ProgramKind::Binary => Target::Programs,
        }
    }
}

/// How an engine fared.
#[derive(Clone, Debug)]
pub struct Look {
    /// How its last program ended.
    pub ending: Ending,
    /// After how many seconds the engine failed. `None` if it did not.
    pub seconds: Option<f64>,
    /// The operations of the shortest program that the engine shrank to.
    pub operations: Option<usize>,
    /// The last lines that the engine printed.
    pub tail: String,
}

impl Engine {
    /// The engines, quickest to build first.
    pub const ALL: &[Engine] = &[
        Engine {
            name: EngineName::HeapTests,
            kind: ProgramKind::Tests,
            build: &["-p", "heaplab", "--features", "heaplab/internals", "--lib", "--tests"],
            environment: &[],
            run: &[],
        },
        Engine {
            name: EngineName::RecordedPrograms,
            kind: ProgramKind::Tests,
            build: &["-p", "heaplab-verify", "--test", "props"],
            environment: &[],
            run: &["regressions"],
        },
        Engine {
            name: EngineName::Properties,
            kind: ProgramKind::Tests,
            build: &["-p", "heaplab-verify", "--test", "props"],
            environment: &[],
            // The recorded programs are left out, since one of them may end the process before the property has
            // shrunk its own. Output is not captured, so that the last lines are there when the time is over.
            run: &["programs::", "--skip", "committed_seeds", "--nocapture"],
        },
        Engine {
            name: EngineName::SystematicFailure,
            kind: ProgramKind::Tests,
            build: &["-p", "heaplab-verify", "--test", "systematic"],
            environment: &[],
            run: &[],
        },
        Engine {
            name: EngineName::Scenarios,
            kind: ProgramKind::Tests,
            build: &["-p", "heaplab-verify", "--test", "scenarios"],
            environment: &[],
            run: &[],
        },
        Engine {
            name: EngineName::Stress,
            kind: ProgramKind::Tests,
            build: &["-p", "heaplab-verify", "--test", "stress"],
            environment: &[],
            run: &[],
        },
        Engine {
            name: EngineName::Fuzzing,
            kind: ProgramKind::Fuzzer,
            #[rustfmt::skip]
            build: &[
                // A target is named, so that what runs during the build, macros above all, is built without
                // instruments.
                "--manifest-path", "fuzz/Cargo.toml", "--release", "--target", "host-tuple", "--no-default-features",
                "--bin", "heap_ops", "--bin", "interleaved_ops",
            ],
            environment: STEERED,
            // Without seeds: those are the recorded programs, which another engine runs.
            run: &["-max_total_time=29", "-max_len=1026"],
        },
        Engine {
            name: EngineName::Models,
            kind: ProgramKind::Binary,
            build: &["--release", "--features", "loom", "--bin", "heaplab"],
            environment: &[],
            run: &["models"],
        },
    ];

    /// Builds the engine from the tree, then lets it look.
    ///
    /// # Errors
    /// The engine cannot be built or started, or it ends before it has looked.
    pub fn look(&self, tree: &Tree) -> Result<Look, String> {
        let programs = build(tree, self.kind.target(), self.build, self.environment)
            .map_err(|reason| format!("{}: {}", self.name, tail(&reason)))?;
        let begin = Instant::now();
        let deadline = begin + Duration::from_secs(SECONDS);
        let mut last = Look { ending: Ending::Passed, seconds: None, operations: None, tail: String::new() };
        for program in programs {
            let mut command = Command::new(&program.path);
            command
                .args(self.run)
                .current_dir(&program.package)
                .env("CARGO_TARGET_DIR", &tree.target)
                .env(notice::ASK, "1")
                // More than fit into the time: the deadline decides.
                .env("PROPTEST_CASES", "4096")
                .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
                .env("RUST_BACKTRACE", "0");
            last = self
                .watch(&mut command, begin, deadline)
                .map_err(|error| format!("{} ({}) cannot be started: {error}", self.name, program.target))?;
            match last.ending {
                Ending::Passed => {}
                Ending::NotBegun => {
                    return Err(format!("{} ({}) cannot begin:\n{}", self.name, program.target, last.tail));
                }
                Ending::Failed | Ending::OutOfTime => break,
            }
        }
        Ok(last)
    }

    /// Runs a program until it has ended, has said that it fails, or is out of time.
    fn watch(&self, command: &mut Command, begin: Instant, deadline: Instant) -> std::io::Result<Look> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take(), sender.clone());
        forward(child.stderr.take(), sender);
        let mut said: Vec<String> = Vec::new();
        let mut failed_at = None;
        let mut operations: Option<usize> = None;
        let ending = loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => match Notice::of(&line) {
                    None => said.push(line),
                    Some(Notice::Red { .. }) => {
                        failed_at = failed_at.or(Some(begin.elapsed()));
                        end(&mut child);
                        break Ending::Failed;
                    }
                    // The engine goes on: a later program may be shorter.
                    Some(Notice::Shrunk { operations: count, .. }) => {
                        failed_at = failed_at.or(Some(begin.elapsed()));
                        operations = Some(operations.map_or(count, |known| known.min(count)));
                    }
                },
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    end(&mut child);
                    break Ending::OutOfTime;
                }
                // The program has closed both streams: it has ended, or is about to.
                Err(mpsc::RecvTimeoutError::Disconnected) => break Ending::of(self.kind, child.wait()?),
            }
        };
        let ending = if failed_at.is_some() { Ending::Failed } else { ending };
        let failed_at = if ending == Ending::Failed { failed_at.or(Some(begin.elapsed())) } else { None };
        Ok(Look { ending, seconds: failed_at.map(|time| time.as_secs_f64()), operations, tail: tail(&said.join("\n")) })
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each engine is there once, and is known by its name.
    #[test]
    fn a_name_is_one_engines() {
        assert_eq!(Engine::ALL.iter().map(|engine| engine.name).collect::<Vec<_>>(), EngineName::ALL);
        for name in EngineName::ALL {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        let error = "no_such_engine".parse::<EngineName>().unwrap_err();
        assert!(error.contains("`no_such_engine` is no engine; there are tests of the heap, "), "{error}");
    }

    /// Goal: an engine's failure is known by its notices and its exit, whatever else it prints. Method: a shell says
    /// what an engine would.
    #[cfg(unix)]
    #[test]
    fn a_program_is_known_by_its_notices_and_its_exit() {
        let look = |kind: ProgramKind, script: &str, seconds: u64| {
            let engine = Engine { kind, ..Engine::ALL[0] };
            let begin = Instant::now();
            let mut command = Command::new("sh");
            let look = engine.watch(command.args(["-c", script]), begin, begin + Duration::from_secs(seconds));
            look.expect("there is a shell")
        };
        let red = Notice::Red { model: "a::b".to_owned() }.line();
        let shrunk = |operations| Notice::Shrunk { property: "p".to_owned(), operations }.line();

        let passed = look(ProgramKind::Tests, "echo 7 operations are enough; echo RED a::b: it failed", 60);
        assert_eq!((passed.ending, passed.seconds, passed.operations), (Ending::Passed, None, None));
        assert_eq!(passed.tail, "7 operations are enough\nRED a::b: it failed");
        let failed = look(ProgramKind::Tests, "exit 101", 60);
        assert!(failed.ending == Ending::Failed && failed.seconds.is_some());
        assert_eq!(look(ProgramKind::Binary, "echo 'no such model' >&2; exit 2", 60).ending, Ending::NotBegun);
        let begun = Instant::now();
        let red = look(ProgramKind::Binary, &format!("echo '{red}' >&2; exec sleep 60"), 60);
        assert!(red.ending == Ending::Failed && red.tail.is_empty() && begun.elapsed() < Duration::from_secs(50));
        let script = format!("echo '{}' >&2; echo '{}' >&2; exec sleep 60", shrunk(9), shrunk(4));
        let shrunk = look(ProgramKind::Tests, &script, 1);
        assert_eq!((shrunk.ending, shrunk.operations), (Ending::Failed, Some(4)));
        assert!(shrunk.seconds.is_some_and(|seconds| seconds < 1.0), "when it failed, not when it ended");
        let slow = look(ProgramKind::Tests, "exec sleep 60", 1);
        assert_eq!((slow.ending, slow.seconds), (Ending::OutOfTime, None));
    }
}
