//! The main job: the mission's scenarios with concurrent allocation off and on, then the stress; a table, and the page
//! of [`crate::report`].

use super::progress::Progress;
use super::table::table;
use super::{JobOptions, complain};
use crate::report::{self, JobRecord, grouped};
use crate::scripts;
use heaplab::sync::roll;
use heaplab::{BuildError, Heap, HeapConfig};
use heaplab_common::cargo_run;
use heaplab_common::exit::Exit;
use heaplab_scenarios::stress::{self, StressOptions, StressReport};
use heaplab_scenarios::{Mode, Scenario, ScenarioReport};
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub use super::options::Parts;

/// MiB of a heap that a slow and busy machine fills in a second, at least.
const MIB_A_SECOND: u64 = 16;

/// Why the job ended early.
enum Early {
    /// The heap could not be built: the options ask for something impossible.
    Build(BuildError),
    /// A scenario did not end.
    Hang(String),
}

/// Does the main job, prints its table, writes its record and the report, and returns the exit code.
pub fn main_job(options: &JobOptions, parts: Parts) -> Exit {
    let mut json = match options.json.as_deref().map(open_json).transpose() {
        Ok(json) => json,
        Err(text) => {
            complain(&text);
            return Exit::BadUsage;
        }
    };
    let (scenarios, stress) = match run(options, parts) {
        Ok(reports) => reports,
        Err(Early::Build(error)) => {
            complain(&format!(
                "no heap can be built with --heap-mib {}, --threads {} and --page-bytes {}: {error}",
                options.heap_mib,
                options.threads,
                options.page_bytes.map_or("not given".to_owned(), |bytes| bytes.to_string())
            ));
            return Exit::BadUsage;
        }
        Err(Early::Hang(text)) => {
            complain(&format!("{text}\nto run this again: {}", again()));
            return Exit::Failed;
        }
    };
    let passed = scenarios.iter().all(ScenarioReport::passed) && stress.as_ref().is_none_or(StressReport::passed);
    let record = JobRecord {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seconds: options.seconds,
        threads: options.threads,
        heap_mib: options.heap_mib,
        page_bytes: options.page_bytes,
        seed: options.seed,
        scenarios,
        stress,
        passed,
    };
    print(&record);
    // The verdict is printed. A file that cannot be written is reported too, and fails the job, since the options ask
    // for the file.
    let is_copied = json.as_mut().is_none_or(|file| copy(file, &record));
    let is_reported = options.no_report || write_report(&record);
    Exit::passed_if(passed && is_copied && is_reported)
}

/// Writes the record where `--json` asks for it. Returns whether that was done.
fn copy(file: &mut File, record: &JobRecord) -> bool {
    let written = write_json(file, &record.without_pictures());
    if let Err(error) = &written {
        complain(&format!("--json: {error}"));
    }
    written.is_ok()
}

/// Writes the record, renders the page anew, and prints the page's path. Returns whether that was done.
fn write_report(record: &JobRecord) -> bool {
    let written = record.write().and_then(|()| report::refresh());
    match &written {
        // Whoever closed the stream wants no line.
        Ok(page) => drop(writeln!(io::stdout(), "report: {}", page.display())),
        Err(error) => {
            let verdict = if record.passed { "every check held" } else { "there are findings, see above" };
            complain(&format!("{verdict}, but the report cannot be written (--no-report goes without): {error}"));
        }
    }
    written.is_ok()
}

/// Opens the file for the record before anything runs. What the file holds stays until there is a new record.
fn open_json(path: &Path) -> Result<File, String> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| format!("--json {}: {error}", path.display()))
}

fn write_json(file: &mut File, record: &JobRecord) -> io::Result<()> {
    // A pipe or a device has no length to set.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
        file.rewind()?;
    }
    let mut text = serde_json::to_string_pretty(record)?;
    text.push('\n');
    file.write_all(text.as_bytes())?;
    file.flush()
}

fn run(options: &JobOptions, parts: Parts) -> Result<(Vec<ScenarioReport>, Option<StressReport>), Early> {
    let rivals = options.threads as usize;
    let modes = [Mode::Off, Mode::On { rivals }, Mode::StressFlag];
    let rows: Vec<(Scenario, Mode)> = if parts.scenarios {
        scripts::scenarios().flat_map(|scenario| modes.map(|mode| (scenario, mode))).collect()
    } else {
        Vec::new()
    };
    // Built early, so that an impossible heap is refused before anything is printed.
    let config = options.config();
    drop(Heap::new(config.clone()).map_err(Early::Build)?);
    let seconds = if parts.stress { options.seconds } else { 0 };
    let mut progress = Progress::new(rows.len(), seconds);
    let mut scenarios = Vec::new();
    for (scenario, mode) in rows {
        progress.say(format!("{}, concurrent allocation {mode}", scenario.name));
        scenarios.push(run_scenario(scenario, mode, config.clone(), options)?);
        progress.scenario_done();
    }
    let stress = if parts.stress {
        progress.say(format!("stress, {} threads, seed {}", options.threads, options.seed));
        let job = StressOptions {
            config,
            threads: rivals,
            duration: Duration::from_secs(seconds),
            seed: options.seed,
            stall: Duration::from_secs(options.stall_seconds),
            stretch: options.seed % 2 == 1,
        };
        Some(stress::run(&job, |elapsed| progress.stress_at(elapsed, seconds)).map_err(Early::Build)?)
    } else {
        None
    };
    progress.end();
    Ok((scenarios, stress))
}

/// Runs a scenario on a heap of its own, in a thread of its own, so that a hang is noticed.
fn run_scenario(
    scenario: Scenario,
    mode: Mode,
    config: HeapConfig,
    options: &JobOptions,
) -> Result<ScenarioReport, Early> {
    let heap = Heap::new(config).map_err(Early::Build)?;
    let (sender, receiver) = mpsc::channel();
    let seed = options.seed;
    let body = thread::spawn(move || {
        let report = heaplab_scenarios::run(scenario, &heap, mode, seed);
        // The receiver is gone only if the scenario took too long.
        let _ = sender.send(report);
    });
    // A scenario gets the time that one step of the stress may take, and the time to fill a large heap.
    let seconds = options.stall_seconds + options.heap_mib / MIB_A_SECOND;
    match receiver.recv_timeout(Duration::from_secs(seconds)) {
        Ok(report) => Ok(report),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(Early::Hang(format!(
            "{} with concurrent allocation {mode} hangs: no end after {seconds} s\n{}",
            scenario.name,
            roll::report(),
        ))),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            drop(body.join());
            Err(Early::Hang(format!("{} with concurrent allocation {mode} panicked", scenario.name)))
        }
    }
}

/// Prints the table, the counts of the stress, and the findings. Whoever closed the stream wants no table.
fn print(record: &JobRecord) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", table(record));
    if let Some(stress) = &record.stress {
        let _ = writeln!(
            out,
            "stress: seed {}, {:.1} s, {} allocations a second, {} objects compared with their shadow, {} with their \
             parcel, {} KiB in graphs, {} scopes, {} attachments, {} spaces simulated full, {} times out of memory",
            stress.seed,
            stress.seconds,
            grouped(stress.allocations_per_second as u64),
            grouped(stress.shadow_checks),
            grouped(stress.parcel_checks),
            grouped(stress.live_bytes_peak >> 10),
            grouped(stress.scopes),
            grouped(stress.attachments),
            grouped(stress.simulated_full),
            grouped(stress.out_of_memory),
        );
    }
    for (part, finding) in record.findings() {
        let _ = writeln!(out, "FINDING in {part}: {finding}");
    }
    if record.findings().next().is_some() {
        let _ = writeln!(out, "to run this again: {}", again());
    }
}

/// The command that does this job once more, in the build that did it.
fn again() -> String {
    // Arguments with blanks are quoted: paths may have some.
    let quoted = |argument: String| if argument.contains(' ') { format!("'{argument}'") } else { argument };
    let arguments = std::env::args_os().skip(1).map(|argument| quoted(argument.to_string_lossy().into_owned()));
    std::iter::once(cargo_run().to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}
