//! What several crates of heaplab's suite use and what does not know the heap: where artefacts go, exits, claims,
//! what a panic said, drawn numbers, and how the binary is called.

pub mod artefact;
mod claim;
mod command;
mod dice;
pub mod exit;
pub mod panics;
mod workspace;

pub use command::cargo_run;
pub use dice::{Dice, mix};
pub use workspace::workspace;
