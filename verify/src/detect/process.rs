//! Processes of the suite: cargo, the programs that it builds from a [`Tree`], and what they say.

use super::Tree;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc;

/// What cargo is to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Programs, by `cargo build`.
    Programs,
    /// Programs of tests, by `cargo test`, which does not run them.
    Tests,
}

/// A program that cargo has built.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The target's name.
    pub(crate) target: String,
    /// The program.
    pub(crate) path: PathBuf,
    /// Where cargo would start it: in its package.
    pub(crate) package: PathBuf,
}

/// The cargo that runs this program, or the one that is installed.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Builds the programs of the tree that the arguments name, and returns them. Blocks until cargo has ended.
///
/// # Errors
/// The tree does not compile, or there is no program in it.
pub(crate) fn build(
    tree: &Tree,
    target: Target,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Vec<Built>, String> {
    let subcommand: &[&str] = match target {
        Target::Programs => &["build"],
        Target::Tests => &["test", "--no-run"],
    };
    let mut command = cargo();
    let output = command
        .args(subcommand)
        .args(arguments)
        .args(["--locked", "--message-format=json-render-diagnostics"])
        .current_dir(&tree.root)
        .env("CARGO_TARGET_DIR", &tree.target)
        .envs(environment.iter().copied())
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("it does not compile:\n{}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let built = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        // For tests that start the binary, cargo builds the binary too.
        let is_asked_for = message.get("profile")?.get("test")?.as_bool()? == (target == Target::Tests);
        Some(Built {
            target: message.get("target")?.get("name")?.as_str()?.to_owned(),
            path: message.get("executable")?.as_str().filter(|_| is_asked_for).map(PathBuf::from)?,
            package: PathBuf::from(message.get("manifest_path")?.as_str()?).parent()?.to_owned(),
        })
    };
    let programs: Vec<Built> = String::from_utf8_lossy(&output.stdout).lines().filter_map(built).collect();
    if programs.is_empty() { Err("cargo built no program".to_owned()) } else { Ok(programs) }
}

/// Sends each line of a stream, from a thread of its own.
pub(crate) fn forward(stream: Option<impl Read + Send + 'static>, to: mpsc::Sender<String>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
}

/// Kills a program that this process has started, and waits for its end.
pub(crate) fn end(child: &mut Child) {
    // The program may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}
