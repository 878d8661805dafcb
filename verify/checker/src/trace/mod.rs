//! Counterexamples that one can look at: a failed model's journal, as columns of text and as a space-time diagram.
//!
//! The model checker's journal is a list of operations in the order of the execution, with addresses for objects and no
//! word about which write a read has read. This module turns it into a picture, in four steps that do not know each
//! other:
//!
//! ```text
//! journal ──► sources, names   what is this object called?      (source text at the sites)
//!         ──► history          which write was read, what is ordered before what?   (values, vector clocks)
//!         ──► failure          what failed, and which operations is it about?       (message, history)
//!         ──► scene            rows, regions, links              ──► columns, svg
//! ```
//!
//! Drawing is a pure function of the journal and of the source files, which are only read. The checker is asked
//! nothing, so a panic hook can draw in the middle of a failed execution.
//!
//! # What is inferred, and may be wrong
//!
//! - *An arrow says "a write of this value"*, the newest one, under loom. When several writes wrote the same value, the
//!   read may have come from an older one; then a stale read goes unmarked. The explorer's arrows are the execution's.
//!   See `history`.
//! - *"Synchronises"* and *"nothing orders"* follow from those arrows by vector clocks. Of several threads that could
//!   have been joined, the first is assumed.
//! - *An object is an address.* When memory is freed and used again in the same execution, two objects share one row
//!   of history. Names come from source text, numbers behind names are ordinals, not indices. See `names`.
//! - *The failing thread*, unless the caller knows it, is the one that acted last: right, unless a thread panicked
//!   before its first operation or inside an operation that was refused.
//! - *A stop of the world* is recognised by the text of `Safepoint::stop`. See `scene`.
//! - *A refused access to a heap word is missing*: the checker reports such a race before the journal has the access.
//!   With `LOOM_LOCATION` in the environment the message names both sites, and the picture shows them.
//! - *What a caught panic unwound is missing*, since the journal pauses meanwhile: a mutex given back by a destructor
//!   seems held until somebody locks it again.
//!
//! # Use
//!
//! Start the journal, explore, and take the journal, as below. Or take the journal in a panic hook, which also works
//! when a destructor aborts the process later. In the hook:
//!
//! - draw only for panics whose payload is a string: loom ends its coroutines by panics with other payloads;
//! - draw once, and only if the journal is not empty: other threads of the system panic as well;
//! - ask nothing of loom: it may be in the middle of something.
//!
//! ```
//! use heaplab::sync::model_control::{start_journal, take_journal, whereabouts};
//! use heaplab::sync::terms::Pass;
//! use heaplab::sync::{ExploreOptions, explore, thread};
//! use heaplab_checker::trace::{Counterexample, Sources};
//!
//! start_journal();
//! let exploration = explore(&ExploreOptions::default(), || {
//!     thread::spawn(|| ()).join().unwrap();
//!     panic!("made to fail");
//! });
//! let counterexample = Counterexample {
//!     model: "made_to_fail".to_owned(),
//!     pass: Pass::Normal,
//!     bound: "unbounded".to_owned(),
//!     execution: exploration.executions,
//!     message: exploration.outcome.unwrap_err(),
//!     failed_thread: None,
//!     token: String::new(),
//!     mutant: None,
//!     journal: take_journal(),
//!     whereabouts: whereabouts(),
//! };
//! assert!(counterexample.columns(&Sources::new()).contains("FAILED: made to fail"));
//! assert!(counterexample.svg(&Sources::new()).starts_with("<svg"));
//! ```

mod asides;
mod columns;
mod counterexample;
mod failure;
mod history;
mod label;
mod layout;
mod names;
mod scene;
mod sources;
mod step;
mod svg;
#[cfg(test)]
mod tests;
mod text;

pub use counterexample::Counterexample;
pub use failure::FailureKind;
pub use sources::Sources;

impl Counterexample {
    /// The execution as text: a column for each thread, a row for each step, the failure at the end.
    ///
    /// Lines have up to 150 characters, and more with more than three threads.
    #[must_use]
    pub fn columns(&self, sources: &Sources) -> String {
        columns::render(&scene::Scene::new(self, sources))
    }

    /// The execution as a space-time diagram: a lane for each thread, time downwards. One self-contained SVG element.
    #[must_use]
    pub fn svg(&self, sources: &Sources) -> String {
        svg::render(&scene::Scene::new(self, sources))
    }
}
