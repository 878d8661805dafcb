//! The version of the text form.

/// The version that is written, and the greatest that is read: older ones mean the same.
///
/// | version | has |
/// |---|---|
/// | 1 | all operations but those below |
/// | 2 | `fail-commit` |
/// | 3 | `stress`, and the size `small-hole` |
/// | 4 | `fail-release`, `fail-spawn` |
///
/// A file is refused if it has what is of a later version than the file: an older build would call it damaged, not
/// newer.
pub const VERSION: u32 = 4;
