//! The command line of the binary `heaplab`.
//!
//! Without a subcommand the binary does the main job ([`main_job`]). A subcommand is a variant of [`Command`] with
//! arguments of its own, in a module of its own. For each kind of build, one file says which commands there are and
//! what the others answer: `checker` with the model checker, `heap` without.
//!
//! The exit codes are those of [`exit`](heaplab_common::exit).

#[cfg(feature = "loom")]
mod campaign;
#[cfg(feature = "loom")]
mod checker;
mod code_mutants;
mod complaint;
mod detect;
#[cfg(feature = "loom")]
mod estimate;
#[cfg(feature = "loom")]
mod find;
#[cfg(not(feature = "loom"))]
mod heap;
#[cfg(feature = "loom")]
mod litmus;
#[cfg(feature = "loom")]
mod live;
pub mod main_job;
#[cfg(feature = "loom")]
mod models;
#[cfg(not(any(feature = "loom", heaplab_scripts)))]
mod no_script;
mod options;
mod page;
mod progress;
#[cfg(feature = "loom")]
mod replay;
#[cfg(feature = "loom")]
mod replay_explored;
#[cfg(not(feature = "loom"))]
mod replay_file;
#[cfg(heaplab_scripts)]
mod script;
#[cfg(feature = "loom")]
mod shards;
mod table;

#[cfg(feature = "loom")]
use checker as build;
#[cfg(not(feature = "loom"))]
use heap as build;
#[cfg(not(any(feature = "loom", heaplab_scripts)))]
use no_script as script;

use clap::Parser as _;
use complaint::complain;
use heaplab_common::exit::Exit;
use std::process::ExitCode;

pub use options::{
    CampaignOptions, Cli, CodeMutantsOptions, Command, DetectOptions, EstimateOptions, JobOptions, ModelsOptions,
    ReplayOptions, ScriptOptions,
};

/// Parses the arguments of this process and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors. Whoever closed the stream wants no message.
            let _ = error.print();
            return if error.use_stderr() { Exit::BadUsage } else { Exit::Passed }.into();
        }
    };
    if let Some(directory) = &cli.out
        && let Err(error) = heaplab_common::artefact::write_artefacts_to(directory)
    {
        complain(&format!("--out {error}"));
        return Exit::BadUsage.into();
    }
    build::do_command(cli).into()
}
