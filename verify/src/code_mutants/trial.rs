//! A trial: one mutant switched on, and the suite's programs that reach it, one after the other until one notices.

use super::record::CodeMutantFate;
use crate::detect::Tree;
use crate::detect::harness::TestVerdict;
use crate::detect::process::{Built, Target, build, end, forward};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Programs drawn for each property.
const CASES: &str = "48";
/// The seed of what is drawn, the same for each mutant.
const SEED: &str = "1";
/// KiB of writable memory that a program may have, since a mutant may ask for ever more. What is only reserved does
/// not count.
const KIB_MAX: u64 = 8 * 1024 * 1024;

/// Test targets with arguments: of the heap, then of the suite. The quickest has the first look.
const TARGETS: &[(&str, &str, &[&str])] = &[
    ("heaplab", "heaplab", &[]),
    ("heaplab", "verification", &[]),
    ("heaplab", "verifier", &[]),
    ("heaplab", "values", &[]),
    ("heaplab", "counters", &[]),
    ("heaplab", "limits", &[]),
    ("heaplab", "input", &[]),
    ("heaplab", "collections", &[]),
    ("heaplab", "survey", &[]),
    ("heaplab", "regressions", &[]),
    ("heaplab", "misuse", &[]),
    ("heaplab", "programs", &[]),
    ("heaplab-verify", "replay", &[]),
    ("heaplab-verify", "props", &["--skip", "committed_seeds"]),
    ("heaplab-verify", "hostile", &[]),
    ("heaplab-verify", "systematic", &[]),
    ("heaplab-verify", "scenarios", &["--exact", "off", "with_the_stress_flag", "one_heap_serves_all_scenarios"]),
];

/// A program of tests.
#[derive(Clone, Debug)]
pub(super) struct Program {
    name: String,
    path: PathBuf,
    directory: PathBuf,
    arguments: &'static [&'static str],
    /// How long it takes without a mutant.
    time: Duration,
    /// The mutants that it reaches.
    reaches: BTreeSet<usize>,
}

/// The programs that mutants are tried against, quickest first.
#[derive(Debug)]
pub(super) struct TrialPrograms {
    programs: Vec<Program>,
}

impl TrialPrograms {
    /// Builds the programs, and runs each without a mutant.
    ///
    /// # Errors
    /// A program cannot be built, or fails without a mutant.
    pub(super) fn build(tree: &Tree, mut say: impl FnMut(&str)) -> Result<TrialPrograms, String> {
        let mut programs = built(tree)?;
        for program in &mut programs {
            let reached = tree.target.join("reached");
            let _ = std::fs::remove_file(&reached);
            let begin = Instant::now();
            let mut command = program.command();
            command.env("HEAPLAB_CODE_MUTANTS_REACHED", &reached);
            match watch(&mut command, Duration::from_secs(600)) {
                Ok(None) => {}
                Ok(Some(why)) => return Err(format!("{} fails without a mutant: {why}", program.name)),
                Err(error) => return Err(format!("{} cannot be started: {error}", program.name)),
            }
            program.time = begin.elapsed();
            let text = std::fs::read_to_string(&reached).unwrap_or_default();
            program.reaches = text.lines().filter_map(|line| line.parse().ok()).collect();
            say(&format!(
                "{}: {:.1} s without a mutant, reaches {}",
                program.name,
                program.time.as_secs_f64(),
                program.reaches.len()
            ));
        }
        programs.sort_by_key(|program| program.time);
        Ok(TrialPrograms { programs })
    }

    /// Tries a mutant against the programs that reach it, until one notices. Returns the mutant's fate.
    ///
    /// # Errors
    /// A program cannot be started.
    pub(super) fn try_mutant(&self, mutant: usize) -> Result<CodeMutantFate, String> {
        let begin = Instant::now();
        let mut is_reached = false;
        for program in self.programs.iter().filter(|program| program.reaches.contains(&mutant)) {
            is_reached = true;
            let mut command = program.command();
            command.env("HEAPLAB_CODE_MUTANT", mutant.to_string());
            // Other trials use the processors too, so the limit is generous.
            let limit = program.time * 5 + Duration::from_secs(5);
            let noticed =
                watch(&mut command, limit).map_err(|error| format!("{} cannot be started: {error}", program.name))?;
            if noticed.is_some() {
                return Ok(CodeMutantFate::Caught { by: program.name.clone(), seconds: begin.elapsed().as_secs_f64() });
            }
        }
        Ok(if is_reached { CodeMutantFate::Survives } else { CodeMutantFate::NotReached })
    }
}

impl Program {
    fn of(built: Built) -> Option<Program> {
        let (_, name, arguments) = TARGETS.iter().find(|(_, name, _)| *name == built.target)?;
        let name = if *name == "heaplab" { "unit tests" } else { name };
        Some(Program {
            name: name.to_owned(),
            path: built.path,
            directory: built.package,
            arguments,
            time: Duration::ZERO,
            reaches: BTreeSet::new(),
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("sh");
        // A program whose memory the shell cannot limit runs all the same.
        command
            .args(["-c", &format!("ulimit -d {KIB_MAX} 2>/dev/null; exec \"$0\" \"$@\"")])
            .arg(&self.path)
            .args(self.arguments)
            .current_dir(&self.directory)
            .env("PROPTEST_CASES", CASES)
            .env("PROPTEST_RNG_SEED", SEED)
            // A failure is enough and is not shrunk, and no trial keeps what it finds for the next mutant's.
            .env("PROPTEST_MAX_SHRINK_ITERS", "0")
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
            .env("RUST_BACKTRACE", "0");
        command
    }
}

/// The programs of [`TARGETS`], as cargo builds them from the tree.
fn built(tree: &Tree) -> Result<Vec<Program>, String> {
    let mut programs = Vec::new();
    for (package, other) in [("heaplab", "--lib"), ("heaplab-verify", "--no-default-features")] {
        let mut arguments = vec!["-p", package, other];
        let of_package = TARGETS.iter().filter(|(of, target, _)| *of == package && *target != package);
        arguments.extend(of_package.flat_map(|(_, target, _)| ["--test", target]));
        let built = build(tree, Target::Tests, &arguments, &[])
            .map_err(|reason| format!("the tests of {package}: {reason}"))?;
        programs.extend(built.into_iter().filter_map(Program::of));
    }
    Ok(programs)
}

/// What shows that a program does not pass.
#[derive(Debug)]
enum Noticed {
    /// A test failed: the line that says so.
    TestFailed(String),
    /// The program was not done in time.
    NotDone(Duration),
    /// The program ended so.
    Ended(ExitStatus),
}

impl fmt::Display for Noticed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Noticed::TestFailed(line) => f.write_str(line),
            Noticed::NotDone(limit) => write!(f, "not done after {:.0} s", limit.as_secs_f64()),
            Noticed::Ended(status) => status.fmt(f),
        }
    }
}

/// Runs a program until it ends, says that a test failed, or has had its time. Returns what was noticed, if anything
/// was.
fn watch(command: &mut Command, limit: Duration) -> std::io::Result<Option<Noticed>> {
    let deadline = Instant::now() + limit;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (sender, lines) = mpsc::channel();
    forward(child.stdout.take(), sender);
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if TestVerdict::of(&line) == Some(TestVerdict::Failed) => {
                end(&mut child);
                return Ok(Some(Noticed::TestFailed(line)));
            }
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                end(&mut child);
                return Ok(Some(Noticed::NotDone(limit)));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = child.wait()?;
                return Ok((!status.success()).then_some(Noticed::Ended(status)));
            }
        }
    }
}
