//! Artefacts: the files that a job leaves, and where.
//!
//! They are never in a checkout that nobody called the binary in: their directory is the one that was asked for (`--out`), else
//! `heaplab` in cargo's target directory where the binary was called in this project's workspace or below it, else
//! `heaplab-report` where it was called.
//!
//! * **AR-1** An artefact is replaced as a whole: who reads while it is written gets the old one.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process};

/// The directory of the pictures of failing executions.
pub const COUNTEREXAMPLES: &str = "counterexamples";

/// The artefacts' directory beneath the one that a binary is called in, outside of the workspace.
const ELSEWHERE: &str = "heaplab-report";

static ASKED_FOR: OnceLock<PathBuf> = OnceLock::new();

/// Makes `directory`, from which on artefacts go there; asked for once.
///
/// # Errors
/// The directory cannot be made or written to. The error names it.
pub fn write_artefacts_to(directory: &Path) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(named)?;
    let directory = directory.canonicalize().map_err(named)?;
    let probe = directory.join(format!("{}.unfinished", process::id()));
    fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).map_err(named)?;
    if *ASKED_FOR.get_or_init(|| directory.clone()) == directory {
        Ok(())
    } else {
        Err(io::Error::other(format!("{}: artefacts go to another directory already", directory.display())))
    }
}

/// The directory that was asked for.
#[must_use]
pub fn asked_for() -> Option<&'static Path> {
    ASKED_FOR.get().map(PathBuf::as_path)
}

/// Where this process's artefacts go.
#[must_use]
pub fn artefact_directory() -> PathBuf {
    match asked_for() {
        Some(directory) => directory.to_owned(),
        // A directory that has gone has no better name than this.
        None => place(&std::env::current_dir().unwrap_or_default(), std::env::var_os("CARGO_TARGET_DIR")),
    }
}

/// Where artefacts go, if nothing else was asked for, of a binary that is called in `current`.
fn place(current: &Path, target: Option<OsString>) -> PathBuf {
    match current.ancestors().find(|directory| is_workspace(directory)) {
        // The tests of a package run in its directory, cargo in the workspace's: there a relative path is meant.
        Some(workspace) => workspace.join(target.unwrap_or_else(|| "target".into())).join("heaplab"),
        None => current.join(ELSEWHERE),
    }
}

/// Whether this project's workspace is rooted here, by what its suite is called.
fn is_workspace(directory: &Path) -> bool {
    let manifest = |path: &str| fs::read_to_string(directory.join(path)).unwrap_or_default();
    let names_suite = |line: &str| line.trim() == "name = \"heaplab-verify\"";
    manifest("verify/Cargo.toml").lines().any(names_suite)
        && manifest("Cargo.toml").lines().any(|line| line.trim() == "[workspace]")
}

/// Writes an artefact and returns where it is (AR-1).
///
/// # Errors
/// The artefact cannot be written. The error names the file.
pub fn write_artefact(name: &str, text: &str) -> io::Result<PathBuf> {
    static WRITES: AtomicU32 = AtomicU32::new(0);
    let directory = artefact_directory();
    // Relaxed: a number that nobody else in this process has.
    let write = WRITES.fetch_add(1, Ordering::Relaxed);
    let finished = directory.join(name);
    let unfinished = finished.with_extension(format!("{}.{write}.unfinished", process::id()));
    let written = fs::create_dir_all(finished.parent().unwrap_or(&directory))
        .and_then(|()| fs::write(&unfinished, text))
        .and_then(|()| fs::rename(&unfinished, &finished));
    match written {
        Ok(()) => Ok(finished.canonicalize().unwrap_or(finished)),
        Err(error) => {
            // It may not exist: then there is nothing to tidy up.
            let _ = fs::remove_file(&unfinished);
            Err(io::Error::new(error.kind(), format!("{}: {error}", finished.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artefacts_lie_where_the_binary_is_called() {
        let workspace = crate::workspace();
        for below in [workspace.to_owned(), workspace.join("verify"), workspace.join("verify/src")] {
            assert_eq!(place(&below, None), workspace.join("target/heaplab"));
            assert_eq!(place(&below, Some("other".into())), workspace.join("other/heaplab"));
            assert_eq!(place(&below, Some("/other".into())), Path::new("/other/heaplab"));
        }
        let outside = workspace.parent().unwrap();
        assert_eq!(place(outside, None), outside.join(ELSEWHERE));
        assert_eq!(
            place(outside, Some("other".into())),
            outside.join(ELSEWHERE),
            "cargo's directory is not ours there"
        );
    }
}
