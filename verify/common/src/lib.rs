//! What every crate of heaplab's suite may use: where artefacts go, exits, notices, claims, what a panic said, drawn
//! numbers, values as text, and how the binary is called.

pub mod artefact;
pub mod as_text;
mod claim;
mod command;
mod dice;
pub mod exit;
pub mod notice;
pub mod panics;
mod workspace;

pub use command::cargo_run;
pub use dice::{Dice, PIECE_BYTES, mix, pieces, small_of};
pub use workspace::workspace;
