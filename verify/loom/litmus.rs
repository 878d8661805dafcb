//! Litmus tests of the model checker itself.
//!
//! Goal: know, and keep knowing, what each pass explores. Method: tiny programs whose outcomes are collected over a whole
//! exploration and compared with an exact set; a change in the checker's behaviour, for better or worse, turns this red.
//! Sets that differ from what the memory model allows are the checker's blind spots (an outcome is missing) or false alarms
//! (an impossible outcome is there), and say so.

#![cfg(feature = "loom")]

use heaplab::sync::model_control::Pass;
use heaplab::sync::{Arc, AtomicU32, ExploreOptions, HeapWord, Ordering, explore, fence, thread};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Every result of `f` over a complete exploration.
#[track_caller]
fn outcomes<T: Ord + Send + 'static>(
    pass: Pass,
    preemption_bound: Option<usize>,
    f: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let options = ExploreOptions { pass, preemption_bound, ..ExploreOptions::default() };
    let collector = seen.clone();
    let exploration = explore(&options, move || {
        let outcome = f();
        collector.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
    });
    assert!(exploration.is_complete(), "{exploration:?}");
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Compares the exact sets of both passes, unbounded.
#[track_caller]
fn expect<T: Ord + Send + core::fmt::Debug + 'static>(
    f: impl Fn() -> T + Send + Sync + Copy + 'static,
    normal: impl IntoIterator<Item = T>,
    read_as_rmw: impl IntoIterator<Item = T>,
) {
    assert_eq!(outcomes(Pass::Normal, None, f), normal.into_iter().collect(), "normal pass");
    assert_eq!(outcomes(Pass::ReadAsRmw, None, f), read_as_rmw.into_iter().collect(), "read-as-RMW pass");
}

/// Runs `first` here and `second` on another thread, over two words that start as 0.
fn two_threads<A, B: Send + 'static>(
    first: impl FnOnce(&AtomicU32, &AtomicU32) -> A,
    second: impl FnOnce(&AtomicU32, &AtomicU32) -> B + Send + 'static,
) -> (A, B) {
    let words = Arc::new((AtomicU32::new(0), AtomicU32::new(0)));
    let other = thread::spawn({
        let words = words.clone();
        move || second(&words.0, &words.1)
    });
    let here = first(&words.0, &words.1);
    (here, other.join().unwrap())
}

const ALL: [(u32, u32); 4] = [(0, 0), (0, 1), (1, 0), (1, 1)];

/// `x = 1; y = 1` against `y; x`: the reader's (y, x).
fn message_passing(publish: Ordering, look: Ordering) -> (u32, u32) {
    let (read, ()) = two_threads(
        |x, y| (y.load(look), x.load(Relaxed)),
        move |x, y| {
            x.store(1, Relaxed);
            y.store(1, publish);
        },
    );
    read
}

/// The memory model allows all four when relaxed. The second pass sees no stale value, so it cannot judge orderings.
#[test]
fn message_passing_relaxed() {
    expect(|| message_passing(Relaxed, Relaxed), ALL, [(0, 0), (0, 1), (1, 1)]);
}

/// The memory model forbids (1, 0).
#[test]
fn message_passing_release_acquire() {
    let allowed = [(0, 0), (0, 1), (1, 1)];
    expect(|| message_passing(Release, Acquire), allowed, allowed);
}

/// One side alone gives no edge.
#[test]
fn message_passing_one_sided() {
    let interleavings = [(0, 0), (0, 1), (1, 1)];
    expect(|| message_passing(Release, Relaxed), ALL, interleavings);
    expect(|| message_passing(Relaxed, Acquire), ALL, interleavings);
}

/// Heap words keep their form, so both passes see what is stale.
#[test]
fn message_passing_on_heap_words() {
    let program = || {
        let words = Arc::new((HeapWord::new(0), HeapWord::new(0)));
        let other = thread::spawn({
            let words = words.clone();
            move || {
                words.0.store(1, Relaxed);
                words.1.store(1, Relaxed);
            }
        });
        let read = (words.1.load(Relaxed), words.0.load(Relaxed));
        other.join().unwrap();
        read
    };
    expect(program, ALL, ALL);
}

/// `x = 1; y` against `y = 1; x`.
fn store_buffering(order_store: Ordering, order_load: Ordering, fenced: bool) -> (u32, u32) {
    let fence_between = move || {
        if fenced {
            fence(SeqCst);
        }
    };
    two_threads(
        |x, y| {
            x.store(1, order_store);
            fence_between();
            y.load(order_load)
        },
        move |x, y| {
            y.store(1, order_store);
            fence_between();
            x.load(order_load)
        },
    )
}

/// The memory model allows all four.
#[test]
fn store_buffering_relaxed() {
    expect(|| store_buffering(Relaxed, Relaxed, false), ALL, [(0, 1), (1, 0), (1, 1)]);
}

/// Release and acquire do not help: the memory model allows all four.
#[test]
fn store_buffering_release_acquire() {
    expect(|| store_buffering(Release, Acquire, false), ALL, [(0, 1), (1, 0), (1, 1)]);
}

/// The memory model forbids (0, 0), and the checker knows.
#[test]
fn store_buffering_with_fences() {
    let allowed = [(0, 1), (1, 0), (1, 1)];
    expect(|| store_buffering(Relaxed, Relaxed, true), allowed, allowed);
}

/// False alarm: the memory model forbids (0, 0), but the checker treats `SeqCst` accesses as acquire-release.
#[test]
fn store_buffering_seq_cst_accesses_is_a_false_alarm() {
    expect(|| store_buffering(SeqCst, SeqCst, false), ALL, [(0, 1), (1, 0), (1, 1)]);
}

/// Two reads of one word never go backwards.
#[test]
fn coherence_of_two_reads() {
    let program = || {
        let (read, ()) = two_threads(|x, _| (x.load(Relaxed), x.load(Relaxed)), |x, _| x.store(1, Relaxed));
        read
    };
    let allowed = [(0, 0), (0, 1), (1, 1)];
    expect(program, allowed, allowed);
}

/// A thread reads its own store or a newer one, never an older one; the last value is one of the two.
#[test]
fn coherence_of_write_and_read() {
    let program = || {
        let (read, ()) = two_threads(
            |x, _| {
                x.store(1, Relaxed);
                x.load(Relaxed)
            },
            |x, _| x.store(2, Relaxed),
        );
        read
    };
    expect(program, [1, 2], [1, 2]);
}

/// `load; CAS` on the word: the value loaded, and whether the exchange took.
fn increment(word: &AtomicU32) -> (u32, bool) {
    let seen = word.load(Relaxed);
    let took = word.compare_exchange(seen, seen + 1, Relaxed, Relaxed).is_ok();
    (seen, took)
}

/// Two `load; CAS` on one word, as (here, there).
fn two_increments() -> ((u32, bool), (u32, bool)) {
    two_threads(|x, _| increment(x), |x, _| increment(x))
}

/// Interleaved with either as the loser, and one after the other in both orders.
const INCREMENTS: [((u32, bool), (u32, bool)); 4] =
    [((0, true), (0, false)), ((0, false), (0, true)), ((0, true), (1, true)), ((1, true), (0, true))];

/// Blind spot: unbounded, the normal pass never runs the other thread wholly first; the second pass does.
#[test]
fn two_increments_unbounded() {
    expect(two_increments, INCREMENTS[..3].iter().copied(), INCREMENTS);
}

/// Bounded exploration backtracks more: there the normal pass sees all.
#[test]
fn two_increments_at_two_preemptions() {
    for pass in [Pass::Normal, Pass::ReadAsRmw] {
        let seen = outcomes(pass, Some(2), two_increments);
        assert_eq!(seen, BTreeSet::from(INCREMENTS), "{pass}");
    }
}

/// `load; CAS` against a load; the load's value.
fn increment_against_load() -> u32 {
    let (read, _) = two_threads(|x, _| x.load(Relaxed), |x, _| increment(x));
    read
}

/// Blind spot: the normal pass runs one execution and sees one of two values, at every bound.
#[test]
fn increment_against_load_needs_the_second_pass() {
    for bound in [None, Some(1), Some(2), Some(3)] {
        assert_eq!(outcomes(Pass::Normal, bound, increment_against_load), BTreeSet::from([0]), "{bound:?}");
        assert_eq!(outcomes(Pass::ReadAsRmw, bound, increment_against_load), BTreeSet::from([0, 1]), "{bound:?}");
    }
}

/// Blind spot: the memory model allows (1, 1); neither pass shows it. No argument may rely on the checker here.
#[test]
fn load_buffering_is_not_explored() {
    let program = || {
        two_threads(
            |x, y| {
                let read = x.load(Relaxed);
                y.store(1, Relaxed);
                read
            },
            |x, y| {
                let read = y.load(Relaxed);
                x.store(1, Relaxed);
                read
            },
        )
    };
    let explored = [(0, 0), (0, 1), (1, 0)];
    expect(program, explored, explored);
}

/// Blind spot: a weak compare-exchange never fails spuriously.
#[test]
fn weak_exchange_does_not_fail_spuriously() {
    let program = || {
        let word = AtomicU32::new(0);
        word.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_ok()
    };
    expect(program, [true], [true]);
}

/// False alarm: `store(1)` against `fetch_or(2)` ends as 1 or 3. The checker also shows 2, because it lets the RMW read any
/// maximal store. Hence the rule: never plain-store a word that another thread changes by RMW.
#[test]
fn store_against_rmw_is_a_false_alarm() {
    let program = || {
        let word = Arc::new(AtomicU32::new(0));
        let other = thread::spawn({
            let word = word.clone();
            move || word.fetch_or(2, Relaxed)
        });
        word.store(1, Relaxed);
        other.join().unwrap();
        word.load(Relaxed)
    };
    expect(program, [1, 2, 3], [1, 3]);
}
