//! What the tests of the explorer share: a table of outcomes.

#![allow(dead_code, reason = "each test target uses a part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::AtomicU64;
use heaplab_explorer::{Failure, Stats, thread};

/// How often each outcome of a model was seen.
pub(crate) type Outcomes = BTreeMap<String, u64>;

/// Explores a model that returns its outcome; no graph may come twice, and no run may be wasted.
#[track_caller]
pub(crate) fn outcomes_with(builder: &Builder, f: impl Fn() -> String + 'static) -> (Stats, Outcomes) {
    let (result, seen) = try_outcomes_with(builder, f);
    let stats = result.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(stats.duplicates, 0, "each graph once");
    assert_eq!(stats.wasted, 0, "no run in vain");
    (stats, seen)
}

pub(crate) fn try_outcomes_with(
    builder: &Builder,
    f: impl Fn() -> String + 'static,
) -> (Result<Stats, Failure>, Outcomes) {
    // A run that is blocked finishes too, and is no execution of its own: an outcome counts once its execution is
    // complete.
    let last: Arc<Mutex<Option<String>>> = Arc::default();
    let sink = Arc::clone(&last);
    let mut seen = Outcomes::new();
    let mut builder = builder.clone();
    builder.check_unique = true;
    let result = builder.explore_each(
        move || {
            let outcome = f();
            *sink.lock().unwrap() = Some(outcome);
        },
        |_| {
            let outcome = last.lock().unwrap().take().expect("a complete execution has an outcome");
            *seen.entry(outcome).or_default() += 1;
        },
    );
    (result, seen)
}

#[track_caller]
pub(crate) fn outcomes(f: impl Fn() -> String + 'static) -> (Stats, Outcomes) {
    outcomes_with(&Builder::new(), f)
}

/// The number of executions, and of outcomes.
#[track_caller]
pub(crate) fn counts(f: impl Fn() -> String + 'static) -> (u64, usize) {
    let (stats, seen) = outcomes(f);
    assert!(stats.is_complete());
    (stats.executions, seen.len())
}

/// Words that threads share. The standard library's pointer: its count is not explored.
pub(crate) fn words<const N: usize>() -> Arc<[AtomicU64; N]> {
    Arc::new(std::array::from_fn(|_| AtomicU64::new(0)))
}

/// Two threads beside the one of the model.
pub(crate) fn two<A: 'static, B: 'static>(a: impl FnOnce() -> A + 'static, b: impl FnOnce() -> B + 'static) -> (A, B) {
    let (a, b) = (thread::spawn(a), thread::spawn(b));
    (a.join().unwrap(), b.join().unwrap())
}
