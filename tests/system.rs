//! Goal: the boundary to the system. What a heap has given back is not resident, costs no mapping, and its limit holds,
//! whatever the system refuses; and what it refuses is an error value.
//!
//! Method: each case is a process of its own, since its limits and its resident memory are the process's. This test
//! starts itself anew, with the name of the case in the environment, and looks at how that ends.
#![cfg(all(target_os = "linux", not(miri), not(feature = "shuttle"), not(heaplab_asan)))]

use heaplab::{
    AllocError, AllocationType, Array, Attachment, BuildError, CollectionKind, FlagError, Handle, Heap, HeapConfig,
    PageSource, Ref, RootSet, Scope,
};
use std::process::Command;

/// The environment variable that names the case, for the process that is to have it.
const CASE: &str = "HEAPLAB_SYSTEM_CASE";
const MIB: usize = 1 << 20;
/// Bytes that may be resident beside those that are committed: side tables, whose words are larger with the feature
/// `loom`.
const RESIDENT_BESIDE_MAX: usize = if cfg!(feature = "loom") { 24 * MIB } else { 4 * MIB };
const MAPPINGS_MAX: usize = 8;
/// Runs of a page each; a 32-bit program has addresses for fewer.
const RUNS: usize = if usize::BITS < 64 { 60_000 } else { 75_000 };

const OLD: AllocationType = AllocationType::Old;
const REDUCE: CollectionKind = CollectionKind::MemoryReducing;

type Case = (&'static str, fn());

const CASES: [Case; 9] = [
    ("released_memory_is_gone_without_address_space", released_memory_is_gone_without_address_space),
    ("alternate_runs_cost_no_mappings", || alternate_runs_cost_no_mappings(4 << 10, RUNS)),
    ("alternate_runs_of_larger_pages_cost_no_mappings", || alternate_runs_cost_no_mappings(16 << 10, 12_000)),
    ("floods_of_each_kind_leave_nothing_resident", floods_of_each_kind_leave_nothing_resident),
    ("small_pages_are_refused_by_name", small_pages_are_refused_by_name),
    ("building_without_address_space_is_an_error", || building_under_a_limit(libc::RLIMIT_AS)),
    ("building_without_data_is_an_error", || building_under_a_limit(libc::RLIMIT_DATA)),
    ("a_refused_thread_is_an_error", a_refused_thread_is_an_error),
    ("looking_at_a_heap_without_memory_is_an_error", looking_at_a_heap_without_memory_is_an_error),
];

/// Not a test: what the processes that the test starts do.
#[test]
fn case() {
    let Ok(wanted) = std::env::var(CASE) else { return };
    let (_, run) = CASES.iter().find(|(name, _)| *name == wanted).expect("a case");
    run();
}

#[test]
fn each_case_holds_in_a_process_of_its_own() {
    let mut wrong = Vec::new();
    for (name, _) in CASES {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "case", "--nocapture", "--test-threads=1"])
            .env(CASE, name)
            .output()
            .unwrap();
        if !child.status.success() {
            wrong.push(format!("{name}: {}\n{}", child.status, String::from_utf8_lossy(&child.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// ---- what a process has ---------------------------------------------------------------------------------------------

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * PageSource::Mapped.page_bytes_min()
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

fn mapped_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').next().unwrap().parse::<usize>().unwrap() * PageSource::Mapped.page_bytes_min()
}

fn limit(resource: u32, bytes: usize) {
    let limit = libc::rlimit { rlim_cur: bytes as libc::rlim_t, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the limit is a value of this function's.
    assert_eq!(unsafe { libc::setrlimit(resource, &raw const limit) }, 0, "a limit of {bytes} bytes");
}

/// A heap, and what its process had before it.
struct World {
    heap: Heap,
    thread: Attachment,
    resident_before: usize,
    mappings_before: usize,
}

impl World {
    fn new(config: HeapConfig) -> World {
        // What the process needs once is not the heap's.
        drop(Heap::new(HeapConfig::default()).unwrap());
        let (resident_before, mappings_before) = (resident_bytes(), mappings());
        let heap = Heap::new(config).unwrap();
        let thread = heap.attach().unwrap();
        World { heap, thread, resident_before, mappings_before }
    }

    fn committed_bytes(&self) -> usize {
        self.heap.statistics().unwrap().committed_bytes
    }

    /// Asserts that what is resident is committed, up to what is allowed beside, and that there are few mappings.
    fn check(&self, when: &str) {
        let statistics = self.heap.statistics().unwrap();
        let resident = resident_bytes().saturating_sub(self.resident_before);
        let committed = statistics.committed_bytes;
        assert!(
            resident <= committed + RESIDENT_BESIDE_MAX,
            "{when}: {resident} bytes are resident, {committed} committed"
        );
        assert!(committed <= statistics.hard_limit_bytes, "{when}: {committed} bytes committed");
        let mappings = mappings().saturating_sub(self.mappings_before);
        assert!(mappings <= MAPPINGS_MAX, "{when}: {mappings} mappings");
    }

    /// Makes old byte arrays of `bytes` bytes until one is refused or there are `count`, and keeps them. Returns how
    /// many there are.
    fn keep_bytes(&mut self, keep: &RootSet, bytes: usize, count: usize) -> usize {
        self.thread
            .run(|scope| {
                let array: Handle<'_, Array> = scope.new_array_in(count, OLD).unwrap();
                scope.store_root(keep, 0, scope.get(array).into()).unwrap();
                fill(scope, array, bytes, count)
            })
            .unwrap()
    }
}

fn fill<'s>(scope: &mut Scope<'s, '_>, array: Handle<'s, Array>, bytes: usize, count: usize) -> usize {
    for index in 0..count {
        let made = scope.nested(|scope| {
            let item = scope.new_bytes_in(bytes, OLD)?;
            scope.store(scope.get(array), index, scope.get(item).into());
            Ok::<_, AllocError>(())
        });
        if made.is_err() {
            return index;
        }
    }
    count
}

// ---- the cases ------------------------------------------------------------------------------------------------------

/// A system that lets nobody map anything takes memory back all the same.
fn released_memory_is_gone_without_address_space() {
    let mut world = World::new(HeapConfig::sized(128 * MIB, 4));
    let mut keep = world.heap.new_root_set(1);
    // What the test and the allocator need later is had before the limit.
    drop(vec![1_u8; 8 * MIB]);
    limit(libc::RLIMIT_AS, 64 * MIB);
    assert!(world.keep_bytes(&keep, MIB, 1000) > 90);
    world.check("full of large objects");
    assert!(world.committed_bytes() > 100 * MIB);
    drop(keep);
    world.heap.collect(REDUCE).unwrap();
    world.check("after they were dropped");
    assert!(world.committed_bytes() < 20 * MIB, "{} bytes are committed", world.committed_bytes());
    keep = world.heap.new_root_set(1);
    assert!(world.keep_bytes(&keep, 4000, 100_000) > 25_000);
    world.check("full of old objects");
}

/// As many runs as there is budget for, of a page each, and every second one given back.
fn alternate_runs_cost_no_mappings(page_bytes: usize, count: usize) {
    let hard = (count + count / 20) * page_bytes;
    let mut config = HeapConfig::sized(hard, 2);
    config.page_bytes = Some(page_bytes);
    (config.soft_limit_bytes, config.hard_limit_bytes_max) = (hard, hard);
    let mut world = World::new(config);
    let keep = world.heap.new_root_set(1);
    let bytes = page_bytes / 2 + 64;
    assert_eq!(world.keep_bytes(&keep, bytes, count), count);
    world.check("full");
    world
        .thread
        .run(|scope| {
            let array = scope.downcast::<Array>(scope.load_root(&keep, 0).unwrap()).unwrap();
            for index in (0..count).step_by(2) {
                scope.store(array, index, Ref::small(0).unwrap());
            }
        })
        .unwrap();
    world.heap.collect(REDUCE).unwrap();
    world.check("every second one dropped");
    assert!(world.committed_bytes() < hard / 10 * 6, "{} of {hard} bytes are committed", world.committed_bytes());
    let more = world.heap.new_root_set(1);
    let made = world.keep_bytes(&more, bytes, count);
    assert!(made >= count / 2, "{made} of {count} more");
    assert!(world.committed_bytes() >= hard / 20 * 19, "{} of {hard} bytes are committed", world.committed_bytes());
    world.check("full again");
    world.heap.set_stress_concurrent_allocation(true).unwrap();
    world.heap.set_stress_concurrent_allocation(false).unwrap();
}

/// Large objects, old ones and code in turn: each takes the memory that the one before gave back.
fn floods_of_each_kind_leave_nothing_resident() {
    let mut world = World::new(HeapConfig::sized(64 * MIB, 2));
    for round in 0..6 {
        let keep = world.heap.new_root_set(1);
        let (bytes, count) = [(MIB, 1000), (4000, 100_000), (200_000, 1000)][round % 3];
        assert!(world.keep_bytes(&keep, bytes, count) < count);
        world.check("flooded");
        drop(keep);
        world.heap.collect(REDUCE).unwrap();
        world.check("given back");
        assert!(world.committed_bytes() < 10 * MIB, "{} bytes are committed", world.committed_bytes());
    }
}

fn small_pages_are_refused_by_name() {
    let system = PageSource::Mapped.page_bytes_min();
    let mut config = HeapConfig::sized(64 * MIB, 2);
    config.page_bytes = Some(system / 4);
    let Err(BuildError::Config(error)) = Heap::new(config.clone()) else { panic!("pages of {}", system / 4) };
    assert_eq!(error.field(), "page_bytes");
    assert!(error.to_string().contains("PageSource::Owned"), "{error}");
    config.page_source = PageSource::Owned;
    assert_eq!(Heap::new(config).unwrap().layout().page_bytes(), system / 4);
    // The greatest that a 32-bit program has addresses for, and more where there are.
    for bytes in [4 * MIB, 64 * MIB, if usize::BITS < 64 { 512 * MIB } else { 1024 * MIB }] {
        assert!(Heap::new(HeapConfig::sized(bytes, 2)).unwrap().layout().page_bytes() >= system);
    }
}

/// Under each limit, from none to one that is enough, a heap is built or the error says that there is no memory.
fn building_under_a_limit(resource: u32) {
    let config = HeapConfig::sized(256 * MIB, 4);
    drop(Heap::new(config.clone()).unwrap());
    let (mut built, mut refused, used) = (0, 0, mapped_bytes());
    for step in 0..64 {
        limit(resource, (if resource == libc::RLIMIT_AS { used } else { 0 }) + step * step * MIB / 2);
        match Heap::new(config.clone()) {
            Ok(heap) => {
                built += 1;
                drop(heap);
            }
            Err(BuildError::Memory(error)) => {
                refused += 1;
                assert!(error.to_string().contains("limits of the process"), "{error}");
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(built > 1 && refused > 1, "{built} built, {refused} refused");
}

fn a_refused_thread_is_an_error() {
    let heap = Heap::new(HeapConfig::sized(16 * MIB, 4)).unwrap();
    limit(libc::RLIMIT_AS, 16 * MIB);
    for _ in 0..3 {
        let error = heap.set_stress_concurrent_allocation(true).unwrap_err();
        assert!(matches!(error, FlagError::Thread { os_code: Some(_) }), "{error}");
        assert!(error.to_string().contains("the system refused the stress thread"), "{error}");
    }
    assert_eq!(heap.statistics().unwrap().attached, 0, "the local heap of the thread that was not");
    limit(libc::RLIMIT_AS, isize::MAX.cast_unsigned());
    heap.set_stress_concurrent_allocation(true).unwrap();
    heap.set_stress_concurrent_allocation(false).unwrap();
}

/// With more and more memory for it, a heap with many objects is verified and surveyed, or the error says that there is
/// not enough.
fn looking_at_a_heap_without_memory_is_an_error() {
    const CHUNK: usize = 16 << 10;
    let mut world = World::new(HeapConfig::sized(64 * MIB, 4));
    let keep = world.heap.new_root_set(1);
    assert!(world.keep_bytes(&keep, 8, 200_000) == 200_000);
    // The texts of the errors need memory too.
    let mut spare = vec![0_u8; 4 * CHUNK];
    let mut taken: Vec<Vec<u8>> = Vec::with_capacity(100_000);
    limit(libc::RLIMIT_AS, mapped_bytes());
    for bytes in [CHUNK, 512, 64] {
        while taken.len() < taken.capacity() {
            let mut chunk = Vec::new();
            if chunk.try_reserve_exact(bytes).is_err() {
                break;
            }
            taken.push(chunk);
        }
    }
    let looks = |heap: &Heap| [heap.verify().map(|found| found.is_sound()), heap.survey().map(|_| true)];
    let first = looks(&world.heap);
    spare.clear();
    spare.shrink_to_fit();
    for result in first {
        assert!(result.unwrap_err().to_string().contains("limits of the process"));
    }
    let (mut done, mut refused) = (0, 0);
    for step in 0..16 {
        limit(libc::RLIMIT_AS, mapped_bytes() + step * MIB / 4);
        for result in looks(&world.heap) {
            assert_ne!(result, Ok(false));
            (done, refused) = if result.is_ok() { (done + 1, refused) } else { (done, refused + 1) };
        }
    }
    assert!(done > 1 && refused > 1, "{done} done, {refused} refused");
}
