//! Tables that begin as zeros: in the native face memory that nobody has touched yet.

/// A type for which zeroed bytes are a value: the value that the entries of a table start with.
///
/// # Safety
/// In the native face zeroed memory is a valid value of the type.
pub unsafe trait Zeroed {}

/// As [`try_table`](super::try_table), with entries that are made one by one.
#[allow(dead_code, reason = "the native face asks for zeros")]
pub(super) fn try_table_of<T>(len: usize, zero: impl Fn() -> T) -> Option<Box<[T]>> {
    let mut table = Vec::new();
    table.try_reserve_exact(len).ok()?;
    table.resize_with(len, zero);
    Some(table.into_boxed_slice())
}
