//! What a run did, in numbers.

/// What a run did. Tests read from it whether they have tested something.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Objects allocated.
    pub allocated: u64,
    /// Requests refused for want of memory.
    pub refused: u64,
    /// Pages filled.
    pub filled: u64,
    /// Pages that were to be filled, and for which there was no memory.
    pub fills_refused: u64,
    /// Large objects among those allocated.
    pub allocated_large: u64,
    /// Requests that the near-heap-limit callback ended by unwinding.
    pub unwound: u64,
    /// Comparisons of the whole graph.
    pub compared: u64,
    /// First attempts that had to succeed, in an always-allocate scope or in a page with room, and did.
    pub guaranteed: u64,
    /// Minor, major and memory-reducing collections.
    pub collections: [u64; 3],
    /// Page requests, unless the program says which of them fail.
    pub commits: u64,
    /// Releases, unless the program says which of them fail.
    pub releases: u64,
    /// Whether the release that the round's fault chose has been refused.
    pub release_refused: bool,
    /// Threads that the heap asked the system for; each was refused.
    pub spawns: u64,
    /// Attempts to get memory, of all local heaps.
    pub attempts: u64,
    /// Requests that a fault struck.
    pub struck: u64,
    /// Whether the page request that the round's fault chose has been refused, in a collection or elsewhere.
    pub commit_refused: bool,
}

impl Tally {
    /// Adds another execution.
    #[cfg(feature = "shuttle")]
    pub(crate) fn add_execution(&mut self, other: &Tally) {
        self.add(other);
        for (sum, &count) in self.collections.iter_mut().zip(&other.collections) {
            *sum += count;
        }
    }

    /// Adds what another thread did, but for collections, attempts and requests of the system, which the heap counts.
    pub(super) fn add(&mut self, other: &Tally) {
        self.allocated += other.allocated;
        self.refused += other.refused;
        self.filled += other.filled;
        self.fills_refused += other.fills_refused;
        self.allocated_large += other.allocated_large;
        self.unwound += other.unwound;
        self.compared += other.compared;
        self.guaranteed += other.guaranteed;
        self.struck += other.struck;
    }
}
