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

#[cfg(feature = "loom")]
mod campaign;
#[cfg(feature = "loom")]
mod litmus;
#[cfg(feature = "loom")]
mod live;
pub mod main_job;
#[cfg(feature = "loom")]
mod models;
mod progress;
#[cfg(feature = "loom")]
mod replay;
mod table;

#[cfg(feature = "loom")]
use crate::model::{Model, litmus::Litmus};
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
    /// Every model, side by side (with --features loom)
    Models(ModelsOptions),
    /// What the checker itself explores, against what the memory model allows (with --features loom)
    Litmus,
    /// Every ordering one step weaker, against the models (with --features loom)
    Weaken(CampaignOptions),
    /// Every step of the protocols dropped, doubled, torn or late, against the models (with --features loom)
    Mutants(CampaignOptions),
    /// One execution of a model again, to look at (with --features loom)
    Replay {
        /// As printed with a failure: MODEL,PASS,EXECUTION,SOURCES[,MUTANT]
        token: String,
    },
    /// One model, for a process that started this one
    #[command(hide = true)]
    Worker {
        /// Its name
        model: String,
        /// A mutant: FILE:LINE:COLUMN,OPERAND,CHANGE
        #[arg(long)]
        mutant: Option<String>,
        /// Executions after which a pass is given up
        #[arg(long)]
        executions_max: Option<u64>,
    },
}

/// Options of `models`.
#[derive(Args, Clone, Debug)]
pub struct ModelsOptions {
    /// Only models whose names contain this
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Also write the certificate to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Processes at once; one for each processor if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub jobs: Option<u64>,
    /// Write the numbers of executions into the baseline
    #[arg(long)]
    pub bless: bool,
    /// Only print the models' names and sizes
    #[arg(long)]
    pub list: bool,
}

/// Options of `weaken` and `mutants`.
#[derive(Args, Clone, Debug)]
pub struct CampaignOptions {
    /// Only sites in this file, at this FILE:LINE, or in this function; may be given several times
    #[arg(long, value_name = "SITE")]
    pub site: Vec<String>,
    /// A --site that no model runs is no error, for files that may have no sites
    #[arg(long, requires = "site")]
    pub site_may_be_absent: bool,
    /// Also write the certificate to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Processes at once; one for each processor if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub jobs: Option<u64>,
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

#[cfg(feature = "loom")]
impl ModelsOptions {
    fn jobs(&self) -> usize {
        self.jobs.map_or_else(crate::suite::pool::processors, |jobs| jobs as usize)
    }
}

#[cfg(feature = "loom")]
impl CampaignOptions {
    fn jobs(&self) -> usize {
        self.jobs.map_or_else(crate::suite::pool::processors, |jobs| jobs as usize)
    }
}

impl JobOptions {
    /// The heap that the options ask for: room for every thread, the heap's own and that of the caller.
    fn config(&self) -> HeapConfig {
        let mut config = HeapConfig::sized((self.heap_mib as usize) << 20, self.threads as usize + 2);
        config.page_bytes = self.page_bytes;
        config
    }

    /// What the options leave of the main job.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts { scenarios: !self.stress_only, stress: !self.scenarios_only }
    }
}

/// What the binary brings: the models and the litmus table. A build without the model checker needs neither.
#[derive(Debug)]
pub struct Suite {
    /// Every model.
    #[cfg(feature = "loom")]
    pub models: Vec<Model>,
    /// What is known of the checker.
    #[cfg(feature = "loom")]
    pub litmus: &'static [Litmus],
}

/// Parses the arguments of this process and does what they say.
#[must_use]
pub fn main(suite: &Suite) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors. Whoever closed the stream wants no message.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { BAD_USAGE } else { PASSED });
        }
    };
    ExitCode::from(do_command(suite, cli))
}

#[cfg(feature = "loom")]
fn do_command(suite: &Suite, cli: Cli) -> u8 {
    use crate::model::mutation::Campaign;
    let all = &suite.models;
    match cli.command {
        None | Some(Command::Run(_)) => {
            complain(
                "this build has the feature `loom`: its heap exists inside a model checker only.\n\
                 To check the models:   cargo test --features loom\n\
                 Side by side:          cargo run --release --features loom -- models\n\
                 Against mutants:       cargo run --release --features loom -- weaken\n\
                 To run on a real heap: cargo run --release (without the feature)",
            );
            BAD_USAGE
        }
        Some(Command::Models(options)) if options.list => list(all, options.only.as_deref()),
        Some(Command::Models(options)) => models::models(suite, &options),
        Some(Command::Litmus) => litmus::litmus(suite.litmus),
        Some(Command::Weaken(options)) => campaign::campaign(all, Campaign::Orderings, &options),
        Some(Command::Mutants(options)) => campaign::campaign(all, Campaign::Protocol, &options),
        Some(Command::Replay { token }) => replay::replay(all, &token),
        Some(Command::Worker { model, mutant, executions_max }) => {
            worker(all, &model, mutant.as_deref(), executions_max)
        }
    }
}

#[cfg(not(feature = "loom"))]
fn do_command(_suite: &Suite, cli: Cli) -> u8 {
    let options = match cli.command {
        None => cli.main_job,
        Some(Command::Run(options)) => options,
        Some(_) => {
            complain(
                "this needs the model checker: cargo run --release --features loom -- (models, weaken, mutants, replay)",
            );
            return BAD_USAGE;
        }
    };
    if heaplab::sync::MODEL {
        complain("this build has the feature `shuttle`: its heap exists inside a scheduler only; build without it");
        return BAD_USAGE;
    }
    main_job::main_job(&options, options.parts())
}

/// The models whose names contain `only`; all without it.
#[cfg(feature = "loom")]
fn find_models<'a>(all: &'a [Model], only: Option<&str>) -> Result<Vec<&'a Model>, String> {
    let found: Vec<&Model> = all.iter().filter(|model| only.is_none_or(|part| model.name.contains(part))).collect();
    if found.is_empty() {
        let part = only.unwrap_or_default();
        return Err(format!("no model's name contains `{part}`; `models --list` prints them all"));
    }
    Ok(found)
}

#[cfg(feature = "loom")]
fn list(all: &[Model], only: Option<&str>) -> u8 {
    use std::io::Write;
    let found = match find_models(all, only) {
        Ok(found) => found,
        Err(text) => {
            complain(&text);
            return BAD_USAGE;
        }
    };
    for model in found {
        let fault = model.spec.fault.map_or(String::new(), |fault| format!(", {fault}"));
        let _ =
            writeln!(std::io::stdout(), "{} ({} threads, {}{fault})", model.name, model.spec.threads, model.spec.bound);
    }
    PASSED
}

#[cfg(feature = "loom")]
fn worker(all: &[Model], name: &str, mutant: Option<&str>, executions_max: Option<u64>) -> u8 {
    let Some(model) = all.iter().find(|model| model.name == name) else {
        complain(&format!("no model is called `{name}`; `models --list` prints them all"));
        return BAD_USAGE;
    };
    match mutant.map(crate::model::mutation::parse).transpose() {
        Err(text) => {
            complain(&text);
            BAD_USAGE
        }
        Ok(mutant) => {
            if crate::suite::worker::run(model, mutant, executions_max) {
                PASSED
            } else {
                FAILED
            }
        }
    }
}

/// Says what is wrong, on the error stream. Whoever closed that wants no message.
fn complain(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "heaplab: {text}");
}

/// Passes on what a process said of itself.
#[cfg(feature = "loom")]
fn complain_raw(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(text.as_bytes());
}
