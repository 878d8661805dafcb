//! The command line's grammar.

use clap::{Args, Parser, Subcommand};
use heaplab::HeapConfig;
use heaplab_checker::suite::pool;
use std::path::PathBuf;

/// Runs the mission's scenarios on a real heap, then stresses it, and prints what happened.
#[derive(Parser, Debug)]
#[command(name = "heaplab", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Write the report and what it is made of into this directory; otherwise into target/heaplab of this project's
    /// workspace, or into heaplab-report where that is not around
    #[arg(long, value_name = "DIR", global = true)]
    pub out: Option<PathBuf>,
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
    /// How many executions the explorer would find in models, and how long that would take: a guess (with --features
    /// loom)
    Estimate(EstimateOptions),
    /// What the checker itself explores, against what the memory model allows (with --features loom)
    Litmus,
    /// Every ordering one step weaker, against the models (with --features loom)
    Weaken(CampaignOptions),
    /// Every step of the protocols dropped, doubled, split or postponed, against the models (with --features loom)
    Mutants(CampaignOptions),
    /// A failure again, to look at: a file of a fuzzer or a program; with --features loom, an execution of a model
    Replay(ReplayOptions),
    /// Bugs planted in a copy of the heap, one at a time, and which engine notices; takes about an hour
    Detect(DetectOptions),
    /// Every small change of the heap's sequential code, against tests, properties and scenarios; needs
    /// cargo-mutants, takes about an hour
    CodeMutants(CodeMutantsOptions),
    /// Render the report again, from what earlier jobs left beside it
    Report,
    /// Run a script: JavaScript whose every value lives in the heap
    Script(ScriptOptions),
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
        /// The part of the explorer's executions
        #[arg(long)]
        shard: Option<String>,
        /// Without a bound of the explorer
        #[arg(long)]
        all_graphs: bool,
    },
}

/// Options of `replay`.
#[derive(Args, Clone, Debug)]
pub struct ReplayOptions {
    /// A file: an input that a fuzz target left in fuzz/artifacts, or a program (.ops); with --features loom that of
    /// loom_programs, with shuttle that of schedule_ops. With --features loom also a token, as printed with a failure:
    /// MODEL,PASS,EXECUTION,SOURCES, then MUTANT if there was one
    #[arg(value_name = "FILE|TOKEN")]
    pub what: String,
    /// The fuzz target whose input the file is; not needed in a directory of that name
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
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
    /// Explore only models that no run on these sources, nor `cargo test --features loom`, has seen complete
    #[arg(long)]
    pub resume: bool,
    /// Only the explorer, and only this part of its executions, as `2/3`: for several machines, of which each has a
    /// number. What the others found counts when their files are copied into the directory `models` of the report
    #[arg(long, value_name = "N/M", conflicts_with_all = ["bless", "json"])]
    pub shards: Option<String>,
    /// With --shards: without the bound that a model has for the explorer because it takes long
    #[arg(long, requires = "shards")]
    pub all_graphs: bool,
    /// Write the numbers of executions into the baseline
    #[arg(long)]
    pub bless: bool,
    /// Only print the models' names and sizes
    #[arg(long)]
    pub list: bool,
}

/// Options of `estimate`.
#[derive(Args, Clone, Debug)]
pub struct EstimateOptions {
    /// Only models whose names contain this
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Only executions of at most so many preemptions
    #[arg(long, value_name = "N")]
    pub preemptions: Option<usize>,
    /// How many executions to run of those that are equally far from the first one; more are slower and say more
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = breadth)]
    pub breadth: usize,
    /// How many guesses to make, each of other executions
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub guesses: u64,
}

/// A number of executions that is not 0.
fn breadth(text: &str) -> Result<usize, String> {
    let number = text.parse().map_err(|_| "it is no number of executions".to_owned())?;
    if number == 0 { Err("a guess needs at least one execution".to_owned()) } else { Ok(number) }
}

/// Options of `detect`.
#[derive(Args, Clone, Debug)]
pub struct DetectOptions {
    /// Only bugs whose names contain one of these
    #[arg(value_name = "NAME")]
    pub only: Vec<String>,
    /// Only engines whose names contain this; may be given several times
    #[arg(long, value_name = "ENGINE")]
    pub engine: Vec<String>,
}

/// Options of `code-mutants`.
#[derive(Args, Clone, Debug)]
pub struct CodeMutantsOptions {
    /// Only mutants whose file or description contains one of these
    #[arg(value_name = "PART")]
    pub only: Vec<String>,
    /// Leave out mutants that the last run saw caught, or surviving with a reason: after a change of tests, not of
    /// the heap
    #[arg(long)]
    pub resume: bool,
    /// Mutants at once; one for each processor if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub jobs: Option<u64>,
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

/// Options of `script`.
#[derive(Args, Clone, Debug)]
pub struct ScriptOptions {
    /// The script
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// MiB that the heap may commit at most
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=8192))]
    pub heap_mib: u64,
    /// Collect at every n-th allocation that the heap is asked for; 0 for when it has to
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub gc_interval: u64,
    /// A thread that allocates beside the script all the time
    #[arg(long)]
    pub stress_concurrent_allocation: bool,
    /// Verify the heap before and after each collection
    #[arg(long)]
    pub verify_heap: bool,
    /// Print a line for each collection, on the error stream
    #[arg(long)]
    pub trace_gc: bool,
    /// Interrupt the script after so many seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
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
    /// Write no page; otherwise report.html shows what happened, with pictures of the heaps
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

/// Which parts of the main job to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts {
    /// The scenarios.
    pub scenarios: bool,
    /// The stress.
    pub stress: bool,
}

/// Processes or trials at once: as many as were asked for, or one for each processor.
fn jobs(asked_for: Option<u64>) -> usize {
    asked_for.map_or_else(pool::processors, |jobs| jobs as usize)
}

impl ModelsOptions {
    /// Processes at once.
    #[must_use]
    pub fn jobs(&self) -> usize {
        jobs(self.jobs)
    }
}

impl CampaignOptions {
    /// Processes at once.
    #[must_use]
    pub fn jobs(&self) -> usize {
        jobs(self.jobs)
    }
}

impl CodeMutantsOptions {
    /// Mutants at once.
    #[must_use]
    pub fn jobs(&self) -> usize {
        jobs(self.jobs)
    }
}

impl JobOptions {
    /// The heap that the options ask for: room for every thread, the heap's own and that of the caller.
    pub(super) fn config(&self) -> HeapConfig {
        let mut config = HeapConfig::sized((self.heap_mib as usize) << 20, self.threads as usize + 2);
        config.page_bytes = self.page_bytes;
        // Pages that are smaller than the system's are the Rust allocator's.
        config.page_source = self.page_bytes.map_or(config.page_source, |bytes| config.page_source.or_owned(bytes));
        config
    }

    /// What the options leave of the main job.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts { scenarios: !self.stress_only, stress: !self.scenarios_only }
    }
}
