//! Goal: locks, condition variables, tokens and channels have every order that they allow, once, and a wait without
//! an end is reported with who waits for what.
//!
//! Method: small programs whose executions are counted by hand. Each mutex program also runs without handing over in
//! place: the executions are the same then, and only runs that end in a wait are more.

use std::sync::Arc;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

use crate::common::{Outcomes, outcomes, outcomes_with, try_outcomes_with, two};
use heaplab_explorer::cell::UnsafeCell;
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::{AtomicBool, AtomicUsize};
use heaplab_explorer::sync::{Condvar, Mutex, Notify, RwLock, mpsc};
use heaplab_explorer::{FailureKind, Stats, hint, thread};

/// Explores with and without handing over in place, and compares.
fn both(f: impl Fn() -> String + Copy + 'static) -> (Stats, Outcomes) {
    let mut handing_over = Builder::new();
    handing_over.plain_locks = false;
    let (stats, seen) = outcomes_with(&handing_over, f);
    let (plain_stats, plain_seen) = outcomes(f);
    assert_eq!(stats.executions, plain_stats.executions, "plain locks have the same executions");
    assert_eq!(seen, plain_seen, "and the same outcomes");
    assert!(stats.blocked <= plain_stats.blocked);
    (stats, seen)
}

fn sections(threads: usize, times: usize) -> impl Fn() -> String + Copy + 'static {
    move || {
        let mutex = Arc::new(Mutex::new(0));
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                thread::spawn(move || {
                    for _ in 0..times {
                        *mutex.lock().unwrap() += 1;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        let total = *mutex.lock().unwrap();
        total.to_string()
    }
}

#[test]
fn sections_come_in_each_order_once() {
    for (threads, times, executions) in [(2, 1, 2), (2, 2, 6), (3, 1, 6), (3, 2, 90)] {
        let (stats, seen) = both(sections(threads, times));
        assert_eq!(stats.executions, executions, "{threads} x {times}");
        assert_eq!(stats.blocked, 0, "handed over in place");
        assert_eq!(seen.into_keys().collect::<Vec<_>>(), [(threads * times).to_string()]);
    }
}

#[test]
fn a_wait_that_ended_in_place_counts_as_one_where_its_end_may_be_deleted() {
    // The load comes after a wait that the other thread's unlock ends. A later store revisits the load in each order
    // of the sections; without the memory of the wait one of the four was lost.
    let (stats, seen) = both(|| {
        let shared = Arc::new((Mutex::new(vec![]), AtomicUsize::new(0)));
        let shares: [_; 3] = std::array::from_fn(|_| Arc::clone(&shared));
        let [a, b, c] = shares;
        let workers = [
            thread::spawn(move || a.0.lock().unwrap().push("section")),
            thread::spawn(move || {
                let mut order = b.0.lock().unwrap();
                order.push(if b.1.load(Relaxed) == 0 { "reads 0" } else { "reads 1" });
            }),
            thread::spawn(move || c.1.store(1, Relaxed)),
        ];
        for worker in workers {
            worker.join().unwrap();
        }
        shared.0.lock().unwrap().join(", ")
    });
    assert_eq!((stats.executions, seen.len()), (4, 4), "{seen:?}");
}

#[test]
fn nested_sections_of_two_mutexes() {
    let (stats, _) = both(|| {
        let mutexes = Arc::new((Mutex::new(0), Mutex::new(0)));
        let (a, b) = (Arc::clone(&mutexes), mutexes);
        let (first, second) = two(
            move || {
                let mut outer = a.0.lock().unwrap();
                *outer += 1;
                let mut inner = a.1.lock().unwrap();
                *inner += 1;
                (*outer, *inner)
            },
            move || {
                *b.1.lock().unwrap() += 10;
                *b.0.lock().unwrap() += 10;
            },
        );
        format!("{first:?} {second:?}")
    });
    // The sections of the outer mutex in two orders, those of the inner one in two, but not both reversed.
    assert_eq!(stats.executions, 3);
}

#[test]
fn mutexes_taken_in_opposite_orders_are_a_deadlock() {
    for plain_locks in [false, true] {
        let mut builder = Builder::new();
        builder.plain_locks = plain_locks;
        let (result, _) = try_outcomes_with(&builder, || {
            let mutexes = Arc::new((Mutex::new(0), Mutex::new(0)));
            let (a, b) = (Arc::clone(&mutexes), mutexes);
            let named = |name: &str| thread::Builder::new().name(name.to_owned());
            let first = named("first").spawn(move || {
                let _x = a.0.lock().unwrap();
                let _y = a.1.lock().unwrap();
            });
            let second = named("second").spawn(move || {
                let _y = b.1.lock().unwrap();
                let _x = b.0.lock().unwrap();
            });
            first.unwrap().join().unwrap();
            second.unwrap().join().unwrap();
            String::new()
        });
        let failure = result.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Deadlock);
        let says = |text: &str| assert!(failure.message.contains(text), "{text}: {}", failure.message);
        says("T1 (first) waits for lock of x");
        says("which T2 (second) holds");
        says("T2 (second) waits for lock of x");
        says("which T1 (first) holds");
        says("T0 waits for the end of T1 (first)");
        assert_eq!(failure.places.len(), 3);
        assert!(failure.places.iter().all(|place| place.file().ends_with("locks.rs")), "{:?}", failure.places);
    }
}

#[test]
fn a_mutex_locked_twice_is_a_deadlock() {
    let (result, _) = try_outcomes_with(&Builder::new(), || {
        let mutex = Mutex::new(0);
        let _first = mutex.lock();
        let _second = mutex.lock();
        String::new()
    });
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert!(failure.message.contains("T0 waits for lock of x0, which T0 holds"), "{}", failure.message);
}

#[test]
fn try_lock_succeeds_and_fails() {
    let (_, seen) = both(|| {
        let mutex = Arc::new(Mutex::new(0));
        let (a, b) = (Arc::clone(&mutex), mutex);
        let (_, tried) = two(move || *a.lock().unwrap() += 1, move || b.try_lock().map(|guard| *guard).ok());
        format!("{tried:?}")
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["None", "Some(0)", "Some(1)"]);
}

/// One thread sets a flag and tells; another one waits for it.
fn hand_over(tells: bool) -> impl Fn() -> String + Copy + 'static {
    move || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let (a, b) = (Arc::clone(&shared), shared);
        let (_, waits) = two(
            move || {
                *a.0.lock().unwrap() = true;
                if tells {
                    a.1.notify_all();
                }
            },
            move || {
                let mut is_set = b.0.lock().unwrap();
                let mut waits = 0;
                while !*is_set {
                    waits += 1;
                    is_set = b.1.wait(is_set).unwrap();
                }
                waits
            },
        );
        waits.to_string()
    }
}

#[test]
fn a_notification_ends_a_wait() {
    let (_, seen) = both(hand_over(true));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["0", "1"]);
}

#[test]
fn a_notification_that_is_forgotten_is_a_deadlock() {
    let (result, _) = try_outcomes_with(&Builder::new(), hand_over(false));
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert!(failure.message.contains("T2 waits for a notification of the condition variable"), "{}", failure.message);
}

#[test]
fn a_wait_that_may_end_by_itself_must_look_again() {
    let wait_once = || {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let (a, b) = (Arc::clone(&shared), shared);
        let (_, is_set) = two(
            move || {
                *a.0.lock().unwrap() = true;
                a.1.notify_one();
            },
            move || {
                let is_set = b.0.lock().unwrap();
                if *is_set { true } else { *b.1.wait(is_set).unwrap() }
            },
        );
        is_set.to_string()
    };
    let (_, seen) = both(wait_once);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["true"]);
    let mut builder = Builder::new();
    builder.spurious_wakeups = 1;
    let (_, seen) = outcomes_with(&builder, wait_once);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["false", "true"]);
}

#[test]
fn a_loop_around_a_wait_survives_wakeups_by_themselves() {
    let mut builder = Builder::new();
    builder.spurious_wakeups = 2;
    let (stats, seen) = outcomes_with(&builder, hand_over(true));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    assert!(stats.is_complete());
}

#[test]
fn readers_share_and_writers_do_not() {
    let (stats, seen) = outcomes(|| {
        let lock = Arc::new(RwLock::new(0));
        let (a, b) = (Arc::clone(&lock), Arc::clone(&lock));
        let (_, read) = two(
            move || {
                let mut value = a.write().unwrap();
                *value += 1;
                *value += 1;
            },
            move || *b.read().unwrap(),
        );
        format!("{read} {}", *lock.read().unwrap())
    });
    assert_eq!(stats.executions, 2);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["0 2", "2 2"]);
}

#[test]
fn two_readers_are_in_at_once() {
    let (_, seen) = outcomes(|| {
        let shared = Arc::new((RwLock::new(()), AtomicUsize::new(0)));
        let (a, b) = (Arc::clone(&shared), shared);
        let read = |shared: Arc<(RwLock<()>, AtomicUsize)>| {
            move || {
                let _guard = shared.0.read().unwrap();
                let inside = shared.1.fetch_add(1, Relaxed);
                shared.1.fetch_sub(1, Relaxed);
                inside
            }
        };
        let (x, y) = two(read(a), read(b));
        (x + y).to_string()
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["0", "1"]);
}

#[test]
fn a_writer_that_waits_for_its_own_reader_is_a_deadlock() {
    let (result, _) = try_outcomes_with(&Builder::new(), || {
        let lock = RwLock::new(());
        let _reader = lock.read();
        let _writer = lock.write();
        String::new()
    });
    assert_eq!(result.unwrap_err().kind, FailureKind::Deadlock);
}

#[test]
fn a_token_of_notify_orders() {
    let (stats, seen) = outcomes(|| {
        let shared = Arc::new((Notify::new(), AtomicUsize::new(0)));
        let other = Arc::clone(&shared);
        let teller = thread::spawn(move || {
            other.1.store(1, Relaxed);
            other.0.notify();
        });
        shared.0.wait();
        let read = shared.1.load(Relaxed);
        teller.join().unwrap();
        read.to_string()
    });
    assert_eq!((stats.executions, stats.blocked), (1, 0));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["1"]);
}

#[test]
fn a_wait_is_deferred_until_it_can_end() {
    // The threads that wait are begun first, and none of them is run to a wait that another execution ends. Mutexes
    // that do not hand over are waited for as the words that they are.
    let mut handing_over = Builder::new();
    handing_over.plain_locks = false;
    let (stats, seen) = outcomes_with(&handing_over, || {
        let shared = Arc::new((Notify::new(), RwLock::new(0), Mutex::new(0)));
        let waits = Arc::clone(&shared);
        let waiter = thread::spawn(move || waits.0.wait());
        let [reads, locks, tells]: [_; 3] = std::array::from_fn(|_| Arc::clone(&shared));
        let writer = shared.1.write().unwrap();
        let guard = shared.2.lock().unwrap();
        let reader = thread::spawn(move || *reads.1.read().unwrap());
        let locker = thread::spawn(move || *locks.2.lock().unwrap());
        let teller = thread::spawn(move || tells.0.notify());
        waiter.join().unwrap();
        drop((writer, guard));
        teller.join().unwrap();
        format!("{} {}", reader.join().unwrap(), locker.join().unwrap())
    });
    assert_eq!(seen.len(), 1);
    assert_eq!(stats.blocked, 0, "{stats}");
}

#[test]
fn park_returns_after_unpark_only() {
    let (stats, seen) = outcomes(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = Arc::clone(&flag);
        let main = thread::current();
        let waker = thread::spawn(move || {
            other.store(true, Relaxed);
            main.unpark();
        });
        thread::park();
        let read = flag.load(Relaxed);
        waker.join().unwrap();
        read.to_string()
    });
    assert_eq!((stats.executions, seen.contains_key("true"), seen.len()), (1, true, 1));
    let (result, _) = try_outcomes_with(&Builder::new(), || {
        thread::park();
        String::new()
    });
    let failure = result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert!(failure.message.contains("T0 waits for take a token"), "{}", failure.message);
}

#[test]
fn messages_arrive_in_the_order_of_their_sender() {
    let (_, seen) = outcomes(|| {
        let (sender, receiver) = mpsc::channel();
        let other = sender.clone();
        let (a, b) = (
            thread::spawn(move || {
                sender.send(1).unwrap();
                sender.send(2).unwrap();
            }),
            thread::spawn(move || other.send(10).unwrap()),
        );
        let received: Vec<i32> = std::iter::from_fn(|| receiver.recv().ok()).collect();
        a.join().unwrap();
        b.join().unwrap();
        format!("{received:?}")
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["[1, 10, 2]", "[1, 2, 10]", "[10, 1, 2]"]);
}

/// A lock by hand, around a cell.
fn spin_lock(threads: usize, release: Ordering, waits: fn()) -> impl Fn() -> String + 'static {
    move || {
        let shared = Arc::new(Shared { is_taken: AtomicBool::new(false), value: UnsafeCell::new(0) });
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    while shared.is_taken.compare_exchange(false, true, Acquire, Relaxed).is_err() {
                        waits();
                    }
                    // SAFETY: the lock is taken; the explorer checks that.
                    shared.value.with_mut(|value| unsafe { *value += 1 });
                    shared.is_taken.store(false, release);
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        // SAFETY: the threads are joined.
        shared.value.with(|value| unsafe { *value }).to_string()
    }
}

struct Shared {
    is_taken: AtomicBool,
    value: UnsafeCell<u32>,
}

// SAFETY: a model's threads are one thread of the host.
unsafe impl Sync for Shared {}

#[test]
fn a_lock_that_spins_has_the_executions_of_a_lock() {
    for (threads, executions) in [(2, 2), (3, 6)] {
        let (stats, seen) = outcomes(spin_lock(threads, Release, hint::spin_wait));
        assert_eq!(stats.executions, executions);
        assert!(stats.is_complete());
        assert_eq!(seen.into_keys().collect::<Vec<_>>(), [threads.to_string()]);
    }
}

#[test]
fn a_lock_that_spins_by_yielding_is_explored_up_to_a_bound_that_is_named() {
    let (stats, seen) = outcomes(spin_lock(2, Release, thread::yield_now));
    assert!(!stats.is_complete(), "{stats}");
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["2"]);
}

#[test]
fn a_lock_that_spins_without_release_is_a_race() {
    let (result, _) = try_outcomes_with(&Builder::new(), spin_lock(2, Relaxed, hint::spin_wait));
    assert_eq!(result.unwrap_err().kind, FailureKind::Race);
}

#[test]
fn a_stale_read_before_a_loop_does_not_hide_a_deadlock() {
    let failure = Builder::new().explore(|| {
        let words = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let other = Arc::clone(&words);
        let writer = thread::spawn(move || other[0].store(1, Relaxed));
        if words[0].load(Relaxed) == 0 {
            // Nobody ends it.
            while words[1].load(Relaxed) == 0 {
                hint::spin_wait();
            }
        }
        writer.join().unwrap();
    });
    let failure = failure.expect_err("the loop has no end where the word was read before the store");
    assert_eq!(failure.kind, FailureKind::Deadlock, "{failure}");
}

#[test]
fn a_blocked_run_is_no_execution_and_its_threads_come_to_their_end() {
    // The runs in which a waiter reads that the mutex is held, and the unlock comes after all else, are blocked.
    let ends = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&ends);
    let stats = Builder::new().explore(move || {
        let total = sections(3, 2)();
        assert_eq!(total, "6");
        counted.fetch_add(1, Relaxed);
    });
    let stats = stats.unwrap();
    assert_eq!(stats.executions, 90);
    assert!(stats.blocked > 0, "plain locks: {stats}");
    assert_eq!(stats.leaked_threads, 0);
    assert_eq!(ends.load(Relaxed) as u64, stats.executions + stats.blocked, "all runs came to their end");
}

#[test]
fn a_wait_with_a_timeout_ends_in_each_of_three_ways() {
    let wait = || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = Arc::clone(&pair);
        let notifier = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let guard = pair.0.lock().unwrap();
        let result = if *guard {
            "not waited".to_owned()
        } else {
            let (guard, end) = pair.1.wait_timeout(guard, std::time::Duration::from_secs(1)).unwrap();
            format!("{} {}", *guard, end.timed_out())
        };
        notifier.join().unwrap();
        result
    };
    let mut builder = Builder::new();
    builder.spurious_wakeups = 1;
    let (_, seen) = outcomes_with(&builder, wait);
    assert_eq!(
        seen.into_keys().collect::<Vec<_>>(),
        ["false false", "false true", "not waited", "true false", "true true"]
    );
    let (_, seen) = outcomes(wait);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["not waited", "true false"]);
}

#[test]
fn a_message_is_waited_for_until_the_time_is_over() {
    let receive = || {
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || sender.send(1).unwrap());
        let received = receiver.recv_timeout(std::time::Duration::from_secs(1));
        thread.join().unwrap();
        format!("{received:?}")
    };
    let mut builder = Builder::new();
    builder.spurious_wakeups = 1;
    let (_, seen) = outcomes_with(&builder, receive);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["Err(Timeout)", "Ok(1)"]);
    let (_, seen) = outcomes(receive);
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["Ok(1)"]);
}

#[test]
fn a_thread_that_a_blocked_run_begins_waits_for_a_notification() {
    let ends = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&ends);
    let stats = Builder::new().explore(move || {
        let shared = Arc::new((Mutex::new(false), Condvar::new(), Notify::new()));
        let other = Arc::clone(&shared);
        let first = thread::spawn(move || drop(other.0.lock().unwrap()));
        // Blocked in some run; what follows is then done on flat memory.
        drop(shared.0.lock().unwrap());
        let waiting = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            let mut is_set = waiting.0.lock().unwrap();
            waiting.2.notify();
            while !*is_set {
                is_set = waiting.1.wait(is_set).unwrap();
            }
        });
        first.join().unwrap();
        shared.2.wait();
        *shared.0.lock().unwrap() = true;
        shared.1.notify_all();
        waiter.join().unwrap();
        counted.fetch_add(1, Relaxed);
    });
    let stats = stats.unwrap();
    assert!(stats.blocked > 0 && stats.leaked_threads == 0, "{stats}");
    assert_eq!(ends.load(Relaxed) as u64, stats.executions + stats.blocked, "all runs came to their end");
}
