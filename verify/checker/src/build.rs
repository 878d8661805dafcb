//! What this build is: of which sources, and with which checker.

/// The fingerprint of the sources that this program was built from: 16 hexadecimal digits.
pub const FINGERPRINT: &str = env!("HEAPLAB_FINGERPRINT");
/// The commit that the sources were based on, or `unknown`.
pub const COMMIT: &str = env!("HEAPLAB_COMMIT");
/// The engines of the model face, and their versions.
pub const CHECKER: &str = concat!("heaplab-explorer ", env!("CARGO_PKG_VERSION"), ", loom ", env!("HEAPLAB_LOOM"));
