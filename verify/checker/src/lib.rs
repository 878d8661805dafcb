//! Explores small concurrent programs over heaplab's facade, completely or red, and says so in files and pictures.
//!
//! Each module is a room, and uses rooms above it in this table only: those that its row names. A test reads the
//! table and the sources (`tests/sources/rooms.rs` of the heap's package).
//!
//! | room | what for | uses |
//! |---|---|---|
//! | `as_text` | values in files by their text | |
//! | `build` | what this build is | |
//! | `trace` | an execution as columns and as a picture | |
//! | `model` | a small concurrent program, explored completely or red | `as_text`, `build`, `trace` |
//! | `record` | what is known of models and mutants, as a file | `as_text`, `build`, `model` |
//! | `suite` | all models side by side, and mutants against them | `as_text`, `model`, `record` |

pub mod as_text;
pub mod build;
pub mod model;
pub mod record;
pub mod suite;
#[cfg(feature = "loom")]
pub mod trace;
