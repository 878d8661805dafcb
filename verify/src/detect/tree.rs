//! A copy of the sources, in which bugs may be planted.

use super::Bug;
use std::collections::BTreeSet;
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

/// A bug in the copy. Dropping this value takes the bug away.
#[derive(Debug)]
#[must_use]
pub struct Planted {
    file: PathBuf,
    sound: String,
}

impl Tree {
    /// Makes `place` a copy of what git knows of the sources at `root`, changed or not, whatever an earlier run left
    /// there. Files that are as they were keep their times, so that little is built anew.
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
        let names = listed.stdout.split(|&byte| byte == 0).filter(|name| !name.is_empty());
        let mut sources: BTreeSet<PathBuf> =
            names.map(|name| String::from_utf8_lossy(name).into_owned().into()).collect();
        // What is deleted, and not committed, is listed still.
        sources.retain(|name| root.join(name).exists());
        for name in &sources {
            tree.copy_file(&root.join(name), name)
                .map_err(|error| format!("{} cannot be copied: {error}", name.display()))?;
        }
        tree.tidy(&tree.root, &sources)
            .map_err(|error| format!("{} cannot be tidied: {error}; remove it", tree.root.display()))?;
        Ok(tree)
    }

    /// Removes what is in the directory, and in those below it, and is none of the sources: what a run left there, or a
    /// file that is a source no more.
    fn tidy(&self, directory: &Path, sources: &BTreeSet<PathBuf>) -> std::io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                self.tidy(&path, sources)?;
            } else if path.strip_prefix(&self.root).is_ok_and(|name| !sources.contains(name)) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn copy_file(&self, from: &Path, name: &Path) -> std::io::Result<()> {
        let to = self.root.join(name);
        let bytes = fs::read(from)?;
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
    /// The bug's patch does not fit, or the file cannot be read or written.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_sources_and_nothing_that_an_earlier_run_left() {
        let directory = std::env::temp_dir().join(format!("heaplab-tree-{}", std::process::id()));
        let (root, place) = (directory.join("sources"), directory.join("copy"));
        fs::create_dir_all(root.join("src")).unwrap();
        assert!(Command::new("git").args(["init", "-q"]).current_dir(&root).status().unwrap().success());
        for name in ["same.rs", "changed.rs", "gone.rs"] {
            fs::write(root.join("src").join(name), name).unwrap();
        }
        let source = |tree: &Tree, name: &str| tree.root.join("src").join(name);

        let tree = Tree::copy(&root, &place).unwrap();
        let time = fs::metadata(source(&tree, "same.rs")).unwrap().modified().unwrap();
        fs::write(source(&tree, "changed.rs"), "a bug").unwrap();
        fs::write(source(&tree, "found.ops"), "what a property left").unwrap();
        fs::remove_file(root.join("src/gone.rs")).unwrap();

        let tree = Tree::copy(&root, &place).unwrap();
        assert_eq!(fs::metadata(source(&tree, "same.rs")).unwrap().modified().unwrap(), time, "it is not built anew");
        assert_eq!(fs::read_to_string(source(&tree, "changed.rs")).unwrap(), "changed.rs");
        assert!(!source(&tree, "found.ops").exists(), "it is no source");
        assert!(!source(&tree, "gone.rs").exists(), "it is a source no more");
        fs::remove_dir_all(directory).unwrap();
    }
}
