//! The verification suite of heaplab, as a library: what tests, fuzz targets, benches and the binary share.

pub mod bench;
pub mod cli;
#[cfg(feature = "loom")]
pub mod explored;
pub mod model;
pub mod ops;
pub mod report;
pub mod scenario;
#[cfg(feature = "shuttle")]
pub mod schedule;
pub mod shadow;
pub mod stress;
pub mod suite;
#[cfg(feature = "loom")]
pub mod trace;
