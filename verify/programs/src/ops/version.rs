//! The version of the text form.

/// The version that is written, and the greatest that is read. In a file of an older version each word means the same.
///
/// | version | has |
/// |---|---|
/// | 1 | all operations but those below |
/// | 2 | `fail-commit` |
/// | 3 | `stress`, and the size `small-hole` |
/// | 4 | `fail-release`, `fail-spawn` |
///
/// A file is refused if it has a word of a later version than its own: an older build would call such a file damaged,
/// not newer.
pub const VERSION: u32 = 4;
