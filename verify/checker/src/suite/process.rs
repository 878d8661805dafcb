//! A worker process and what it says: a line of JSON for each event, on its standard output.
//!
//! A model that fails may take its process along: what unwinds meets the broken heap in a destructor, or a lock of
//! the checker that is no longer in order, and a panic there is an abort. So each model has a process of its own,
//! whether the binary runs it ([`run`]) or a test does ([`run_in_test`]).

use crate::as_text;
use crate::model::{Certificate, Pass};
use crate::record::SiteRecord;
use heaplab_common::exit::Exit;
use serde::{Deserialize, Serialize};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, ExitStatus, Stdio};

/// What a worker says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// An execution has begun; said now and then.
    Progress {
        /// The pass.
        #[serde(with = "as_text")]
        pass: Pass,
        /// The execution's number.
        executions: u64,
    },
    /// A pass is complete.
    Certified(Box<Certificate>),
    /// The sites that the model ran, in all its passes.
    Sites {
        /// In source order.
        sites: Vec<SiteRecord>,
    },
    /// A pass is red.
    Failed {
        /// The pass.
        #[serde(with = "as_text")]
        pass: Pass,
        /// The failing execution's number.
        executions: u64,
        /// The message of the failure.
        message: String,
        /// Whether the pass only met a limit.
        truncated: bool,
    },
    /// All passes have run and are green.
    Done,
}

/// What came of a worker.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said.
    pub events: Vec<Event>,
    /// What it wrote to its error stream.
    pub complaints: String,
}

impl Outcome {
    /// Certificates, in the order of the passes.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.events.iter().filter_map(|event| match event {
            Event::Certified(certificate) => Some(&**certificate),
            _ => None,
        })
    }

    /// The sites of the model.
    #[must_use]
    pub fn sites(&self) -> &[SiteRecord] {
        let sites = self.events.iter().find_map(|event| match event {
            Event::Sites { sites } => Some(&**sites),
            _ => None,
        });
        sites.unwrap_or(&[])
    }

    /// Whether every pass is green.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.status.success() && self.events.iter().any(|event| matches!(event, Event::Done))
    }

    /// Why the model is red. `None` if it is green.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        if self.is_green() {
            return None;
        }
        let mut failures: Vec<(bool, &String)> = self
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Failed { truncated, message, .. } => Some((*truncated, message)),
                _ => None,
            })
            .collect();
        failures.sort_by_key(|&(truncated, _)| truncated);
        let said = failures.first().map(|&(_, message)| message.clone());
        // An abort leaves no event: the first panic on the error stream says what began it.
        let complained = || first_panic(&self.complaints).map(str::to_owned);
        Some(said.or_else(complained).unwrap_or_else(|| format!("it ended without a message, {}", self.status)))
    }

    /// Whether limits alone kept the outcome from being green: a pass met one before it saw everything, and nothing
    /// else failed.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        let failed = |by_limit: bool| {
            self.events.iter().any(|event| matches!(event, Event::Failed { truncated, .. } if *truncated == by_limit))
        };
        // An abort, or another end that the worker did not choose, leaves no event.
        failed(true) && !failed(false) && Exit::of(self.status) == Some(Exit::Failed)
    }
}

/// What the first panic in a text of the error stream says: the line after the one that names thread and place.
fn first_panic(complaints: &str) -> Option<&str> {
    let is_its_place = |line: &&str| line.starts_with("thread '") && line.contains(" panicked at ");
    complaints.lines().skip_while(|line| !is_its_place(line)).nth(1)
}

/// The environment variable that makes a program of tests the worker of one model. Its value is the model's name.
const WORKER: &str = "HEAPLAB_WORKER";

/// Whether this process, a program of tests, is the worker of this model.
#[must_use]
pub fn is_worker_of(model: &str) -> bool {
    std::env::var_os(WORKER).is_some_and(|name| name == model)
}

/// Runs this program as a worker and listens to it until it ends.
///
/// # Errors
/// The worker cannot be started, or says something that is no event.
pub fn run(arguments: &[String], on_event: impl FnMut(&Event)) -> std::io::Result<Outcome> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("worker").args(arguments);
    if let Some(directory) = heaplab_common::artefact::asked_for() {
        // The worker's counterexamples belong beside the record.
        command.arg("--out").arg(directory);
    }
    listen(&mut command, false, on_event)
}

/// Runs this program, a program of tests, as the worker of one model, with the test of this path alone. The test has
/// to ask [`is_worker_of`].
///
/// # Errors
/// As [`run`].
pub fn run_in_test(test: &str, model: &str) -> std::io::Result<Outcome> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([test, "--exact", "--nocapture", "--quiet", "--test-threads=1"]).env(WORKER, model);
    listen(&mut command, true, |_| {})
}

/// Runs a worker and listens to it until it ends. In a test, the lines of the harness are skipped, which are no
/// events.
fn listen(command: &mut Command, in_test: bool, mut on_event: impl FnMut(&Event)) -> std::io::Result<Outcome> {
    let mut child = command
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut errors = child.stderr.take().expect("piped");
    // Both streams are read at once: a worker blocks when a stream is full that nobody reads.
    let complaints = std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = errors.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut events = Vec::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line?;
        if in_test && !line.starts_with('{') {
            continue;
        }
        let event: Event = serde_json::from_str(&line)
            .map_err(|error| std::io::Error::other(format!("a worker said `{line}`: {error}")))?;
        on_event(&event);
        if !matches!(event, Event::Progress { .. }) {
            events.push(event);
        }
    }
    let status = child.wait()?;
    Ok(Outcome { status, events, complaints: complaints.join().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn limits_alone_leave_a_model_undecided() {
        use std::os::unix::process::ExitStatusExt as _;
        let failed = |truncated| Event::Failed {
            pass: Pass::Normal,
            executions: 7,
            message: "it has seen enough".to_owned(),
            truncated,
        };
        let is_undecided = |events: &[Event], status| {
            let status = ExitStatus::from_raw(status);
            Outcome { status, events: events.to_vec(), complaints: String::new() }.is_undecided()
        };
        let (passed, one, aborted) = (0, 1 << 8, 6);
        assert!(!is_undecided(&[Event::Done], passed), "it is green");
        assert!(is_undecided(&[failed(true)], one));
        assert!(is_undecided(&[failed(true), failed(true)], one));
        assert!(!is_undecided(&[failed(false)], one));
        assert!(!is_undecided(&[failed(true), failed(false)], one), "the other pass is red");
        assert!(!is_undecided(&[failed(true)], aborted));
        assert!(!is_undecided(&[], aborted));
    }

    /// The samples are what workers left on the error stream when they aborted; the standard library has had both
    /// forms.
    #[test]
    fn the_first_panic_is_what_began_it() {
        let first = "
thread 'main' (4711) panicked at verify/models/src/page_set.rs:60:9:
the page is there twice
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
";
        let second = "thread 'main' panicked at src/memory/owned.rs:80:13:
a slab is lost
thread caused non-unwinding panic. aborting.
";
        assert_eq!(first_panic(&(first.to_owned() + second)), Some("the page is there twice"));
        assert_eq!(first_panic(second), Some("a slab is lost"));
        for text in ["", "it said that it panicked at something\nno\n", "thread 'main' panicked at src/a.rs:1:1:"] {
            assert_eq!(first_panic(text), None, "{text}");
        }
    }
}
