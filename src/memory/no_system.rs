//! The system of a build that maps no memory: it has no pages.

/// The size of the system's pages, which asks nothing of a source that does not exist.
pub(super) fn system_page_bytes() -> usize {
    1
}
