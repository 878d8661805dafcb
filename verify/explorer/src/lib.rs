//! Runs every execution of a concurrent program that the memory model allows, each exactly once, without a bound.
//!
//! A *model* is a closure that shares words, cells and locks of this crate between its threads, with assertions.
//! [`model()`] runs it again and again until each execution that RC11 allows was run, and panics with the execution
//! where it fails. [`model::Builder`] has the settings, and returns the failure instead.
//!
//! The interface has loom's shape, so that a model written for loom moves by changing its import. The README says
//! what is explored, what is not, and how the two differ.
//!
//! # Examples
//!
//! Two threads that each add one without an RMW may lose an addition:
//!
//! ```
//! use heaplab_explorer::model::Builder;
//! use heaplab_explorer::sync::atomic::{AtomicUsize, Ordering::SeqCst};
//! use heaplab_explorer::{FailureKind, thread};
//! use std::sync::Arc;
//!
//! let add = |x: Arc<AtomicUsize>| move || x.store(x.load(SeqCst) + 1, SeqCst);
//! let failure = Builder::new()
//!     .explore(move || {
//!         let x = Arc::new(AtomicUsize::new(0));
//!         let threads = [thread::spawn(add(x.clone())), thread::spawn(add(x.clone()))];
//!         for thread in threads {
//!             thread.join().unwrap();
//!         }
//!         assert_eq!(x.load(SeqCst), 2, "an addition was lost");
//!     })
//!     .unwrap_err();
//! assert_eq!(failure.kind, FailureKind::Assertion);
//! // The journal has the execution: both threads read the initial value.
//! assert!(failure.journal.to_string().contains("load x0 SeqCst -> 0x0 of the initial value"));
//! ```
//!
//! A model that holds says how many executions it has:
//!
//! ```
//! use heaplab_explorer::model::Builder;
//! use heaplab_explorer::sync::Mutex;
//! use heaplab_explorer::thread;
//! use std::sync::Arc;
//!
//! let stats = Builder::new()
//!     .explore(|| {
//!         let list = Arc::new(Mutex::new(vec![]));
//!         let other = Arc::clone(&list);
//!         let pusher = thread::spawn(move || other.lock().unwrap().push(1));
//!         list.lock().unwrap().push(2);
//!         pusher.join().unwrap();
//!         assert_eq!(list.lock().unwrap().len(), 2);
//!     })
//!     .unwrap();
//! assert_eq!(stats.executions, 2);
//! assert!(stats.is_complete());
//! ```

pub mod alloc;
pub mod cell;
pub mod future;
pub mod hint;
pub mod host;
pub mod journal;
pub mod model;
pub mod sync;
pub mod thread;

mod accesses;
mod branch;
mod builder;
mod choice;
mod consistency;
mod event;
mod explore;
mod failure;
mod graph;
mod handle;
mod id;
mod local;
mod maximal;
mod memory;
mod mutant;
mod place;
mod preemptions;
mod psc;
mod route;
mod runtime;
mod shard;
mod stats;
mod turn;
mod views;

pub use choice::{assume, choose};
pub use failure::{Failure, FailureKind, Place};
pub use model::model;
pub use route::Route;
pub use runtime::estimate::Estimate;
pub use shard::Shard;
pub use stats::{Bound, Stats};
pub use views::THREADS_MAX as MAX_THREADS;

/// Accepted for models that are written for loom: everything is explored anyway.
pub fn explore() {}

/// Accepted for models that are written for loom, which does not explore the alternatives that come after it; here
/// they are explored.
pub fn stop_exploring() {}

/// Accepted for models that are written for loom, which does not explore what comes after it; here it is explored.
pub fn skip_branch() {}

#[doc(hidden)]
pub use local::Lazy;
#[doc(hidden)]
pub use mutant::Mutant;

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
