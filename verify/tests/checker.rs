//! Goal: the binary's commands with the model checker: exit codes, messages, and what they leave behind. Method: run
//! what cargo built, with artefacts in a directory of the test's own.
#![cfg(feature = "loom")]

use heaplab_checker::model::baseline::Baseline;
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

/// Asserts a refusal: exit code 2, a message that contains each of `words`, and no panic.
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
    is_refused(&["models", "--shards", "4/3"], &["--shards", "no shard 4 of 3"]);
    is_refused(&["models", "--shards", "0/3"], &["no shard 0 of 3", "from 1"]);
    is_refused(&["models", "--shards", "half"], &["`half` is no shard", "1/4"]);
    is_refused(&["models", "--all-graphs"], &["--shards"]);
    is_refused(&["models", "--shards", "1/2", "--bless"], &["--bless"]);
    is_refused(&["worker", "page_set::take_vs_put", "--shard", "3/2"], &["no shard 3 of 2"]);
    is_refused(&["estimate", "--only", "no_such_model"], &["no_such_model", "--list"]);
    is_refused(&["estimate", "--breadth", "0"], &["--breadth", "at least one"]);
    is_refused(&["weaken", "--site", "src/no_such_file.rs"], &["src/no_such_file.rs", "FILE:LINE"]);
    is_refused(&["mutants", "--site", "NoSuch::function"], &["NoSuch::function"]);
    is_refused(&["worker", "no_such_model"], &["no_such_model"]);
    is_refused(&["worker", "page_set::take_vs_put", "--mutant", "nonsense"], &["nonsense", "FILE:LINE:COLUMN"]);
    is_refused(&["code-mutants", "--jobs", "0"], &["--jobs", "1..=1024"]);
    is_refused(&[], &["cargo test --features loom", "cargo run --release"]);
}

#[test]
fn bad_tokens_are_refused() {
    is_refused(&["replay", "nonsense"], &["nonsense", "MODEL,PASS,EXECUTION,SOURCES[+]"]);
    is_refused(&["replay", "no_such_model,normal,1,00000000"], &["no_such_model", "--list"]);
    is_refused(&["replay", "page_set::take_vs_put,normal,1,00000000"], &["stale", "page_set::take_vs_put"]);
    is_refused(
        &["replay", "page_set::take_vs_put,odd,1,00000000"],
        &["`odd` is no pass", "graphs, normal, read-as-rmw"],
    );
}

/// A model leaves a certificate and a page; an execution of it can be looked at again; a mutant of it is killed, and
/// its token shows how.
#[test]
fn a_model_is_certified_and_replayed() {
    let name = "certified";
    let output = heaplab(name, &["models", "--only", "page_set::claim_vs_put"]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("complete") && out.contains("1 models, 0 red"), "{out}");
    let artefacts = scratch(name).join("heaplab");
    let certificate = std::fs::read_to_string(artefacts.join("certificate.json")).expect("a certificate");
    let certificate: serde_json::Value = serde_json::from_str(&certificate).expect("JSON");
    assert_eq!(certificate["models"][0]["certificates"][0]["complete"], true);
    assert!(std::fs::read_to_string(artefacts.join("report.html")).expect("a page").contains("page_set::claim_vs_put"));

    let sources = certificate["fingerprint"].as_str().expect("a fingerprint")[..8].to_owned();
    // The binary is built as this test is.
    let sources = sources + if cfg!(debug_assertions) { "+" } else { "" };
    let output = heaplab(name, &["replay", &format!("page_set::claim_vs_put,normal,1,{sources}")]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("does not fail") && out.contains("thread 0"), "{out}");
    let output = heaplab(name, &["replay", &format!("page_set::claim_vs_put,graphs,first,{sources}")]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("does not fail") && out.contains("thread 0"), "{out}");
    let output = heaplab(name, &["replay", &format!("page_set::claim_vs_put,graphs,9999s0.0,{sources}")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the route does not fit the model"), "{}", text(&output.stderr));
    let output = heaplab(name, &["replay", &format!("page_set::claim_vs_put,normal,99999,{sources}")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("was not reached"), "{}", text(&output.stderr));

    let sites = certificate["models"][0]["sites"].as_array().expect("sites");
    // The count, which the claim reads, is after the bit.
    let put = sites.iter().rfind(|site| site["operand"] == "rmw" && site["written"] == "Release").expect("the put");
    let place = format!("{}:{}:{}", put["file"].as_str().unwrap(), put["line"], put["column"]);
    let mutant = format!("{place},rmw,relaxed");
    let output = heaplab("mutant", &["worker", "page_set::claim_vs_put", "--mutant", &mutant]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{out}");
    let failed: serde_json::Value =
        serde_json::from_str(out.lines().find(|line| line.contains("failed")).expect("an event")).expect("JSON");
    let token = format!(
        "page_set::claim_vs_put,{},{},{sources},{mutant}",
        failed["pass"].as_str().unwrap(),
        failed["executions"]
    );
    let output = heaplab(name, &["replay", &token]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
    assert!(out.contains("DATA RACE") && out.contains(".svg"), "{out}");
    let _ = std::fs::remove_dir_all(scratch(name));
}

/// What is complete is not explored again, and what was not asked for before is.
#[test]
fn a_suite_is_resumed() {
    let name = "resumed";
    let run = |arguments: &[&str]| {
        let output = heaplab(name, arguments);
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
        out
    };
    run(&["models", "--only", "page_set::take_vs_put"]);
    let artefacts = scratch(name).join("heaplab");
    assert!(artefacts.join("models/page_set.take_vs_put.json").is_file());
    let whole = run(&["models", "--only", "page_set::take_vs"]);
    std::fs::remove_file(artefacts.join("models/page_set.take_vs_take_in_one_word.json")).expect("it is kept too");
    let out = run(&["models", "--only", "page_set::take_vs", "--resume"]);
    let models = out.matches("page_set::take_vs").count();
    assert!(models > 2 && models == whole.matches("page_set::take_vs").count(), "{out}");
    assert!(out.contains(&format!("{} of {models} models are known", models - 1)), "{out}");
    let _ = std::fs::remove_dir_all(scratch(name));
}

/// The parts of a model come to what the whole has, in whatever order they are explored; a part that is known is not
/// explored again; and a part of other sources does not count.
#[test]
fn shards_come_to_the_whole() {
    let name = "shards";
    let run = |arguments: &[&str]| {
        let output = heaplab(name, &[&["models", "--only", "ladder::large_garbage_vs"], arguments].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        (output.status.code(), out, err)
    };
    let (code, out, err) = run(&["--shards", "2/2"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("1 of 2") && out.contains("at least "), "{out}");
    let (code, out, err) = run(&["--shards", "1/2"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let graphs = Baseline::committed().graphs("ladder::large_garbage_vs_large_garbage").expect("it has graphs");
    let graphs = format!("{} {:03}", graphs / 1000, graphs % 1000);
    assert!(out.contains("2 of 2") && out.contains(&format!("{graphs} ┆")) && !out.contains("at least"), "{out}");

    let kept = scratch(name).join("heaplab/models/ladder.large_garbage_vs_large_garbage.1-of-2.json");
    let written = || std::fs::metadata(&kept).and_then(|found| found.modified()).expect("the part is kept");
    let before = written();
    let (code, ..) = run(&["--shards", "1/2", "--resume"]);
    assert_eq!((code, written()), (Some(0), before), "it was explored again");
    let other = std::fs::read_to_string(&kept).unwrap().replacen("\"fingerprint\":\"", "\"fingerprint\":\"0", 1);
    std::fs::write(&kept, other).unwrap();
    let (code, out, err) = run(&["--shards", "2/2", "--resume"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("1 of 2"), "what other sources came to counts: {out}");
    let _ = std::fs::remove_dir_all(scratch(name));
}

/// A small model is counted, and a bound of preemptions leaves some out.
#[test]
fn small_models_are_estimated_exactly() {
    let run = |arguments: &[&str]| {
        let arguments = [&["estimate", "--only", "page_set::claim_vs_put", "--breadth", "1000"], arguments].concat();
        let output = heaplab("estimates", &arguments);
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
        let count = out.split("exactly ").nth(1).and_then(|rest| rest.split_whitespace().next());
        count.and_then(|count| count.parse::<u64>().ok()).unwrap_or_else(|| panic!("no exact number: {out}"))
    };
    assert_eq!(run(&[]), Baseline::committed().graphs("page_set::claim_vs_put").expect("it has graphs"));
    assert_eq!(run(&["--preemptions", "0"]), 1);
}

/// Inputs of the fuzz target that runs under the checker, and tiny programs, are explored again.
#[test]
fn files_are_replayed() {
    let name = "replayed";
    let inputs = scratch(name).join("loom_programs");
    std::fs::create_dir_all(&inputs).expect("a directory of this test's own");
    let write = |file: &str, bytes: &[u8]| {
        let path = inputs.join(file);
        std::fs::write(&path, bytes).expect("a file of this test's own");
        path.to_str().expect("text").to_owned()
    };
    let input = write("crash-1", &[0; 8]);
    let program = write("tiny.ops", b"heaplab-ops 1\nworld mite\n0 poll\n1 poll\n");
    for file in [&input, &program] {
        let output = heaplab(name, &["replay", file]);
        let out = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{out}{}", text(&output.stderr));
        assert!(out.contains("world mite") && out.contains("no interleaving"), "{out}");
    }
    let large = write("large.ops", b"heaplab-ops 1\nworld tiny\n0 poll\n1 poll\n");
    let broken = write("broken.ops", b"heaplab-ops 1\nworld mite\n0 dance\n");
    let other = scratch(name).join("elsewhere");
    std::fs::write(&other, [0; 8]).expect("a file of this test's own");
    let other = other.to_str().expect("text");
    for (file, words) in [(&*large, "too large"), (&*broken, "line 3"), (other, "--target loom_programs")] {
        let output = heaplab(name, &["replay", file]);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{file}: {err}");
        assert!(err.contains(words) && !err.contains("panicked"), "{file}: {err}");
    }
    let output = heaplab(name, &["replay", other, "--target", "loom_programs"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let _ = std::fs::remove_dir_all(scratch(name));
}
