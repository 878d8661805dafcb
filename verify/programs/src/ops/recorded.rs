//! The programs that are recorded in the tree, and the files that are made of them.

use super::Program;
use heaplab_common::workspace;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The beginning of the name of a program that a property has written and nobody has named yet.
pub const FOUND: &str = "found_";

/// The programs of `verify/regressions/`, by name, but for those that a property has found ([`FOUND`]): the property
/// itself runs them, and one failure is to be red once. Prints the name of each program that is left out.
///
/// # Panics
/// If there is no program, or one cannot be read: nothing is skipped, and a program that cannot be read is to be
/// migrated or removed.
#[must_use]
pub fn recorded() -> BTreeMap<String, Program> {
    let (found, programs): (BTreeMap<_, _>, BTreeMap<_, _>) =
        read_all().into_iter().partition(|(name, _)| name.starts_with(FOUND));
    for name in found.keys() {
        println!("verify/regressions/{name}.ops is left out: name it by what is wrong, and it is replayed");
    }
    assert!(!programs.is_empty(), "no program is recorded in verify/regressions");
    programs
}

/// The programs that the property of this name has found, with their files.
///
/// # Panics
/// If one cannot be read.
#[must_use]
pub fn found(property: &str) -> Vec<(PathBuf, Program)> {
    let is_its = |name: &str| name.strip_prefix(FOUND).is_some_and(|name| name.starts_with(property));
    let file = |(name, program)| (directory().join(format!("{name}.ops")), program);
    read_all().into_iter().filter(|(name, _)| is_its(name)).map(file).collect()
}

/// Writes down a program that a property has found, and returns the file. Equal programs have the same file.
///
/// # Errors
/// The file cannot be written; the error names it.
pub fn write_found(property: &str, program: &Program) -> Result<PathBuf, String> {
    let text = program.to_string();
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let path = directory().join(format!("{FOUND}{property}_{hash:08x}.ops"));
    match std::fs::write(&path, text) {
        Ok(()) => Ok(path),
        Err(error) => Err(format!("{} cannot be written: {error}", path.display())),
    }
}

fn directory() -> PathBuf {
    workspace().join("verify/regressions")
}

fn read_all() -> BTreeMap<String, Program> {
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).expect("a recorded program can be read");
        Program::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let entries = std::fs::read_dir(directory()).expect("verify/regressions exists");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    paths.map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path))).collect()
}

/// Writes these files if the environment has `BLESS`. Then checks that the tree has them as they are, and that
/// `directories` have no others; `test` names the test that can write them.
///
/// # Panics
/// If a file differs or cannot be written, or a file of `directories` is none of these.
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
