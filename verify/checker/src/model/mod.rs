//! Models: small concurrent programs, explored completely or red.
//!
//! A [`Model`] is a body over `heaplab::sync` and a [`Spec`] that says how large it is. The models of the suite are
//! listed in tables, one for each protocol (the macro [`models!`](crate::models), in `verify/models/src/`); from such
//! a table come both the tests and the registry that the binary works on. [`model`] runs one:
//!
//! | build | what [`model`] does |
//! |---|---|
//! | feature `loom` | explores each pass, the explorer's without a bound, loom's within one; certifies it, or panics |
//! | feature `shuttle` | runs the closure in a few hundred random schedules: a sample that certifies nothing |
//! | otherwise | runs the closure a few hundred times on real threads: a smoke test that certifies nothing |
//!
//! # When a model is green
//!
//! - MD-1: every pass of its [`Passes`] has run, and each has seen every execution within the bound. A run that met a
//!   limit is red, whoever set the limit.
//! - MD-2: no execution failed an assertion, deadlocked, or raced.
//! - MD-3: the model ran with exactly the threads that it declares; else its certificate would claim a larger or a
//!   smaller world.
//! - MD-4: a model of a table ran about as many executions as the committed baseline says: a model that shrinks to a
//!   tenth has lost its race, one that grows tenfold will soon not end (`baseline`).
//!
//! The doc comment of a model's function says what each refusal, count and bound must be, and the model's assertions
//! check exactly that. A test refuses a model of a table without such a comment (`verify/models/tests/documents.rs`).
//!
//! A green pass leaves a [`Certificate`]. It names the bound and what the checker cannot see ([`blind_spots`],
//! [`TRUSTED`]), because "complete" means complete within those.
//!
//! Whether the models would notice a weaker ordering, or a step of a protocol that is missing, is measured by mutants
//! (`mutation`, with the feature).
//!
//! # Examples
//!
//! ```
//! use heaplab::sync::{Arc, AtomicU32, Ordering, thread};
//! use heaplab_checker::model::{Spec, model};
//!
//! model("add_vs_add", Spec::two_threads().smoke_runs(10), || {
//!     let count = Arc::new(AtomicU32::new(0));
//!     let other = thread::spawn({
//!         let count = count.clone();
//!         move || count.fetch_add(1, Ordering::Relaxed)
//!     });
//!     let mine = count.fetch_add(1, Ordering::Relaxed);
//!     assert_ne!(mine, other.join().unwrap());
//! });
//! ```

#[cfg(feature = "loom")]
pub mod baseline;
#[cfg(feature = "loom")]
pub mod census;
mod certificate;
#[cfg(all(feature = "shuttle", not(feature = "loom")))]
mod drawn;
#[cfg(feature = "loom")]
mod explore;
mod failure;
#[cfg(feature = "loom")]
pub mod litmus;
#[cfg(feature = "loom")]
pub mod mutation;
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod native;
#[cfg(feature = "loom")]
mod picture;
mod runner;
#[cfg(not(feature = "loom"))]
mod sample;
mod snapshot;
mod spec;
#[cfg(feature = "loom")]
pub mod token;
mod verdict;
#[cfg(feature = "loom")]
mod watch;

#[cfg(all(feature = "shuttle", not(feature = "loom")))]
use drawn as how;
#[cfg(feature = "loom")]
use explore as how;
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
use native as how;

pub use certificate::{Certificate, TRUSTED, blind_spots};
#[cfg(feature = "loom")]
pub use explore::{OnExecution, PassOptions, explore_once, explore_options, explore_pass, passes, try_loud_model};
pub use failure::ModelFailure;
pub use heaplab::sync::terms::{Fault, Pass};
#[cfg(feature = "loom")]
pub use picture::write_picture;
pub use runner::{model, try_model};
pub use snapshot::Snapshot;
pub use spec::{Bound, Graphs, Model, Passes, Spec, THREADS_MAX};
pub use verdict::LitmusVerdict;
