//! The cost of a 32-byte young object: map word written, body zeroed. Against other allocators that write 32 bytes.

#[path = "peers/alloc32.rs"]
mod peers;

use heaplab_verify::bench::{Bench, ours};

fn main() {
    let bench = Bench::new("alloc32", "object", 16 << 20, 1 << 17).with(ours::alloc32()).with(peers::contestants());
    let report = bench.run(peers::BUMPALO);
    report.claim_at_most(ours::ALLOC32_RAW, 1.5, peers::BUMPALO);
    report.claim_at_most(ours::ALLOC32_SAFE, 2.5, peers::BUMPALO);
    report.claim_at_most(ours::ALLOC32_RAW, 1.0, peers::MIMALLOC);
    report.claim_at_most(ours::ALLOC32_SAFE, 1.0, peers::MIMALLOC);
}
