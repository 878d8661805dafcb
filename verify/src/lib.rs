//! The binary `heaplab` as a library, which no other crate imports.
//!
//! Each module is a room, and uses rooms above it in this table only: those that its row names. A test reads the
//! table and the sources (`tests/sources/rooms.rs` of the heap's package). The crates below are in the table of
//! `verify/README.md`.
//!
//! | room | what for | uses |
//! |---|---|---|
//! | `bench` | measuring, and the contestants | |
//! | `notice` | what a program tells the engine that watches it, while it goes on | |
//! | `scripts` | what a build has of scripts | |
//! | `replay` | what a fuzzer found, again | `scripts` |
//! | `detect` | bugs planted in a copy, and which engine notices | `notice` |
//! | `code_mutants` | every small change of sequential code, and which test notices | `detect` |
//! | `report` | one page of all that | `detect`, `code_mutants` |
//! | `cli` | the command line | `notice`, `scripts`, `replay`, `detect`, `code_mutants`, `report` |

pub mod bench;
pub mod cli;
pub mod code_mutants;
pub mod detect;
pub mod notice;
#[cfg(not(feature = "loom"))]
pub mod replay;
pub mod report;
pub mod scripts;
