//! Goal: the mission's scenarios hold on heaps of all sizes, with concurrent allocation off and on. Method: run each
//! on a heap of its own and assert what it reports.
//! With the feature `loom` the heap is native here, too, and the same minutes would say nothing new.
#![cfg(not(feature = "loom"))]

use heaplab::{CollectionKind, Heap, HeapConfig, MemoryUse, PageSource};
use heaplab_scenarios::{HeapPicture, Mode, Moment, Scenario, ScenarioReport, Sizes, Tally, run};
use heaplab_verify::scripts::scenarios as all_scenarios;

/// A few pages of a few words; four more of them than [`HeapConfig::tiny`] has, so that a rival that exceeds the soft
/// limit by one request leaves room for the owner to do the same.
fn tiny() -> HeapConfig {
    let mut config = HeapConfig::tiny();
    config.hard_limit_bytes = 24 * 128;
    config.hard_limit_bytes_max = 24 * 128;
    config
}

/// The heaps to run on. Under Miri the tiny one alone, since a larger one takes hours.
fn heaps() -> Vec<(&'static str, HeapConfig)> {
    let mut heaps = vec![("tiny", tiny())];
    if !cfg!(miri) {
        heaps.extend([("4 MiB", HeapConfig::sized(4 << 20, 8)), ("64 MiB", HeapConfig::default())]);
    }
    heaps
}

/// The scenarios that a heap is large enough for: a script's library has more objects than the tiny one.
fn scenarios(name: &str) -> impl Iterator<Item = Scenario> {
    let is_tiny = name == "tiny";
    all_scenarios().filter(move |scenario| !is_tiny || scenario.name != "stress_js")
}

fn holds(report: &ScenarioReport, context: &str) {
    assert_eq!(report.violations, [""; 0], "{context}: {report:?}");
    assert_eq!((report.collections_in_scope, report.retries), (0, 0), "{context}: {report:?}");
    assert!(report.allocations >= 5, "{context}: {report:?}");
    assert!(report.collections[CollectionKind::MemoryReducing as usize] >= 2, "{context}: {report:?}");
    let moments: Vec<Moment> = report.pictures.iter().map(|picture| picture.moment).collect();
    assert_eq!(moments, [Moment::Before, Moment::Full, Moment::After], "{context}");
}

fn each_holds(mode: Mode, verify_heap: bool, rounds: u64) {
    let rounds = if cfg!(miri) { 1 } else { rounds };
    for (name, mut config) in heaps() {
        config.verify_heap = verify_heap;
        for scenario in scenarios(name) {
            for seed in 0..rounds {
                let heap = Heap::new(config.clone()).unwrap();
                let report = run(scenario, &heap, mode, seed);
                let context = format!("{} on {name}, {mode}, verify_heap {verify_heap}, seed {seed}", scenario.name);
                holds(&report, &context);
                if mode == Mode::Off {
                    assert!(report.soft_limit_reached, "{context}: {report:?}");
                }
                let closed = heap.close().unwrap();
                assert!(closed.is_sound(), "{context}: {}", closed.describe());
            }
        }
    }
}

#[test]
fn off() {
    each_holds(Mode::Off, false, 3);
}

#[test]
fn off_verified() {
    each_holds(Mode::Off, true, 1);
}

#[test]
fn on_with_one_rival() {
    each_holds(Mode::On { rivals: 1 }, false, 10);
}

#[test]
fn on_with_one_rival_verified() {
    each_holds(Mode::On { rivals: 1 }, true, 3);
}

/// The pictures show what the scenario is about: in the middle, what was free before is out of reach.
#[test]
fn pictures_show_full_spaces() {
    let memory = |picture: &HeapPicture, memory_use: MemoryUse| picture.bytes()[memory_use as usize];
    for (name, config) in heaps() {
        for scenario in scenarios(name).filter(|scenario| scenario.name != "stress_js") {
            let heap = Heap::new(config.clone()).unwrap();
            let report = run(scenario, &heap, Mode::Off, 0);
            let [before, full, after] = &report.pictures[..] else { panic!("{report:?}") };
            let new_bytes = heap.layout().new_pages() * heap.layout().page_bytes();
            assert_eq!(memory(before, MemoryUse::Unused), new_bytes, "{name}");
            assert_eq!(before.objects_live + before.objects_dead, 0, "{name}");
            assert_eq!(memory(full, MemoryUse::Unused), 0, "{name}: {full:?}");
            assert!(memory(full, MemoryUse::Wasted) >= new_bytes, "{name}: {full:?}");
            // The map and the code object took a page each of the reserve; nothing else is left.
            assert!(memory(full, MemoryUse::Free) <= 2 * heap.layout().page_bytes(), "{name}: {full:?}");
            assert!(full.pages() * full.page_bytes + Sizes::of(heap.layout()).run_bytes > full.soft_limit_bytes);
            assert!(memory(full, MemoryUse::Held) > 0 && memory(after, MemoryUse::Held) == 0, "{name}");
        }
    }
}

/// Several rivals need more room than the tiny heap has.
#[test]
#[cfg(not(miri))]
fn on_with_rivals() {
    for (name, config) in heaps().into_iter().skip(1) {
        for scenario in all_scenarios() {
            for seed in 0..5 {
                let heap = Heap::new(config.clone()).unwrap();
                let report = run(scenario, &heap, Mode::On { rivals: 6 }, seed);
                holds(&report, &format!("{} on {name}, 6 rivals, seed {seed}", scenario.name));
                assert!(report.rival_allocations > 0, "{report:?}");
            }
        }
    }
}

#[test]
fn with_the_stress_flag() {
    each_holds(Mode::StressFlag, false, 10);
}

#[test]
fn with_the_stress_flag_verified() {
    each_holds(Mode::StressFlag, true, 2);
}

/// A scenario can be run again on the heap that it left, by either door, in any mode. The tiny heap is left out.
#[test]
#[cfg(not(miri))]
fn one_heap_serves_all_scenarios() {
    let heap = Heap::new(HeapConfig::sized(4 << 20, 8)).unwrap();
    for round in 0..3 {
        for scenario in all_scenarios() {
            for mode in [Mode::Off, Mode::On { rivals: 3 }, Mode::StressFlag] {
                holds(&run(scenario, &heap, mode, round), &format!("{} {mode}, round {round}", scenario.name));
            }
        }
    }
}

/// A scenario can fail: without room for the reserve it reports a violation, and does not panic.
#[test]
fn a_scope_that_is_refused_is_reported() {
    let heap = Heap::new(HeapConfig::tiny()).unwrap();
    let mut hoarder = heap.attach().unwrap();
    let mut hoard = Vec::new();
    hoarder
        .run(|scope| {
            while let Ok(bytes) = scope.new_bytes_in(40, heaplab::AllocationType::Old) {
                hoard.push(scope.persist(bytes));
            }
        })
        .unwrap();
    let mut tally = Tally::default();
    let mut attachment = heap.attach().unwrap();
    assert!(!heaplab_scenarios::stress_handles(&mut attachment, &mut tally));
    assert!(tally.violations[0].contains("the scope was refused"), "{tally:?}");
    assert!(heap.verify().unwrap().is_sound());
}

/// The stated sizes: about 1.2 pages for a large array, more than a regular object's size, on every page size.
#[test]
fn sizes_suit_the_page() {
    for page_bytes in (7..=20).map(|shift| 1_usize << shift) {
        let mut config = HeapConfig::sized(page_bytes * 256, 3);
        config.page_bytes = Some(page_bytes);
        config.page_source = PageSource::for_page_bytes(page_bytes);
        let layout = config.layout().unwrap();
        let sizes = Sizes::of(&layout);
        let share = sizes.large_bytes as f64 / page_bytes as f64;
        assert!((1.15..=1.25).contains(&share), "{share} pages of {page_bytes}");
        assert!(sizes.large_bytes > layout.regular_bytes_max());
        assert!(8 + 4 * sizes.small_elements <= layout.regular_bytes_max());
        assert_eq!(sizes.small_elements, 100.min((page_bytes / 2 - 8) / 4));
    }
}
