//! What the binary does with the model checker: the commands that need no file of their own.

use super::{
    Cli, Command, campaign, code_mutants, complain, detect, estimate, find::find_models, litmus, models,
    page::render_report, replay, replay_explored, shards,
};
use heaplab_checker::model::Model;
use heaplab_checker::model::mutation::{self, MutantKind};
use heaplab_checker::suite::worker::{self, WorkOptions};
use heaplab_common::exit::Exit;
use std::io::Write as _;
use std::path::Path;

/// Does what the command line says.
pub(super) fn do_command(cli: Cli) -> Exit {
    let all = &*heaplab_models::all();
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
        Some(Command::Models(options)) if options.shards.is_some() => shards::shards(all, &options),
        Some(Command::Models(options)) => models::models(all, &options),
        Some(Command::Estimate(options)) => estimate::estimates(all, &options),
        Some(Command::Litmus) => litmus::litmus(heaplab_models::litmus::TABLE),
        Some(Command::Weaken(options)) => campaign::campaign(all, MutantKind::Ordering, &options),
        Some(Command::Mutants(options)) => campaign::campaign(all, MutantKind::Protocol, &options),
        Some(Command::Replay(options)) if Path::new(&options.what).exists() => replay_explored::replay(&options),
        Some(Command::Replay(options)) => replay::replay(all, &options.what),
        Some(Command::Worker { model, mutant, executions_max, shard, all_graphs }) => {
            let options = WorkOptions { mutant: None, executions_max, shard: None, all_graphs };
            work(all, &model, mutant.as_deref(), shard.as_deref(), options)
        }
    }
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

fn work(all: &[Model], name: &str, mutant: Option<&str>, shard: Option<&str>, mut options: WorkOptions) -> Exit {
    let Some(model) = all.iter().find(|model| model.name == name) else {
        complain(&format!("no model is called `{name}`; `models --list` prints them all"));
        return Exit::BadUsage;
    };
    let parsed = mutant.map(mutation::parse).transpose().and_then(|mutant| {
        options.mutant = mutant;
        options.shard = shard.map(str::parse).transpose()?;
        Ok(())
    });
    match parsed {
        Err(text) => {
            complain(&text);
            Exit::BadUsage
        }
        Ok(()) => Exit::passed_if(worker::run(model, &options)),
    }
}
