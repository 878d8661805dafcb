//! Goal: when nobody moves, the report says who is attached, in which state, and who waits for whom. Method: a thread
//! that runs and does not poll, and another one that wants a stop.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{build, tiny};
use heaplab::sync::roll;
use heaplab::*;
use std::sync::mpsc::channel;
use std::thread::Builder;
use std::time::{Duration, Instant};

#[test]
fn a_thread_that_does_not_poll_is_named_and_so_are_those_that_wait_for_it() {
    if !roll::ENABLED {
        return;
    }
    let heap = build(tiny());
    let named = |name: &str| Builder::new().name(name.to_owned());
    let (go_on, told) = channel::<()>();
    let (runs, running) = channel();
    let stubborn = named("stubborn").spawn({
        let heap = heap.clone();
        move || {
            let mut thread = heap.attach().expect("there is a place");
            let run = thread.run(|_| {
                runs.send(()).expect("the test waits");
                told.recv().expect("the test tells");
            });
            run.expect("it runs nothing else");
        }
    });
    running.recv().expect("it runs");
    let collector = named("collector").spawn({
        let heap = heap.clone();
        move || heap.collect(CollectionKind::Major).expect("no run")
    });
    let wanted = [
        "local heap attached by stubborn: running, asked to stop",
        "thread collector: stop.armed was its last yield point; it has the collector lock, and waits until each \
         local heap that is `running, asked to stop` has parked",
    ];
    // Two threads have to get so far.
    let deadline = Instant::now() + Duration::from_secs(if cfg!(miri) { 600 } else { 20 });
    let mut report = roll::report();
    while !wanted.iter().all(|line| report.contains(line)) && Instant::now() < deadline {
        std::thread::yield_now();
        report = roll::report();
    }
    go_on.send(()).expect("it waits");
    for thread in [stubborn, collector] {
        thread.expect("the system has a thread").join().expect("it does not panic");
    }
    for line in wanted {
        assert!(report.contains(line), "no line says {line:?}:\n{report}");
    }
    let after = roll::report();
    assert!(!after.contains("attached by stubborn"), "it has detached:\n{after}");
}
