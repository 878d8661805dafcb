//! Code mutants: every small change of the heap's sequential code, and whether the suite notices.
//!
//! ```text
//! cargo mutants --list -> a copy of the sources in which each mutant has a switch -> built once
//!     -> each mutant switched on in turn, the tests, properties and scenarios that reach it, quickest first
//!     -> target/heaplab/code-mutants.json -> the report
//! ```
//!
//! cargo-mutants says which mutants there are (`CodeMutant`) and would build the heap for each, which takes a minute for
//! each of some 1,900. Here all are compiled into one heap, the `schema`, so a trial takes about a second. What the compiler
//! objects to is left out and counted: a mutant that does not compile says nothing about tests.
//!
//! * **CM-1** Without a mutant every program passes on the schema: else it would notice anything.
//! * **CM-2** A mutant is *caught* by a program that fails, ends or is not done in five times its time.
//! * **CM-3** One that nothing catches is unexplained unless `verify/code_mutants.toml` has a reason; a reason for a
//!   mutant that is caught, or that is no more, is an error.
//! * **CM-4** What cannot be switched (constants, values of `impl` types) is listed, never counted as caught.

#[cfg(feature = "loom")]
mod campaign;
#[cfg(feature = "loom")]
mod edit;
#[cfg(feature = "loom")]
mod list;
mod record;
#[cfg(feature = "loom")]
mod schema;
#[cfg(feature = "loom")]
mod trial;
#[cfg(feature = "loom")]
mod viable;

#[cfg(feature = "loom")]
pub use campaign::{Plan, campaign, listed};
#[cfg(feature = "loom")]
pub use list::{CodeMutant, Genre, Position, Span};
#[cfg(feature = "loom")]
pub use record::reasons;
pub use record::{CAUGHT_MIN, CODE_MUTANTS, CodeMutantRecord, CodeMutantsRecord, Counts, Fate, Reason, idle};
