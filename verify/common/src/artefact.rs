//! Artefacts: the files that a job leaves, and where.
//!
//! No artefact goes to a checkout that the binary was not called in. Artefacts go to the directory that was asked for
//! (`--out`). Where none was asked for, they go to `heaplab` in cargo's target directory if the binary was called in
//! this project's workspace or below it, else to `heaplab-report` in the directory that the binary was called in.
//!
//! * **AR-1** An artefact is replaced as a whole: a reader gets the old one until the new one is complete.

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

/// Makes artefacts go to `directory` from now on, and creates the directory if there is none. A process can ask for
/// one directory only.
///
/// # Errors
/// The directory cannot be made or written to, or another one was asked for before. The error names `directory`.
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

/// The directory that was asked for, if one was.
#[must_use]
pub fn asked_for() -> Option<&'static Path> {
    ASKED_FOR.get().map(PathBuf::as_path)
}

/// Where this process's artefacts go.
#[must_use]
pub fn artefact_directory() -> PathBuf {
    match asked_for() {
        Some(directory) => directory.to_owned(),
        // Where the current directory has been removed, a relative path is all there is.
        None => place(&std::env::current_dir().unwrap_or_default(), std::env::var_os("CARGO_TARGET_DIR")),
    }
}

/// Where the artefacts of a binary that is called in `current` go, if no directory was asked for.
fn place(current: &Path, target: Option<OsString>) -> PathBuf {
    match current.ancestors().find(|directory| is_workspace(directory)) {
        // A relative path starts at the workspace's root, where cargo is called; the tests of a package run in the
        // package's directory.
        Some(workspace) => workspace.join(target.unwrap_or_else(|| "target".into())).join("heaplab"),
        None => current.join(ELSEWHERE),
    }
}

/// Whether `directory` is the root of this project's workspace, which is known by the name of its suite.
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
            // The unfinished file may not exist; then there is nothing to tidy up.
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
