//! The command line of the binary `heaplab`.
//!
//! Without a subcommand it does the main job ([`main_job`]). A subcommand is a variant of [`Command`] with arguments of its
//! own, in a module of its own.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | every check held |
//! | 1 | a check failed |
//! | 2 | the arguments are wrong, or the job could not begin |

pub mod main_job;
mod progress;
mod table;

use clap::{Args, Parser, Subcommand};
use heaplab::HeapConfig;
use main_job::Parts;
use std::path::PathBuf;
use std::process::ExitCode;

/// Everything held.
pub const PASSED: u8 = 0;
/// A check failed.
pub const FAILED: u8 = 1;
/// The arguments are wrong, or the job could not begin.
pub const BAD_USAGE: u8 = 2;

/// Runs the mission's scenarios on a real heap, then stresses it, and prints what happened.
#[derive(Parser, Debug)]
#[command(name = "heaplab", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The main job's options.
    #[command(flatten)]
    pub main_job: JobOptions,
}

/// What the binary can do besides its main job.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// The main job, by its name: the scenarios, then the stress
    Run(JobOptions),
    /// Render target/heaplab/report.html again, from what earlier jobs left beside it
    Report,
}

/// Options of the main job.
#[derive(Args, Clone, Debug)]
pub struct JobOptions {
    /// Seconds of stress after the scenarios
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Threads that allocate in the stress, and rivals in the scenarios
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=256))]
    pub threads: u64,
    /// MiB that the heap may commit at most
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=8192))]
    pub heap_mib: u64,
    /// Bytes of a page, a power of two; what suits the heap if not given
    #[arg(long, value_name = "N")]
    pub page_bytes: Option<usize>,
    /// Every decision of the threads follows from this
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
    /// Also write what happened to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write no page; otherwise target/heaplab/report.html shows what happened, with pictures of the heaps
    #[arg(long)]
    pub no_report: bool,
    /// Only the stress
    #[arg(long, conflicts_with = "scenarios_only")]
    pub stress_only: bool,
    /// Only the scenarios
    #[arg(long)]
    pub scenarios_only: bool,
    /// A thread that takes no step for so many seconds hangs
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub stall_seconds: u64,
}

impl JobOptions {
    /// The heap that the options ask for: room for every thread, the heap's own and that of the caller.
    fn config(&self) -> HeapConfig {
        let mut config = HeapConfig::sized((self.heap_mib as usize) << 20, self.threads as usize + 2);
        config.page_bytes = self.page_bytes;
        config
    }

    fn parts(&self) -> Parts {
        Parts { scenarios: !self.stress_only, stress: !self.scenarios_only }
    }
}

/// Parses the arguments of this process and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors. Whoever closed the stream wants no message.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { BAD_USAGE } else { PASSED });
        }
    };
    // Needs no heap, so any build can do it.
    if let Some(Command::Report) = cli.command {
        return ExitCode::from(render_report());
    }
    if heaplab::sync::MODEL {
        complain(
            "this build has the feature `loom`: its heap exists inside a model checker only.\n\
             To check the models:   cargo test --features loom\n\
             To run on a real heap: cargo run --release (without the feature)",
        );
        return ExitCode::from(BAD_USAGE);
    }
    let options = match cli.command {
        Some(Command::Run(options)) => options,
        None | Some(Command::Report) => cli.main_job,
    };
    ExitCode::from(main_job::main_job(&options, options.parts()))
}

fn render_report() -> u8 {
    use std::io::Write;
    match crate::report::refresh() {
        Ok(page) => {
            // Whoever closed the stream wants no line.
            let _ = writeln!(std::io::stdout(), "report: {}", page.display());
            PASSED
        }
        Err(error) => {
            complain(&format!("the report cannot be written: {error}"));
            FAILED
        }
    }
}

/// Says what is wrong, on the error stream. Whoever closed that wants no message.
fn complain(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "heaplab: {text}");
}
