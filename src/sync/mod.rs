//! The one door to threads: atomics, cells, locks and threads in three faces.
//!
//! # What it is
//!
//! The crate's algorithms are written once. This module gives them their primitives, and which primitives those are is
//! decided by the features `loom` and `shuttle` alone, of which a build has at most one:
//!
//! | | *native* face | `loom`, in an exploration: *model* face | `shuttle`: *scheduled* face |
//! |---|---|---|---|
//! | what runs | the machine's schedule | every execution, or all interleavings within a bound | some, at random |
//! | atomics, fences | `core::sync::atomic` | the engine's, stale values included | shuttle's, each `SeqCst` |
//! | [`UnsafeCell`] | `core::cell::UnsafeCell` | the engine's, each access checked for a data race | the native one |
//! | [`Mutex`], [`Condvar`], threads | `std` | the engine's, few threads | shuttle's, any number of threads |
//! | [`HeapWord`] | one 32-bit atomic in place | one of the engine; plain accesses race-checked | the native one |
//! | [`yield_point`] | in debug builds a place to linger ([`stretch`]) | nothing | a scheduling point with a name |
//! | [`Arc`] | `std` | `std`: trusted, because a model would only multiply executions over its count | `std` |
//!
//! The model face explores small worlds completely. The scheduled face samples larger ones - whole heaps of three to
//! eight threads - and prints the schedule of a failure, which can be replayed exactly.
//!
//! # The feature `loom` is additive
//!
//! Cargo gives a crate every feature that any crate of a build wants. So a build with `loom` has both the native and
//! the model face, and chooses when a value is made: natively outside of any exploration, modelled in one
//! (`sync/chosen`). Outside of explorations such a build is the native one, with mapped memory and threads of the
//! system, but for two costs: a value also has room for its modelled form, so that tables beside the heap are some
//! three times as large, and each operation first asks where it is. `cfg(feature = "loom")` decides nothing about a
//! heap; [`is_modelled`] says what a heap that is made here and now will be.
//!
//! The feature `shuttle` is not: its values live in shuttle's runs only. It is for this crate's own tests, which draw
//! schedules of whole heaps, and its atomics and threads are shuttle's own types, without a form outside of a run. A
//! value of two forms costs each operation a question, and that face has heaps of eight threads to run.
//!
//! # What it guarantees
//!
//! - **SY-1, one text.** All faces have the same items with the same signatures; [`is_modelled`] tells the native face
//!   from the other two where a *test* must size its world, and no algorithm may depend on it. (What drives a checker
//!   from outside, [`check`] excepted, exists in its face only.)
//! - **SY-2, nothing is weakened or dropped.** An operation of the native face is exactly the operation it is named
//!   after, with the ordering it was given. The model face performs the same operation in the normal pass. In the
//!   read-as-RMW pass it performs an operation that is *stronger as an access* (see below) under the same ordering.
//!   Only a mutant that a test of the tests asks for (`model_control::set_mutant`) changes an operation, at one call
//!   site. The scheduled face performs the operation itself, and more strongly: all orderings are `SeqCst` to
//!   shuttle.
//! - **SY-3, nothing is hidden.** The model checker sees every access through this module, except `Arc`'s count, a
//!   [`Gauge`] and a [`Tag`]. The scheduler sees atomics, locks and threads, and does not see heap words and cells.
//! - **SY-4, sites have names.** In the model face each operation knows the source location it was called from
//!   (`#[track_caller]`). Wrappers around it should be `#[track_caller]` too, else all their callers share one name.
//! - **SY-5, no value is in two worlds.** A value is used in the exploration that made it, or outside of all if it was
//!   made there. Anything else is a panic that names the kind of the value and both places (module `scene`, which also
//!   says from when on a model counts that this module did not begin).
//!
//! # The engines and the passes
//!
//! The model face has two engines (the module `engine`), and a model is explored by both, in up to three passes:
//!
//! 1. *graphs*, by heaplab-explorer: each execution graph that RC11 allows, once, without a bound unless the model says
//!    why, each operation as written.
//! 2. *normal*, by loom within a bound of preemptions: each operation as written. Of loom's passes only this one can
//!    judge orderings, because only here a load may return a stale value.
//! 3. *read-as-RMW*, by loom within the same bound: each load is performed as `fetch_or(0)` and each store as `swap`,
//!    with the operation's own ordering. Then every pair of accesses conflicts and every interleaving is explored,
//!    but no load is ever stale.
//!
//! loom is the second opinion. It needs two passes because it keeps one last-access record per atomic, so that it
//! does not backtrack the race between one thread's load and another thread's load-then-store of the same word, the
//! shape of every CAS loop. A few models have more execution graphs than anybody waits for: of those the explorer
//! explores what is within a bound that is complete up to itself, and the certificate says so.
//!
//! A [`HeapWord`] never takes the second form: heap words are also read plainly, and an RMW, being a write, would
//! race with those reads. loom lets an RMW read any maximal store of a word that is stored *and* read-modify-written
//! concurrently, so a protocol never plain-stores a word that another thread changes by RMW.
//!
//! # What it does not do
//!
//! - The model face models at most one spurious failure of `compare_exchange_weak`, or one spurious wake-up of
//!   [`Condvar::wait`], in an execution, and only where a model asks for that fault. It does not model load
//!   buffering, or `SeqCst` loads and stores (loom treats them as acquire-release; `SeqCst` *fences* are modelled).
//!   Time does not exist in the model: [`thread::sleep`] yields.
//! - In the model face a panic that unwinds past a held [`MutexGuard`] poisons loom's own lock: catching the panic and
//!   locking again panics. Natively poisoning is ignored.
//! - Values of the scheduled face exist only inside a run; touching one outside panics.
//! - What an exploration does with primitives that are not of this module, or by a native value that a thread of the
//!   host uses meanwhile, no checker sees.
//! - The scheduled face certifies nothing. It judges no ordering, because nothing is ever stale in it. No cell is
//!   checked for races; heap words are no scheduling points, so two threads never meet between two accesses to them.
//!   The scheduled face adds neither spurious failures nor spurious wake-ups. What it does find is wrong protocols:
//!   lost wake-ups, deadlocks, states that some order of atomic steps makes wrong, also with more threads than loom
//!   has room for.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this module is the door that the rest of the crate is kept to"
)]

#[cfg(all(feature = "loom", feature = "shuttle"))]
compile_error!(
    "the features `loom` and `shuttle` exclude each other: the values of `shuttle` live in its runs only. Enable one \
     of them (and never build with `--all-features`)"
);

// With both features the model face is compiled, so that the message above is the only error.
#[cfg(feature = "loom")]
mod chosen;
#[cfg(feature = "loom")]
mod engine;
mod every_face;
#[cfg(feature = "loom")]
mod explore;
pub mod fork;
#[cfg(all(unix, not(miri), not(feature = "shuttle")))]
mod fork_counted;
#[cfg(not(all(unix, not(miri), not(feature = "shuttle"))))]
mod fork_unseen;
mod gauge;
#[cfg(feature = "loom")]
#[allow(unreachable_pub, reason = "the choosing face has the items of its own")]
mod model;
#[cfg(feature = "loom")]
#[allow(unreachable_pub, reason = "the choosing face has the items of its own")]
mod model_atomic;
#[cfg(feature = "loom")]
pub mod model_control;
#[cfg(feature = "loom")]
mod model_mutant;
#[cfg(feature = "loom")]
mod model_site;
#[cfg(feature = "loom")]
mod model_watch;
#[cfg(any(feature = "loom", not(feature = "shuttle")))]
#[cfg_attr(
    feature = "loom",
    allow(dead_code, unreachable_pub, unused_imports, reason = "the choosing face has its own items")
)]
mod native;
pub mod roll;
pub mod run_marker;
#[cfg(feature = "loom")]
mod scene;
#[cfg(not(feature = "loom"))]
mod scene_fixed;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
mod scheduled;
pub mod terms;
#[cfg_attr(feature = "loom", allow(dead_code, unreachable_pub, reason = "the choosing face has the items of its own"))]
mod unwatched;
mod yield_point;
mod zeroed;

#[cfg(feature = "loom")]
use chosen as face;
#[cfg(all(unix, not(miri), not(feature = "shuttle")))]
use fork_counted as forks;
#[cfg(not(all(unix, not(miri), not(feature = "shuttle"))))]
use fork_unseen as forks;
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
use native as face;
#[cfg(not(feature = "loom"))]
use scene_fixed as scene;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
use scheduled as face;

pub use core::sync::atomic::Ordering;
pub use std::sync::{Arc, Weak};

#[cfg(feature = "loom")]
pub use explore::{Estimate, Exploration, ExploreOptions, GraphName, Shard, estimate, explore, replay};
pub use face::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Backoff, CachePadded, Condvar, HeapWord, Mutex, MutexGuard,
    UnsafeCell, caught, check, fence, thread, try_table, yield_point,
};
pub use gauge::{Gauge, Tag};
#[cfg(feature = "loom")]
pub(crate) use scene::Scene;
pub use scene::is_modelled;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
pub use scheduled::{shuttle_config, take_yield_point};
pub(crate) use unwatched::HeapWord as RealWord;
pub use yield_point::{YieldPoint, stretch};
pub use zeroed::Zeroed;

/// Whether all that this build does is a run of the scheduled face.
#[cfg(not(feature = "loom"))]
const SCHEDULED: bool = cfg!(feature = "shuttle");

/// Whether threads of this build [stretch](stretch) at yield points: native, with debug assertions.
const STRETCHES: bool = cfg!(all(debug_assertions, not(feature = "shuttle")));

/// Whether this build keeps the [roll]: a build that stretches and has the feature `internals`, as builds for tests do.
const ROLLS: bool = STRETCHES && cfg!(feature = "internals");

/// The system refused to start a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpawnRefused {
    /// The system's error code, if it gave one.
    pub os_code: Option<i32>,
}

#[cfg(test)]
mod tests {
    //! Goal: all faces keep the contracts that are theirs and not the underlying primitive's.

    use super::*;

    /// A value handed over under a lock is seen, and the waiter does not miss its wake-up.
    #[test]
    fn wait_vs_notify() {
        check(|| {
            let shared = Arc::new((Mutex::new(0), Condvar::new()));
            let other = thread::spawn({
                let shared = shared.clone();
                move || {
                    *shared.0.lock() = 7;
                    shared.1.notify_all();
                }
            });
            let mut guard = shared.0.lock();
            while *guard == 0 {
                guard = shared.1.wait(guard);
            }
            assert_eq!(*guard, 7);
            drop(guard);
            other.join().unwrap();
        });
    }

    /// The waiter holds the lock until it waits, so it does wait, and either call wakes it.
    #[test]
    fn notification_wakes_a_waiter() {
        for notify in [Condvar::notify_one, Condvar::notify_all] {
            check(move || {
                let shared = Arc::new((Mutex::new(false), Condvar::new()));
                let mut guard = shared.0.lock();
                let other = thread::spawn({
                    let shared = shared.clone();
                    move || {
                        *shared.0.lock() = true;
                        notify(&shared.1);
                    }
                });
                while !*guard {
                    guard = shared.1.wait(guard);
                }
                drop(guard);
                other.join().unwrap();
            });
        }
    }

    /// What one thread alone has, or holds the lock of, is shown.
    #[test]
    fn what_may_be_looked_at_is_shown() {
        check(|| {
            assert_eq!(format!("{:?}", CachePadded::new(7)), "CachePadded(7)");
            assert_eq!(format!("{:?}", Mutex::new(7).lock()), "MutexGuard(7)");
        });
    }

    #[test]
    fn try_lock_is_refused_while_held() {
        check(|| {
            let mut mutex = Mutex::new(1);
            let guard = mutex.lock();
            assert!(mutex.try_lock().is_none());
            drop(guard);
            *mutex.try_lock().expect("the lock is free") += 1;
            assert_eq!(*mutex.get_mut(), 2);
            assert_eq!(mutex.into_inner(), 2);
        });
    }

    /// Each thread has a flag of its own, which a suspension clears for a time.
    #[test]
    fn run_marker_is_per_thread() {
        check(|| {
            let token = run_marker::try_enter().expect("the thread is outside");
            assert!(run_marker::try_enter().is_none());
            assert!(!thread::spawn(run_marker::is_inside).join().unwrap());
            // SAFETY: the token is kept until the suspension is over.
            let suspended = unsafe { run_marker::suspend() };
            drop(run_marker::try_enter().expect("suspended, the thread may enter and leave"));
            drop(suspended);
            assert!(run_marker::is_inside());
            drop(token);
            assert!(!run_marker::is_inside());
        });
    }

    /// Every operation computes what its name says, in every form it is performed in.
    #[test]
    fn operations_compute_what_they_are_named_after() {
        use Ordering::{AcqRel, Acquire, Relaxed, Release};
        check(|| {
            let word = AtomicU32::new(6);
            assert_eq!(word.fetch_add(2, AcqRel), 6);
            assert_eq!(word.fetch_sub(1, Relaxed), 8);
            assert_eq!(word.fetch_or(8, Relaxed), 7);
            assert_eq!(word.fetch_and(12, Relaxed), 15);
            assert_eq!(word.swap(3, AcqRel), 12);
            assert_eq!(word.compare_exchange(4, 5, AcqRel, Acquire), Err(3));
            assert_eq!(word.compare_exchange(3, u32::MAX, AcqRel, Acquire), Ok(3));
            assert_eq!(word.fetch_add(1, Relaxed), u32::MAX);
            word.store(9, Release);
            // SAFETY: the word is this thread's alone.
            unsafe {
                assert_eq!(word.unsync_load(), 9);
                word.unsync_store(10);
            }
            assert_eq!(word.load(Acquire), 10);

            let flag = AtomicBool::new(false);
            assert!(!flag.fetch_or(true, Relaxed));
            assert!(flag.fetch_and(false, Relaxed));
            assert!(!flag.swap(true, Relaxed));
            assert_eq!(flag.compare_exchange(true, false, Relaxed, Relaxed), Ok(true));
            flag.store(true, Relaxed);
            assert!(flag.load(Relaxed));

            let heap_word = HeapWord::new(1);
            assert_eq!(heap_word.fetch_or(2, Relaxed), 1);
            assert_eq!(heap_word.compare_exchange(3, 4, Relaxed, Relaxed), Ok(3));
            // SAFETY: the word is this thread's alone.
            unsafe { heap_word.unsync_store(5) };
            assert_eq!(heap_word.load(Relaxed), 5);
        });
    }

    #[test]
    fn cell_gives_the_same_value_by_every_door() {
        check(|| {
            let mut cell = UnsafeCell::new(1);
            // SAFETY: the cell is this thread's alone, and no pointer is used after its statement.
            unsafe {
                cell.with_mut(|value| *value += 1);
                *cell.access() += 1;
                assert_eq!(cell.with(|value| *value), 3);
                assert_eq!(*cell.peek(), 3);
            }
            *cell.get_mut() += 1;
            assert_eq!(cell.into_inner(), 4);
        });
    }

    /// A panicking holder leaves the lock usable, outside of any exploration.
    #[cfg(not(feature = "shuttle"))]
    #[test]
    fn a_panic_does_not_poison() {
        let mutex = Arc::new(Mutex::new(1));
        let other = thread::spawn({
            let mutex = mutex.clone();
            move || {
                let _guard = mutex.lock();
                panic!("while holding the lock");
            }
        });
        assert!(other.join().is_err());
        assert_eq!(*mutex.lock(), 1);
    }
}
