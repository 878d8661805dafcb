//! Goal: no input to the heap is so bad that it does more than return an error value: sizes, alignments, shapes,
//! configurations, refused mappings. Whatever was asked, the heap is walkable afterwards and serves the next request.
//!
//! Method: hostile values at every edge, through the raw API where the safe one does not let them through; after
//! each, the verifier, and a program that uses everything.

#![cfg(not(feature = "shuttle"))]
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests are no part of the heap")]

mod common;

use common::{assert_sound, assert_usable, build, fill, settled_bytes, small, tiny, tiny_of, use_everything};
use heaplab::heap::Internals as _;

use heaplab::raw::Root;
use heaplab::words::RESERVATION_BYTES_MAX;
use heaplab::*;
use std::num::NonZeroUsize;
use std::ops::Range;

// ---- raw requests ---------------------------------------------------------------------------------------------------

/// A local heap that runs until it is dropped.
struct Running(LocalHeap);

impl Running {
    fn new(heap: &Heap) -> Running {
        let local = heap.attach_raw().unwrap();
        // SAFETY: R-1: this thread runs no other local heap.
        unsafe { local.unpark() };
        Running(local)
    }

    /// Allocates, and formats what it got as an array of bytes, as code, or as a map.
    fn allocate(&self, size: usize, ty: AllocationType, alignment: usize) -> Result<Offset, AllocError> {
        // SAFETY: running, and the object is written at once.
        unsafe {
            let at = self.0.allocate_raw(size, ty, AllocationOrigin::Runtime, alignment)?;
            let view = self.0.view();
            for word in 0..size / 4 {
                assert_eq!(view.read(at.word(word)), 0, "memory is zero");
            }
            if ty == AllocationType::Map {
                assert_eq!(size, 32);
                view.write(at, Root::MetaMap.tagged().bits());
                let [kind, geometry] = Shape::new(16, 2, 1, Tail::None).unwrap().encode();
                view.write(at.word(1), kind);
                view.write(at.word(2), geometry);
            } else {
                let map = if ty == AllocationType::Code { Root::CodeMap } else { Root::ByteArrayMap };
                view.write(at, map.tagged().bits());
                view.write(at.word(1), ((size - 8) as u32) << 1);
            }
            Ok(at)
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: R-1: running since `new`.
        unsafe { self.0.park() };
    }
}

/// Those of `sizes` that a `usize` of this target can hold.
fn addressable(sizes: &[u64]) -> impl Iterator<Item = usize> {
    sizes.iter().filter_map(|&size| usize::try_from(size).ok())
}

#[test]
fn hostile_sizes_are_refused() {
    let heap = build(tiny());
    let max = heap.layout().object_bytes_max();
    {
        let local = Running::new(&heap);
        // A LAB with room, so that nothing is refused for want of memory.
        for ty in [AllocationType::Young, AllocationType::Old] {
            local.allocate(8, ty, 8).unwrap();
        }
        for ty in AllocationType::ALL {
            for size in [0, 1, 4, 7, 9, 12, usize::MAX, usize::MAX - 1] {
                assert_eq!(local.allocate(size, ty, 8), Err(AllocError::InvalidSize { size_bytes: size }));
            }
            let great = addressable(&[1 << 30, 1 << 32, (1 << 32) + 8, 16 << 30]);
            for size in great.chain([max + 8, isize::MAX as usize & !7, usize::MAX & !7]) {
                for alignment in [8, 16, 32, 64] {
                    assert_eq!(
                        local.allocate(size, ty, alignment),
                        Err(AllocError::TooLarge { size_bytes: size, size_bytes_max: max }),
                    );
                }
            }
            for alignment in [0, 1, 2, 4, 12, 24, 63, 65, 96, 128, 4096, usize::MAX, 1 << (usize::BITS - 1)] {
                for size in [8, 64, max] {
                    assert_eq!(
                        local.allocate(size, ty, alignment),
                        Err(AllocError::InvalidAlignment { alignment_bytes: alignment }),
                    );
                }
            }
            // SAFETY: running, no raw reference is used later; nothing is allocated.
            let collector = unsafe { local.0.allocate_raw(8, ty, AllocationOrigin::Collector, 8) };
            assert_eq!(collector, Err(AllocError::InvalidOrigin));
        }
        let half_page = heap.layout().regular_bytes_max();
        assert!(matches!(local.allocate(half_page + 8, AllocationType::Map, 8), Err(AllocError::TooLarge { .. })));
    }
    assert_usable(&heap, &mut heap.attach().unwrap());
}

/// What a refusal says to do holds for whatever was asked for.
#[test]
fn a_refusal_says_what_to_ask_for() {
    let heap = build(tiny());
    let half_page = heap.layout().regular_bytes_max();
    let local = Running::new(&heap);
    let map = local.allocate(half_page + 8, AllocationType::Map, 8).unwrap_err().to_string();
    assert!(map.contains(&format!("largest object of the type has {half_page} bytes")), "{map}");
    assert!(map.contains("for a map larger pages"), "{map}");
    let too_much = Reserve { old_pages: usize::MAX, ..Reserve::NONE };
    // SAFETY: running, no raw reference is alive.
    let reserve = unsafe { local.0.always_allocate(too_much, |_| ()) }.unwrap_err().to_string();
    assert!(reserve.contains("ask for a smaller object or reserve"), "{reserve}");
    // SAFETY: running, no raw reference is alive.
    let rest = unsafe { local.0.fill_page_but(AllocationType::Old, half_page * 2) }.unwrap_err().to_string();
    assert!(rest.contains("leave a multiple of the type's granule, up to half a page"), "{rest}");
}

/// Hostile lengths through the safe API, and the greatest object that the heap says it can hold.
#[test]
fn hostile_lengths_are_refused() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let lengths = [1 << 20, LENGTH_MAX - 1, LENGTH_MAX, LENGTH_MAX + 1, usize::MAX / 4, usize::MAX];
            for len in lengths.into_iter().chain(addressable(&[1 << 32])) {
                let too_large = |error| matches!(error, AllocError::TooLarge { .. });
                assert!(too_large(scope.new_array(len).unwrap_err()));
                assert!(too_large(scope.new_bytes(len).unwrap_err()));
                assert!(too_large(scope.new_code(len).unwrap_err()));
                assert!(too_large(scope.new_array_in(len, AllocationType::Old).unwrap_err()));
            }
            let max = scope.layout().object_bytes_max();
            assert!(matches!(scope.new_bytes(max - 8), Err(AllocError::OutOfMemory { .. })), "possible in principle");
            assert!(matches!(scope.new_bytes(max), Err(AllocError::TooLarge { .. })));
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

/// Every alignment, every size around it, every type: honoured, within the heap, and no gap is left unformatted.
#[test]
fn alignments_are_honoured() {
    for page_bytes in if cfg!(miri) { [128, 256] } else { [128, 1024] } {
        let mut config = tiny();
        config.page_bytes = Some(page_bytes);
        config.hard_limit_bytes = 64 * page_bytes;
        config.hard_limit_bytes_max = 64 * page_bytes;
        config.soft_limit_bytes = 64 * page_bytes;
        config.new_space_bytes = 8 * page_bytes;
        config.young_lab_bytes = page_bytes * 3 / 8;
        let heap = build(config);
        for alignment in [8, 16, 32, 64] {
            for ty in AllocationType::ALL {
                let sizes = if ty == AllocationType::Map { 32..33 } else { 8..page_bytes * 2 };
                for size in sizes.step_by(8) {
                    let local = Running::new(&heap);
                    // Shifts what follows, so that padding of each size occurs.
                    for shift in [8, 8, 16, 24] {
                        if ty != AllocationType::Map {
                            local.allocate(shift, ty, 8).unwrap();
                        }
                        let at = local.allocate(size, ty, alignment).unwrap();
                        assert!(at.bytes().is_multiple_of(alignment.max(ty.granule_bytes())), "{ty:?} {size} {at:?}");
                    }
                }
                assert_sound(&heap);
            }
        }
        assert_usable(&heap, &mut heap.attach().unwrap());
    }
}

// ---- shapes ---------------------------------------------------------------------------------------------------------

#[test]
fn bad_shapes_are_refused() {
    let refused = |result: Result<Shape, AllocError>| assert!(matches!(result, Err(AllocError::InvalidShape(_))));
    for tail in [Tail::None, Tail::Tagged, Tail::Bytes] {
        refused(Shape::new(16, 0, 0, tail));
        refused(Shape::new(16, FIXED_WORDS_MAX + 1, 1, tail));
        refused(Shape::new(16, usize::MAX, 1, tail));
        refused(Shape::new(16, 2, usize::MAX, tail));
        refused(Shape::new(16, 2, 2, tail));
        refused(Shape::new(16, 1, 1, tail));
    }
    refused(Shape::new(16, 2, 0, Tail::Tagged));
    refused(Shape::new(16, 1, 0, Tail::Bytes));
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let invalid = |error| matches!(error, AllocError::InvalidShape(_));
            for kind in 0..16 {
                let shape = Shape::new(kind, 2, 1, Tail::Tagged).unwrap();
                assert!(invalid(scope.new_map(shape).unwrap_err()), "{kind} is built in");
            }
            let array = scope.new_array(1).unwrap();
            let array_map = scope.handle(scope.map(scope.get(array).into()).unwrap());
            let meta_map = scope.handle(scope.map(scope.get(array_map).into()).unwrap());
            let oddball_map = scope.handle(scope.map(scope.null()).unwrap());
            for map in [array_map, meta_map, oddball_map] {
                assert!(invalid(scope.record_type(map).unwrap_err()));
                assert!(invalid(scope.new_record(map).unwrap_err()));
                assert!(invalid(scope.new_record_in(map, 1, AllocationType::Old).unwrap_err()));
            }
            let plain = scope.new_map(Shape::new(16, 3, 1, Tail::None).unwrap()).unwrap();
            let tailed = scope.new_map(Shape::new(17, 3, 1, Tail::Tagged).unwrap()).unwrap();
            let huge = scope.new_map(Shape::new(18, FIXED_WORDS_MAX, 1, Tail::None).unwrap()).unwrap();
            for length in [1, LENGTH_MAX, usize::MAX] {
                assert!(invalid(scope.new_record_in(plain, length, AllocationType::Young).unwrap_err()));
            }
            for length in [LENGTH_MAX + 1, usize::MAX] {
                assert!(invalid(scope.new_record_in(tailed, length, AllocationType::Young).unwrap_err()));
            }
            assert!(invalid(scope.record_type(tailed).unwrap_err()));
            assert!(matches!(
                scope.record_type(huge).and_then(|ty| scope.new_record_of(ty)),
                Err(AllocError::TooLarge { .. })
            ));
            for map in [plain, tailed] {
                assert!(invalid(scope.new_record_in(map, 0, AllocationType::Map).unwrap_err()));
            }
            assert!(invalid(scope.new_array_in(1, AllocationType::Map).unwrap_err()));
            assert!(invalid(scope.new_bytes_in(1, AllocationType::Map).unwrap_err()));
            assert!(matches!(scope.new_record(huge), Err(AllocError::TooLarge { .. })));
            assert!(matches!(
                scope.new_record_in(tailed, LENGTH_MAX, AllocationType::Old),
                Err(AllocError::TooLarge { .. })
            ));
            let record = scope.new_record_in(tailed, 3, AllocationType::Old).unwrap();
            assert_eq!(scope.tail_len(scope.get(record)), 3);
            assert!(scope.verify().unwrap().is_sound());
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

/// The smallest shapes and the greatest: an object of a header alone, and one of many fields.
#[test]
#[cfg_attr(miri, ignore = "objects of 64 KiB")]
fn extreme_shapes_work() {
    let heap = build(small());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            for (fixed, tagged, tail, length) in [
                (1, 0, Tail::None, 0),
                (2, 0, Tail::None, 0),
                (2, 1, Tail::Tagged, 0),
                (2, 1, Tail::Bytes, 1),
                (3, 1, Tail::Bytes, 7),
                (3, 1, Tail::Tagged, 1),
                (FIXED_WORDS_MAX, 0, Tail::None, 0),
                (FIXED_WORDS_MAX, FIXED_WORDS_MAX - 1, Tail::None, 0),
                (FIXED_WORDS_MAX, FIXED_WORDS_MAX - 1, Tail::Tagged, 9),
                (FIXED_WORDS_MAX, 1, Tail::Bytes, 9),
            ] {
                let map = scope.new_map(Shape::new(u16::MAX, fixed, tagged, tail).unwrap()).unwrap();
                for ty in [AllocationType::Young, AllocationType::Old] {
                    let record = scope.new_record_in(map, length, ty).unwrap();
                    let other = scope.new_array(1).unwrap();
                    if tagged > 1 {
                        scope.store_field(scope.get(record), tagged - 1, scope.get(other).into());
                    }
                    if tail == Tail::Tagged && length != 0 {
                        scope.store_element(scope.get(record), length - 1, scope.get(other).into());
                    }
                    for kind in CollectionKind::ALL {
                        scope.collect(kind).unwrap();
                        assert_eq!(scope.tail_len(scope.get(record)), length);
                        if tagged > 1 {
                            assert_eq!(scope.load_field(scope.get(record), tagged - 1), scope.get(other));
                        }
                        if tail == Tail::Tagged && length != 0 {
                            assert_eq!(scope.load_element(scope.get(record), length - 1), scope.get(other));
                        }
                    }
                }
            }
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}

// ---- configurations -------------------------------------------------------------------------------------------------

#[test]
fn bad_configurations_name_their_field() {
    type Spoil = fn(&mut HeapConfig);
    let cases: [(&str, Spoil); 30] = [
        ("page_bytes", |c| c.page_bytes = Some(0)),
        ("page_bytes", |c| c.page_bytes = Some(1)),
        ("page_bytes", |c| c.page_bytes = Some(64)),
        ("page_bytes", |c| c.page_bytes = Some(100)),
        ("page_bytes", |c| c.page_bytes = Some((16 << 10) + 8)),
        ("page_bytes", |c| c.page_bytes = Some(24 << 10)),
        ("page_bytes", |c| c.page_bytes = Some(2 << 20)),
        ("page_bytes", |c| c.page_bytes = Some(usize::MAX)),
        ("soft_limit_bytes", |c| c.soft_limit_bytes = c.hard_limit_bytes + 1),
        ("soft_limit_bytes", |c| c.soft_limit_bytes = usize::MAX),
        ("soft_limit_bytes", |c| c.soft_limit_bytes = 0),
        ("soft_limit_bytes", |c| c.soft_limit_bytes = 1),
        ("hard_limit_bytes", |c| c.hard_limit_bytes = 0),
        ("hard_limit_bytes", |c| c.threads_max = 4096),
        ("hard_limit_bytes", |c| c.pages_per_thread_min = usize::MAX),
        ("hard_limit_bytes_max", |c| c.hard_limit_bytes_max = c.hard_limit_bytes - 1),
        ("hard_limit_bytes_max", |c| c.hard_limit_bytes_max = RESERVATION_BYTES_MAX + 1),
        ("hard_limit_bytes_max", |c| c.hard_limit_bytes_max = usize::MAX),
        ("hard_limit_bytes_max", |c| {
            (c.hard_limit_bytes, c.hard_limit_bytes_max) = (2 * RESERVATION_BYTES_MAX, 2 * RESERVATION_BYTES_MAX)
        }),
        ("new_space_bytes", |c| c.new_space_bytes = 0),
        ("new_space_bytes", |c| c.new_space_bytes = c.soft_limit_bytes),
        ("new_space_bytes", |c| c.new_space_bytes = usize::MAX),
        // More new space than is addressable beside the large objects, though less than any limit.
        ("new_space_bytes", |c| {
            c.page_bytes = Some(1 << 20);
            c.soft_limit_bytes = RESERVATION_BYTES_MAX;
            c.hard_limit_bytes = RESERVATION_BYTES_MAX;
            c.hard_limit_bytes_max = RESERVATION_BYTES_MAX;
            c.new_space_bytes = RESERVATION_BYTES_MAX / 4 * 3;
        }),
        ("threads_max", |c| c.threads_max = 0),
        ("threads_max", |c| c.threads_max = usize::MAX),
        ("handle_block_slots", |c| c.handle_block_slots = 0),
        ("handle_block_slots", |c| c.handle_block_slots = usize::MAX),
        ("page_set_bits", |c| c.page_set_bits = 0),
        ("page_set_bits", |c| c.page_set_bits = 65),
        ("worklist_entries", |c| c.worklist_entries = 0),
    ];
    for (field, spoil) in cases {
        let mut config = small();
        spoil(&mut config);
        match Heap::new(config) {
            Err(BuildError::Config(error)) => {
                assert_eq!(error.field(), field, "{error}");
                assert!(error.to_string().contains(field), "{error}");
            }
            other => panic!("{field}: {other:?}"),
        }
    }
    for (bytes, threads) in [(0, 0), (0, 1), (1, 1), (usize::MAX, 1), (4 << 20, usize::MAX), (usize::MAX, usize::MAX)] {
        assert!(matches!(Heap::new(HeapConfig::sized(bytes, threads)), Err(BuildError::Config(_))));
    }
}

#[test]
fn a_page_source_that_is_not_here_is_refused() {
    let mut config = tiny();
    config.page_source = PageSource::Simulated;
    let error = Heap::new(config).unwrap_err();
    assert!(matches!(error, BuildError::Memory(MemoryError::Unsupported { source: PageSource::Simulated, .. })));
}

/// Odd but good configurations: each field at its ends, each page size, each source.
#[test]
fn extreme_configurations_work() {
    type Change = fn(&mut HeapConfig);
    let changes: [Change; 12] = [
        |c| c.young_lab_bytes = 0,
        |c| c.young_lab_bytes = usize::MAX,
        |c| c.small_hole_bytes = Some(0),
        |c| c.small_hole_bytes = Some(usize::MAX),
        |c| c.pool_bytes_max = 0,
        |c| c.pool_bytes_max = usize::MAX,
        |c| c.handle_block_slots = 1,
        |c| c.worklist_entries = 1,
        |c| c.page_set_bits = 1,
        |c| c.new_space_bytes = c.layout().unwrap().page_bytes(),
        |c| c.page_source = PageSource::Owned,
        |c| c.soft_limit_bytes = c.new_space_bytes + 2 * c.layout().unwrap().page_bytes(),
    ];
    for base in [tiny(), small()] {
        for change in changes {
            let mut config = base.clone();
            change(&mut config);
            let heap = build(config);
            let mut thread = heap.attach().unwrap();
            assert_usable(&heap, &mut thread);
        }
    }
    for shift in 7..=20 {
        let page_bytes = 1 << shift;
        if cfg!(miri) && page_bytes > 1024 {
            break;
        }
        let mut config = tiny_of(16);
        config.page_bytes = Some(page_bytes);
        config.hard_limit_bytes = 16 * page_bytes;
        config.soft_limit_bytes = 16 * page_bytes;
        config.hard_limit_bytes_max = 16 * page_bytes;
        config.new_space_bytes = 2 * page_bytes;
        let heap = build(config);
        assert_usable(&heap, &mut heap.attach().unwrap());
    }
}

/// The greatest heap that a tagged word can address.
#[test]
#[cfg_attr(miri, ignore = "all that can be addressed, from the Rust allocator")]
fn the_greatest_heap_works() {
    let mut config = small();
    config.hard_limit_bytes = RESERVATION_BYTES_MAX;
    config.hard_limit_bytes_max = RESERVATION_BYTES_MAX;
    config.verify_heap = false;
    match Heap::new(config) {
        Ok(heap) => {
            let mut thread = heap.attach().unwrap();
            thread.run(use_everything).unwrap().unwrap();
        }
        // A machine without so much address space refuses it.
        Err(error) => assert!(matches!(error, BuildError::Memory(MemoryError::Refused { .. })), "{error}"),
    }
}

// ---- refused mappings -----------------------------------------------------------------------------------------------

/// Takes memory in every way: fresh pages of each space, large runs, a reserve, survivors, promotion.
fn take_memory(scope: &mut Scope<'_, '_>) -> Result<(), AllocError> {
    scope.nested(|scope| {
        let keep = scope.new_array_in(6, AllocationType::Old)?;
        for index in 0..6 {
            scope.nested(|scope| {
                let ty = AllocationType::ALL[index % 2];
                let array = scope.new_array_in(9, ty)?;
                scope.store(scope.get(keep), index, scope.get(array).into());
                let large = scope.new_bytes(140)?;
                scope.store(scope.get(array), 0, scope.get(large).into());
                _ = scope.new_code(20)?;
                _ = scope.new_map(Shape::new(16, 2, 1, Tail::None)?)?;
                if index % 3 == 2 {
                    scope.collect(CollectionKind::ALL[index % 2]).unwrap();
                }
                Ok(())
            })?;
        }
        scope.always_allocate(Reserve::one_of_each(150), |scope| {
            _ = scope.new_array(2)?;
            _ = scope.new_array_in(8, AllocationType::Old)?;
            Ok(())
        })??;
        scope.collect(CollectionKind::MemoryReducing).unwrap();
        use_everything(scope)
    })
}

/// The system refuses the k-th commit, for every k: at most an error value comes of it, and the next program succeeds.
#[test]
fn each_refused_mapping_is_survived() {
    let settled = settled_bytes(&build(tiny_of(32)));
    let mut errors = 0;
    for k in 1.. {
        let heap = build(tiny_of(32));
        let mut thread = heap.attach().unwrap();
        heap.spaces().memory.fail_commit_at(NonZeroUsize::new(k));
        let result = thread.run(take_memory).unwrap();
        let refused = !heap.spaces().memory.commit_fault_pending();
        heap.spaces().memory.fail_commit_at(None);
        assert!(matches!(result, Ok(()) | Err(AllocError::OutOfMemory { .. })), "commit {k}: {result:?}");
        errors += usize::from(result.is_err());
        assert_sound(&heap);
        thread.run(take_memory).unwrap().expect("the system is willing again");
        assert_eq!(settled_bytes(&heap), settled, "commit {k}: what was not had is not counted");
        if !refused {
            assert!(k > 10, "the program commits often");
            assert_eq!(errors, 0, "one refusal is made good by the ladder");
            return;
        }
    }
}

// ---- full spaces ----------------------------------------------------------------------------------------------------

/// A world with room for several objects of each type in a page.
fn wide() -> HeapConfig {
    let mut config = tiny();
    config.page_bytes = Some(512);
    config.hard_limit_bytes = 48 * 512;
    config.soft_limit_bytes = 48 * 512;
    config.hard_limit_bytes_max = 48 * 512;
    config.new_space_bytes = 8 * 512;
    config
}

/// Bytes of pages of these kinds that no object in `objects` covers.
fn free_of(heap: &Heap, kinds: &[PageKind], objects: &[Range<usize>]) -> Vec<Range<usize>> {
    let layout = heap.layout();
    let mut free = Vec::new();
    for index in 0..layout.pages() {
        let page = PageIndex::new(index);
        // SAFETY: this thread alone has the heap, and it runs: no page changes meanwhile.
        if !kinds.contains(&unsafe { heap.spaces().pages.kind(page) }) {
            continue;
        }
        let (mut at, end) = (layout.page_start(page).bytes(), layout.page_end(page).bytes());
        while at < end {
            match objects.iter().find(|object| object.contains(&at)) {
                Some(object) => at = object.end,
                None => {
                    free.push(at..at + 8);
                    at += 8;
                }
            }
        }
    }
    free
}

/// Nothing that is allocated after a space was simulated full lies in memory of the space that was free then, until the
/// next collection; and then everything is in reach again.
#[test]
fn a_full_space_serves_nothing_that_was_free() {
    for space in SpaceKind::ALL {
        let heap = build(wide());
        let mut thread = heap.attach().unwrap();
        let sets: &[PageKind] = match space {
            SpaceKind::New => &[PageKind::New],
            SpaceKind::Old => &[PageKind::Old],
            SpaceKind::Map => &[PageKind::Map],
            SpaceKind::Code => &[PageKind::Code],
            SpaceKind::Large => &[],
        };
        let new = |scope: &mut Scope<'_, '_>| {
            let object = match space {
                SpaceKind::New => scope.new_array(3).map(|h| (scope.get(h).tagged(), 24)),
                SpaceKind::Old => scope.new_array_in(3, AllocationType::Old).map(|h| (scope.get(h).tagged(), 24)),
                SpaceKind::Code => scope.new_code(9).map(|h| (scope.get(h).tagged(), 64)),
                SpaceKind::Large => scope.new_bytes(504).map(|h| (scope.get(h).tagged(), 512)),
                SpaceKind::Map => {
                    let shape = Shape::new(16, 2, 1, Tail::None).unwrap();
                    scope.new_map(shape).map(|h| (scope.get(h).tagged(), 32))
                }
            };
            object.map(|(word, bytes)| word.target().bytes()..word.target().bytes() + bytes)
        };
        thread
            .run(|scope| {
                // Pages with holes in them, and one that was just begun.
                for _ in 0..3 {
                    scope.nested(|scope| (0..7).for_each(|_| _ = new(scope).unwrap()));
                    _ = new(scope).unwrap();
                }
                scope
                    .collect(if space == SpaceKind::New { CollectionKind::Minor } else { CollectionKind::Major })
                    .unwrap();
                _ = new(scope).unwrap();
                // Where objects lie is known only for those made after the collection: every other byte counts as free.
                let mut objects = vec![new(scope).unwrap(), new(scope).unwrap()];
                let free = free_of(&heap, sets, &objects);
                let large_free = heap.layout().page_start(PageIndex::new(heap.layout().paged_pages())).bytes();
                let wasted = scope.simulate_full_space(space).unwrap();
                assert!(scope.verify().unwrap().is_sound());
                assert!(wasted != 0, "{space}: there was something to waste");
                let before = scope.own_requests();
                let mut served = 0;
                let reserve = Reserve { young_pages: 2, old_pages: 2, map_pages: 2, code_pages: 2, large_bytes: 0 };
                scope
                    .always_allocate(reserve, |scope| {
                        while let Ok(object) = new(scope) {
                            if scope.own_requests() != before {
                                break;
                            }
                            assert!(
                                free.iter().all(|free| free.end <= object.start || object.end <= free.start),
                                "{space}: {object:?} was free"
                            );
                            assert!(space != SpaceKind::Large || object.start < large_free, "{object:?} was free");
                            objects.push(object);
                            served += 1;
                        }
                    })
                    .unwrap();
                assert!(served != 0 || space == SpaceKind::Large, "{space}: fresh pages and reserves serve");
                assert_ne!(scope.own_requests(), before, "{space}: a collection frees it again");
                scope.collect(CollectionKind::Major).unwrap();
                for _ in 0..8 {
                    scope.nested(|scope| _ = new(scope).unwrap());
                }
            })
            .unwrap();
        assert_usable(&heap, &mut thread);
    }
}

/// What is wasted is counted: all of the memory that the space had, and nothing twice.
#[test]
fn what_a_full_space_wastes_is_counted() {
    let heap = build(wide());
    let layout = heap.layout().clone();
    let mut thread = heap.attach().unwrap();
    assert_eq!(heap.simulate_full_space(SpaceKind::Large), Ok(layout.large_pages() * layout.page_bytes()));
    assert_eq!(heap.simulate_full_space(SpaceKind::New), Ok(layout.new_pages() * layout.page_bytes()));
    for space in SpaceKind::ALL {
        assert_eq!(heap.simulate_full_space(space), Ok(0), "{space}: full, or without a page");
    }
    heap.collect(CollectionKind::Major).unwrap();
    thread.run(|scope| _ = (scope.new_array(2).unwrap(), scope.new_bytes(510).unwrap())).unwrap();
    assert_eq!(heap.simulate_full_space(SpaceKind::Large), Ok((layout.large_pages() - 2) * layout.page_bytes()));
    // A LAB, used or not, is no free memory of the space.
    let wasted = heap.simulate_full_space(SpaceKind::New).unwrap();
    assert_eq!(wasted, layout.new_pages() * layout.page_bytes() - layout.young_lab_bytes());
    assert_usable(&heap, &mut thread);
}

/// A page that is full but for n bytes serves exactly those.
#[test]
fn a_page_filled_but_for_some_bytes_serves_those() {
    let heap = build(wide());
    let half_page = heap.layout().regular_bytes_max();
    for ty in AllocationType::ALL {
        let granule = ty.granule_bytes();
        let local = Running::new(&heap);
        // SAFETY: R-1: running.
        let fill_page_but = |bytes| unsafe { local.0.fill_page_but(ty, bytes) };
        for bytes in [1, granule - 1, granule + 4, half_page + granule, half_page * 2, usize::MAX, usize::MAX & !63] {
            assert_eq!(fill_page_but(bytes), Err(AllocError::InvalidSize { size_bytes: bytes }), "{ty:?}");
        }
        for bytes_left in (0..=half_page).step_by(granule) {
            if ty == AllocationType::Young {
                // New space has few pages; each turn fills one.
                // SAFETY: running, no raw reference is alive.
                unsafe { local.0.collect(CollectionKind::Minor).unwrap() };
            }
            fill_page_but(bytes_left).unwrap();
            let size = if ty == AllocationType::Map { 32 } else { granule };
            let served: Vec<Offset> = (0..bytes_left / size).map(|_| local.allocate(size, ty, 8).unwrap()).collect();
            for pair in served.windows(2) {
                assert_eq!(pair[0].plus(size), pair[1], "{ty:?}: side by side");
            }
            let next = local.allocate(size, ty, 8).unwrap();
            if let Some(last) = served.last() {
                let page = |at| heap.layout().page_of(at);
                assert_eq!(page(served[0]), page(*last));
                assert!(last.plus(size) != next || page(next) != page(*last), "{ty:?}: {bytes_left} bytes and no more");
            }
        }
        drop(local);
        assert_sound(&heap);
        heap.collect(CollectionKind::Major).unwrap();
    }
    assert_usable(&heap, &mut heap.attach().unwrap());
}

#[test]
fn filling_a_page_of_a_full_heap_fails_as_a_value() {
    let heap = build(tiny());
    let mut thread = heap.attach().unwrap();
    thread
        .run(|scope| {
            let mut keep = Vec::new();
            while let Ok(array) = scope.new_array_in(12, AllocationType::Old) {
                keep.push(array);
            }
            for ty in [AllocationType::Old, AllocationType::Map, AllocationType::Code] {
                let result = scope.fill_page_but(ty, 64);
                assert_eq!(result, Err(AllocError::OutOfMemory { allocation_type: ty, size_bytes: 64 }));
            }
            for space in SpaceKind::ALL {
                scope.simulate_full_space(space).unwrap();
            }
            let (_, error) = fill(scope, AllocationType::Young);
            assert!(matches!(error, AllocError::OutOfMemory { .. }));
        })
        .unwrap();
    assert_usable(&heap, &mut thread);
}
