//! Runs every execution of a concurrent program that the memory model allows, each exactly once, without a bound.

pub mod alloc;
pub mod cell;
pub mod future;
pub mod hint;
pub mod journal;
pub mod model;
pub mod sync;
pub mod thread;

mod choice;
mod consistency;
mod event;
mod explore;
mod failure;
mod graph;
mod handle;
mod local;
mod maximal;
mod psc;
mod runtime;
mod stats;
mod views;

pub use choice::{assume, choose};
pub use failure::{Failure, FailureKind, Place};
pub use model::model;
pub use stats::{Bound, Stats};
pub use views::THREADS_MAX as MAX_THREADS;

#[doc(hidden)]
pub use local::Lazy;
