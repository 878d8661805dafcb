//! Code mutants: every small change of the heap's sequential code, and whether the suite notices.
//!
//! ```text
//! cargo mutants --list -> a copy of the sources in which each mutant has a switch -> built once
//!     -> each mutant switched on in turn, the tests, properties and scenarios that reach it, quickest first
//!     -> target/heaplab/code-mutants.json -> the report
//! ```
//!
//! cargo-mutants says which mutants there are (`CodeMutant`) and would build the heap for each, which takes a minute
//! for each of some 2,600. Here all are compiled into one heap, the `schema`, so a trial takes about a second. What
//! the compiler objects to is left out and counted: a mutant that does not compile says nothing about tests.
//!
//! * **CM-1** Without a mutant every program passes on the schema, since a program that fails would seem to notice
//!   anything.
//! * **CM-2** A mutant is *caught* by a program that fails a test, ends without success, or is not done in five times
//!   its time and five seconds more.
//! * **CM-3** A mutant that nothing catches is unexplained unless `verify/code_mutants.toml` excuses it. An excuse
//!   for a mutant that is caught, or that has gone, is an error; that its code is there, a test sees.
//! * **CM-4** What cannot be switched (constants, values of `impl` types) is listed, never counted as caught.

mod campaign;
mod edit;
mod list;
#[cfg(test)]
mod places;
mod record;
mod schema;
mod trial;
mod viable;

pub use campaign::{Plan, campaign, listed};
pub use list::{CodeMutant, Genre, Position, Span};
pub use record::{
    CAUGHT_MIN, CODE_MUTANTS, CodeMutantExcuse, CodeMutantFate, CodeMutantRecord, CodeMutantsRecord, Counts, EXCUSES,
    committed_excuses, excuses, idle,
};
