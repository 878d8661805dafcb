//! The unwinding of the near-heap-limit callback.

/// What the near-heap-limit callback unwinds with. No hook sees it, since it is no panic.
pub(super) struct Unwound;
