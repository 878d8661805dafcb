//! The verification suite of heaplab, as a library: what tests, fuzz targets, benches and the binary share.

pub mod bench;
pub mod cli;
pub mod model;
pub mod ops;
pub mod scenario;
pub mod shadow;
pub mod stress;
#[cfg(feature = "loom")]
pub mod trace;
