//! The packages of the suite.

use crate::text::root;
use std::fs;
use std::path::{Path, PathBuf};

/// The directories of the suite's packages.
pub(crate) fn packages() -> Vec<PathBuf> {
    fn below(directory: &Path, found: &mut Vec<PathBuf>) {
        if directory.join("Cargo.toml").is_file() {
            found.push(directory.to_owned());
        }
        for entry in fs::read_dir(directory).expect("the suite is readable").flatten() {
            let name = entry.file_name();
            if entry.path().is_dir() && name != "target" && name != "src" && name != "fuzz" {
                below(&entry.path(), found);
            }
        }
    }
    let mut found = Vec::new();
    below(&root().join("verify"), &mut found);
    found
}
