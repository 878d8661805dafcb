//! Goal: the explorer runs each execution that RC11 allows, and runs it once.
//!
//! Method: classical programs whose executions are counted by hand or in the literature. Each test states the number of
//! execution graphs, and of outcomes where that is another number; the table of outcomes says which.

use std::sync::Arc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

use crate::common::{counts, outcomes, outcomes_with, two, words};
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::{AtomicU64, fence};
use heaplab_explorer::thread;

/// Each of two threads stores its word and loads the other's.
fn store_buffering(store: Ordering, load: Ordering) -> impl Fn() -> String + 'static {
    move || {
        let x = words::<2>();
        let (a, b) = (x.clone(), x);
        let side = |x: Arc<[AtomicU64; 2]>, own: usize| {
            move || {
                x[own].store(1, store);
                x[1 - own].load(load)
            }
        };
        format!("{:?}", two(side(a, 0), side(b, 1)))
    }
}

#[test]
fn store_buffering_has_four_outcomes() {
    assert_eq!(counts(store_buffering(Relaxed, Relaxed)), (4, 4));
    assert_eq!(counts(store_buffering(Release, Acquire)), (4, 4));
}

#[test]
fn store_buffering_with_seq_cst_has_three() {
    // loom #180.
    let (stats, seen) = outcomes(store_buffering(SeqCst, SeqCst));
    assert_eq!((stats.executions, seen.len()), (3, 3));
    assert!(!seen.contains_key("(0, 0)"));
}

#[test]
fn store_buffering_with_fences_has_three() {
    let (stats, seen) = outcomes(|| {
        let x = words::<2>();
        let (a, b) = (x.clone(), x);
        let side = |x: Arc<[AtomicU64; 2]>, own: usize| {
            move || {
                x[own].store(1, Relaxed);
                fence(SeqCst);
                x[1 - own].load(Relaxed)
            }
        };
        format!("{:?}", two(side(a, 0), side(b, 1)))
    });
    assert_eq!((stats.executions, seen.len()), (3, 3));
    assert!(!seen.contains_key("(0, 0)"));
}

fn message_passing(store: Ordering, load: Ordering) -> impl Fn() -> String + 'static {
    move || {
        let x = words::<2>();
        let (a, b) = (x.clone(), x);
        let (_, read) = two(
            move || {
                a[0].store(1, Relaxed);
                a[1].store(1, store);
            },
            move || (b[1].load(load), b[0].load(Relaxed)),
        );
        format!("{read:?}")
    }
}

#[test]
fn message_passing_needs_release_and_acquire() {
    assert_eq!(counts(message_passing(Relaxed, Relaxed)), (4, 4));
    assert_eq!(counts(message_passing(Release, Relaxed)), (4, 4));
    assert_eq!(counts(message_passing(Relaxed, Acquire)), (4, 4));
    let (stats, seen) = outcomes(message_passing(Release, Acquire));
    assert_eq!((stats.executions, seen.len()), (3, 3));
    assert!(!seen.contains_key("(1, 0)"));
}

#[test]
fn message_passing_by_fences() {
    let with = |release: Ordering, acquire: Ordering| {
        counts(move || {
            let x = words::<2>();
            let (a, b) = (x.clone(), x);
            let (_, read) = two(
                move || {
                    a[0].store(1, Relaxed);
                    fence(release);
                    a[1].store(1, Relaxed);
                },
                move || {
                    let flag = b[1].load(Relaxed);
                    fence(acquire);
                    (flag, b[0].load(Relaxed))
                },
            );
            format!("{read:?}")
        })
    };
    assert_eq!(with(Release, Acquire), (3, 3));
    assert_eq!(with(Acquire, Acquire), (4, 4));
    assert_eq!(with(Release, Release), (4, 4));
}

#[test]
fn a_fence_acquires_from_what_its_own_thread_read_only() {
    // A third thread reads the flag; the fence of the second one gets nothing by that.
    let (_, seen) = outcomes(|| {
        let x = words::<2>();
        let (a, b, c) = (x.clone(), x.clone(), x);
        let other = thread::spawn(move || c[1].load(Acquire));
        let (_, read) = two(
            move || {
                a[0].store(1, Relaxed);
                a[1].store(1, Release);
            },
            move || {
                fence(Acquire);
                b[0].load(Relaxed)
            },
        );
        format!("{read} {}", other.join().unwrap())
    });
    assert!(seen.contains_key("0 1"), "{seen:?}");
}

#[test]
fn load_buffering_is_not_explored() {
    let (stats, seen) = outcomes(|| {
        let x = words::<2>();
        let (a, b) = (x.clone(), x);
        let side = |x: Arc<[AtomicU64; 2]>, own: usize| {
            move || {
                let read = x[own].load(Relaxed);
                x[1 - own].store(1, Relaxed);
                read
            }
        };
        format!("{:?}", two(side(a, 0), side(b, 1)))
    });
    assert_eq!((stats.executions, seen.len()), (3, 3));
}

/// Two writers of two words, and two readers that read them in opposite orders.
fn independent_reads(store: Ordering, load: Ordering) -> impl Fn() -> String + 'static {
    move || {
        let x = words::<2>();
        let writer = |i: usize| {
            let x = x.clone();
            thread::spawn(move || x[i].store(1, store))
        };
        let reader = |i: usize| {
            let x = x.clone();
            thread::spawn(move || (x[i].load(load), x[1 - i].load(load)))
        };
        let (w0, w1, r0, r1) = (writer(0), writer(1), reader(0), reader(1));
        w0.join().unwrap();
        w1.join().unwrap();
        format!("{:?} {:?}", r0.join().unwrap(), r1.join().unwrap())
    }
}

#[test]
fn independent_reads_of_independent_writes() {
    assert_eq!(counts(independent_reads(Relaxed, Relaxed)), (16, 16));
    assert_eq!(counts(independent_reads(Release, Acquire)), (16, 16));
    let (stats, seen) = outcomes(independent_reads(SeqCst, SeqCst));
    assert_eq!((stats.executions, seen.len()), (15, 15));
    assert!(!seen.contains_key("(1, 0) (1, 0)"));
}

#[test]
fn two_plus_two_writes() {
    // Both modification orders freely, then what is read of each at the end is the newest.
    let (stats, seen) = outcomes(|| {
        let x = words::<2>();
        let (a, b) = (x.clone(), x.clone());
        two(
            move || {
                a[0].store(1, Relaxed);
                a[1].store(2, Relaxed);
            },
            move || {
                b[1].store(1, Relaxed);
                b[0].store(2, Relaxed);
            },
        );
        format!("{} {}", x[0].load(Relaxed), x[1].load(Relaxed))
    });
    assert_eq!((stats.executions, seen.len()), (4, 4));
}

#[test]
fn coherence_of_reads() {
    let (stats, seen) = outcomes(|| {
        let x = words::<1>();
        let (a, b) = (x.clone(), x);
        let (_, read) = two(move || a[0].store(1, Relaxed), move || (b[0].load(Relaxed), b[0].load(Relaxed)));
        format!("{read:?}")
    });
    assert_eq!((stats.executions, seen.len()), (3, 3));
    assert!(!seen.contains_key("(1, 0)"));
}

#[test]
fn release_sequences_are_those_of_cpp20() {
    // An RMW of another thread passes the message on; a later store of the same thread does not begin one.
    let with = |is_rmw: bool| {
        outcomes(move || {
            let x = words::<2>();
            let (a, b, c) = (x.clone(), x.clone(), x);
            let other =
                thread::spawn(
                    move || {
                        if is_rmw { b[1].compare_exchange(1, 2, Relaxed, Relaxed).is_ok() } else { false }
                    },
                );
            let (_, read) = two(
                move || {
                    a[0].store(1, Relaxed);
                    a[1].store(1, Release);
                    if !is_rmw {
                        a[1].store(2, Relaxed);
                    }
                },
                move || (c[1].load(Acquire), c[0].load(Relaxed)),
            );
            other.join().unwrap();
            format!("{read:?}")
        })
        .1
    };
    let by_rmw = with(true);
    assert!(by_rmw.contains_key("(2, 1)"));
    assert!(!by_rmw.contains_key("(2, 0)"));
    let by_store = with(false);
    assert!(by_store.contains_key("(2, 0)"), "{by_store:?}");
}

fn adders(threads: usize, times: usize) -> u64 {
    let (stats, seen) = outcomes(move || {
        let x = words::<1>();
        let adders: Vec<_> = (0..threads)
            .map(|_| {
                let x = x.clone();
                thread::spawn(move || {
                    for _ in 0..times {
                        x[0].fetch_add(1, Relaxed);
                    }
                })
            })
            .collect();
        for adder in adders {
            adder.join().unwrap();
        }
        x[0].load(Relaxed).to_string()
    });
    assert_eq!(seen.len(), 1);
    stats.executions
}

#[test]
fn orders_of_adders_are_multinomial() {
    assert_eq!(adders(2, 1), 2);
    assert_eq!(adders(3, 1), 6);
    assert_eq!(adders(3, 2), 90);
    assert_eq!(adders(3, 3), 1_680);
    assert_eq!(adders(3, 4), 34_650);
}

#[test]
fn writers_in_all_orders_and_one_reader() {
    // n! modification orders, and the reader reads one of n + 1 values.
    for (n, executions) in [(3_u64, 24), (4, 120), (5, 720)] {
        let (stats, seen) = outcomes(move || {
            let x = words::<1>();
            let writers: Vec<_> = (0..n)
                .map(|i| {
                    let x = x.clone();
                    thread::spawn(move || x[0].store(i + 1, Relaxed))
                })
                .collect();
            let read = x[0].load(Relaxed);
            for writer in writers {
                writer.join().unwrap();
            }
            read.to_string()
        });
        assert_eq!((stats.executions, seen.len() as u64), (executions, n + 1));
    }
}

#[test]
fn a_load_before_a_compare_exchange_races_with_a_load() {
    // The shape of each CAS loop: loom #166.
    let (stats, seen) = outcomes(|| {
        let x = words::<1>();
        let other = x.clone();
        let changer = thread::spawn(move || {
            let seen = other[0].load(Acquire);
            let _ = other[0].compare_exchange(seen, seen + 1, AcqRel, Acquire);
        });
        let read = x[0].load(Acquire);
        changer.join().unwrap();
        read.to_string()
    });
    assert_eq!((stats.executions, seen.len()), (2, 2));
}

#[test]
fn a_load_before_a_store_races_with_a_load() {
    // The load of the thread that stores decides nothing: loom #392.
    let (stats, seen) = outcomes(|| {
        let x = words::<1>();
        let other = x.clone();
        let changer = thread::spawn(move || {
            other[0].load(Relaxed);
            other[0].store(1, Relaxed);
        });
        let read = x[0].load(Relaxed);
        changer.join().unwrap();
        read.to_string()
    });
    assert_eq!((stats.executions, seen.len()), (2, 2));
}

#[test]
fn a_load_that_decides_nothing_takes_no_execution_away() {
    // The writer reads its own store between the others: loom #166. The first load may read three values, and so may
    // the second one, but for the initial value where the first load tells that it is over.
    let with = |loads: bool| {
        let (stats, seen) = outcomes(move || {
            let x = words::<2>();
            let (a, b) = (x.clone(), x);
            let (_, read) = two(
                move || {
                    a[0].store(1, SeqCst);
                    a[1].store(1, SeqCst);
                    a[1].store(0, SeqCst);
                    if loads {
                        a[0].load(SeqCst);
                    }
                    a[0].store(0, SeqCst);
                },
                move || (b[1].load(SeqCst), b[0].load(SeqCst)),
            );
            format!("{read:?}")
        });
        (stats.executions, seen)
    };
    let (executions, seen) = with(false);
    assert_eq!((executions, seen.len()), (7, 4), "{seen:?}");
    assert_eq!(with(true), (executions, seen));
}

/// Two threads set a flag each. Two wait for one of them each and then count if the other one is set.
fn two_waiters(set: Ordering, wait: Ordering) -> impl Fn() -> String + 'static {
    move || {
        let x = words::<3>();
        let setter = |i: usize| {
            let x = x.clone();
            thread::spawn(move || x[i].store(1, set))
        };
        let waiter = |i: usize| {
            let x = x.clone();
            move || {
                while x[i].load(wait) == 0 {
                    thread::yield_now();
                }
                if x[1 - i].load(wait) == 1 {
                    x[2].fetch_add(1, Relaxed);
                }
            }
        };
        let (a, b, c) = (setter(0), setter(1), thread::spawn(waiter(0)));
        waiter(1)();
        for thread in [a, b, c] {
            thread.join().unwrap();
        }
        x[2].load(Relaxed).to_string()
    }
}

#[test]
fn one_of_two_waiters_sees_both_flags_if_all_is_seq_cst() {
    // The exploration ends: loom #191.
    let (_, seen) = outcomes(two_waiters(SeqCst, SeqCst));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["1", "2"]);
    let (_, seen) = outcomes(two_waiters(Release, Acquire));
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["0", "1", "2"]);
}

#[test]
fn two_compare_exchanges_after_loads() {
    let (stats, seen) = outcomes(|| {
        let x = words::<1>();
        let (a, b) = (x.clone(), x);
        let side = |x: Arc<[AtomicU64; 1]>| {
            move || {
                let seen = x[0].load(Acquire);
                (seen, x[0].compare_exchange(seen, seen + 1, AcqRel, Acquire).is_ok())
            }
        };
        format!("{:?}", two(side(a), side(b)))
    });
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(stats.executions, 4);
}

#[test]
fn a_compare_exchange_that_fails_may_be_stale() {
    let (_, seen) = outcomes(|| {
        let x = words::<2>();
        let (a, b) = (x.clone(), x);
        let (_, read) = two(
            move || {
                a[0].store(5, Relaxed);
                a[1].store(1, Relaxed);
            },
            move || (b[1].load(Relaxed), b[0].compare_exchange(7, 8, Relaxed, Relaxed)),
        );
        format!("{read:?}")
    });
    assert!(seen.contains_key("(1, Err(0))"), "{seen:?}");
}

#[test]
fn weak_failures_are_explored_within_their_budget() {
    let with = |weak_failures: usize| {
        let mut builder = Builder::new();
        builder.weak_failures = weak_failures;
        let run = || {
            let x = words::<1>();
            let exchange = || x[0].compare_exchange_weak(0, 1, Relaxed, Relaxed).is_ok();
            format!("{} {} {}", exchange(), exchange(), exchange())
        };
        outcomes_with(&builder, run).1.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(with(0), ["true false false"]);
    assert_eq!(with(1), ["false true false", "true false false"]);
    assert_eq!(with(2), ["false false true", "false true false", "true false false"]);
}

#[test]
fn a_weak_exchange_may_fail_of_a_later_write() {
    // The exchange that fails without a reason reads from a store that the explorer adds after it.
    let mut builder = Builder::new();
    builder.weak_failures = 1;
    let (_, seen) = outcomes_with(&builder, || {
        let x = words::<1>();
        let (a, b) = (x.clone(), x.clone());
        let ((), failed) =
            two(move || a[0].store(1, Relaxed), move || b[0].compare_exchange_weak(1, 2, Relaxed, Relaxed).is_err());
        format!("{failed} {}", x[0].load(Relaxed))
    });
    // Both threads are in either order of spawn, so that the exchange comes first in one of them.
    let (_, swapped) = outcomes_with(&builder, || {
        let x = words::<1>();
        let (a, b) = (x.clone(), x.clone());
        let (failed, ()) =
            two(move || b[0].compare_exchange_weak(1, 2, Relaxed, Relaxed), move || a[0].store(1, Relaxed));
        format!("{failed:?} {}", x[0].load(Relaxed))
    });
    assert_eq!(seen.values().sum::<u64>(), 3, "{seen:?}");
    assert_eq!(swapped.into_keys().collect::<Vec<_>>(), ["Err(0) 1", "Err(1) 1", "Ok(1) 2"]);
}

#[test]
fn a_store_beside_an_rmw_is_either_before_or_after() {
    let (_, seen) = outcomes(|| {
        let x = words::<1>();
        let (a, b) = (x.clone(), x.clone());
        two(move || a[0].store(1, Relaxed), move || b[0].fetch_or(2, Relaxed));
        x[0].load(Relaxed).to_string()
    });
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), ["1", "3"]);
}

#[test]
fn threads_of_threads_have_the_executions_of_threads() {
    // Whoever spawns them, four adders come in 4! orders; here two of them are spawned by each of two threads, in
    // whichever order these go on.
    let (stats, seen) = outcomes(|| {
        let x = words::<1>();
        let spawner = || {
            let x = x.clone();
            thread::spawn(move || {
                let own = x.clone();
                let child = thread::spawn(move || x[0].fetch_add(1, Relaxed));
                (own[0].fetch_add(1, Relaxed), child.join().unwrap())
            })
        };
        let (a, b) = (spawner(), spawner());
        format!("{:?} {:?}", a.join().unwrap(), b.join().unwrap())
    });
    assert_eq!((stats.executions, seen.len()), (24, 24));
}

#[test]
fn threads_that_are_spawned_under_a_condition() {
    // The reader spawns a thread only where it reads the store; the other one always spawns one.
    let (stats, seen) = outcomes(|| {
        let x = words::<2>();
        let (a, b) = (x.clone(), x.clone());
        let reader = thread::spawn(move || {
            if a[0].load(Relaxed) == 0 {
                return None;
            }
            let own = a.clone();
            Some(thread::spawn(move || own[1].fetch_add(1, Relaxed)).join().unwrap())
        });
        let other = thread::spawn(move || {
            let own = b.clone();
            let adder = thread::spawn(move || own[1].fetch_add(1, Relaxed));
            b[0].store(1, Relaxed);
            adder.join().unwrap()
        });
        format!("{:?} {:?}", reader.join().unwrap(), other.join().unwrap())
    });
    assert_eq!((stats.executions, seen.len()), (3, 3), "{seen:?}");
}

#[test]
fn seq_cst_needs_both_sides() {
    // A release store beside a SeqCst load forbids nothing.
    assert_eq!(counts(store_buffering(Release, SeqCst)), (4, 4));
    assert_eq!(counts(store_buffering(SeqCst, Acquire)), (4, 4));
}
