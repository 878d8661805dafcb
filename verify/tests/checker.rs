//! Goal: the binary's commands with the model checker: exit codes, messages, and what they leave behind. Method: run what
//! cargo built, with artefacts in a directory of the test's own.
#![cfg(feature = "loom")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A directory for artefacts, of this test's own.
fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

fn heaplab(name: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heaplab"))
        .args(arguments)
        .env("CARGO_TARGET_DIR", scratch(name))
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Refused with code 2 and a message that contains each of `words`.
fn is_refused(arguments: &[&str], words: &[&str]) {
    let output = heaplab("refused", arguments);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
    assert!(!err.contains("panicked"), "{arguments:?}: {err}");
    for word in words {
        assert!(err.contains(word), "{arguments:?}: no {word:?} in {err}");
    }
}

#[test]
fn what_does_not_exist_is_refused_by_name() {
    is_refused(&["models", "--only", "no_such_model"], &["no_such_model", "--list"]);
    is_refused(&["models", "--only", "page_set", "--bless"], &["--bless", "every model"]);
    is_refused(&["weaken", "--site", "src/no_such_file.rs"], &["src/no_such_file.rs", "FILE:LINE"]);
    is_refused(&["mutants", "--site", "NoSuch::function"], &["NoSuch::function"]);
    is_refused(&["worker", "no_such_model"], &["no_such_model"]);
    is_refused(&["worker", "page_set::take_vs_put", "--mutant", "nonsense"], &["nonsense", "FILE:LINE:COLUMN"]);
    is_refused(&[], &["cargo test --features loom", "cargo run --release"]);
}

#[test]
fn bad_tokens_are_refused() {
    is_refused(&["replay", "nonsense"], &["nonsense", "MODEL,PASS,EXECUTION,SOURCES"]);
    is_refused(&["replay", "no_such_model,normal,1,00000000"], &["no_such_model", "--list"]);
    is_refused(&["replay", "page_set::take_vs_put,normal,1,00000000"], &["stale", "page_set::take_vs_put"]);
    is_refused(&["replay", "page_set::take_vs_put,odd,1,00000000"], &["normal nor read-as-rmw"]);
}

/// A model leaves a certificate and a page; an execution of it can be looked at again; a mutant of it is killed, and its
/// token shows how.
#[test]
fn a_model_is_certified_and_replayed() {
    let name = "certified";
    let output = heaplab(name, &["models", "--only", "page_set::take_vs_put"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("complete") && out.contains("1 models, 0 red"), "{out}");
    let artefacts = scratch(name).join("heaplab");
    let certificate = std::fs::read_to_string(artefacts.join("certificate.json")).expect("a certificate");
    let certificate: serde_json::Value = serde_json::from_str(&certificate).expect("JSON");
    assert_eq!(certificate["models"][0]["certificates"][0]["complete"], true);
    assert!(std::fs::read_to_string(artefacts.join("report.html")).expect("a page").contains("page_set::take_vs_put"));

    let sources = &certificate["fingerprint"].as_str().expect("a fingerprint")[..8];
    let output = heaplab(name, &["replay", &format!("page_set::take_vs_put,normal,1,{sources}")]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("does not fail") && out.contains("thread 0"), "{out}");
    let output = heaplab(name, &["replay", &format!("page_set::take_vs_put,normal,99999,{sources}")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("was not reached"), "{}", text(&output.stderr));

    let sites = certificate["models"][0]["sites"].as_array().expect("sites");
    let put = sites.iter().find(|site| site["operand"] == "rmw" && site["written"] == "Release").expect("the put");
    let place = format!("{}:{}:{}", put["file"].as_str().unwrap(), put["line"], put["column"]);
    let mutant = format!("{place},rmw,relaxed");
    let output = heaplab("mutant", &["worker", "page_set::take_vs_put", "--mutant", &mutant]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}");
    let failed: serde_json::Value =
        serde_json::from_str(out.lines().find(|line| line.contains("failed")).expect("an event")).expect("JSON");
    let token = format!(
        "page_set::take_vs_put,{},{},{sources},{mutant}",
        failed["pass"].as_str().unwrap(),
        failed["executions"]
    );
    let output = heaplab(name, &["replay", &token]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("DATA RACE") && out.contains(".svg"), "{out}");
    let _ = std::fs::remove_dir_all(scratch(name));
}
