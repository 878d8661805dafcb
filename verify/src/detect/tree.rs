//! A copy of the sources, in which bugs may be planted.

use super::Bug;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The copy, and where it is built.
#[derive(Debug)]
pub struct Tree {
    /// The root of the copy.
    pub root: PathBuf,
    /// The target directory of its builds; kept from one run to the next.
    pub target: PathBuf,
}

/// A bug in the copy; gone when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Planted {
    file: PathBuf,
    sound: String,
}

impl Tree {
    /// Copies what git knows of the sources at `root`, changed or not, to `place`. Files that are as they were keep their
    /// times, so that little is built anew.
    ///
    /// # Errors
    /// There is no git, or a file cannot be copied.
    pub fn copy(root: &Path, place: &Path) -> Result<Tree, String> {
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git cannot be run, and it knows which files are sources: {error}"))?;
        if !listed.status.success() {
            let why = String::from_utf8_lossy(&listed.stderr);
            return Err(format!("{} is no checkout of git: {}", root.display(), why.trim()));
        }
        let tree = Tree { root: place.join("tree"), target: place.join("target") };
        for name in listed.stdout.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            let name = String::from_utf8_lossy(name).into_owned();
            tree.copy_file(&root.join(&name), &name).map_err(|error| format!("{name} cannot be copied: {error}"))?;
        }
        tree.forget_found()?;
        Ok(tree)
    }

    /// Removes the programs that properties have written down, so that no bug is found by a program that another one left.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn forget_found(&self) -> Result<(), String> {
        let directory = self.root.join("verify/regressions");
        let unreadable = |error| format!("{} cannot be tidied: {error}", directory.display());
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.file_name().to_string_lossy().starts_with("found_") {
                fs::remove_file(entry.path()).map_err(unreadable)?;
            }
        }
        Ok(())
    }

    fn copy_file(&self, from: &Path, name: &str) -> std::io::Result<()> {
        let to = self.root.join(name);
        // A file that is deleted and not committed is listed still.
        let Ok(bytes) = fs::read(from) else { return Ok(()) };
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(to, bytes)
    }

    /// Puts a bug into the copy.
    ///
    /// # Errors
    /// Its patch does not fit.
    pub fn plant(&self, bug: &Bug) -> Result<Planted, String> {
        let file = self.root.join(&bug.file);
        let sound = fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", bug.file))?;
        let changed = bug.apply(&sound)?;
        fs::write(&file, changed).map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
        Ok(Planted { file, sound })
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        // The next copy repairs what cannot be repaired here.
        let _ = fs::write(&self.file, &self.sound);
    }
}
