//! What the binary does without the model checker: on a real heap, or, with Shuttle, on none but to replay.

use super::{Cli, Command, code_mutants, complain, detect, main_job, page::render_report, replay_file, script};
use heaplab_common::exit::Exit;

/// Does what the command line says.
pub(super) fn do_command(cli: Cli) -> Exit {
    match cli.command {
        Some(Command::Report) => render_report(),
        Some(Command::Detect(options)) => detect::run(&options),
        Some(Command::CodeMutants(options)) => code_mutants::run(&options),
        Some(
            Command::Models(_)
            | Command::Estimate(_)
            | Command::Litmus
            | Command::Weaken(_)
            | Command::Mutants(_)
            | Command::Worker { .. },
        ) => {
            complain("this needs the model checker: cargo run --release --features loom -- (models, weaken, mutants)");
            Exit::BadUsage
        }
        Some(Command::Replay(options)) => replay_file::replay(&options),
        _ if heaplab::sync::is_modelled() => {
            complain("this build has the feature `shuttle`: its heap exists inside a scheduler only; build without it");
            Exit::BadUsage
        }
        Some(Command::Script(options)) => script::script(&options),
        Some(Command::Run(options)) => main_job::main_job(&options, options.parts()),
        None => main_job::main_job(&cli.main_job, cli.main_job.parts()),
    }
}
