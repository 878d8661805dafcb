//! The verification suite of heaplab, as a library: what tests, fuzz targets, benches and the binary share.

pub mod bench;
mod claim;
pub mod cli;
pub mod code_mutants;
pub mod detect;
#[cfg(feature = "loom")]
pub mod explored;
#[cfg(not(feature = "loom"))]
pub mod hostile;
pub mod model;
pub mod ops;
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
