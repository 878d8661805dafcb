//! What is left to try: alternatives, and the graphs that wait with theirs.

use crate::event::Id;
use crate::graph::Graph;
use crate::route::Route;

/// Something else to try at an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alternative {
    /// A read reads from another position, or in another variant.
    Source { read: Id, position: usize, variant: u32 },
    /// A write stands elsewhere in its modification order.
    Place { write: Id, position: usize },
    /// A read reads from a later write.
    Revisit { read: Id, write: Id },
    /// Another number is chosen.
    Choice { choice: Id, number: u32 },
}

/// A graph that waits, and what is left to try on it.
pub(crate) struct Branch {
    pub(crate) graph: Graph,
    pub(crate) work: Vec<(u32, Alternative)>,
    /// How the graph came about.
    pub(crate) route: Route,
    /// The graph itself was not run yet.
    pub(crate) is_fresh: bool,
}
