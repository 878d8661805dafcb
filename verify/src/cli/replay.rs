//! `heaplab replay TOKEN`: one execution again, to look at.

use super::complain;
use heaplab_checker::model::token::{ExecutionName, Token};
use heaplab_checker::model::{Model, explore_once, mutation, passes, write_picture};
use heaplab_checker::trace::Sources;
use heaplab_common::exit::Exit;
use std::io::Write as _;

/// Replays an execution: prints its columns and draws its picture.
pub(super) fn replay(all: &[Model], text: &str) -> Exit {
    match try_replay(all, text) {
        Ok(shown) => {
            let _ = std::io::stdout().write_all(shown.as_bytes());
            Exit::Passed
        }
        Err(text) => {
            complain(&text);
            Exit::BadUsage
        }
    }
}

fn try_replay(all: &[Model], text: &str) -> Result<String, String> {
    let token: Token = text.parse()?;
    let model = all.iter().find(|model| model.name == token.model).ok_or_else(|| {
        format!(
            "there is no model `{}`: it may be of a build with other models; list them with `models --list`",
            token.model
        )
    })?;
    token.check_fresh()?;
    let pass = passes(&model.spec).iter().copied().find(|&pass| pass == token.pass);
    let pass = pass.ok_or_else(|| format!("model {} has no {} pass", model.name, token.pass))?;
    let mutant = token.mutant.as_deref().map(mutation::parse).transpose()?;
    let (snapshot, counterexample) = explore_once(model, pass, mutant, &token.execution)?;
    let is_other = |number: &u64| *number != snapshot.execution;
    if matches!(&token.execution, ExecutionName::Number(number) if is_other(number)) {
        return Err(format!(
            "execution {} was not reached: the exploration ended at {}{}{}",
            token.execution,
            snapshot.execution,
            if snapshot.message.is_empty() { "" } else { ", which fails: " },
            snapshot.message
        ));
    }
    let sources = Sources::new();
    let mut shown = counterexample.columns(&sources);
    if snapshot.message.is_empty() {
        shown += "\nthis execution does not fail\n";
    }
    match write_picture(&counterexample, &sources) {
        Ok(path) => shown += &format!("\npicture: {}\n", path.display()),
        Err(error) => return Err(format!("the picture cannot be written: {error}")),
    }
    Ok(shown)
}
