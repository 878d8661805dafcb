//! The names of events.

/// An event by its thread and its place in the thread's program order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Id {
    pub(crate) thread: u32,
    pub(crate) index: u32,
}

impl Id {
    /// The write of a location's initial value, which is no event of a thread.
    pub(crate) const INITIAL: Id = Id { thread: u32::MAX, index: 0 };

    pub(crate) fn new(thread: usize, index: usize) -> Id {
        Id { thread: small(thread), index: small(index) }
    }

    #[inline]
    pub(crate) fn is_initial(self) -> bool {
        self.thread == u32::MAX
    }

    /// The event before this one in its thread.
    #[inline]
    pub(crate) fn before(self) -> Id {
        Id { index: self.index - 1, ..self }
    }
}

/// An index as it is stored. Threads, events and locations are limited far below.
#[inline]
pub(crate) fn small(index: usize) -> u32 {
    debug_assert!(u32::try_from(index).is_ok());
    index as u32
}
