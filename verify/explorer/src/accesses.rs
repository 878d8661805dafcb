//! What is known of the accesses to a cell.

use std::panic::Location;

use crate::views::Clock;

type Place = &'static Location<'static>;

/// Who accessed a cell.
#[derive(Clone, Copy)]
pub(crate) struct Accesses {
    /// The last write: its thread, and how many events that had performed.
    pub(crate) writer: u32,
    pub(crate) written: u32,
    pub(crate) written_at: Place,
    /// The reads since: of each thread how many events it had performed at the last one, plus one.
    pub(crate) reads: Clock,
    pub(crate) read_at: Place,
    /// Accesses under way: the number of readers, or -1.
    pub(crate) open: i32,
    /// The threads that began those, as bits.
    pub(crate) openers: u32,
}
