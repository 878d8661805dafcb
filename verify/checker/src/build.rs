//! What this build is: of which sources, and with which checker.

/// The sources that this program was built from.
pub const FINGERPRINT: &str = env!("HEAPLAB_FINGERPRINT");
/// The commit that they were based on.
pub const COMMIT: &str = env!("HEAPLAB_COMMIT");
/// The model checker.
pub const CHECKER: &str = concat!("loom ", env!("HEAPLAB_LOOM"));
