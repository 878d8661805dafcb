//! One long-lived tree of depth 16 among very many short-lived ones: allocation, tracing and freeing together. Against
//! other collectors.

#[path = "peers/binary_trees.rs"]
mod peers;

use heaplab_verify::bench::{Bench, nodes_of_trees, ours};

fn main() {
    let bench = Bench::new("binary_trees", "node", 16, 8)
        .with_units(|depth| nodes_of_trees(u32::try_from(depth).expect("a depth is small")))
        .with(ours::binary_trees())
        .with(peers::contestants());
    let report = bench.run(peers::GC_ARENA);
    report.claim_at_most(ours::BINARY_TREES, 1.0, peers::GC_ARENA);
    report.claim_at_most(ours::BINARY_TREES, 1.0, peers::GC_ARENA_PER_TREE);
}
