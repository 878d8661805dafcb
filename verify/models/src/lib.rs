//! The models: one file for each protocol, several models each, named by their race.
//!
//! Under `--features loom` each model is explored exhaustively within its stated bound; otherwise it runs many times
//! with real threads, as a smoke test. The rows of the tables are the tests of the target `loom`, and what the binary
//! runs side by side and tries mutants against.

mod always_allocate;
mod barrier;
mod budget;
mod flags;
mod forwarding;
mod frontier;
mod full_space;
mod handles;
mod ladder;
mod large;
#[cfg(feature = "loom")]
pub mod litmus;
mod marking;
mod mission;
mod page_set;
mod promotion;
mod publication;
mod refill;
mod request;
mod safepoint;
mod script;
pub mod worlds;

/// Collects the protocols' tables.
macro_rules! protocols {
    ($($protocol:ident),* $(,)?) => {
        /// Every model, protocol by protocol.
        #[must_use]
        pub fn all() -> Vec<heaplab_checker::model::Model> {
            [$($protocol::MODELS),*].concat()
        }
    };
}

protocols!(
    page_set,
    budget,
    frontier,
    refill,
    safepoint,
    request,
    ladder,
    full_space,
    always_allocate,
    publication,
    forwarding,
    marking,
    barrier,
    handles,
    large,
    flags,
    mission,
    promotion,
    script,
);
