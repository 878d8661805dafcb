//! Programs on which the explorer and the judge have disagreed, shrunk. Each says what the explorer did wrong.

use super::program::{Op, Program, Test, Thread, Value};
use std::sync::atomic::Ordering::Relaxed;

fn lock(mutex: usize, body: Vec<Op>) -> Op {
    Op::Section { mutex, body }
}

fn load() -> Op {
    Op::Load { word: 0, order: Relaxed }
}

fn store() -> Op {
    Op::Store { word: 0, value: Value::Number(1), order: Relaxed }
}

fn wait_if_zero() -> Op {
    Op::If { test: Test { equal: true, value: 0 }, body: vec![Op::Wait] }
}

/// Sets the word and notifies all, under a mutex.
fn set(mutex: usize) -> Op {
    lock(mutex, vec![store(), Op::NotifyAll { mutex }])
}

fn failing_exchange() -> Op {
    let (expected, new) = (Value::Number(2), Value::Number(2));
    Op::Exchange { word: 0, expected, new, success: Relaxed, failure: Relaxed, weak: false }
}

/// A thread of a `parent`, spawned before the operation at `spawned` and joined at the end.
fn child(parent: usize, spawned: usize, body: Vec<Op>) -> Thread {
    Thread { parent, spawned, joined: usize::MAX, body }
}

fn main_thread(body: Vec<Op>) -> Thread {
    Thread { body, ..Thread::default() }
}

fn of(mutexes: usize, threads: Vec<Thread>) -> Program {
    Program { words: 1, mutexes, threads, ..Program::default() }
}

/// The programs, with what the explorer did.
pub(crate) fn found() -> Vec<(&'static str, Program)> {
    vec![
        ("a spurious wake-up was run twice: as itself, and where it was notified", {
            let waiter = vec![lock(0, vec![load(), wait_if_zero()])];
            Program { spurious_wakeups: 1, ..of(1, vec![main_thread(vec![set(0)]), child(0, 0, waiter)]) }
        }),
        (
            "an exchange that fails raced with a plain load",
            Program::parallel(1, vec![vec![Op::PlainLoad { word: 0 }], vec![failing_exchange()]]),
        ),
        (
            "a run was wasted on a lock of a thread that had spawned another",
            of(1, vec![main_thread(vec![lock(0, vec![])]), child(0, 0, vec![lock(0, vec![])]), child(1, 0, vec![])]),
        ),
        ("the race of a plain store was overlooked with a load behind a try_lock", {
            let plain_store = Op::PlainStore { word: 0, value: Value::Number(1) };
            let attempt = Op::TrySection { mutex: 0, body: vec![] };
            let guarded = Op::If { test: Test { equal: true, value: 1 }, body: vec![load()] };
            Program {
                mutexes: 1,
                ..Program::parallel(1, vec![vec![lock(0, vec![plain_store])], vec![attempt, guarded]])
            }
        }),
        (
            "an execution of nested sections was lost",
            of(
                2,
                vec![
                    main_thread(vec![store(), lock(1, vec![])]),
                    child(0, 1, vec![lock(1, vec![lock(0, vec![])])]),
                    child(1, 0, vec![lock(0, vec![])]),
                ],
            ),
        ),
        ("a run was wasted on a lock within the section of a waiter", {
            let waiter = vec![lock(1, vec![load(), wait_if_zero(), lock(0, vec![])])];
            let notifier = vec![lock(0, vec![Op::NotifyAll { mutex: 1 }])];
            let threads =
                vec![main_thread(vec![set(1)]), child(0, 0, waiter), child(0, 0, vec![]), child(0, 0, notifier)];
            of(2, threads)
        }),
    ]
}
