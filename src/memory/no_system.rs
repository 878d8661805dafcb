//! The size of the system's pages in a build that maps no memory.

/// The size of the system's pages: 1, which lets heap pages have any size.
pub(super) fn system_page_bytes() -> usize {
    1
}
