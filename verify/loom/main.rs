//! Models: one file a protocol, several models each, named by their race. Under `--features loom` each is explored
//! exhaustively within its stated bound; otherwise it runs many times with real threads, as a smoke test.
//!
//! This file is compiled twice: as the test target, where each row of a table is a test, and into the binary, which runs
//! models side by side and tries mutants against them.

mod always_allocate;
mod barrier;
mod budget;
#[cfg(test)]
mod canary;
mod flags;
mod forwarding;
mod frontier;
mod full_space;
mod handles;
mod ladder;
mod large;
#[cfg(feature = "loom")]
#[allow(dead_code, reason = "the tests and the binary each use a part")]
pub(crate) mod litmus;
mod marking;
mod mission;
mod page_set;
mod promotion;
mod publication;
mod refill;
mod request;
mod safepoint;
mod script;
mod worlds;

/// Collects the protocols' tables.
macro_rules! protocols {
    ($($protocol:ident),* $(,)?) => {
        /// Every model, protocol by protocol.
        #[allow(dead_code, reason = "the tests come from the tables themselves")]
        pub(crate) fn all() -> Vec<heaplab_verify::model::Model> {
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
