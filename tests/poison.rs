//! Goal: under AddressSanitizer, an access to heap memory that is free is a report, and no other access is.
//! Method: this test starts itself anew for each planted access and looks at how that ends; the same with accesses that
//! are right. Built without the sanitizer, all of them go unnoticed, which is what makes the sanitizer worth its time.
//!
//! ```sh
//! RUSTFLAGS=-Zsanitizer=address cargo +nightly test --target x86_64-unknown-linux-gnu --test poison
//! ```
#![cfg(all(not(miri), not(feature = "shuttle")))]

use heaplab::heap::Internals as _;
use heaplab::memory::{POISONS, PageSource};
use heaplab::{AllocationOrigin, AllocationType, CollectionKind, Heap, HeapConfig, LocalHeap, Offset, Reserve};
use std::process::Command;

/// The environment variable that names the access to plant, for the process that is to have it.
const PLANT: &str = "HEAPLAB_PLANT";

struct World {
    heap: Heap,
    local: LocalHeap,
}

impl World {
    fn new(source: PageSource) -> World {
        let mut config = HeapConfig::tiny();
        config.page_source = source;
        // As many pages as in a tiny heap, each as small as the source has them.
        let page_bytes = source.page_bytes_min().max(128);
        config.page_bytes = Some(page_bytes);
        (config.soft_limit_bytes, config.hard_limit_bytes) = (12 * page_bytes, 16 * page_bytes);
        (config.hard_limit_bytes_max, config.new_space_bytes) = (16 * page_bytes, 2 * page_bytes);
        config.pool_bytes_max = page_bytes;
        let heap = Heap::new(config).unwrap();
        let local = heap.attach_raw().unwrap();
        // SAFETY: R-1: the only local heap of the only thread.
        unsafe { local.raw().unpark() };
        World { heap, local }
    }

    /// Allocates a byte array of zeros, of `bytes` bytes in all, without a root. May collect.
    fn allocate(&self, ty: AllocationType, bytes: usize) -> Offset {
        let local = self.local.raw();
        // SAFETY: R-1 to R-3: formatted at once as a byte array.
        unsafe {
            let at = local.allocate_raw(bytes, ty, AllocationOrigin::Runtime, 8).unwrap();
            local.view().write(at, heaplab::object::Root::ByteArrayMap.tagged().bits());
            local.view().write(at.word(1), ((bytes - 8) as u32) << 1);
            at
        }
    }

    fn root(&self, object: Offset) {
        // SAFETY: R-1; the object was just allocated.
        unsafe { self.local.raw().push_handle(heaplab::Tagged::reference(object)) };
    }

    fn collect(&self, kind: CollectionKind) {
        // SAFETY: R-1, R-2: dead objects are used only where that is planted.
        unsafe { self.local.raw().collect(kind).unwrap() };
    }

    /// The access that is planted: a plain read.
    fn read(&self, at: Offset) {
        // SAFETY: the memory is committed, or was; that it is free is the test's point.
        std::hint::black_box(unsafe { self.heap.spaces().memory.read(at.bytes()) });
    }
}

/// A planted access: its name, whether it is wrong, what it does.
type Plant = (&'static str, bool, fn(&World));

const PLANTS: [Plant; 10] = [
    ("the last word of a live object", false, |world| {
        let object = world.allocate(AllocationType::Old, 24);
        world.root(object);
        world.collect(CollectionKind::Major);
        world.read(object.word(5));
    }),
    ("the header of a hole, which a walk reads", false, |world| {
        let [dead, live] = [0; 2].map(|_| world.allocate(AllocationType::Old, 24));
        world.root(live);
        world.collect(CollectionKind::Major);
        world.read(dead);
    }),
    ("a dead object of a page with a live one", true, |world| {
        let [dead, live] = [0; 2].map(|_| world.allocate(AllocationType::Old, 24));
        world.root(live);
        world.collect(CollectionKind::Major);
        world.read(dead.word(3));
    }),
    ("a store to it", true, |world| {
        let [dead, live] = [0; 2].map(|_| world.allocate(AllocationType::Old, 24));
        world.root(live);
        world.collect(CollectionKind::Major);
        // SAFETY: none: a use after free.
        unsafe { world.local.raw().store_slot(dead, dead.word(3), heaplab::Tagged::small(1).unwrap()) };
    }),
    ("the rest of a LAB", true, |world| world.read(world.allocate(AllocationType::Young, 16).word(4))),
    ("a page that a minor collection evacuated", true, |world| {
        let object = world.allocate(AllocationType::Young, 24);
        world.root(object);
        world.collect(CollectionKind::Minor);
        world.read(object.word(3));
    }),
    ("a page that was pooled", true, |world| {
        let object = world.allocate(AllocationType::Old, 24);
        world.collect(CollectionKind::Major);
        world.read(object);
    }),
    ("a page that went back to the system", true, |world| {
        let object = world.allocate(AllocationType::Old, 24);
        world.collect(CollectionKind::MemoryReducing);
        world.read(object);
    }),
    ("a large object's run after its death", true, |world| {
        let object = world.allocate(AllocationType::Old, world.heap.layout().page_bytes() + 8);
        world.collect(CollectionKind::Major);
        world.read(object.word(20));
    }),
    ("what a scope holds and has not used", true, |world| {
        // SAFETY: R-1, R-2.
        let entered = unsafe {
            world.local.raw().always_allocate(Reserve { large_bytes: 200, ..Reserve::default() }, |_| {
                let layout = world.heap.layout();
                world.read(layout.page_start(heaplab::words::PageIndex::new(layout.paged_pages())));
            })
        };
        entered.unwrap();
    }),
];

/// Not a test: what the processes that the test starts do.
#[test]
fn planted() {
    let Ok(wanted) = std::env::var(PLANT) else { return };
    let (name, source) = wanted.split_once('@').unwrap();
    let source = if source == "owned" { PageSource::Owned } else { PageSource::Mapped };
    let (_, _, plant) = PLANTS.iter().find(|(other, _, _)| *other == name).unwrap();
    let world = World::new(source);
    plant(&world);
    // SAFETY: R-1.
    unsafe { world.local.raw().park() };
}

#[test]
fn each_access_to_free_memory_is_reported() {
    for source in [PageSource::Owned, PageSource::Mapped] {
        if source == PageSource::Mapped && PageSource::default() != source {
            continue;
        }
        for (name, wrong, _) in PLANTS {
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "planted", "--nocapture", "--test-threads=1"])
                .env(PLANT, format!("{name}@{source}"))
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&child.stderr).into_owned();
            let reported = said.contains("AddressSanitizer: use-after-poison");
            assert_eq!(reported, wrong && POISONS, "{name}, {source}: {said}");
            assert_eq!(child.status.success(), !reported, "{name}, {source}: {said}");
        }
    }
}
