//! Goal: what belongs to one heap, given to another, is an error value, and so is whatever would block on a heap
//! while the thread runs another one; both heaps stay sound.
//!
//! Method: inside a run of one heap each public function of the other is called, and each function that takes
//! something of a heap is given the other's. The sources are read, so that a function that is added is missed here.

#![cfg(not(feature = "shuttle"))]

mod common;

use common::{assert_usable, build, in_time, tiny};
use heaplab::*;
use std::collections::BTreeSet;

/// Functions of [`Heap`] that are refused inside a run, of whichever heap.
const REFUSED: [&str; 15] = [
    "attach",
    "attach_raw",
    "close",
    "collect",
    "set_concurrent_allocation",
    "set_fail_allocation",
    "set_gc_interval",
    "set_hard_limit",
    "set_stress_concurrent_allocation",
    "set_trace_collections",
    "simulate_full_space",
    "statistics",
    "survey",
    "take_collection_trace",
    "verify",
];
/// Functions of [`Heap`] that neither block nor look at the thread.
const FREE: [&str; 8] = [
    "config",
    "layout",
    "new",
    "new_root_set",
    "poison_message",
    "set_near_limit_callback",
    "set_verify_heap",
    "try_new_root_set",
];
/// Functions of [`Scope`] that take something whose heap is known at run time only.
const CHECKED: [&str; 3] = ["load_root", "open", "store_root"];

/// Calls a function of the heap by its name, and returns the text of the refusal, if it refuses.
fn call(heap: &Heap, name: &str) -> Option<String> {
    fn refusal<T, E: core::fmt::Display>(answer: Result<T, E>) -> Option<String> {
        answer.err().map(|error| error.to_string())
    }
    match name {
        "attach" => refusal(heap.attach()),
        "attach_raw" => refusal(heap.attach_raw()),
        "close" => refusal(heap.clone().close().map_err(|(_, error)| error)),
        "collect" => {
            let mut refusals = CollectionKind::ALL.map(|kind| refusal(heap.collect(kind)));
            assert!(
                refusals.iter().all(|one| *one == refusals[0]),
                "one kind is refused, another is not: {refusals:?}"
            );
            refusals[0].take()
        }
        "set_concurrent_allocation" => refusal(heap.set_concurrent_allocation(true)),
        "set_fail_allocation" => refusal(heap.set_fail_allocation(Some(1))),
        "set_hard_limit" => refusal(heap.set_hard_limit(heap.config().hard_limit_bytes)),
        "set_gc_interval" => refusal(heap.set_gc_interval(1)),
        "set_stress_concurrent_allocation" => refusal(heap.set_stress_concurrent_allocation(true)),
        "set_trace_collections" => refusal(heap.set_trace_collections(true)),
        "simulate_full_space" => refusal(heap.simulate_full_space(SpaceKind::Old)),
        "statistics" => refusal(heap.statistics()),
        "survey" => refusal(heap.survey()),
        "take_collection_trace" => refusal(heap.take_collection_trace()),
        "verify" => refusal(heap.verify()),
        _ => panic!("{name} is in the list, and is not called here"),
    }
}

#[test]
fn each_function_of_a_heap_inside_a_run_of_another() {
    in_time(|| {
        let (heap, other) = (build(tiny()), build(tiny()));
        let (mut thread, mut other_thread) = (heap.attach().unwrap(), other.attach().unwrap());
        let run = thread.run(|scope| {
            let kept = scope.new_array(3).expect("an empty heap has room");
            for name in REFUSED {
                let refusal = call(&other, name);
                let text = refusal.unwrap_or_else(|| panic!("`{name}` of another heap is not refused inside a run"));
                assert!(text.len() > 30, "`{name}` is refused by a bare message: {text}");
            }
            other.set_verify_heap(true);
            assert_eq!(other.poison_message(), None, "a sound heap");
            other.set_near_limit_callback(None);
            assert_eq!(other.config().threads_max, other.layout().threads_max(), "what the other heap was built with");
            drop(other.new_root_set(2));
            drop(other.try_new_root_set(2).expect("there is memory for two slots"));
            assert_eq!(other_thread.run(|_| ()), Err(RunError::AlreadyRunning), "a run inside a run");
            assert_eq!(scope.len(scope.get(kept)), 3, "the length of an array that is kept all the time");
        });
        run.expect("the thread runs nothing else");
        for name in REFUSED.iter().filter(|name| **name != "close" && **name != "set_stress_concurrent_allocation") {
            assert_eq!(call(&other, name), None, "`{name}` outside of a run");
        }
        other.set_gc_interval(0).expect("no run");
        other.set_fail_allocation(None).expect("no run");
        assert_usable(&heap, &mut thread);
        assert_usable(&other, &mut other_thread);
    });
}

/// Roots of the other heap are refused by the functions that take roots, and dropped in a run of this one without
/// harm.
#[test]
fn persistent_handles_and_root_sets_of_another_heap() {
    in_time(|| {
        let (heap, other) = (build(tiny()), build(tiny()));
        let (mut thread, mut other_thread) = (heap.attach().unwrap(), other.attach().unwrap());
        let set = other.new_root_set(2);
        let persistent = other_thread.run(|scope| {
            let array = scope.new_array(4).expect("an empty heap has room");
            scope.store_root(&set, 1, scope.get(array).into()).expect("a root set of this heap");
            scope.persist(array)
        });
        let persistent = persistent.expect("the thread runs nothing else");
        let run = thread.run(|scope| {
            let array = scope.new_array(5).expect("an empty heap has room");
            for name in CHECKED {
                let refusal = match name {
                    "load_root" => scope.load_root(&set, 1).map(drop),
                    "open" => scope.open(&persistent).map(drop),
                    "store_root" => scope.store_root(&set, 1, scope.get(array).into()),
                    _ => panic!("{name} is in the list, and is not called here"),
                };
                assert!(refusal.is_err(), "`{name}` takes what belongs to another heap");
            }
            drop(persistent);
            drop(set);
            assert_eq!(scope.len(scope.get(array)), 5, "the length of an array that is kept all the time");
        });
        run.expect("the thread runs nothing else");
        assert_usable(&heap, &mut thread);
        assert_usable(&other, &mut other_thread);
    });
}

/// What stands in `text` between `begin` and a line that ends the block.
fn block<'a>(text: &'a str, begin: &str) -> &'a str {
    let start = text.find(begin).unwrap_or_else(|| panic!("the sources have no `{begin}`"));
    text[start..].split("\n}\n").next().expect("a block ends")
}

/// The public functions in a text, each with its signature.
fn functions(text: &str) -> Vec<(&str, &str)> {
    let rests = text.split("    pub fn ").skip(1);
    rests.map(|rest| (rest.split(['(', '<']).next().unwrap_or(""), rest.split(" {\n").next().unwrap_or(""))).collect()
}

/// Goal: no function is left out above. Method: the lists are what the sources have.
#[cfg(not(miri))]
#[test]
fn each_public_function_is_in_a_list() {
    let read = |file: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/heap").join(file);
        std::fs::read_to_string(path).expect("the sources are there")
    };
    let text = read("mod.rs");
    let found: BTreeSet<&str> = functions(block(&text, "impl Heap {")).into_iter().map(|(name, _)| name).collect();
    let listed: BTreeSet<&str> = REFUSED.into_iter().chain(FREE).collect();
    assert!(found.len() > 15, "this test does not see the functions of `Heap`: {found:?}");
    let apart: Vec<_> = found.symmetric_difference(&listed).collect();
    assert!(
        apart.is_empty(),
        "these are public functions of `Heap` or listed here, not both: {apart:?}; one that may block belongs \
         to `REFUSED` and `call`, another one to `FREE`"
    );
    let texts = [read("scope.rs"), read("scope_objects.rs")];
    let takes = |signature: &str| signature.contains("&Persistent<") || signature.contains("&RootSet");
    let found: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| functions(text))
        .filter(|(_, signature)| takes(signature))
        .map(|(name, _)| name)
        .collect();
    assert!(
        found == BTreeSet::from(CHECKED),
        "functions of `Scope` that take what belongs to a heap are {found:?}, and called are {CHECKED:?}"
    );
}
