//! Goal: bad input is a named failure with the place, never a silent pass and never a crash of the host.
//!
//! Method: a model for each mistake; its failure's kind and place are asserted, the place by the line that makes the
//! mistake.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex as HostMutex};

use heaplab_explorer::alloc::{self, Layout, Track};
use heaplab_explorer::cell::{Cell, UnsafeCell};
use heaplab_explorer::model::Builder;
use heaplab_explorer::sync::atomic::{AtomicUsize, fence};
use heaplab_explorer::sync::{self, Mutex, RwLock};
use heaplab_explorer::{Bound, Failure, FailureKind, choose, thread};

#[track_caller]
fn failure_with(builder: &Builder, f: impl Fn() + 'static) -> Failure {
    builder.explore(f).expect_err("the model fails")
}

#[track_caller]
fn failure(f: impl Fn() + 'static) -> Failure {
    failure_with(&Builder::new(), f)
}

/// The failure is of a kind, and one of its places is a line of this file.
#[track_caller]
fn assert_at(failure: &Failure, kind: FailureKind, line: u32) {
    assert_eq!(failure.kind, kind, "{failure}");
    let is_here = |place: &heaplab_explorer::Place| place.file().ends_with("misuse.rs") && place.line() == line;
    assert!(failure.places.iter().any(is_here), "line {line}: {failure}");
}

#[test]
fn a_count_outside_of_the_model_is_not_deterministic() {
    static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let line = line!() + 5;
    let failure = failure(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&x);
        let writer = thread::spawn(move || {
            other.store(RUNS.fetch_add(1, Ordering::Relaxed), Relaxed);
        });
        x.load(Relaxed);
        writer.join().unwrap();
    });
    assert_at(&failure, FailureKind::Nondeterminism, line);
    assert!(failure.message.contains("was `store 0x0 Relaxed of x0` in an earlier run"), "{failure}");
}

#[test]
fn another_operation_than_before_is_not_deterministic() {
    static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let line = line!() + 8;
    let failure = failure(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&x);
        let writer = thread::spawn(move || {
            if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
                other.store(1, Relaxed);
            } else {
                other.store(1, Release);
            }
        });
        x.load(Relaxed);
        writer.join().unwrap();
    });
    assert_at(&failure, FailureKind::Nondeterminism, line);
}

#[test]
fn an_operation_that_is_missing_is_not_deterministic() {
    static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let failure = failure(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&x);
        let writer = thread::spawn(move || {
            if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
                other.store(1, Relaxed);
            }
        });
        x.load(Relaxed);
        writer.join().unwrap();
    });
    assert_eq!(failure.kind, FailureKind::Nondeterminism);
}

#[test]
fn the_last_owner_of_a_hidden_count_is_seen_where_it_matters() {
    // A native count is hidden state: that of an `Arc` of the standard library decides here who stores.
    let failure = failure(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let hidden = Arc::new(());
        let worker = |x: Arc<AtomicUsize>, hidden: Arc<()>| {
            move || {
                x.load(Relaxed);
                let owners = Arc::strong_count(&hidden);
                drop(hidden);
                x.store(owners, Relaxed);
            }
        };
        let (a, b) =
            (thread::spawn(worker(Arc::clone(&x), Arc::clone(&hidden))), thread::spawn(worker(Arc::clone(&x), hidden)));
        a.join().unwrap();
        b.join().unwrap();
    });
    assert_eq!(failure.kind, FailureKind::Nondeterminism);
}

#[test]
fn a_value_made_outside_of_an_exploration_is_refused() {
    let panic = std::panic::catch_unwind(|| AtomicUsize::new(0)).unwrap_err();
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("outside of an exploration, at") && message.contains("misuse.rs"), "{message}");
}

#[test]
fn a_value_of_another_execution_is_refused() {
    let kept: Arc<HostMutex<Option<Arc<AtomicUsize>>>> = Arc::default();
    let line = line!() + 5;
    let failure = failure(move || {
        let x = Arc::new(AtomicUsize::new(0));
        let kept = kept.lock().unwrap().get_or_insert(x).clone();
        choose(2);
        kept.load(Relaxed);
    });
    assert_at(&failure, FailureKind::Foreign, line);
}

#[test]
fn a_value_of_an_exploration_that_is_over_is_refused() {
    let kept: Arc<HostMutex<Option<Arc<AtomicUsize>>>> = Arc::default();
    let sink = Arc::clone(&kept);
    Builder::new().explore(move || *sink.lock().unwrap() = Some(Arc::new(AtomicUsize::new(0)))).unwrap();
    let kept = kept.lock().unwrap().take().unwrap();
    assert!(std::panic::catch_unwind(|| kept.load(Relaxed)).is_err());
}

#[test]
fn a_value_on_another_thread_of_the_host_is_refused() {
    let stats = Builder::new().explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let other = Arc::clone(&x);
        let result = std::thread::spawn(move || other.load(Relaxed)).join();
        assert!(result.is_err(), "the host's thread explores nothing");
    });
    assert_eq!(stats.unwrap().executions, 1);
}

#[test]
fn explorations_do_not_nest() {
    let failure = failure(|| heaplab_explorer::model(|| {}));
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert!(failure.message.contains("explorations do not nest"), "{failure}");
}

#[test]
fn a_cell_of_another_execution_is_refused() {
    struct Kept(HostMutex<Option<Cell<u8>>>);
    let kept = Arc::new(Kept(HostMutex::new(None)));
    let line = line!() + 4;
    let failure = failure(move || {
        choose(2);
        let mut kept = kept.0.lock().unwrap();
        kept.get_or_insert_with(|| Cell::new(0)).set(1);
    });
    assert_at(&failure, FailureKind::Foreign, line);
}

#[test]
fn a_guard_that_moves_to_another_thread_is_named() {
    let failure = failure(|| {
        let mutex: &'static Mutex<u8> = Box::leak(Box::new(Mutex::new(0)));
        let guard = mutex.lock().unwrap();
        thread::spawn(move || drop(guard)).join().unwrap();
    });
    assert_eq!(failure.kind, FailureKind::GuardMoved, "{failure}");
    assert!(failure.message.contains("T1 drops a guard of a mutex that T0 locked"), "{failure}");
}

#[test]
fn a_reader_that_moves_to_another_thread_is_named() {
    let failure = failure(|| {
        let lock: &'static RwLock<u8> = Box::leak(Box::new(RwLock::new(0)));
        let guard = lock.read().unwrap();
        thread::spawn(move || drop(guard)).join().unwrap();
    });
    assert_eq!(failure.kind, FailureKind::GuardMoved, "{failure}");
}

#[test]
fn a_loop_that_waits_with_effects_is_named() {
    let line = line!() + 8;
    let failure = failure(|| {
        let x = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = Arc::clone(&x);
        let setter = thread::spawn(move || other.0.store(1, Relaxed));
        while x.0.load(Relaxed) == 0 {
            x.1.fetch_add(1, Relaxed);
            // The place of the loop.
            thread::yield_now();
        }
        setter.join().unwrap();
    });
    assert_at(&failure, FailureKind::SpinWithEffects, line);
}

#[test]
fn a_loop_that_waits_for_nobody_is_a_deadlock() {
    let line = line!() + 4;
    let failure = failure(|| {
        let x = AtomicUsize::new(0);
        while x.load(Relaxed) == 0 {
            thread::yield_now();
        }
    });
    assert_at(&failure, FailureKind::Deadlock, line);
}

#[test]
fn a_loop_that_yields_without_reading_is_named() {
    let line = line!() + 3;
    let failure = failure(|| {
        loop {
            thread::yield_now();
        }
    });
    assert_at(&failure, FailureKind::Limit, line);
}

#[test]
fn a_thread_that_is_not_joined_is_named_on_request() {
    let line = line!() + 2;
    let forgets = || {
        let _ = thread::spawn(|| {});
    };
    assert_eq!(Builder::new().explore(forgets).unwrap().executions, 1);
    let mut builder = Builder::new();
    builder.require_joins = true;
    assert_at(&failure_with(&builder, forgets), FailureKind::NotJoined, line);
}

#[test]
fn a_failure_of_a_thread_that_is_not_joined_is_found() {
    let failure = failure(|| {
        let _ = thread::spawn(|| panic!("nobody waits"));
    });
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert!(failure.message.contains("nobody waits"), "{failure}");
}

#[test]
fn too_many_threads_are_named() {
    let line = line!() + 3;
    let spawns = || {
        for _ in 0..heaplab_explorer::MAX_THREADS {
            thread::spawn(|| {}).join().unwrap();
        }
    };
    let failure = failure(spawns);
    assert_at(&failure, FailureKind::Limit, line);
    assert!(failure.message.contains("more than 8 threads"), "{failure}");
    let mut builder = Builder::new();
    builder.max_threads = 2;
    assert!(failure_with(&builder, spawns).message.contains("more than 2 threads"));
}

#[test]
fn too_many_events_are_named() {
    let line = line!() + 5;
    let failure = failure(|| {
        let x = AtomicUsize::new(0);
        loop {
            // Without a word that it waits.
            x.fetch_add(1, Relaxed);
        }
    });
    assert_at(&failure, FailureKind::Limit, line);
    assert!(failure.message.contains("max_branches"), "{}", failure.message);
}

#[test]
fn a_bound_that_ends_the_exploration_is_named() {
    let many = || {
        choose(100);
    };
    let mut builder = Builder::new();
    builder.max_permutations = Some(7);
    let stats = builder.explore(many).unwrap();
    assert_eq!((stats.executions, stats.bounds_met), (7, vec![Bound::Executions(7)]));
    assert!(std::panic::catch_unwind(|| builder.check(many)).is_err(), "what is cut off does not pass");
    builder.max_permutations = None;
    builder.max_duration = Some(std::time::Duration::ZERO);
    assert!(!builder.explore(many).unwrap().is_complete());
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("a destructor that fails");
    }
}

#[test]
fn a_destructor_that_panics_is_named() {
    let line = line!() - 6;
    let failure = failure(|| drop(PanicsInDrop));
    assert_at(&failure, FailureKind::Assertion, line);
    assert!(failure.message.contains("a destructor that fails"), "{failure}");
}

#[test]
fn an_assertion_is_named_with_its_place() {
    let line = line!() + 3;
    let failure = failure(|| {
        let worker = thread::spawn(|| {
            assert_eq!(1 + 1, 3, "arithmetic");
        });
        worker.join().unwrap();
    });
    assert_at(&failure, FailureKind::Assertion, line);
    assert!(failure.message.starts_with("T1 panicked: ") && failure.message.contains("arithmetic"), "{failure}");
}

#[test]
fn a_panic_that_the_model_catches_is_none() {
    let stats = Builder::new().explore(|| {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guard = other.lock().unwrap();
            panic!("caught");
        }));
        assert!(result.is_err());
        assert!(mutex.lock().is_err(), "poisoned");
    });
    assert_eq!(stats.unwrap().executions, 1);
}

#[test]
fn a_race_names_both_places() {
    let line = line!() + 5;
    let failure = failure(|| {
        let cell = Arc::new(Shared(UnsafeCell::new(0)));
        let other = Arc::clone(&cell);
        let writer = thread::spawn(move || {
            other.0.with_mut(|_| {});
        });
        cell.0.with(|_| {});
        writer.join().unwrap();
    });
    assert_at(&failure, FailureKind::Race, line);
    assert_at(&failure, FailureKind::Race, line + 2);
}

struct Shared<T>(T);

// SAFETY: a model's threads are one thread of the host.
unsafe impl<T> Sync for Shared<T> {}

#[test]
fn a_plain_read_beside_an_atomic_write_is_a_race_in_each_order() {
    for reader_first in [true, false] {
        let failure = failure(move || {
            let x = Arc::new(AtomicUsize::new(0));
            let (a, b) = (Arc::clone(&x), x);
            let read = move || {
                // SAFETY: the explorer checks what the contract says.
                unsafe { a.unsync_load() }
            };
            let write = move || b.store(1, Relaxed);
            if reader_first {
                let reader = thread::spawn(read);
                write();
                reader.join().unwrap();
            } else {
                let writer = thread::spawn(write);
                read();
                writer.join().unwrap();
            }
        });
        assert_eq!(failure.kind, FailureKind::Race);
    }
}

#[test]
fn a_race_of_an_access_that_depends_on_a_revisited_read_is_found() {
    // The plain access comes only where the read was made to read from a later write, and nobody adds events after it.
    let failure = failure(|| {
        let x = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let (a, b, c) = (Arc::clone(&x), Arc::clone(&x), x);
        let reader = thread::spawn(move || {
            if a.0.load(Relaxed) == 1 {
                // SAFETY: the explorer checks what the contract says.
                unsafe { a.1.unsync_load() };
            }
        });
        let writer = thread::spawn(move || b.1.store(1, Relaxed));
        let teller = thread::spawn(move || c.0.store(1, Relaxed));
        for thread in [reader, writer, teller] {
            thread.join().unwrap();
        }
    });
    assert_eq!(failure.kind, FailureKind::Race);
}

#[test]
fn a_race_is_found_by_whichever_access_a_replay_performs_last() {
    // The plain access comes after a read that was made to read from a later store. In the replay of that it is
    // performed before the access that it races with, since that one's thread waits for another one; and nobody adds
    // events.
    for (writes, exchanges) in [(false, false), (false, true), (true, false), (true, true)] {
        let failure = failure(move || {
            let x = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
            let begins: [Arc<sync::Notify>; 3] = std::array::from_fn(|_| Arc::default());
            let (a, b, c) = (Arc::clone(&x), Arc::clone(&x), x);
            let [x0, x1, x2] = begins.clone();
            let reader = thread::spawn(move || {
                x0.wait();
                if a.0.load(Relaxed) == 1 {
                    // SAFETY: the explorer checks what the contracts say.
                    unsafe {
                        if writes {
                            a.1.unsync_store(5);
                        } else {
                            a.1.unsync_load();
                        }
                    }
                }
            });
            let teller = thread::spawn(move || {
                x1.wait();
                b.0.store(1, Relaxed);
            });
            let writer = thread::spawn(move || {
                x2.wait();
                if exchanges {
                    c.1.fetch_add(1, Relaxed);
                } else {
                    c.1.store(1, Relaxed);
                }
            });
            // It goes last when it is new, and not when it is replayed.
            let last = thread::spawn(thread::yield_now);
            let [x0, x1, x2] = begins;
            let starter = thread::spawn(move || x2.notify());
            last.join().unwrap();
            x0.notify();
            x1.notify();
            for thread in [reader, teller, writer, starter] {
                thread.join().unwrap();
            }
        });
        assert_eq!(failure.kind, FailureKind::Race, "{writes} {exchanges}: {failure}");
    }
}

#[test]
fn words_read_plainly_after_acquire_are_no_race() {
    let stats = Builder::new().explore(|| {
        let x = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = Arc::clone(&x);
        let writer = thread::spawn(move || {
            // SAFETY: the explorer checks what the contract says.
            unsafe { other.0.unsync_store(7) };
            other.1.store(1, Release);
        });
        if x.1.load(Acquire) == 1 {
            // SAFETY: as above.
            assert_eq!(unsafe { x.0.unsync_load() }, 7);
            assert_eq!(x.0.load(Relaxed), 7);
        }
        writer.join().unwrap();
    });
    assert_eq!(stats.unwrap().executions, 2);
}

#[test]
fn an_access_within_an_access_is_named() {
    let line = line!() + 4;
    let failure = failure(|| {
        let cell = UnsafeCell::new(0);
        let _reads = cell.get();
        cell.with_mut(|_| {});
    });
    assert_at(&failure, FailureKind::Overlap, line);
}

#[test]
fn what_is_left_over_is_a_leak() {
    let line = line!() + 1;
    let leaked = failure(|| std::mem::forget(sync::Arc::new(())));
    assert_at(&leaked, FailureKind::Leak, line);
    let line = line!() + 1;
    let leaked = failure(|| std::mem::forget(Track::new(())));
    assert_at(&leaked, FailureKind::Leak, line);
    let line = line!() + 2;
    // SAFETY: the size is not zero.
    let leaked = failure(|| unsafe { alloc::alloc(Layout::new::<u64>()).write(1) });
    assert_at(&leaked, FailureKind::Leak, line);
}

#[test]
fn memory_that_is_freed_twice_is_named() {
    let failure = failure(|| {
        let layout = Layout::new::<u64>();
        // SAFETY: the size is not zero; the second call is the mistake that the explorer refuses.
        unsafe {
            let address = alloc::alloc(layout);
            alloc::dealloc(address, layout);
            alloc::dealloc(address, layout);
        }
    });
    assert_eq!(failure.kind, FailureKind::Misuse);
}

#[test]
fn orderings_without_a_meaning_are_named() {
    let line = line!() + 1;
    assert_at(&failure(|| fence(Relaxed)), FailureKind::Misuse, line);
    let line = line!() + 2;
    let wrong = failure(|| {
        AtomicUsize::new(0).load(Release);
    });
    assert_at(&wrong, FailureKind::Misuse, line);
    let line = line!() + 1;
    assert_at(&failure(|| AtomicUsize::new(0).store(0, Acquire)), FailureKind::Misuse, line);
    let line = line!() + 1;
    assert_at(&failure(|| _ = choose(0)), FailureKind::Misuse, line);
}

/// What a thread that is unwound does in destructors.
struct UsesWords(Arc<AtomicUsize>, Arc<Mutex<Vec<u8>>>);

impl Drop for UsesWords {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
        self.1.lock().unwrap().push(1);
    }
}

#[test]
fn destructors_of_an_abandoned_execution_run_and_find_locks_free_in_turn() {
    thread_local! { static DROPPED: RefCell<usize> = const { RefCell::new(0) }; }
    struct Counts;
    impl Drop for Counts {
        fn drop(&mut self) {
            DROPPED.with(|dropped| *dropped.borrow_mut() += 1);
        }
    }
    let stats = Builder::new().explore(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let list = Arc::new(Mutex::new(vec![]));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (x, list) = (Arc::clone(&x), Arc::clone(&list));
                thread::spawn(move || {
                    let _counts = Counts;
                    let _uses = UsesWords(x, Arc::clone(&list));
                    let mut list = list.lock().unwrap();
                    list.clear();
                    // Held by all that wait here; the others' destructors want the lock.
                    heaplab_explorer::assume(false);
                })
            })
            .collect();
        for worker in workers {
            let _ = worker.join();
        }
    });
    let stats = stats.unwrap();
    assert_eq!((stats.executions, stats.leaked_threads), (0, 0), "{stats:?}");
    assert!(stats.blocked > 0);
    assert_eq!(DROPPED.with(|dropped| *dropped.borrow()) as u64, 3 * stats.blocked, "each thread was unwound");
}

#[test]
fn a_thread_that_cannot_be_unwound_is_counted() {
    struct Waits(Arc<AtomicUsize>);
    impl Drop for Waits {
        fn drop(&mut self) {
            while self.0.load(Relaxed) == 0 {
                thread::yield_now();
            }
        }
    }
    let stats = Builder::new().explore(|| {
        let _waits = Waits(Arc::new(AtomicUsize::new(0)));
        heaplab_explorer::assume(false);
    });
    assert_eq!(stats.unwrap().leaked_threads, 1);
}

#[test]
fn a_choice_among_too_many_is_named() {
    let failure = Builder::new().explore(|| assert_eq!(choose(usize::MAX), 0)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misuse);
    assert!(failure.message.contains("65536"), "{failure}");
}

#[test]
fn a_stack_that_cannot_be_had_is_named() {
    let mut builder = Builder::new();
    builder.stack_size = 1 << 60;
    let failure = builder.explore(|| ()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Limit);
    assert!(failure.message.contains("Builder::stack_size"), "{failure}");
}

#[test]
fn a_thread_that_caught_its_end_goes_past_no_assumption_while_another_one_unwinds() {
    static IS_PAST: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    struct Locks(Arc<Mutex<()>>);
    impl Drop for Locks {
        fn drop(&mut self) {
            drop(self.0.lock());
        }
    }
    let stats = Builder::new().explore(|| {
        let mutex = Arc::new(Mutex::new(()));
        let other = Arc::clone(&mutex);
        let holder = thread::spawn(move || {
            let guard = other.lock().unwrap();
            // The run is given up here. While the thread below unwinds and waits for the guard, this one catches its
            // own end.
            let end = std::panic::catch_unwind(|| heaplab_explorer::assume(false));
            drop(end);
            heaplab_explorer::assume(false);
            IS_PAST.store(true, Ordering::Relaxed);
            drop(guard);
        });
        let waiter = thread::spawn(move || {
            let _locks = Locks(mutex);
            thread::park();
        });
        holder.join().unwrap();
        waiter.join().unwrap();
    });
    assert_eq!(stats.map(|stats| (stats.executions, stats.leaked_threads)).unwrap().0, 0, "none is complete");
    assert!(!IS_PAST.load(Ordering::Relaxed), "an assumption that does not hold was passed");
}

#[test]
fn an_access_that_outlasts_a_release_races_with_who_acquires_it() {
    let line = line!() + 9;
    let failure = failure(|| {
        let shared = Rc::new((UnsafeCell::new(0), AtomicUsize::new(0)));
        let other = Rc::clone(&shared);
        let reader = thread::spawn(move || {
            if other.1.load(Acquire) == 1 {
                other.0.with(|value| value);
            }
        });
        shared.0.with_mut(|_| shared.1.store(1, Release));
        reader.join().unwrap();
    });
    assert!(matches!(failure.kind, FailureKind::Race | FailureKind::Overlap), "{failure}");
    assert_at(&failure, failure.kind, line - 3);
}

#[test]
fn a_thread_of_another_execution_is_not_unparked() {
    let kept: Arc<HostMutex<Option<thread::Thread>>> = Arc::default();
    let slot = Arc::clone(&kept);
    Builder::new().explore(move || *slot.lock().unwrap() = Some(thread::current())).unwrap();
    let line = line!() + 3;
    let failure = failure(move || {
        let thread = kept.lock().unwrap().clone();
        thread.unwrap().unpark();
    });
    assert_at(&failure, FailureKind::Foreign, line);
    assert!(failure.message.contains("T0 unparks a thread of another execution"), "{failure}");
}

#[test]
fn an_exploration_within_a_panic_of_the_host_tells_a_panic_of_the_model_from_it() {
    struct Explores;
    impl Drop for Explores {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            let stats = Builder::new().explore(|| {
                let mutex = Arc::new(Mutex::new(0));
                *mutex.lock().unwrap() += 1;
                assert!(!mutex.is_poisoned(), "nobody of the model panics");
                assert!(!thread::panicking());
            });
            assert_eq!(stats.unwrap().executions, 1);
            let failure = failure(|| panic!("of the model"));
            assert!(failure.message.contains("of the model"), "{failure}");
        }
    }
    let panicked = std::panic::catch_unwind(|| {
        let _explores = Explores;
        std::panic::resume_unwind(Box::new("of the host"));
    });
    assert_eq!(*panicked.unwrap_err().downcast::<&str>().unwrap(), "of the host");
}
