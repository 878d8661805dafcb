//! The verification suite of heaplab, as a library: what tests, fuzz targets, benches and the binary share.
//!
//! Each module is a room, and uses rooms above it in this table only: those that its row names. A test reads the table and the
//! sources, and refuses a use that the table does not have, a room that it does not have, and a row that names what is not used
//! (`tests/layers.rs` of the heap's package).
//!
//! | room | what for | uses |
//! |---|---|---|
//! | `claim` | what an engine says of what is not as it should be | |
//! | `exit` | exit codes | |
//! | `as_text` | values in files by their text | |
//! | `panics` | what a panic said | |
//! | `notice` | what a program tells the engine's watcher while it goes on | |
//! | `build` | what this build is | |
//! | `artefact` | the files that jobs leave, and where | |
//! | `bench` | measuring, and the contestants | |
//! | `ops` | programs: operations, their text and their bytes | |
//! | `stress` | threads that allocate at random, and check | `panics` |
//! | `script` | JavaScript whose every value lives in the heap | |
//! | `trace` | an execution as columns and as a picture | |
//! | `scenario` | the mission's scenarios on a real heap | `claim`, `stress`, `script` |
//! | `shadow` | the oracle: what a program's heap must be, and who drives it | `claim`, `build`, `ops` |
//! | `model` | a small concurrent program, explored completely or red | `exit`, `as_text`, `panics`, `build`, `artefact`, `trace` |
//! | `record` | what is known of models and mutants, as a file | `as_text`, `build`, `artefact`, `model` |
//! | `suite` | all models side by side, and mutants against them | `exit`, `as_text`, `build`, `artefact`, `model`, `record` |
//! | `systematic` | each fallible point of a program fails in turn | `panics`, `ops`, `shadow` |
//! | `hostile` | any configuration, and a program on it | `claim`, `ops`, `shadow` |
//! | `schedule` | programs under random schedules | `ops`, `stress`, `shadow` |
//! | `explored` | every interleaving of a small program | `ops`, `shadow`, `model` |
//! | `replay` | what a fuzzer found, again | `panics`, `ops`, `script`, `scenario`, `shadow`, `hostile`, `schedule` |
//! | `detect` | bugs planted in a copy, and which engine notices | `exit`, `as_text`, `notice`, `artefact` |
//! | `code_mutants` | every small change of sequential code, and which test notices | `artefact`, `suite`, `detect` |
//! | `report` | one page of all that | `artefact`, `stress`, `scenario`, `model`, `record`, `detect`, `code_mutants` |
//! | `cli` | the command line | `exit`, `notice`, `build`, `artefact`, `ops`, `stress`, `script`, `trace`, `scenario`, `model`, `record`, `suite`, `explored`, `replay`, `detect`, `code_mutants`, `report` |

pub mod artefact;
pub mod as_text;
pub mod bench;
pub mod build;
mod claim;
pub mod cli;
pub mod code_mutants;
pub mod detect;
pub mod exit;
#[cfg(feature = "loom")]
pub mod explored;
#[cfg(not(feature = "loom"))]
pub mod hostile;
pub mod model;
pub mod notice;
pub mod ops;
pub mod panics;
pub mod record;
#[cfg(not(feature = "loom"))]
pub mod replay;
pub mod report;
pub mod scenario;
#[cfg(feature = "shuttle")]
pub mod schedule;
pub mod script;
pub mod shadow;
pub mod stress;
pub mod suite;
pub mod systematic;
#[cfg(feature = "loom")]
pub mod trace;
