//! A canary: what a red model does to this program of tests.
//!
//! Goal: a model that fails says what happened and how to see it again, and takes no other model along, however its
//! process ends. Method: this program again, with a model that races beside a heap and one that is sound.

use heaplab::Heap;
use heaplab::sync::{Arc, UnsafeCell, thread};
use heaplab_checker::model::token::Token;
use heaplab_checker::model::{Model, Spec};
use heaplab_models::worlds;
use std::process::Command;

/// The name of the canary.
pub(crate) const NAME: &str = "canary::a_model_that_fails_is_shown_and_the_others_run";

/// The environment variable that makes this program run the model that fails and a sound one.
const RACE: &str = "HEAPLAB_CANARY_RACE";

/// The models of this program, if it is the one that the canary starts.
pub(crate) fn models() -> Option<Vec<Model>> {
    std::env::var_os(RACE)?;
    let race = Model { name: "canary::race_beside_a_heap", spec: Spec::bounded(2, 1), body: race_beside_a_heap };
    let sound = heaplab_models::all().into_iter().find(|model| model.name == "page_set::take_vs_put");
    Some(vec![race, sound.expect("a model of the tables")])
}

/// A heap whose two threads race on a cell of their own, both with a local heap that is attached, so the unwinding
/// meets a heap that is in use.
fn race_beside_a_heap() {
    let heap = Heap::new(worlds::config(2, 1)).expect("the world is well-formed");
    let cell = Arc::new(UnsafeCell::new(0));
    let write = |cell: &UnsafeCell<u32>| {
        // SAFETY: deliberately not upheld: the model checks it.
        unsafe { cell.with_mut(|value| *value += 1) };
    };
    let other = thread::spawn({
        let (heap, cell) = (heap.clone(), cell.clone());
        move || worlds::run(&heap, |_| write(&cell))
    });
    worlds::run(&heap, |_| write(&cell));
    other.join().unwrap();
}

/// Runs this program with the two models, and asserts what it says of the red one, and that the sound one is green.
pub(crate) fn is_shown_and_the_others_run() {
    let directory = std::env::temp_dir().join(format!("heaplab-canary-{}", std::process::id()));
    let output = Command::new(std::env::current_exe().expect("this program"))
        .env(RACE, "1")
        .env("CARGO_TARGET_DIR", &directory)
        .output()
        .expect("this program runs");
    let out = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "the code of a failed run of tests: {out}");
    let says = |what: &str| assert!(out.contains(what), "it does not say {what:?}: {out}");
    says("1 passed; 1 failed");
    says("model canary::race_beside_a_heap is red: data race");
    says("thread 0");
    says("thread 1");
    says("DATA RACE");
    says("models --only canary::race_beside_a_heap");
    for (name, outcome) in [("canary::race_beside_a_heap", "FAILED"), ("page_set::take_vs_put", "ok")] {
        let said = |line: &str| line.starts_with(&format!("test {name} ")) && line.ends_with(outcome);
        assert!(out.lines().any(said), "it does not say that {name} is {outcome}: {out}");
    }
    let replay = out.lines().find_map(|line| line.strip_prefix("replay:  ")).expect("a command");
    let (command, token) = replay.split_once(" replay ").expect("a token");
    assert_eq!(command, heaplab_common::cargo_run(), "the command of this build");
    let token: Token = token.parse().expect("a token");
    assert_eq!((&*token.model, token.check_fresh()), ("canary::race_beside_a_heap", Ok(())));
    let picture = out.lines().find_map(|line| line.strip_prefix("picture: ")).expect("a path");
    let drawn = std::fs::read_to_string(picture).expect("the picture is there");
    assert!(drawn.contains("<svg"), "{picture} is no picture");
    let _ = std::fs::remove_dir_all(directory);
}
