//! Steps: the rows of a drawing.

/// A row: one entry of the journal, or several that say one thing.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    /// The thread whose step this is. `None` if several threads had a part in it.
    pub(super) thread: Option<usize>,
    /// In order; never empty.
    pub(super) entries: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    Single,
    Setup,
    PlainRun,
    Spin,
    EmptyLock,
    Aside,
    Elided,
}
