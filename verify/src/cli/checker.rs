//! What the binary does with the model checker: the commands that need no file of their own.

use super::{
    Cli, Command, campaign, code_mutants, complain, detect, litmus, models, render_report, replay, replay_explored,
};
use crate::exit::Exit;
use crate::model::Model;
use crate::model::litmus::Litmus;
use crate::model::mutation::{self, MutantKind};
use crate::suite::worker;
use std::io::Write as _;
use std::path::Path;

/// What the binary brings along: the tables of models and of litmus programs.
#[derive(Debug)]
pub struct Tables {
    /// Every model.
    pub models: Vec<Model>,
    /// What is known of the checker.
    pub litmus: &'static [Litmus],
}

/// Does what the command line says.
pub(super) fn do_command(tables: &Tables, cli: Cli) -> Exit {
    let all = &tables.models;
    match cli.command {
        Some(Command::Report) => render_report(),
        Some(Command::Detect(options)) => detect::run(&options),
        Some(Command::CodeMutants(options)) => code_mutants::run(&options),
        Some(Command::Script(_)) => {
            complain("this build has the feature `loom`: scripts run on a real heap; build without the feature");
            Exit::BadUsage
        }
        None | Some(Command::Run(_)) => {
            complain(
                "this build has the feature `loom`: its heap exists inside a model checker only.\n\
                 To check the models:   cargo test --features loom\n\
                 Side by side:          cargo run --release --features loom -- models\n\
                 Against mutants:       cargo run --release --features loom -- weaken\n\
                 To run on a real heap: cargo run --release (without the feature)",
            );
            Exit::BadUsage
        }
        Some(Command::Models(options)) if options.list => list(all, options.only.as_deref()),
        Some(Command::Models(options)) => models::models(tables, &options),
        Some(Command::Litmus) => litmus::litmus(tables.litmus),
        Some(Command::Weaken(options)) => campaign::campaign(all, MutantKind::Ordering, &options),
        Some(Command::Mutants(options)) => campaign::campaign(all, MutantKind::Protocol, &options),
        Some(Command::Replay(options)) if Path::new(&options.what).exists() => replay_explored::replay(&options),
        Some(Command::Replay(options)) => replay::replay(all, &options.what),
        Some(Command::Worker { model, mutant, executions_max }) => work(all, &model, mutant.as_deref(), executions_max),
    }
}

/// The models whose names contain `only`; all without it.
pub(super) fn find_models<'a>(all: &'a [Model], only: Option<&str>) -> Result<Vec<&'a Model>, String> {
    let found: Vec<&Model> = all.iter().filter(|model| only.is_none_or(|part| model.name.contains(part))).collect();
    if found.is_empty() {
        let part = only.unwrap_or_default();
        return Err(format!("no model's name contains `{part}`; `models --list` prints them all"));
    }
    Ok(found)
}

fn list(all: &[Model], only: Option<&str>) -> Exit {
    let found = match find_models(all, only) {
        Ok(found) => found,
        Err(text) => {
            complain(&text);
            return Exit::BadUsage;
        }
    };
    for model in found {
        let fault = model.spec.fault.map_or(String::new(), |fault| format!(", {fault}"));
        let _ =
            writeln!(std::io::stdout(), "{} ({} threads, {}{fault})", model.name, model.spec.threads, model.spec.bound);
    }
    Exit::Passed
}

fn work(all: &[Model], name: &str, mutant: Option<&str>, executions_max: Option<u64>) -> Exit {
    let Some(model) = all.iter().find(|model| model.name == name) else {
        complain(&format!("no model is called `{name}`; `models --list` prints them all"));
        return Exit::BadUsage;
    };
    match mutant.map(mutation::parse).transpose() {
        Err(text) => {
            complain(&text);
            Exit::BadUsage
        }
        Ok(mutant) => Exit::passed_if(worker::run(model, mutant, executions_max)),
    }
}
