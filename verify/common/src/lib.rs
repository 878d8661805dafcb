//! What every crate of heaplab's suite may use: where artefacts go, exit codes, claims, drawn numbers, and how the binary
//! is called.

pub mod artefact;
mod claim;
mod command;
mod dice;
pub mod exit;
mod workspace;

pub use command::cargo_run;
pub use dice::{Dice, PIECE_BYTES, mix, pieces, small_of};
pub use workspace::workspace;
