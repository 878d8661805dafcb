//! Goal: six faults that a first version of the explorer had stay mended. Each lost executions or let a wrong one pass
//! without a word.
//!
//! Method: the smallest model that shows each fault; each test names what undoing the mending would do to it.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::{Arc, Mutex as HostMutex};

use crate::common::{outcomes, outcomes_with, try_outcomes_with, two, words};
use heaplab_explorer::alloc::{self, Layout};
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize};
use heaplab_explorer::sync::{self, Condvar, Mutex};
use heaplab_explorer::{FailureKind, thread};

#[test]
fn c1_more_than_64_sequentially_consistent_events() {
    // With a row of the order in one word, executions of such a program were lost.
    for extra in [0, 20, 31, 32, 40, 70] {
        let (stats, seen) = outcomes(move || {
            let x = words::<4>();
            let side = |x: Arc<[AtomicU64; 4]>, own: usize| {
                move || {
                    for _ in 0..extra {
                        x[2 + own].store(1, SeqCst);
                    }
                    x[own].store(1, SeqCst);
                    x[1 - own].load(SeqCst)
                }
            };
            format!("{:?}", two(side(x.clone(), 0), side(x, 1)))
        });
        assert_eq!((stats.executions, seen.len()), (3, 3), "{extra} more events");
        assert!(!seen.contains_key("(0, 0)"));
    }
}

/// A value of which each run has its own; all stay where they are until the end, so that no address comes twice.
struct Own {
    run: usize,
}

#[test]
fn c2_addresses_are_those_of_the_present_run() {
    // A replay that returned the values of the run before gave out addresses of that run's values.
    let runs: Arc<HostMutex<Vec<Box<Own>>>> = Arc::default();
    let kept = Arc::clone(&runs);
    let (stats, seen) = outcomes(move || {
        let run = {
            let mut kept = kept.lock().unwrap();
            let run = kept.len();
            kept.push(Box::new(Own { run }));
            run
        };
        let own: *mut Own = &raw mut **kept.lock().unwrap().last_mut().unwrap();
        let shared: Arc<(AtomicPtr<Own>, AtomicPtr<Own>)> = Arc::default();
        let (a, b) = (Arc::clone(&shared), Arc::clone(&shared));
        let (_, (read, exchanged)) = two(
            move || {
                a.0.store(own, Release);
                a.1.store(own, Release);
            },
            move || {
                let read = b.0.load(Acquire);
                // Succeeds for this run's address only.
                let exchanged = b.1.compare_exchange(own, std::ptr::null_mut(), AcqRel, Acquire).is_ok();
                (read, exchanged)
            },
        );
        if !read.is_null() {
            // SAFETY: every value lives until the end of the exploration.
            assert_eq!(unsafe { &*read }.run, run, "an address of this run");
        }
        format!("{} {exchanged}", read.is_null())
    });
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(stats.executions, 4);
    assert!(runs.lock().unwrap().len() >= 4);
}

#[test]
fn c3_whom_a_notification_wakes_is_a_choice() {
    // It was the waiter with the lowest number.
    let (_, seen) = outcomes(|| {
        let shared = Arc::new((Mutex::new((0, vec![])), Condvar::new(), Condvar::new()));
        let waiters: Vec<_> = (1..=2)
            .map(|number| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let mut state = shared.0.lock().unwrap();
                    state.0 += 1;
                    shared.2.notify_one();
                    let mut state = shared.1.wait(state).unwrap();
                    state.1.push(number);
                    shared.1.notify_one();
                })
            })
            .collect();
        let mut state = shared.0.lock().unwrap();
        while state.0 < 2 {
            state = shared.2.wait(state).unwrap();
        }
        drop(state);
        shared.1.notify_one();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        format!("{:?}", shared.0.lock().unwrap().1)
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["[1, 2]", "[2, 1]"]);
}

/// Tells which thread dropped it.
struct Tells(Arc<HostMutex<String>>);

impl Drop for Tells {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = format!("{:?}", thread::current().id());
    }
}

#[test]
fn c4_the_last_owner_is_either_one() {
    // The count of the standard library's pointer is hidden: its last owner is whoever is last in one order.
    let (_, seen) = outcomes(|| {
        let told = Arc::default();
        let owned = sync::Arc::new(Tells(Arc::clone(&told)));
        let other = owned.clone();
        two(move || drop(owned), move || drop(other));
        told.lock().unwrap().clone()
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["ThreadId(1)", "ThreadId(2)"]);
}

#[test]
fn c4_each_replayed_event_is_compared() {
    // Stores were not: a store of another value in each run passed. The value is below what may be an address.
    for hides in ["a value", "an expected value", "a choice", "a thread to join"] {
        let runs = Arc::new(HostMutex::new(0_usize));
        let (result, _) = try_outcomes_with(&Builder::new(), move || {
            let run = {
                let mut runs = runs.lock().unwrap();
                *runs += 1;
                *runs
            };
            let x = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
            let other = Arc::clone(&x);
            let (a, b) = (
                thread::spawn(move || match hides {
                    "a value" => other.0.store(run, Relaxed),
                    "an expected value" => _ = other.0.compare_exchange(100 + run, 1, Relaxed, Relaxed),
                    "a choice" => _ = heaplab_explorer::choose(1 + run),
                    _ => {}
                }),
                thread::spawn(|| {}),
            );
            let (first, second) = if hides == "a thread to join" && run % 2 == 0 { (b, a) } else { (a, b) };
            first.join().unwrap();
            second.join().unwrap();
            heaplab_explorer::choose(2).to_string()
        });
        assert_eq!(result.unwrap_err().kind, FailureKind::Nondeterminism, "{hides}");
    }
}

#[test]
fn c4_values_that_may_be_addresses_may_differ() {
    // A word holds an address and tag bits, as lock-free structures have them; it is of another value in each run.
    let kept: Arc<HostMutex<Vec<Box<u64>>>> = Arc::default();
    let (stats, _) = outcomes(move || {
        let mut kept = kept.lock().unwrap();
        kept.push(Box::new(0));
        let address = std::ptr::from_ref(&**kept.last().unwrap()).addr();
        drop(kept);
        let x = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&x);
        let writer = thread::spawn(move || other.store(address | 1, Release));
        let read = x.load(Acquire);
        writer.join().unwrap();
        (read & 1).to_string()
    });
    assert_eq!(stats.executions, 2);
}

/// One thread takes what `head` points to, by an exchange after a load. The other one takes it too, frees it, and puts
/// a new block there. True if the exchange took the new block for the old one.
fn exchange_after_reuse() -> String {
    let layout = Layout::new::<u64>();
    // SAFETY: the size is not zero.
    let first = unsafe { alloc::alloc(layout) };
    let shared = Arc::new((AtomicPtr::new(first), AtomicUsize::new(0)));
    let (a, b) = (Arc::clone(&shared), Arc::clone(&shared));
    let (is_wrong, ()) = two(
        move || {
            let seen = a.0.load(Acquire);
            let before = a.1.load(Relaxed);
            if seen.is_null() || a.0.compare_exchange(seen, std::ptr::null_mut(), AcqRel, Relaxed).is_err() {
                return false;
            }
            let after = a.1.load(Relaxed);
            // SAFETY: the block is taken out of the shared word.
            unsafe { alloc::dealloc(seen, layout) };
            (before, after) == (0, 1)
        },
        move || {
            let taken = b.0.swap(std::ptr::null_mut(), AcqRel);
            if taken.is_null() {
                return;
            }
            // SAFETY: the block is taken out of the shared word; the size is not zero.
            let fresh = unsafe {
                alloc::dealloc(taken, layout);
                alloc::alloc(layout)
            };
            b.1.store(1, Relaxed);
            b.0.store(fresh, Release);
        },
    );
    let left = shared.0.load(Relaxed);
    if !left.is_null() {
        // SAFETY: the threads are joined, and the block was in the shared word.
        unsafe { alloc::dealloc(left, layout) };
    }
    is_wrong.to_string()
}

#[test]
fn c5_memory_is_used_again_as_a_choice() {
    // Without it the exchange never meets an address that was given out twice.
    let (_, seen) = outcomes(exchange_after_reuse);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["false"]);
    let mut builder = Builder::new();
    builder.reuses = 1;
    let (_, seen) = outcomes_with(&builder, exchange_after_reuse);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["false", "true"]);
}

#[test]
fn c5_memory_that_was_freed_is_poisoned_and_its_values_are_refused() {
    let (result, _) = try_outcomes_with(&Builder::new(), || {
        let layout = Layout::new::<AtomicUsize>();
        // SAFETY: the block is as large as the value; it is used after it was freed, which is what the explorer
        // refuses, and which the host survives since the block is kept.
        unsafe {
            let address = alloc::alloc(layout).cast::<AtomicUsize>();
            address.write(AtomicUsize::new(0));
            alloc::dealloc(address.cast(), layout);
            (*address).load(Relaxed);
        }
        String::new()
    });
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Foreign);
    assert!(failure.message.contains("whose memory was freed"), "{failure}");
}

fn gives_up_after_three_turns(is_set: bool) -> impl Fn() -> String + 'static {
    move || {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        let waiter = thread::spawn(move || {
            for _ in 0..3 {
                if other.load(Acquire) {
                    return true;
                }
                thread::yield_now();
            }
            false
        });
        if is_set {
            flag.store(true, Release);
        }
        waiter.join().unwrap().to_string()
    }
}

#[test]
fn c6_a_loop_that_gives_up_does_so() {
    // A turn like the one before was taken for one of an endless loop, and the execution was dropped.
    let (stats, seen) = outcomes(gives_up_after_three_turns(false));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["false"]);
    assert!(stats.is_complete(), "{stats}");
    let (_, seen) = outcomes(gives_up_after_three_turns(true));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["false", "true"]);
}

#[test]
fn memory_is_used_again_only_where_its_free_is_known_and_the_model_stays_deterministic() {
    // Two threads free and allocate; who has run first says nothing about what they may get.
    let mut builder = Builder::new();
    builder.reuses = 2;
    let (stats, seen) = outcomes_with(&builder, || {
        let flag = Arc::new(AtomicUsize::new(0));
        let work = move |own: usize, flag: Arc<AtomicUsize>| {
            let layout = Layout::new::<u64>();
            // SAFETY: the layout has a size, and each block is freed once.
            unsafe {
                let first = alloc::alloc(layout);
                alloc::dealloc(first, layout);
                let other_is_over = flag.swap(own, AcqRel) != 0;
                let second = alloc::alloc(layout);
                let is_same = first == second;
                alloc::dealloc(second, layout);
                (other_is_over, is_same)
            }
        };
        let other = Arc::clone(&flag);
        let (a, b) = two(move || work(1, flag), move || work(2, other));
        format!("{a:?} {b:?}")
    });
    assert_eq!(stats.duplicates, 0);
    // Of two orders each: the first has one block to choose, the second two, and not the one that is taken.
    let both: Vec<_> = seen.keys().cloned().collect();
    assert_eq!(
        both,
        [
            "(false, false) (true, false)",
            "(false, false) (true, true)",
            "(false, true) (true, false)",
            "(false, true) (true, true)",
            "(true, false) (false, false)",
            "(true, false) (false, true)",
            "(true, true) (false, false)",
            "(true, true) (false, true)",
        ]
    );
}
