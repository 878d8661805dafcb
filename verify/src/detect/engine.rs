//! An engine: a way to run the suite, built by cargo and started without it.

use super::process::{build, end, forward};
use super::{SECONDS, Tree};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What a property says when it has shrunk: the number of operations stands before it.
const SHRUNK: &str = " operations are enough";
/// Lines of what an engine says last that are kept for a message.
const TAIL: usize = 20;
/// What libFuzzer needs to be steered by what an input reached, as `cargo fuzz` has it without a sanitizer.
const STEERED: &[(&str, &str)] = &[
    (
        "RUSTFLAGS",
        "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
         -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
         -Cllvm-args=-sanitizer-coverage-trace-compares",
    ),
    ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true"),
];

/// A way to run the suite.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// What people call it.
    pub name: &'static str,
    /// Arguments of cargo that build it.
    build: &'static [&'static str],
    /// What cargo's environment has then.
    environment: &'static [(&'static str, &'static str)],
    /// Arguments of each program that was built.
    run: &'static [&'static str],
    /// What it says as soon as it has failed, though it goes on.
    sign: Option<&'static str>,
}

/// How an engine fared.
#[derive(Clone, Debug)]
pub struct Started {
    /// When it failed; nothing if it passed, or ran out of time.
    pub seconds: Option<f64>,
    /// The operations of the shortest program that it shrank to.
    pub operations: Option<usize>,
    /// What it said last.
    pub tail: String,
}

impl Engine {
    /// The engines, quickest to build first.
    pub const ALL: &[Engine] = &[
        Engine {
            name: "tests of the heap",
            build: &["test", "-p", "heaplab", "--features", "heaplab/internals", "--lib", "--tests"],
            environment: &[],
            run: &[],
            sign: None,
        },
        Engine {
            name: "recorded programs",
            build: &["test", "-p", "heaplab-verify", "--test", "props"],
            environment: &[],
            run: &["regressions"],
            sign: None,
        },
        Engine {
            name: "properties",
            build: &["test", "-p", "heaplab-verify", "--test", "props"],
            environment: &[],
            // Without the recorded programs, of which one may end the process before this has shrunk its own.
            // Uncaptured, or what one property says is not heard before the last one has ended.
            run: &["programs::", "--skip", "committed_seeds", "--nocapture"],
            sign: Some(SHRUNK),
        },
        Engine {
            name: "systematic failure",
            build: &["test", "-p", "heaplab-verify", "--test", "systematic"],
            environment: &[],
            run: &[],
            sign: None,
        },
        Engine {
            name: "scenarios",
            build: &["test", "-p", "heaplab-verify", "--test", "scenarios"],
            environment: &[],
            run: &[],
            sign: None,
        },
        Engine {
            name: "stress",
            build: &["test", "-p", "heaplab-verify", "--test", "stress"],
            environment: &[],
            run: &[],
            sign: None,
        },
        Engine {
            name: "fuzzing",
            #[rustfmt::skip]
            build: &[
                // Named, so that what runs while others are built, macros above all, is built without instruments.
                "build", "--manifest-path", "fuzz/Cargo.toml", "--release", "--target", "host-tuple", "--no-default-features",
                "--bin", "heap_ops", "--bin", "interleaved_ops",
            ],
            environment: STEERED,
            // From nothing: the seeds are what the recorded programs are.
            run: &["-max_total_time=29", "-max_len=1026"],
            sign: None,
        },
        Engine {
            name: "models",
            build: &["build", "--release", "--features", "loom", "--bin", "heaplab"],
            environment: &[],
            run: &["models"],
            sign: Some("RED "),
        },
    ];

    /// Builds the engine from the tree, then lets it look.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn start(&self, tree: &Tree) -> Result<Started, String> {
        let programs =
            build(tree, self.build, self.environment).map_err(|reason| format!("{}: {}", self.name, tail(&reason)))?;
        let begin = Instant::now();
        let deadline = begin + Duration::from_secs(SECONDS);
        let mut last = Started { seconds: None, operations: None, tail: String::new() };
        for program in programs {
            let mut command = Command::new(&program.path);
            command
                .args(self.run)
                .current_dir(&program.package)
                .env("CARGO_TARGET_DIR", &tree.target)
                // More than fit into the time: the deadline decides.
                .env("PROPTEST_CASES", "4096")
                .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
                .env("RUST_BACKTRACE", "0");
            last = self
                .watch(&mut command, begin, deadline)
                .map_err(|error| format!("{} ({}) cannot be started: {error}", self.name, program.target))?;
            if last.seconds.is_some() || Instant::now() >= deadline {
                break;
            }
        }
        Ok(last)
    }

    fn watch(&self, command: &mut Command, begin: Instant, deadline: Instant) -> std::io::Result<Started> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, lines) = mpsc::channel();
        forward(child.stdout.take(), sender.clone());
        forward(child.stderr.take(), sender);
        let mut said: Vec<String> = Vec::new();
        let mut failed_at = None;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if self.sign.is_some_and(|sign| line.contains(sign)) {
                        failed_at = failed_at.or(Some(begin.elapsed()));
                    }
                    said.push(line);
                    // What shrinks goes on: another of its programs may be shorter.
                    if failed_at.is_some() && self.sign != Some(SHRUNK) {
                        end(&mut child);
                        break;
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    end(&mut child);
                    break;
                }
                // It has closed both streams: it has ended, or is about to.
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    if !child.wait()?.success() {
                        failed_at = failed_at.or(Some(begin.elapsed()));
                    }
                    break;
                }
            }
        }
        let shrunk = said.iter().filter_map(|line| line.split_once(SHRUNK)?.0.split_whitespace().last()?.parse().ok());
        let operations = shrunk.min();
        Ok(Started { seconds: failed_at.map(|time| time.as_secs_f64()), operations, tail: tail(&said.join("\n")) })
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
