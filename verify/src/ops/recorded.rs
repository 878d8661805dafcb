//! The programs that are recorded in the tree, and the files that are made of them.

use super::Program;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The programs of `verify/regressions/`, by name.
///
/// # Panics
/// If one cannot be read: nothing is skipped, and what cannot be read is to be migrated or removed.
#[must_use]
pub fn recorded() -> BTreeMap<String, Program> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let mut programs = BTreeMap::new();
    for entry in std::fs::read_dir(directory).expect("verify/regressions exists") {
        let path = entry.expect("the directory can be read").path();
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let program = Program::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        programs.insert(path.file_stem().expect("a name").to_string_lossy().into_owned(), program);
    }
    assert!(!programs.is_empty(), "no program is recorded");
    programs
}

/// Writes these files if the environment has `BLESS`. Then sees that the tree has them as they are, and `directories` no
/// others; `test` names the test that can write them.
///
/// # Panics
/// If a file differs, or is none of them.
pub fn check_made(expected: &BTreeMap<PathBuf, Vec<u8>>, directories: &[PathBuf], test: &str) {
    if std::env::var_os("BLESS").is_some() {
        for (path, bytes) in expected {
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("the tree can be written to");
            std::fs::write(path, bytes).expect("the tree can be written to");
        }
    }
    for (path, bytes) in expected {
        assert!(
            &std::fs::read(path).unwrap_or_default() == bytes,
            "{} is out of date: run BLESS=1 cargo test -p heaplab-verify {test}",
            path.display()
        );
    }
    for directory in directories {
        for entry in std::fs::read_dir(directory).expect("the directory exists") {
            let path = entry.expect("the directory can be read").path();
            assert!(expected.contains_key(&path), "{} is of no recorded program", path.display());
        }
    }
}
