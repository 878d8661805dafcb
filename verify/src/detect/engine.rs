//! An engine: a way to run the suite, built by cargo and started without it.

use super::{SECONDS, Tree};
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What a property says when it has shrunk: the number of operations stands before it.
const SHRUNK: &str = " operations are enough";
/// Lines of what an engine says last that are kept for a message.
const TAIL: usize = 20;

/// A way to run the suite.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// What people call it.
    pub name: &'static str,
    /// Arguments of cargo that build it.
    build: &'static [&'static str],
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
            build: &["test", "-p", "heaplab", "--lib", "--tests"],
            run: &[],
            sign: None,
        },
        Engine {
            name: "recorded programs",
            build: &["test", "-p", "heaplab-verify", "--test", "props"],
            run: &["regressions"],
            sign: None,
        },
        Engine {
            name: "properties",
            build: &["test", "-p", "heaplab-verify", "--test", "props"],
            // Without the recorded programs, of which one may end the process before this has shrunk its own.
            run: &["programs::", "--skip", "committed_seeds"],
            sign: Some(SHRUNK),
        },
        Engine {
            name: "systematic failure",
            build: &["test", "-p", "heaplab-verify", "--test", "systematic"],
            run: &[],
            sign: None,
        },
        Engine {
            name: "scenarios",
            build: &["test", "-p", "heaplab-verify", "--test", "scenarios"],
            run: &[],
            sign: None,
        },
        Engine { name: "stress", build: &["test", "-p", "heaplab-verify", "--test", "stress"], run: &[], sign: None },
        Engine {
            name: "models",
            build: &["build", "--release", "--features", "loom", "--bin", "heaplab"],
            run: &["models"],
            sign: Some("fails in the"),
        },
    ];

    /// Builds the engine from the tree, then lets it look.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn start(&self, tree: &Tree) -> Result<Started, String> {
        let programs = self.build(tree)?;
        let begin = Instant::now();
        let deadline = begin + Duration::from_secs(SECONDS);
        let mut last = Started { seconds: None, operations: None, tail: String::new() };
        for program in programs {
            let mut command = Command::new(&program);
            command
                .args(self.run)
                .current_dir(&tree.root)
                .env("CARGO_TARGET_DIR", &tree.target)
                // More than fit into the time: the deadline decides.
                .env("PROPTEST_CASES", "4096")
                .env("RUST_BACKTRACE", "0");
            last = self
                .watch(&mut command, begin, deadline)
                .map_err(|error| format!("{} ({}) cannot be started: {error}", self.name, program.display()))?;
            if last.seconds.is_some() || Instant::now() >= deadline {
                break;
            }
        }
        Ok(last)
    }

    /// The programs that cargo builds for this engine.
    fn build(&self, tree: &Tree) -> Result<Vec<PathBuf>, String> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(self.build).args(["--locked", "--message-format=json-render-diagnostics"]);
        if self.build[0] == "test" {
            command.arg("--no-run");
        }
        let output = command
            .current_dir(&tree.root)
            .env("CARGO_TARGET_DIR", &tree.target)
            .output()
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("{} does not compile:\n{}", self.name, tail(&String::from_utf8_lossy(&output.stderr))));
        }
        let messages = String::from_utf8_lossy(&output.stdout);
        let tests = self.build[0] == "test";
        let executable = |line: &str| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            // Tests that start the binary have cargo build it along.
            let is_asked_for = message.get("profile")?.get("test")?.as_bool()? == tests;
            message.get("executable")?.as_str().filter(|_| is_asked_for).map(PathBuf::from)
        };
        let programs: Vec<PathBuf> = messages.lines().filter_map(executable).collect();
        if programs.is_empty() {
            return Err(format!("{}: cargo built no program", self.name));
        }
        Ok(programs)
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

/// Sends each line of a stream.
fn forward(stream: Option<impl Read + Send + 'static>, to: mpsc::Sender<String>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
}

/// Ends a program that we started and have seen enough of.
fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}
