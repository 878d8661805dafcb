//! Goal: what the safe API tells of values is true: identity, kinds, lengths, the bounds of raw words; and a loop
//! that only polls lets others stop the world.
//!
//! Method: a value of each kind, asked everything.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{build, in_time, panics, small, tiny};
use heaplab::*;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_reference_is_equal_to_itself_alone() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let first = scope.new_array(2).unwrap();
            let second = scope.new_array(2).unwrap();
            assert!(scope.get(first) == scope.get(first));
            assert!(scope.get(first) != scope.get(second), "equal contents are not identity");
            let seven = scope.small(7).expect("it fits");
            assert_eq!(scope.get(seven).as_small(), Some(7));
            assert!(scope.get(seven) != scope.get(scope.small(8).expect("it fits")));
            assert!(scope.small(1 << 30).is_none() && scope.small(-(1 << 30) - 1).is_none());
            assert!(scope.small((1 << 30) - 1).is_some() && scope.small(-(1 << 30)).is_some());
        })
        .unwrap();
}

#[test]
fn anything_is_a_value() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let array = scope.new_array(1).unwrap();
            let bytes = scope.new_bytes(5).unwrap();
            let seven = scope.small(7).expect("it fits");
            for value in [scope.get(array).into(), scope.get(bytes).into(), scope.get(seven), scope.null()] {
                assert!(scope.downcast::<Value>(value) == Some(value));
            }
            assert!(scope.downcast::<Array>(scope.get(array).into()).is_some());
            assert!(scope.downcast::<Array>(scope.get(bytes).into()).is_none());
            assert!(scope.downcast::<Array>(scope.get(seven)).is_none());
        })
        .unwrap();
}

#[test]
fn lengths_are_those_that_were_asked_for() {
    let heap = build(small());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for len in [0, 1, 2, 3, 7, 8, 9, 100] {
                let (bytes, code) = (scope.new_bytes(len).unwrap(), scope.new_code(len).unwrap());
                assert_eq!(scope.bytes_len(scope.get(bytes)), len);
                assert_eq!(scope.code_len(scope.get(code)), len);
            }
        })
        .unwrap();
    assert!(heap.new_root_set(0).is_empty());
    assert!(!heap.new_root_set(1).is_empty());
    assert_eq!(heap.new_root_set(3).len(), 3);
}

/// A record has the raw words that are neither its header nor tagged, and no more.
#[test]
fn raw_words_end_where_the_fixed_part_ends() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for (tagged, raw) in [(1, 4), (2, 3), (4, 1)] {
                let map = scope.new_map(Shape::new(16, 6, tagged, Tail::None).unwrap()).unwrap();
                let record = scope.new_record(map).unwrap();
                for index in 0..raw {
                    scope.store_raw(scope.get(record), index, 100 + index as u32);
                }
                for index in 0..raw {
                    assert_eq!(scope.load_raw(scope.get(record), index), 100 + index as u32);
                }
                assert!(!panics(|| scope.load_raw(scope.get(record), raw)).contains("divide"));
                assert!(!panics(|| scope.store_raw(scope.get(record), raw, 1)).contains("divide"));
            }
        })
        .unwrap();
}

#[test]
fn a_loop_that_polls_lets_the_world_stop() {
    in_time(|| {
        let heap = build(tiny());
        let (running, done) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let mut thread = heap.attach().unwrap();
                thread
                    .run(|scope| {
                        running.store(true, Ordering::Release);
                        while !done.load(Ordering::Acquire) {
                            scope.poll();
                        }
                    })
                    .unwrap();
            });
            while !running.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            heap.collect(CollectionKind::Minor).unwrap();
            done.store(true, Ordering::Release);
        });
    });
}
