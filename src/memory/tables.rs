//! Tables beside the heap, which the Rust allocator may refuse.

use super::MemoryError;
use crate::sync::{self, Zeroed};

/// A table of `len` entries beside the heap, each `zero`.
///
/// # Errors
///
/// [`MemoryError::Tables`]: the Rust allocator has no memory for it.
pub fn try_table<T: Zeroed>(len: usize, zero: impl Fn() -> T) -> Result<Box<[T]>, MemoryError> {
    sync::try_table(len, zero).ok_or(MemoryError::Tables { bytes: len.saturating_mul(size_of::<T>()) })
}

/// An empty vector with room for `len` entries.
///
/// # Errors
///
/// As [`try_table`].
pub fn try_reserved<T>(len: usize) -> Result<Vec<T>, MemoryError> {
    let mut vec = Vec::new();
    let bytes = len.saturating_mul(size_of::<T>());
    vec.try_reserve_exact(len).map_err(|_| MemoryError::Tables { bytes })?;
    Ok(vec)
}
