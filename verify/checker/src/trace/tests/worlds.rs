//! Worlds that are explored until they fail, and mutants of the heap's own protocols.

use crate::trace::{Counterexample, Sources};
use heaplab::space::PageSet;
use heaplab::sync::model_control::{
    self, Mutant, Operand, Pass, SiteUse, set_mutant, start_journal, start_sites, take_journal, take_sites,
};
use heaplab::sync::{
    Arc, AtomicBool, AtomicU32, AtomicUsize, Condvar, ExploreOptions, Mutex, Ordering, UnsafeCell, explore, thread,
};
use heaplab::thread::{Local, Safepoint};
use heaplab::words::PageIndex;
use heaplab::words::SafepointKey;
use heaplab::{Array, Heap, HeapConfig, PageSource, Scope};
use std::path::PathBuf;

use Ordering::{Acquire, Relaxed, Release};

/// Explores `f`, which must fail, and returns the counterexample.
fn fail(model: &str, pass: Pass, f: impl Fn() + Send + Sync + 'static) -> Counterexample {
    fail_within(model, &ExploreOptions { pass, ..ExploreOptions::default() }, f)
}

fn fail_within(model: &str, options: &ExploreOptions, f: impl Fn() + Send + Sync + 'static) -> Counterexample {
    start_journal();
    let exploration = explore(options, f);
    let journal = take_journal();
    let whereabouts = model_control::whereabouts();
    Counterexample {
        model: model.to_owned(),
        pass: options.pass,
        bound: options.preemption_bound.map_or("unbounded".to_owned(), |bound| format!("at most {bound} preemptions")),
        execution: exploration.executions,
        message: exploration.outcome.expect_err("the world must fail"),
        failed_thread: None,
        token: "v1:0123456789".to_owned(),
        mutant: None,
        journal,
        whereabouts,
    }
}

/// As [`fail`], for a world that is right but for the one ordering that `choose` weakens.
fn fail_weakened(
    model: &str,
    preemption_bound: Option<usize>,
    choose: impl Fn(&SiteUse) -> bool,
    f: impl Fn() + Send + Sync + Clone + 'static,
) -> Counterexample {
    let options = ExploreOptions { preemption_bound, ..ExploreOptions::default() };
    start_sites();
    assert!(explore(&options, f.clone()).is_complete(), "the world is right as it is written");
    let sites = take_sites();
    let mut mutants = sites.iter().filter(|site_use| choose(site_use)).flat_map(SiteUse::mutants);
    let mutant: Mutant = mutants.find(|mutant| mutant.change.is_of_ordering()).expect("the site ran");
    let guard = set_mutant(mutant);
    let counterexample = fail_within(model, &options, f);
    assert!(guard.hits() > 0);
    Counterexample { mutant: Some(mutant.to_string()), ..counterexample }
}

/// Checks the form of both renderings, writes them to the directory `HEAPLAB_TRACE_DIR` if the environment has it,
/// and returns the columns.
fn check(name: &str, counterexample: &Counterexample) -> String {
    let sources = Sources::new();
    let (text, svg) = (counterexample.columns(&sources), counterexample.svg(&sources));
    if let Some(directory) = std::env::var_os("HEAPLAB_TRACE_DIR") {
        let directory = PathBuf::from(directory);
        std::fs::create_dir_all(&directory).expect("the directory of the environment can be made");
        std::fs::write(directory.join(format!("{name}.svg")), &svg).expect("a picture can be written");
        std::fs::write(directory.join(format!("{name}.txt")), &text).expect("a text can be written");
    }
    let document = roxmltree::Document::parse(&svg).expect("the picture is well-formed XML");
    assert_eq!(document.root_element().tag_name().name(), "svg");
    let shown: String = document.descendants().filter_map(|node| node.text()).collect();
    assert!(shown.contains(&counterexample.model), "the title names the model");
    assert!(shown.contains("thread 0"));
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= 150, "a line of {widest} characters:\n{text}");
    text
}

/// The first line that contains all of these, in any order.
#[track_caller]
fn line_with<'a>(text: &'a str, parts: &[&str]) -> &'a str {
    let found = text.lines().find(|line| parts.iter().all(|part| line.contains(part)));
    found.unwrap_or_else(|| panic!("no line has all of {parts:?}:\n{text}"))
}

/// The number of the step in this line.
#[track_caller]
fn number(line: &str) -> usize {
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a step's line begins with its number")
}

#[track_caller]
fn links(counterexample: &Counterexample, text: &str) -> usize {
    let svg = counterexample.svg(&Sources::new());
    let document = roxmltree::Document::parse(&svg).unwrap();
    let is_link =
        |node: &roxmltree::Node<'_, '_>| node.has_tag_name("title") && node.text().unwrap_or("").ends_with(text);
    document.descendants().filter(is_link).count()
}

/// Publication of a value through a relaxed flag: the load of the value may be stale.
fn publish_relaxed() {
    struct Shared {
        value: AtomicU32,
        ready: AtomicBool,
    }
    let shared = Arc::new(Shared { value: AtomicU32::new(0), ready: AtomicBool::new(false) });
    let writer = thread::spawn({
        let shared = shared.clone();
        move || {
            shared.value.store(7, Relaxed);
            shared.value.store(700, Relaxed);
            shared.ready.store(true, Relaxed);
        }
    });
    if shared.ready.load(Acquire) {
        assert_eq!(shared.value.load(Relaxed), 700, "ready, and the value is old");
    }
    writer.join().unwrap();
}

#[test]
fn a_stale_read_is_marked_with_the_newer_write() {
    let counterexample = fail("publish_relaxed", Pass::Normal, publish_relaxed);
    let text = check("publish_relaxed", &counterexample);
    let newest = number(line_with(&text, &["value.store = 0x2bc Rlx", "worlds.rs:"]));
    let stale = line_with(&text, &["value.load", "STALE"]);
    assert!(stale.contains(&format!("0 (first) Rlx STALE: #{newest} wrote 0x2bc (2 newer)")), "{text}");
    let ready = number(line_with(&text, &["ready.store = 1 Rlx"]));
    let load = line_with(&text, &["ready.load 1 Acq"]);
    assert!(load.contains(&format!("<-#{ready}")), "no order is made, as the store is relaxed:\n{text}");
    assert!(line_with(&text, &["FAILED"]).contains("✗"));
    assert!(text.contains("ready, and the value is old"));
    assert_eq!(links(&counterexample, "newer write passed over"), 1);
    assert_eq!(links(&counterexample, "read without order"), 1);
}

/// Two writes of one value, and a read of the older one: the explorer's picture has the edge that the execution has,
/// and the write that was passed over. By values the read would come from the newer one, and synchronise.
#[test]
fn equal_values_are_told_apart_by_the_explorer() {
    let counterexample = fail("equal_values", Pass::Graphs, || {
        struct Shared {
            ready: AtomicU32,
            value: AtomicU32,
        }
        let shared = Arc::new(Shared { ready: AtomicU32::new(0), value: AtomicU32::new(0) });
        let (telling, reader) = (shared.clone(), shared.clone());
        let telling = thread::spawn(move || {
            telling.value.store(7, Relaxed);
            telling.ready.store(1, Release);
        });
        let reader = thread::spawn(move || {
            if reader.ready.load(Acquire) == 1 {
                assert_eq!(reader.value.load(Relaxed), 7, "the silent one was heard");
            }
        });
        shared.ready.store(1, Relaxed);
        telling.join().unwrap();
        reader.join().unwrap();
    });
    let text = check("equal_values", &counterexample);
    let silent = number(line_with(&text, &["ready.store = 1 Rlx"]));
    let telling = number(line_with(&text, &["ready.store = 1 Rel"]));
    let load = line_with(&text, &["ready.load 1 Acq"]);
    assert!(load.contains(&format!("<-#{silent}")), "it reads from the silent one:\n{text}");
    assert!(text.contains(&format!("STALE: #{telling} wrote 1")), "it passed over the one that tells:\n{text}");
    assert_eq!(links(&counterexample, "read, and ordered after it"), 0);
}

/// Of a stale read under the explorer the picture shows the newest write in the order of the word that it passed over.
#[test]
fn a_stale_read_is_marked_under_the_explorer_too() {
    let counterexample = fail("publish_relaxed_graphs", Pass::Graphs, publish_relaxed);
    let text = check("publish_relaxed_graphs", &counterexample);
    let stale = line_with(&text, &["value.load", "STALE"]);
    let passed = stale.split("STALE: #").nth(1).and_then(|rest| rest.split_whitespace().next());
    let passed: usize = passed.and_then(|number| number.parse().ok()).expect("it names the write");
    let newest = text.lines().filter(|line| line.contains("value.store = ")).map(number).max();
    assert_eq!(Some(passed), newest, "{text}");
    assert_eq!(links(&counterexample, "newer write passed over"), 1);
    let ready = number(line_with(&text, &["ready.store = 1 Rlx"]));
    assert!(line_with(&text, &["ready.load 1 Acq"]).contains(&format!("<-#{ready}")), "{text}");
}

/// The journal ends where the panic began, though destructors went on.
#[test]
fn what_unwinding_does_is_left_out() {
    let counterexample = fail("unwinding", Pass::Normal, || {
        let lock = Mutex::new(());
        thread::spawn(|| ()).join().unwrap();
        let _guard = lock.lock();
        panic!("while it holds the lock");
    });
    let text = check("unwinding", &counterexample);
    line_with(&text, &["lock lock"]);
    assert!(!text.contains("unlock"), "{text}");
}

/// Two threads add by load and store: one addition is lost, which the second pass alone finds.
#[test]
fn a_lost_update_shows_both_reads_of_the_same_value() {
    let counterexample = fail("lost_update", Pass::ReadAsRmw, || {
        let count = Arc::new(AtomicU32::new(5));
        let other = thread::spawn({
            let count = count.clone();
            move || {
                let seen = count.load(Relaxed);
                count.store(seen + 1, Relaxed);
            }
        });
        let seen = count.load(Relaxed);
        let _ = count.compare_exchange(seen, seen + 1, Relaxed, Relaxed);
        other.join().unwrap();
        assert_eq!(count.load(Relaxed), 7, "both have added");
    });
    let text = check("lost_update", &counterexample);
    assert_eq!(text.matches("count.load 5 Rlx").count(), 2, "{text}");
    line_with(&text, &["count.store = 6 Rlx"]);
    line_with(&text, &["count.cas"]);
    assert!(!text.contains("STALE"), "the pass has no stale reads:\n{text}");
}

#[test]
fn a_deadlock_says_who_is_blocked_and_on_what() {
    let counterexample = fail("deadlock", Pass::Normal, || {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let other = thread::spawn({
            let locks = locks.clone();
            move || {
                let _first = locks.0.lock();
                let _second = locks.1.lock();
            }
        });
        {
            let _first = locks.1.lock();
            let _second = locks.0.lock();
        }
        other.join().unwrap();
    });
    let text = check("deadlock", &counterexample);
    let last = line_with(&text, &["✗"]);
    assert_eq!(last.matches("BLOCKED FOR EVER").count(), 2, "{text}");
    assert!(text.contains("on a lock or in a join; thread 1 holds locks.0"), "{text}");
    assert!(text.contains("on a lock or in a join; thread 0 holds locks.1"), "{text}");
    let svg = counterexample.svg(&Sources::new());
    assert!(svg.contains("holds locks.0") && svg.contains("holds locks.1"));
}

#[test]
fn a_lost_wake_up_says_who_waits() {
    let counterexample = fail("lost_wake_up", Pass::Normal, || {
        let shared = Arc::new((Mutex::new(false), Condvar::new(), AtomicBool::new(false)));
        let other = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.2.store(true, Release);
                shared.1.notify_one();
            }
        });
        let guard = shared.0.lock();
        if !shared.2.load(Acquire) {
            let _guard = shared.1.wait(guard);
        }
        other.join().unwrap();
    });
    let text = check("lost_wake_up", &counterexample);
    line_with(&text, &["BLOCKED FOR EVER"]);
    line_with(&text, &["waits on shared.1; the notification by thread 1 came"]);
    assert!(counterexample.svg(&Sources::new()).contains("thread 0 waits on shared.1"));
}

#[test]
fn a_lock_region_is_shaded_and_its_steps_are_moved_in() {
    let counterexample = fail("lock_region", Pass::Normal, || {
        let shared = Arc::new((Mutex::new(0), AtomicU32::new(0)));
        let other = thread::spawn({
            let shared = shared.clone();
            move || {
                let _guard = shared.0.lock();
                shared.1.store(1, Relaxed);
                shared.1.store(2, Relaxed);
            }
        });
        let seen = shared.1.load(Relaxed);
        other.join().unwrap();
        assert_ne!(seen, 1, "a look into the region");
    });
    let text = check("lock_region", &counterexample);
    line_with(&text, &["lock shared.0"]);
    line_with(&text, &["· shared.1.store = 1 Rlx"]);
    assert!(counterexample.svg(&Sources::new()).contains("thread 1 holds shared.0"));
}

#[test]
fn a_spin_is_one_row() {
    let counterexample = fail("spin", Pass::Normal, || {
        let flag = Arc::new(AtomicUsize::new(0));
        let other = thread::spawn({
            let flag = flag.clone();
            move || flag.store(1, Release)
        });
        let mut spins = 0;
        while flag.load(Acquire) == 0 {
            spins += 1;
            thread::yield_now();
            assert!(spins < 2, "it spun twice");
        }
        other.join().unwrap();
    });
    let text = check("spin", &counterexample);
    line_with(&text, &["flag.load 0 ×2 Acq"]);
    assert_eq!(text.matches("flag.load").count(), 1, "{text}");
    assert!(!text.contains("yield"), "{text}");
}

/// A chain of publications over three threads, broken in the middle.
#[test]
fn three_threads_have_three_lanes() {
    let counterexample = fail("chain", Pass::Normal, || {
        struct Shared {
            value: AtomicU32,
            first: AtomicU32,
            second: AtomicU32,
        }
        let shared = Arc::new(Shared { value: AtomicU32::new(0), first: AtomicU32::new(0), second: AtomicU32::new(0) });
        let (one, two) = (shared.clone(), shared.clone());
        let one = thread::spawn(move || {
            one.value.store(7, Relaxed);
            one.first.store(1, Release);
        });
        let two = thread::spawn(move || {
            if two.first.load(Acquire) == 1 {
                two.second.store(1, Relaxed);
            }
        });
        if shared.second.load(Acquire) == 1 {
            assert_eq!(shared.value.load(Relaxed), 7, "two links of the chain were seen");
        }
        one.join().unwrap();
        two.join().unwrap();
    });
    let text = check("chain", &counterexample);
    let first = number(line_with(&text, &["first.store = 1 Rel"]));
    let second = number(line_with(&text, &["second.store = 1 Rlx"]));
    line_with(&text, &["first.load 1 Acq", &format!("<=#{first}")]);
    line_with(&text, &["second.load 1 Acq", &format!("<-#{second}")]);
    line_with(&text, &["value.load 0 (first) Rlx", "worlds.rs:"]);
    line_with(&text, &["STALE: #3 wrote 7"]);
    line_with(&text, &["thread 0", "thread 1", "thread 2"]);
    assert_eq!(links(&counterexample, "read, and ordered after it"), 1);
}

/// The page set's own publication, with the ordering of the claim weakened, whose edge comes before that of the bit.
#[test]
fn a_weakened_claim_is_a_race_on_what_the_page_holds() {
    struct World {
        set: PageSet,
        notes: Vec<UnsafeCell<u32>>,
    }
    let world = || {
        let world = Arc::new(World { set: PageSet::new(2, 1), notes: (0..2).map(|_| UnsafeCell::new(0)).collect() });
        let there = world.clone();
        let other = thread::spawn(move || {
            // SAFETY: the thread owns the page; the model checks it.
            unsafe { there.notes[1].with_mut(|note| *note = 7) };
            there.set.put(PageIndex::new(1));
        });
        if let Some(claim) = world.set.claim() {
            // SAFETY: the one page is this thread's now; deliberately not upheld by a weak ordering.
            unsafe { world.notes[1].with_mut(|note| *note += 1) };
            assert_eq!(claim.find(), PageIndex::new(1));
        }
        other.join().unwrap();
    };
    let is_claim = |site_use: &SiteUse| {
        site_use.site.file.ends_with("space/page_set.rs")
            && site_use.operand == Operand::CasSuccess
            && site_use.written == Acquire
    };
    let counterexample = fail_weakened("page_set::claim_vs_put", None, is_claim, world);
    let text = check("page_set_claim", &counterexample);
    line_with(&text, &["Rlx!", "claim page_set.rs:"]);
    line_with(&text, &["DATA RACE: thread 0 writes notes[..], and"]);
    assert_eq!(links(&counterexample, "race: no order between"), 1);
    assert!(counterexample.svg(&Sources::new()).contains("Relaxed (mutant)"));
}

/// The safepoint's parking, O-3, with the park's ordering weakened.
#[test]
fn a_weakened_park_is_a_race_with_the_stop() {
    struct World {
        safepoint: Safepoint,
        local: Arc<Local>,
        part: UnsafeCell<u32>,
    }
    let world = || {
        let safepoint = Safepoint::new(SafepointKey::new(), true);
        let local = safepoint.lock().attach(Local::new(1));
        let world = Arc::new(World { safepoint, local, part: UnsafeCell::new(0) });
        // SAFETY: T-1: it is the other thread's.
        unsafe { world.safepoint.unpark(&world.local) };
        let there = world.clone();
        let other = thread::spawn(move || {
            // SAFETY: the thread runs, so the part is its own; the model checks it. T-1.
            unsafe {
                there.part.with_mut(|part| *part += 1);
                there.safepoint.park(&there.local);
            }
        });
        let stopped = world.safepoint.stop_from_outside(
            |_| true,
            |_| {
                // SAFETY: nobody runs; the model checks it.
                unsafe { world.part.with_mut(|part| *part += 100) };
            },
        );
        assert!(stopped.is_some());
        other.join().unwrap();
    };
    let is_park = |site_use: &SiteUse| {
        site_use.site.file.ends_with("thread/state.rs")
            && site_use.operand == Operand::CasSuccess
            && site_use.written == Release
    };
    let counterexample = fail_weakened("safepoint::park_vs_stop", None, is_park, world);
    let text = check("safepoint_park", &counterexample);
    line_with(&text, &["ThreadState.cas 0->1 Rlx!", "try_park state.rs:"]);
    line_with(&text, &["· ThreadState.or", "request_stop state.rs:"]);
    line_with(&text, &["lock collector", "stop safepoint.rs:"]);
    line_with(&text, &["DATA RACE: thread 0 writes part"]);
    let svg = counterexample.svg(&Sources::new());
    assert!(svg.contains("world stopped by 0") && svg.contains("thread 0 holds collector"));
}

/// A whole heap, whose roots are published with a weakened store: many operations, of which few matter.
#[test]
fn a_heap_has_a_picture_of_its_words_without_its_setup() {
    const PAGE: usize = 128;
    let mut config = HeapConfig::tiny();
    config.page_source = PageSource::Simulated;
    config.soft_limit_bytes = 5 * PAGE;
    config.hard_limit_bytes = 5 * PAGE;
    config.hard_limit_bytes_max = 5 * PAGE;
    config.new_space_bytes = PAGE;
    config.pool_bytes_max = 0;
    config.threads_max = 2;
    config.pages_per_thread_min = 1;
    config.handle_block_slots = 2;
    let world = move || {
        let heap = Heap::new(config.clone()).expect("a small world");
        let set = heap.new_root_set(1);
        let (there, slots) = (heap.clone(), set.clone());
        let other = thread::spawn(move || {
            let store = |scope: &mut Scope<'_, '_>| {
                let array = scope.new_array(1).expect("an empty heap has room");
                scope.store_root(&slots, 0, scope.get(array).into()).expect("the set is this heap's");
            };
            there.attach().expect("a place for both").run(store).expect("a sound heap");
        });
        let load = |scope: &mut Scope<'_, '_>| {
            let value = scope.load_root(&set, 0).expect("the set is this heap's");
            scope.downcast::<Array>(value).is_some_and(|array| scope.len(array) == 1)
        };
        let _ = heap.attach().expect("a place for both").run(load).expect("a sound heap");
        other.join().unwrap();
    };
    let is_store = |site_use: &SiteUse| {
        site_use.site.file.ends_with("thread/root_set.rs")
            && site_use.operand == Operand::Store
            && site_use.written == Release
    };
    let counterexample = fail_weakened("publication::store_root_vs_load_root", Some(2), is_store, world);
    let text = check("heap", &counterexample);
    let entries = counterexample.journal.len();
    assert!(text.lines().count() < entries / 2, "{entries} entries in\n{text}");
    line_with(&text, &["1 setup:", "operations"]);
    line_with(&text, &["slots[..].store", "Rlx!", "store root_set.rs:"]);
    line_with(&text, &["plain writes, heap+0x", "view.rs:"]);
    line_with(&text, &["lock, unlock"]);
    line_with(&text, &["DATA RACE", "Causality violation: Concurrent load and mut accesses."]);
}
