//! The command line of the binary `heaplab`.
//!
//! Without a subcommand it does the main job ([`main_job`]). A subcommand is a variant of [`Command`] with arguments of its
//! own, in a module of its own.
//!
//! Its exit codes are those of [`exit`](heaplab_common::exit).

#[cfg(feature = "loom")]
mod campaign;
#[cfg(feature = "loom")]
mod checker;
#[cfg(feature = "loom")]
mod code_mutants;
mod detect;
#[cfg(feature = "loom")]
mod find;
#[cfg(feature = "loom")]
mod litmus;
#[cfg(feature = "loom")]
mod live;
pub mod main_job;
#[cfg(feature = "loom")]
mod models;
mod options;
mod progress;
#[cfg(feature = "loom")]
mod replay;
#[cfg(feature = "loom")]
mod replay_explored;
#[cfg(not(feature = "loom"))]
mod replay_file;
#[cfg(all(feature = "script", not(any(feature = "loom", feature = "shuttle"))))]
mod script;
mod table;

use clap::Parser as _;
use heaplab_common::exit::{BAD_USAGE, FAILED, PASSED};
use std::process::ExitCode;

pub use options::{
    CampaignOptions, Cli, CodeMutantsOptions, Command, DetectOptions, JobOptions, ModelsOptions, ReplayOptions,
    ScriptOptions,
};

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
    if let Some(directory) = &cli.out
        && let Err(error) = heaplab_common::artefact::write_artefacts_to(directory)
    {
        complain(&format!("--out {error}"));
        return ExitCode::from(BAD_USAGE);
    }
    #[cfg(feature = "loom")]
    let code = checker::do_command(cli);
    #[cfg(not(feature = "loom"))]
    let code = do_command(cli);
    ExitCode::from(code)
}

#[cfg(not(feature = "loom"))]
fn do_command(cli: Cli) -> u8 {
    match cli.command {
        Some(Command::Report) => render_report(),
        Some(Command::Detect(options)) => detect::run(&options),
        Some(
            Command::Models(_)
            | Command::Litmus
            | Command::Weaken(_)
            | Command::Mutants(_)
            | Command::CodeMutants(_)
            | Command::Worker { .. },
        ) => {
            complain(
                "this needs the model checker: cargo run --release --features loom -- (models, weaken, mutants, code-mutants)",
            );
            BAD_USAGE
        }
        Some(Command::Replay(options)) => replay_file::replay(&options),
        _ if heaplab::sync::MODEL => {
            complain("this build has the feature `shuttle`: its heap exists inside a scheduler only; build without it");
            BAD_USAGE
        }
        #[cfg(all(feature = "script", not(any(feature = "loom", feature = "shuttle"))))]
        Some(Command::Script(options)) => script::script(&options),
        #[cfg(not(all(feature = "script", not(any(feature = "loom", feature = "shuttle")))))]
        Some(Command::Script(_)) => {
            complain("this build has no scripts: build with the feature `script`, which is a default one");
            BAD_USAGE
        }
        Some(Command::Run(options)) => main_job::main_job(&options, options.parts()),
        None => main_job::main_job(&cli.main_job, cli.main_job.parts()),
    }
}

/// Renders the page again; says where it is.
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

/// Passes on what a process said of itself.
#[cfg(feature = "loom")]
fn complain_raw(text: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(text.as_bytes());
}
