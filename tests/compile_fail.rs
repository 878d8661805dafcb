//! Goal: the compiler rejects each misuse of the safe API, for the reason it is meant to, and nothing else about the
//! program.
//!
//! Method: each file of `tests/ui` is a program with the misuse in it; those in `tests/ui/internals` misuse the
//! layers, with the feature `internals` on, which must not let safe code break memory either. Marks at the ends of
//! lines say what is expected:
//!
//! | mark | means |
//! |---|---|
//! | `//~ E0502` | the compiler reports an error of this code here; or, for one without a code, of that text |
//! | `//-` | the line is not in the twin |
//! | `//+ code` | the line is in the twin only |
//!
//! The *twin* is the same program without the misuse, and must compile: so the misuse alone is what is rejected. Both
//! are checked by one `cargo check` of a generated project for each of the two directories, with the toolchain that
//! runs this test.
//!
//! Why not `trybuild`: it compares the compiler's whole text, which changes with nearly every release, so its files
//! would hold on one toolchain of the range from the MSRV to nightly. Why not `compile_fail` doctests: they check the
//! code of the error on nightly only, never its place, and have no twin. Codes and lines are stable.

#![cfg(not(any(feature = "shuttle", miri)))]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// An error: its line, and its code or the start of its text, up to a colon.
type Report = (usize, String);

/// A program with a misuse, what the compiler is to say of it, and its twin.
struct Case {
    name: String,
    source: String,
    expected: Vec<Report>,
    twin: String,
}

impl Case {
    fn parse(name: &str, source: &str) -> Case {
        let mut expected = Vec::new();
        let mut twin = String::new();
        for (index, line) in source.lines().enumerate() {
            let mut marks = line.split(" //~ ").skip(1);
            for mark in marks.by_ref() {
                expected.push((index + 1, mark.trim_end_matches(" //-").trim().to_owned()));
            }
            let kept = match line.trim_start().strip_prefix("//+ ") {
                Some(added) => added,
                // A line with an error goes too where the next line takes its place.
                None if line.ends_with("//-") || line.contains(" //~ ") && replaced(source, index) => "",
                None => line,
            };
            twin.push_str(kept);
            twin.push('\n');
        }
        Case { name: name.to_owned(), source: source.to_owned(), expected, twin }
    }
}

/// Whether the next line is there for the twin.
fn replaced(source: &str, index: usize) -> bool {
    source.lines().nth(index + 1).is_some_and(|next| next.trim_start().starts_with("//+ "))
}

/// What is wrong with what the compiler said about a case; empty if it is as expected.
fn judge(case: &Case, of_case: &[Report], of_twin: &[Report]) -> String {
    let mut wrong = String::new();
    if case.expected.is_empty() {
        _ = writeln!(wrong, "{}: expects no error, so it tests nothing", case.name);
    }
    if !of_twin.is_empty() {
        _ = writeln!(wrong, "{}: the twin does not compile: {of_twin:?}", case.name);
    }
    let mut open = case.expected.clone();
    for report in of_case {
        match open.iter().position(|expected| expected == report) {
            Some(index) => _ = open.swap_remove(index),
            None => _ = writeln!(wrong, "{}: not expected: {report:?}", case.name),
        }
    }
    if !open.is_empty() {
        _ = writeln!(wrong, "{}: compiles although it must not: {open:?}", case.name);
    }
    wrong
}

/// The errors of a check, by program; several of one kind in one line count once. Lines look like
/// `src/bin/NAME.rs:LINE:COLUMN: error[CODE]: TEXT`.
fn reports(output: &str) -> BTreeMap<String, Vec<Report>> {
    let mut reports = BTreeMap::<String, BTreeSet<Report>>::new();
    for line in output.lines() {
        let Some((place, text)) = line.split_once(": error") else { continue };
        let mut place = place.rsplitn(3, ':').skip(1);
        let (Some(Ok(row)), Some(path)) = (place.next().map(str::parse), place.next()) else { continue };
        let Some(name) = Path::new(path).file_stem().and_then(|name| name.to_str()) else { continue };
        let what = match text.strip_prefix('[') {
            Some(code) => code.split(']').next(),
            None => text.trim_start_matches(": ").split(':').next(),
        };
        reports.entry(name.to_owned()).or_default().insert((row, what.unwrap_or_default().to_owned()));
    }
    reports.into_iter().map(|(name, found)| (name, found.into_iter().collect())).collect()
}

/// Writes a project with both programs of each case, checks it, and returns what the compiler said.
fn check(project: &str, features: &[&str], cases: &[Case]) -> String {
    let crate_dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui/target");
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join(project);
    let programs = project.join("src/bin");
    _ = fs::remove_dir_all(&programs);
    fs::create_dir_all(&programs).expect("the target directory is writable");
    let write = |path: PathBuf, text: &str| fs::write(path, text).expect("the target directory is writable");
    write(
        project.join("Cargo.toml"),
        &format!(
            "[package]\nname = \"ui\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nheaplab = {{ path = {crate_dir:?}, features = {features:?} }}\n",
        ),
    );
    if let Ok(lock) = fs::read_to_string(crate_dir.join("Cargo.lock")) {
        write(project.join("Cargo.lock"), &lock);
    }
    for case in cases {
        write(programs.join(format!("fail_{}.rs", case.name)), &case.source);
        write(programs.join(format!("pass_{}.rs", case.name)), &case.twin);
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .current_dir(&project)
        .args(["check", "--bins", "--offline", "--keep-going", "--message-format=short", "--color=never"])
        .arg("--target-dir")
        .arg(target)
        // Flags meant for the heap, such as a sanitizer's or denied warnings, are not meant for these.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("cargo runs");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that the misuse of each program in `directory` is rejected, and its twin is not.
fn each_is_rejected(directory: &str, project: &str, features: &[&str], cases_min: usize) {
    let mut cases = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)).expect("the cases are there") {
        let path = entry.expect("the cases are readable").path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_stem().and_then(|name| name.to_str()).expect("plain names").to_owned();
        cases.push(Case::parse(&name, &fs::read_to_string(path).expect("the cases are readable")));
    }
    assert!(cases.len() >= cases_min, "cases are missing");
    let output = check(project, features, &cases);
    let reports = reports(&output);
    let of = |kind: &str, case: &Case| reports.get(&format!("{kind}_{}", case.name)).cloned().unwrap_or_default();
    let wrong: String = cases.iter().map(|case| judge(case, &of("fail", case), &of("pass", case))).collect();
    assert!(wrong.is_empty(), "{wrong}\nThe compiler said:\n{output}");
}

#[test]
fn each_misuse_is_rejected_and_its_twin_is_not() {
    each_is_rejected("tests/ui", "ui", &[], 15);
}

#[test]
fn each_misuse_of_the_layers_is_rejected_and_its_twin_is_not() {
    each_is_rejected("tests/ui/internals", "ui-internals", &["internals"], 5);
}

/// The judge is not fooled: by an error elsewhere, by another error, by none, by a twin that fails, by an empty case.
#[test]
fn the_judge_sees_each_difference() {
    let case = Case::parse("c", "good();\nbad(); //~ E0502 //-\nworse(); //~ E0499\n//+ better();\n");
    let expected = [(2, "E0502".to_owned()), (3, "E0499".to_owned())];
    assert_eq!(case.expected, expected);
    assert_eq!(case.twin, "good();\n\n\nbetter();\n");
    assert_eq!(judge(&case, &expected, &[]), "");
    let e = |line, code: &str| (line, code.to_owned());
    for (of_case, of_twin) in [
        (vec![], vec![]),
        (vec![e(2, "E0502")], vec![]),
        (vec![e(1, "E0502"), e(3, "E0499")], vec![]),
        (vec![e(2, "E0505"), e(3, "E0499")], vec![]),
        (vec![e(2, "E0502"), e(3, "E0499"), e(1, "E0308")], vec![]),
        (expected.to_vec(), vec![e(1, "E0425")]),
    ] {
        assert_ne!(judge(&case, &of_case, &of_twin), "", "{of_case:?} {of_twin:?}");
    }
    assert_ne!(judge(&Case::parse("c", "good();\n"), &[], &[]), "");
}

#[test]
fn reports_are_read_from_short_messages() {
    let output = "src/bin/fail_a.rs:8:5: error[E0502]: cannot borrow `*scope`: why\n\
                  src/bin/fail_a.rs:9:5: error: lifetime may not live long enough: returning this value\n\
                  src/bin/fail_a.rs:9:8: error: lifetime may not live long enough: and that one\n\
                  src/bin/pass_a.rs:3:1: warning: unused\n\
                  error: could not compile `ui` (bin \"fail_a\") due to 2 previous errors\n";
    let reports = reports(output);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports["fail_a"], [(8, "E0502".to_owned()), (9, "lifetime may not live long enough".to_owned())]);
}
