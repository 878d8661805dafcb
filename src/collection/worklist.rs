//! The work list: objects whose slots are still to be visited. Bounded and reserved up front.

use crate::words::Offset;

/// A bounded stack of objects. When it is full, it forgets and says so; the collector then finds the forgotten objects
/// by their mark bits.
#[derive(Debug)]
pub struct Worklist {
    entries: Vec<Offset>,
    overflowed: bool,
}

impl Worklist {
    /// A stack of at most `entries_max` entries.
    #[must_use]
    pub fn new(entries_max: usize) -> Worklist {
        Worklist { entries: Vec::with_capacity(entries_max), overflowed: false }
    }

    /// Pushes an object; whether there was room.
    #[inline]
    pub(super) fn push(&mut self, object: Offset) -> bool {
        if self.entries.len() == self.entries.capacity() {
            self.overflowed = true;
            return false;
        }
        self.entries.push(object);
        true
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<Offset> {
        self.entries.pop()
    }

    /// Whether an entry was forgotten since the last call.
    pub(super) fn take_overflow(&mut self) -> bool {
        core::mem::take(&mut self.overflowed)
    }
}
