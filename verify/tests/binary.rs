//! Goal: the binary's exit codes and messages. Method: run what cargo built, with good arguments and bad ones.
//!
//! These are the commands of a build without the checker; `checker.rs` has those of a build with it.
#![cfg(not(feature = "loom"))]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where the jobs of tests that do not look at the report leave it.
fn artefacts() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("artefacts")
}

/// The binary, with artefacts in a directory for tests, so that a reader's report is not replaced by a test's.
fn heaplab(arguments: &[&str]) -> Output {
    heaplab_in(&artefacts(), arguments)
}

fn heaplab_in(target: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heaplab"))
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn passes(arguments: &[&str]) -> String {
    let output = heaplab(arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {out}{err}");
    assert!(!err.contains("panicked"), "{err}");
    out
}

/// Asserts a refusal: exit code 2, a message that contains each of `words`, no standard output and no panic.
fn is_refused(arguments: &[&str], words: &[&str]) {
    let output = heaplab(arguments);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {out}{err}");
    assert_eq!(out, "", "{arguments:?}");
    assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    for word in words {
        assert!(err.contains(word), "{arguments:?}: no {word:?} in {err}");
    }
}

/// A path of this test's own in cargo's directory for such files.
fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

/// Before anything is built: a name that no bug, engine or command of this build has.
#[test]
fn what_does_not_exist_is_refused_by_name() {
    is_refused(&["detect", "NOSUCH"], &["no bug's name contains `NOSUCH`", "the_pool_keeps_a_page"]);
    is_refused(&["detect", "--engine", "NOSUCH"], &["no engine's name contains `NOSUCH`", "tests of the heap, "]);
    is_refused(&["models", "--only", "NOSUCH"], &["needs the model checker", "--features loom"]);
}

/// Code mutants need no model checker, but cargo-mutants. Without it, here without cargo itself, nothing is built,
/// and the message says what is missing.
#[test]
fn code_mutants_need_a_list() {
    let output = Command::new(env!("CARGO_BIN_EXE_heaplab"))
        .arg("code-mutants")
        .env("CARGO_TARGET_DIR", artefacts())
        .env("CARGO", "no-such-cargo")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("cargo cannot be run") && !err.contains("panicked"), "{err}");
}

#[test]
fn the_main_job_prints_a_row_for_each_part() {
    let out = passes(&["--seconds", "1", "--threads", "2", "--heap-mib", "16"]);
    for scenario in ["alloc_after_failures (raw)", "alloc_after_failures ", "stress_handles", "stress_js"] {
        let modes: Vec<_> = out.lines().filter(|line| line.contains(scenario)).collect();
        assert!(modes.len() >= 3 && modes.iter().any(|line| line.contains("off")), "{scenario}: {out}");
        assert!(modes.iter().all(|line| line.contains("ok")), "{out}");
    }
    assert!(out.contains("stress "), "{out}");
    for column in ["scenario", "mode", "allocations", "collections", "retries", "objects verified", "verdict"] {
        assert!(out.contains(column), "{column}: {out}");
    }
}

#[test]
fn the_main_job_has_a_name() {
    assert!(passes(&["run", "--scenarios-only", "--heap-mib", "8"]).contains("stress_handles"));
}

#[test]
fn a_small_heap_serves_many_threads() {
    let out = passes(&["--heap-mib", "4", "--threads", "8", "--seconds", "1"]);
    assert!(out.contains("on, 8 threads"), "{out}");
}

#[test]
fn a_part_can_be_left_out() {
    let scenarios = passes(&["--scenarios-only", "--heap-mib", "8"]);
    assert!(scenarios.contains("stress_handles") && !scenarios.contains("threads"), "{scenarios}");
    let stress = passes(&["--stress-only", "--seconds", "1", "--heap-mib", "8", "--seed", "7"]);
    assert!(!stress.contains("stress_handles") && stress.contains("seed 7"), "{stress}");
}

#[test]
fn json_says_what_the_table_says() {
    let path = scratch("record.json");
    std::fs::write(&path, "an old record, longer than nothing").unwrap();
    passes(&["--seconds", "1", "--heap-mib", "8", "--threads", "2", "--seed", "3", "--json", path.to_str().unwrap()]);
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(record["passed"], true);
    assert_eq!(record["seed"], 3);
    let scenarios = record["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), 12);
    for scenario in scenarios {
        assert_eq!(scenario["retries"], 0, "{scenario}");
        assert_eq!(scenario["collections_in_scope"], 0, "{scenario}");
        assert!(scenario["violations"].as_array().unwrap().is_empty(), "{scenario}");
    }
    assert!(record["stress"]["allocations"].as_u64().unwrap() > 0);
    assert_eq!(record["stress"]["threads"], 2);
}

/// The page shows the table's rows and a picture of each heap; it can be rendered again from the record beside it.
#[test]
fn the_report_is_written() {
    let target = scratch("reported");
    let output = heaplab_in(&target, &["--seconds", "1", "--heap-mib", "8", "--threads", "2"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    let line = out.lines().last().unwrap();
    let page = std::fs::read_to_string(line.strip_prefix("report: ").unwrap_or_else(|| panic!("{out}"))).unwrap();
    assert!(page.contains("Every check held.") && page.contains("12 of 12"));
    assert_eq!(page.matches("every space made full <small>").count(), 12, "a picture of each scenario in each mode");
    let again = heaplab_verify::report::Report::of_artefacts(&target.join("heaplab")).render();
    assert_eq!(again, page, "rendering depends on the artefacts alone");
    // A finding in the record is a finding on the page.
    let record = target.join("heaplab").join("scenarios.json");
    let found =
        std::fs::read_to_string(&record).unwrap().replacen(r#""violations":[]"#, r#""violations":["lost <it>"]"#, 1);
    std::fs::write(&record, found).unwrap();
    let rendered = heaplab_in(&target, &["report"]);
    assert_eq!((rendered.status.code(), text(&rendered.stdout).trim_end()), (Some(0), line));
    let page = std::fs::read_to_string(line.strip_prefix("report: ").unwrap()).unwrap();
    assert!(page.contains("1 finding.") && page.contains("11 of 12") && page.contains("lost &lt;it&gt;"));
    std::fs::remove_dir_all(&target).unwrap();
}

/// What lies in `directory`, by name.
fn entries(directory: &Path) -> Vec<String> {
    let listed = std::fs::read_dir(directory).expect("it can be listed");
    let mut names: Vec<String> = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The binary, called in `directory`, where cargo is not.
fn heaplab_called_in(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heaplab"))
        .args(arguments)
        .current_dir(directory)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

/// A binary that was installed writes where it is called, or where it is told to, and nowhere else.
#[test]
fn the_report_lies_where_the_binary_is_called() {
    let directory = std::env::temp_dir().join(format!("heaplab-{}-called", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let job = ["--scenarios-only", "--heap-mib", "8"];
    let run = |more: &[&str]| {
        let output = heaplab_called_in(&directory, &[&job[..], more].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{out}{err}");
        let page = out.lines().last().unwrap().strip_prefix("report: ").map(PathBuf::from);
        page.unwrap_or_else(|| panic!("{out}")).parent().unwrap().to_owned()
    };
    let whole = directory.canonicalize().unwrap();
    assert_eq!(run(&[]), whole.join("heaplab-report"));
    assert_eq!(entries(&directory), ["heaplab-report"]);
    assert_eq!(run(&["--out", "a/b"]), whole.join("a/b"));
    assert_eq!(entries(&directory), ["a", "heaplab-report"]);
    for place in ["heaplab-report", "a/b"] {
        assert_eq!(entries(&directory.join(place)), ["report.html", "scenarios.json"], "{place}");
    }
    let output = heaplab_called_in(&directory, &["report", "--out", "a/b"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    std::fs::remove_dir_all(&directory).unwrap();
}

/// A bad `--out` is refused before the run, as a bad `--json` is.
#[test]
fn a_place_that_cannot_be_written_is_refused_at_once() {
    let file = scratch("no-directory");
    std::fs::write(&file, "no directory").unwrap();
    for place in [file.clone(), file.join("below")] {
        let place = place.to_str().unwrap();
        is_refused(&["--seconds", "60", "--out", place], &["--out", place]);
        is_refused(&["report", "--out", place], &["--out", place]);
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn no_report_is_written_if_none_is_wanted() {
    let target = scratch("unreported");
    let output = heaplab_in(&target, &["--scenarios-only", "--heap-mib", "8", "--no-report"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stdout).contains("report: ") && !target.exists());
}

/// The job is done and its verdict stands, but what was asked for is not there.
#[test]
fn an_unwritable_target_hides_no_verdict() {
    let target = scratch("a-file");
    std::fs::write(&target, "no directory").unwrap();
    let output = heaplab_in(&target, &["--scenarios-only", "--heap-mib", "8"]);
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    std::fs::remove_file(&target).unwrap();
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("stress_handles") && out.contains("ok"), "{out}");
    for word in ["every check held", "--no-report", "scenarios.json"] {
        assert!(err.contains(word), "{word}: {err}");
    }
    assert!(!err.contains("panicked"), "{err}");
}

#[test]
fn help_and_version_are_no_errors() {
    let help = passes(&["--help"]);
    for option in ["--seconds", "--threads", "--heap-mib", "--seed", "--json", "--no-report"] {
        assert!(help.contains(option), "{option}: {help}");
    }
    assert!(passes(&["--version"]).starts_with("heaplab "));
}

#[test]
fn numbers_out_of_range_are_refused() {
    for option in ["--threads", "--heap-mib", "--seconds"] {
        for number in ["0", "-1", "99999999999999999999", "many", ""] {
            is_refused(&[&format!("{option}={number}")], &[option]);
        }
    }
    is_refused(&["--heap-mib", "8193"], &["--heap-mib", "8192"]);
    is_refused(&["--threads", "257"], &["--threads", "256"]);
    is_refused(&["--seed", "x"], &["--seed"]);
}

#[test]
fn heaps_that_cannot_be_are_refused() {
    is_refused(&["--heap-mib", "1", "--threads", "64"], &["--heap-mib 1", "--threads 64", "hard_limit_bytes"]);
    is_refused(&["--page-bytes", "3000"], &["page_bytes", "power of two"]);
}

#[test]
fn unknown_arguments_are_refused() {
    is_refused(&["--second", "1"], &["--second"]);
    is_refused(&["polish"], &["polish"]);
    is_refused(&["--stress-only", "--scenarios-only"], &["--stress-only", "--scenarios-only"]);
}

/// The refusal comes before the run, whose seconds would be lost otherwise.
#[test]
fn an_unwritable_record_is_refused_at_once() {
    let missing = scratch("no such directory").join("record.json");
    let start = std::time::Instant::now();
    is_refused(&["--seconds", "60", "--json", missing.to_str().unwrap()], &["--json", "record.json"]);
    let directory = env!("CARGO_TARGET_TMPDIR");
    is_refused(&["--seconds", "60", "--json", directory], &["--json", directory]);
    assert!(start.elapsed().as_secs() < 30);
}

/// A reader that goes away, as `head` does, is no reason to panic.
#[test]
fn a_closed_output_is_no_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_heaplab"))
        .args(["--scenarios-only", "--heap-mib", "8"])
        .env("CARGO_TARGET_DIR", artefacts())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("panicked"), "{}", text(&output.stderr));
}

/// A program is replayed through the text that people write; one that is wrong is refused by its line.
#[test]
fn a_program_is_replayed() {
    let path = scratch("good.ops");
    std::fs::write(&path, "heaplab-ops 2\nworld tiny\n0 allocate old array half\n0 collect major\n").unwrap();
    let out = passes(&["replay", path.to_str().unwrap()]);
    assert!(out.contains("0 allocate old array half") && out.ends_with("nothing fails\n"), "{out}");
    // The same bytes are an input of a fuzzer too; that of another target means something else.
    assert!(passes(&["replay", path.to_str().unwrap(), "--target", "heap_ops"]).contains("nothing fails"));
    assert!(passes(&["replay", path.to_str().unwrap(), "--target", "hostile_config"]).contains("HeapConfig {"));
    std::fs::remove_file(&path).unwrap();
}

/// What cannot be read fails with code 1 and says why; what is no command of this build with code 2.
#[test]
fn what_cannot_be_replayed_is_refused() {
    let bad = |name: &str, text: &[u8], words: &[&str]| {
        let path = scratch(name);
        std::fs::write(&path, text).unwrap();
        let output = heaplab(&["replay", path.to_str().unwrap()]);
        std::fs::remove_file(&path).unwrap();
        let err = text_of(&output);
        assert_eq!(output.status.code(), Some(1), "{err}");
        for word in words.iter().chain([&name]) {
            assert!(err.contains(word) && !err.contains("panicked"), "no {word:?} in {err}");
        }
    };
    bad("newer.ops", b"heaplab-ops 99\nworld tiny\n", &["line 1", "version 99 is newer"]);
    bad("malformed.ops", b"heaplab-ops 2\nworld tiny\n0 juggle\n", &["line 3", "`juggle` is no operation"]);
    bad("no_text.ops", b"heaplab-ops 2\n\xff", &["no text"]);
    bad("whose", b"\x00\x01", &["--target heap_ops|interleaved_ops|fault_ops|hostile_config"]);
    let output = heaplab(&["replay", "no/such/file.ops"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text_of(&output).contains("no/such/file.ops: "), "{}", text_of(&output));
    is_refused(&["replay", "page_set::take_vs_put,normal,1,0"], &["--features loom"]);
    is_refused(&["replay", "x", "--target", "loom_programs"], &["loom_programs", "heap_ops, interleaved_ops"]);
}

fn text_of(output: &Output) -> String {
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr)
}
