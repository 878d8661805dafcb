//! The verification suite of heaplab, as a library: what tests, fuzz targets, benches and the binary share.

pub mod cli;
pub mod model;
pub mod scenario;
pub mod stress;
