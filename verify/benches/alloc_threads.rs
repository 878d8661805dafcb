//! The speed-up by a second thread when both allocate from one heap, against two loops that share nothing.

#[path = "peers/alloc_threads.rs"]
mod peers;

use heaplab_verify::bench::{Bench, ours};

/// The speed-up of two independent loops from which on the machine counts as one with two free processors.
const MACHINE_SPEEDUP_MIN: f64 = 1.9;

fn main() {
    let bench =
        Bench::new("alloc_threads", "object", 32 << 20, 1 << 17).with(ours::alloc_threads()).with(peers::contestants());
    let report = bench.run(peers::LOOP_1);
    report.claim_speedup(peers::LOOP_2, MACHINE_SPEEDUP_MIN, peers::LOOP_1);
    report.claim_speedup(ours::ALLOC_THREADS_2, 1.7, ours::ALLOC_THREADS_1);
    if report.ratio(peers::LOOP_1, peers::LOOP_2).is_some_and(|speedup| speedup < MACHINE_SPEEDUP_MIN) {
        println!("two independent loops did not get two processors in this run: it says nothing about the heap");
    }
}
