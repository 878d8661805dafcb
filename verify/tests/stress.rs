//! Goal: the stress runs on heaps of all sizes and finds nothing; what it reports shows that it did something.
//! Method: a second or less on each, since the soak is what searches.

use heaplab::PageSource;
use heaplab::sync::YieldPoint;
use heaplab::sync::stretch::{self, ENABLED, visits};
use heaplab::{AllocError, AllocationType, Heap, HeapConfig};
use heaplab_scenarios::stress::{StressOptions, StressReport, run};
use std::time::Duration;

/// Runs a stress, and on a busy machine or in a slow build, which may give a stress little time, further ones with
/// other seeds, each half as long again as the one before, until one has done `enough`.
fn stress(options: &StressOptions, enough: impl Fn(&StressReport) -> bool) {
    let mut options = options.clone();
    let mut last = StressReport::default();
    // The last one has 38 times as long as the first one: 27 s if that had 700 ms.
    for _ in 0..10 {
        last = run(&options, |_| {}).unwrap();
        let findings = last.findings.join("\n");
        assert!(last.passed() && !last.hung, "seed {} of {} threads:\n{findings}", options.seed, options.threads);
        assert!(last.attachments >= options.threads as u64);
        if last.allocations > 1000 && last.shadow_checks > 100 && enough(&last) {
            return;
        }
        options.seed += 100;
        options.duration += options.duration / 2;
    }
    panic!("no stress did enough to show anything; the last one did: {last:#?}\nas asked for: {options:?}");
}

#[test]
fn heaps_of_all_sizes_and_threads() {
    for (seed, (mib, threads)) in [(4, 8), (16, 2), (64, 4), (8, 1)].into_iter().enumerate() {
        let options = StressOptions::sized(mib << 20, threads, Duration::from_millis(700), seed as u64);
        stress(&options, |report| report.parcel_checks > 0 && report.collections.iter().all(|&count| count > 0));
    }
}

/// Small pages, whose ends are met often.
#[test]
fn small_pages() {
    for (seed, page_bytes) in [512, 1024, 4096].into_iter().enumerate() {
        let mut options = StressOptions::sized(512 * page_bytes, 3, Duration::from_millis(700), seed as u64);
        options.config.page_bytes = Some(page_bytes);
        options.config.page_source = PageSource::for_page_bytes(page_bytes);
        stress(&options, |_| true);
    }
}

/// Everything is verified before and after each collection.
#[test]
fn verified_throughout() {
    let mut options = StressOptions::sized(2 << 20, 3, Duration::from_millis(700), 4);
    options.config.verify_heap = true;
    stress(&options, |_| true);
}

/// One thread that keeps whatever it gets: its last request climbs to the last rung, which a request of a stress
/// reaches by chance only.
fn fill_one_heap() {
    let _lingers = stretch::begin(1);
    let heap = Heap::new(HeapConfig::sized(1 << 20, 1)).unwrap();
    let mut thread = heap.attach().unwrap();
    let refused = thread.run(|scope| {
        loop {
            if let Err(error) = scope.new_array_in(4, AllocationType::Old) {
                break error;
            }
        }
    });
    assert!(matches!(refused, Ok(AllocError::OutOfMemory { .. })), "{refused:?}");
}

/// Goal: every yield point is visited. Method: a heap that is filled; then tiny pages and little memory, so that
/// pages run short everywhere, stretched until each yield point has been visited.
#[test]
fn a_stretched_stress_visits_every_yield_point() {
    if !ENABLED {
        return;
    }
    fill_one_heap();
    let missing = || YieldPoint::ALL.iter().filter(|&&point| visits(point) == 0).collect::<Vec<_>>();
    for round in 0..24 {
        // With these seeds the workers keep nine tenths of the heap alive: requests climb to the last rung.
        let seed = 9 + 12 * (round / 3) + round % 3;
        let page_bytes = if round % 2 == 0 { 512 } else { 1024 };
        // Longer and longer: a slow build, or a busy machine, gives a thread little in half a second.
        let duration = Duration::from_millis(500 + 100 * round);
        let mut options = StressOptions::sized(160 * page_bytes, 4, duration, seed);
        options.config.page_bytes = Some(page_bytes);
        options.config.page_source = PageSource::for_page_bytes(page_bytes);
        options.stretch = true;
        let report = run(&options, |_| {}).unwrap();
        assert!(report.passed(), "seed {seed}, pages of {page_bytes} bytes:\n{}", report.findings.join("\n"));
        if missing().is_empty() {
            break;
        }
    }
    for &point in YieldPoint::ALL {
        println!("{point:24} {}", visits(point));
    }
    assert!(missing().is_empty(), "never visited: {:?}", missing());
}

/// A configuration that contradicts itself is an error, not a panic.
#[test]
fn an_impossible_heap_is_an_error() {
    let mut options = StressOptions::sized(1 << 20, 4, Duration::from_millis(1), 0);
    options.config = HeapConfig::sized(1 << 20, 200);
    assert!(run(&options, |_| {}).is_err());
}
