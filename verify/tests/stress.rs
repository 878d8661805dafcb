//! Goal: the stress runs on heaps of all sizes and finds nothing; what it reports shows that it did something. Method: a
//! second or less on each, since the soak is what searches.
#![cfg(not(feature = "loom"))]

use heaplab::HeapConfig;
use heaplab_verify::stress::{StressOptions, StressReport, run};
use std::time::Duration;

fn stress(options: &StressOptions) -> StressReport {
    let report = run(options, |_| {}).unwrap();
    assert_eq!(report.findings, [""; 0], "{report:?}");
    assert!(!report.hung);
    assert!(report.allocations > 1000, "{report:?}");
    assert!(report.shadow_checks > 100, "{report:?}");
    report
}

#[test]
fn heaps_of_all_sizes_and_threads() {
    for (seed, (mib, threads)) in [(4, 8), (16, 2), (64, 4), (8, 1)].into_iter().enumerate() {
        let report = stress(&StressOptions::sized(mib << 20, threads, Duration::from_millis(700), seed as u64));
        assert!(report.collections.iter().all(|&count| count > 0), "{report:?}");
        assert!(report.attachments >= threads as u64);
        assert!(report.parcel_checks > 0);
    }
}

/// Small pages: everything happens at a page's end.
#[test]
fn small_pages() {
    for (seed, page_bytes) in [512, 1024, 4096].into_iter().enumerate() {
        let mut options = StressOptions::sized(512 * page_bytes, 3, Duration::from_millis(700), seed as u64);
        options.config.page_bytes = Some(page_bytes);
        stress(&options);
    }
}

/// Everything is verified before and after each collection.
#[test]
fn verified_throughout() {
    let mut options = StressOptions::sized(2 << 20, 3, Duration::from_millis(700), 4);
    options.config.verify_heap = true;
    stress(&options);
}

/// A configuration that contradicts itself is an error, not a panic.
#[test]
fn an_impossible_heap_is_an_error() {
    let mut options = StressOptions::sized(1 << 20, 4, Duration::from_millis(1), 0);
    options.config = HeapConfig::sized(1 << 20, 200);
    assert!(run(&options, |_| {}).is_err());
}
