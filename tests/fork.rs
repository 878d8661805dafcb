//! Goal: in the child of a `fork` every operation of a heap is an error value that says so, and none hangs: neither
//! what the parent's other threads were in the middle of, nor what the forking thread itself had open, is waited for.
//!
//! Method: this test starts itself anew, as a process that forks while two threads allocate, a stop is asked for, and
//! another thread takes every lock that there is. The child tries everything and ends by what it found; the parent
//! waits for it, with a limit, and goes on allocating.

#![cfg(all(unix, not(miri), not(feature = "shuttle")))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{assert_usable, build, small, tiny};
use heaplab::*;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The environment variable that names what the process that is started anew has to do.
const ROLE: &str = "HEAPLAB_FORK";
const FORKS: usize = 10;

/// Forks, runs `child` there, and fails unless it comes to its end.
fn fork(child: impl FnOnce()) {
    // SAFETY: the child runs code of this crate that takes no lock but the Rust allocator's, which the system library
    // makes usable in the child, and ends without running anything else.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork is refused");
    if pid == 0 {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
        // SAFETY: ends the process.
        unsafe { libc::_exit(if result.is_ok() { 7 } else { 8 }) };
    }
    let begin = Instant::now();
    let mut status = 0;
    // SAFETY: waits for our own child.
    while unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == 0 {
        if begin.elapsed() > Duration::from_secs(20) {
            // SAFETY: ends our own child.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            panic!("the child hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7, "the child ended with {status:#x}");
}

/// Calls whatever may be called from outside of a run, and asserts what the child of a fork is told.
fn try_everything(heap: &Heap, thread: &mut Attachment) {
    assert_eq!(heap.attach().unwrap_err(), AttachError::Forked);
    assert_eq!(heap.attach_raw().unwrap_err(), AttachError::Forked);
    assert_eq!(thread.run(|_| ()), Err(RunError::Forked));
    for kind in CollectionKind::ALL {
        assert_eq!(heap.collect(kind), Err(StopError::Forked));
    }
    assert_eq!(heap.verify().unwrap_err(), StopError::Forked);
    assert_eq!(heap.survey().unwrap_err(), StopError::Forked);
    assert_eq!(heap.statistics().unwrap_err(), StopError::Forked);
    assert_eq!(heap.simulate_full_space(SpaceKind::Old), Err(StopError::Forked));
    assert_eq!(heap.take_collection_trace().unwrap_err(), StopError::Forked);
    assert_eq!(heap.set_hard_limit(heap.config().hard_limit_bytes), Err(LimitError::Stop(StopError::Forked)));
    assert_eq!(heap.set_concurrent_allocation(true), Err(FlagError::Forked));
    assert_eq!(heap.set_stress_concurrent_allocation(true), Err(FlagError::Forked));
    assert_eq!(heap.set_stress_concurrent_allocation(false), Err(FlagError::Forked));
    assert_eq!(heap.set_gc_interval(1), Err(FlagError::Forked));
    assert_eq!(heap.set_fail_allocation(None), Err(FlagError::Forked));
    assert_eq!(heap.set_trace_collections(true), Err(FlagError::Forked));
    heap.set_near_limit_callback(None);
    heap.set_verify_heap(true);
    assert_eq!(heap.poison_message(), None);
    assert_eq!(heap.new_root_set(3).len(), 3);
    let (_, error) = heap.clone().close().unwrap_err();
    assert_eq!(error, CloseError::Forked);
}

/// Builds a heap in the child, and asserts that it is as good as any.
fn build_another() {
    let heap = build(tiny());
    assert_usable(&heap, &mut heap.attach().unwrap());
    let _ = heap.close().map_err(|(_, error)| error).unwrap();
}

/// Ten forks, while other threads do all they can with the heap.
fn fork_while_others_allocate() {
    let mut config = small();
    config.verify_heap = false;
    let heap = build(config);
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let mut thread = heap.attach().unwrap();
                while !stop.load(Ordering::Relaxed) {
                    thread
                        .run(|scope| {
                            for i in 0..1000 {
                                scope.nested(|scope| {
                                    let array = scope.new_array_in(40 * (i % 9), AllocationType::ALL[i % 2]).unwrap();
                                    drop(scope.persist(array));
                                });
                                scope.poll();
                            }
                        })
                        .unwrap();
                }
            });
        }
        threads.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                heap.collect(CollectionKind::MemoryReducing).unwrap();
                drop(heap.new_root_set(2));
                heap.set_near_limit_callback(None);
            }
        });
        for _ in 0..FORKS {
            // A thread that is attached forks outside of a run: the child drops what it has, heap and all.
            let mut thread = heap.attach().unwrap();
            let persistent = thread
                .run(|scope| {
                    let array = scope.new_array(1).unwrap();
                    scope.persist(array)
                })
                .unwrap();
            let (mut mine, heap_of_child, persistent_of_child) = (Some(thread), heap.clone(), persistent);
            fork(|| {
                let mut thread = mine.take().unwrap();
                try_everything(&heap_of_child, &mut thread);
                drop(thread);
                drop(persistent_of_child);
                drop(heap_of_child);
                build_another();
            });
            drop(mine);
            std::thread::sleep(Duration::from_millis(3));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_usable(&heap, &mut heap.attach().unwrap());
}

/// A run that forks inside itself: in the child it may read what it has, and is refused what could block.
fn fork_inside_a_run() {
    let mut config = small();
    config.verify_heap = false;
    let heap = build(config);
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        // Asks for stops, so that most forks happen while one waits for the run.
        threads.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                heap.collect(CollectionKind::Minor).unwrap();
            }
        });
        let mut thread = heap.attach().unwrap();
        for _ in 0..FORKS {
            thread
                .run(|scope| {
                    let array = scope.new_array(3).unwrap();
                    std::thread::sleep(Duration::from_millis(2));
                    fork(|| {
                        scope.poll();
                        assert_eq!(scope.len(scope.get(array)), 3);
                        drop(scope.persist(array));
                        assert_eq!(scope.collect(CollectionKind::Major), Err(StopError::Forked));
                        assert_eq!(scope.verify().unwrap_err(), StopError::Forked);
                        assert_eq!(scope.survey().unwrap_err(), StopError::Forked);
                        assert_eq!(scope.statistics().unwrap_err(), StopError::Forked);
                        assert_eq!(scope.simulate_full_space(SpaceKind::Old), Err(StopError::Forked));
                        assert_eq!(scope.always_allocate(Reserve::NONE, |_| ()), Err(AllocError::Forked));
                        assert_eq!(scope.fill_page_but(AllocationType::Old, 0), Err(AllocError::Forked));
                        assert_eq!(scope.park(|| 5), 5);
                        // What is left of a LAB is the child's own; after that, allocation is refused.
                        let error = (0..).find_map(|_| scope.nested(|scope| scope.new_array(9).map(drop)).err());
                        assert_eq!(error, Some(AllocError::Forked));
                        assert_eq!(heap.collect(CollectionKind::Minor), Err(StopError::Forked));
                    });
                    assert_eq!(scope.len(scope.get(array)), 3);
                })
                .unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        drop(thread);
    });
    assert_usable(&heap, &mut heap.attach().unwrap());
}

/// A heap that nobody is attached to is refused, too: a thread may be about to attach, or hold a lock for a moment,
/// and the child cannot tell.
fn fork_without_local_heaps() {
    let heap = build(tiny());
    assert_usable(&heap, &mut heap.attach().unwrap());
    fork(|| {
        assert_eq!(heap.attach().unwrap_err(), AttachError::Forked);
        assert_eq!(heap.collect(CollectionKind::Major), Err(StopError::Forked));
        // A child of the child is refused as well, also by the heap that was built between.
        let other = build(tiny());
        fork(|| {
            assert_eq!(other.attach().unwrap_err(), AttachError::Forked);
            assert_eq!(heap.attach().unwrap_err(), AttachError::Forked);
            build_another();
        });
        assert_usable(&other, &mut other.attach().unwrap());
    });
    assert_usable(&heap, &mut heap.attach().unwrap());
}

const ROLES: [(&str, fn()); 3] = [
    ("while others allocate", fork_while_others_allocate),
    ("inside a run", fork_inside_a_run),
    ("without local heaps", fork_without_local_heaps),
];

/// Not a test: what the processes that the test starts do.
#[test]
fn role() {
    let Ok(wanted) = std::env::var(ROLE) else { return };
    let (_, role) = ROLES.iter().find(|(name, _)| *name == wanted).unwrap();
    role();
}

#[test]
fn a_child_is_told_that_it_is_one() {
    for (name, _) in ROLES {
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "role", "--nocapture", "--test-threads=1"])
            .env(ROLE, name)
            .output()
            .unwrap();
        assert!(process.status.success(), "{name}: {}", String::from_utf8_lossy(&process.stderr));
    }
}
