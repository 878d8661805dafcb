//! Concurrent stress: threads that allocate objects of all types and check everything that those hold.
//!
//! # What runs
//!
//! * **Workers.** Each worker keeps a graph of objects in the heap and a *shadow* of it outside. The worker grows,
//!   links and cuts the graph, churns through short-lived objects, exchanges [parcels](parcel) with the others through
//!   a root set, a shared array and persistent handles, enters always-allocate scopes, polls, parks, detaches and
//!   attaches. It checks single objects all the time and the whole graph from time to time: every payload word and
//!   byte, every edge, every identity.
//! * **The meddler**, attached to nothing, collects by all kinds, simulates full spaces, toggles flags, verifies.
//! * **The director** prepares the heap, starts the others, and in the end checks whether the heap is empty.
//! * **The watch**, the calling thread, builds the heap, and reports whoever makes no progress.
//!
//! # What must hold
//!
//! * **ST-1** everything an object holds after any number of collections equals what the shadow says;
//! * **ST-2** the verifier finds nothing, at any time;
//! * **ST-3** no more than the hard limit is committed (asserted by the heap in every stop, and read from its
//!   statistics);
//! * **ST-4** inside an always-allocate scope what the reserve covers succeeds at the first attempt (unless this run
//!   injects failures);
//! * **ST-5** when all is dropped and collected, the heap holds the objects that it held at first, and no more memory;
//! * **ST-6** nobody hangs: each thread takes a step within [`StressOptions::stall`].
//!
//! `OutOfMemory` is legal: a worker that meets it drops half of what it holds and goes on.
//!
//! Threads hardly ever meet in the heap's windows of an instruction or two on a machine, so in a build with debug
//! assertions they linger there: half of the seeds stretch the heap's named yield points.
//!
//! Each thread's decisions follow from the seed and the thread's number. Their interleaving is the system's.
//!
//! The stress needs real threads and real time, so only builds with the native face have it; models have scenarios of
//! their own.

mod churn;
mod contents;
mod director;
mod graph;
mod meddler;
pub mod parcel;
mod pulse;
mod shadow;
mod worker;

pub use director::run;
pub use parcel::ObjectSizes;
pub use pulse::{Act, Pulse};

use heaplab::HeapConfig;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What to stress, and how.
#[derive(Clone, Debug)]
pub struct StressOptions {
    /// The heap. It must allow two threads more than there are workers.
    pub config: HeapConfig,
    /// Workers.
    pub threads: usize,
    /// How long the workers run.
    pub duration: Duration,
    /// Decisions follow from this.
    pub seed: u64,
    /// A thread that takes no step for so long hangs.
    pub stall: Duration,
    /// Whether threads linger in the heap's shortest windows, at random ([`stretch`](heaplab::sync::stretch)). In a
    /// build without debug assertions there is nowhere to linger.
    pub stretch: bool,
}

impl StressOptions {
    /// Options for the stress of a heap of `heap_bytes` bytes. A third of the seeds lets the near-heap-limit callback
    /// raise the hard limit, and half of them stretch.
    #[must_use]
    pub fn sized(heap_bytes: usize, threads: usize, duration: Duration, seed: u64) -> StressOptions {
        let config = HeapConfig::sized(heap_bytes, threads.saturating_add(2));
        StressOptions { config, threads, duration, seed, stall: Duration::from_secs(60), stretch: seed % 2 == 1 }
    }
}

/// What a stress did and found.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StressReport {
    /// The seed.
    pub seed: u64,
    /// Workers.
    pub threads: usize,
    /// The configured hard limit in bytes.
    pub heap_bytes: usize,
    /// How long the workers ran.
    pub seconds: f64,
    /// Objects allocated by the workers.
    pub allocations: u64,
    /// Objects that the workers allocated in each second.
    pub allocations_per_second: f64,
    /// Minor, major and memory-reducing collections.
    pub collections: [u64; 3],
    /// Allocations whose first attempt failed.
    pub retries: u64,
    /// Requests that ended with `OutOfMemory`.
    pub out_of_memory: u64,
    /// Always-allocate scopes entered.
    pub scopes: u64,
    /// Times that a worker attached.
    pub attachments: u64,
    /// Objects of the graphs that were compared with their shadow.
    pub shadow_checks: u64,
    /// Objects of exchanged parcels that were checked.
    pub parcel_checks: u64,
    /// The sum of the bytes of the workers' graphs, each when it was greatest.
    pub live_bytes_peak: u64,
    /// Objects the verifier looked at.
    pub objects_verified: u64,
    /// Spaces simulated full.
    pub simulated_full: u64,
    /// Whether a thread hung. Threads may still run then: the process should end.
    pub hung: bool,
    /// What is wrong; empty if everything held.
    pub findings: Vec<String>,
}

impl StressReport {
    /// Whether everything held.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.findings.is_empty()
    }
}
