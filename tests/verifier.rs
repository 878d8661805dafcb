//! Goal: the verifier notices each kind of damage that it knows, says which it is and where, and takes nothing else for
//! damage.
//!
//! Method: a small heap on which no local heap is attached is spoiled from below, word by word and table by table.
//! What is found is compared as a whole with what was planted; then the damage is undone, and the heap is sound
//! again, also when it is dropped. Each kind of damage is planted next to its neighbour that is none.

#![cfg(not(feature = "shuttle"))]

mod common;
#[path = "common/damage.rs"]
mod damage;

use common::{assert_sound, build, panics, tiny};
use damage::*;
use heaplab::heap::Internals as _;
use heaplab::object::{Header, Root};
use heaplab::page::{PageInfo, PageKind};
use heaplab::space::LargeSpace;
use heaplab::words::{Limit, PageIndex};
use heaplab::*;

const PAGE: usize = 128;
/// Built-in objects: seven maps and four oddballs.
const BUILT_IN: u64 = 11;

const YOUNG: AllocationType = AllocationType::Young;
const OLD: AllocationType = AllocationType::Old;
const CODE: AllocationType = AllocationType::Code;

/// The violation that `object`'s header names no map.
fn bad_map(object: Offset, header: u32) -> Violation {
    Violation::BadMap { object, header }
}

// ---- what is said ---------------------------------------------------------------------------------------------------

#[test]
fn a_heap_without_damage_is_sound() {
    let heap = build(tiny());
    for ty in [YOUNG, OLD, CODE] {
        make_bytes(&heap, ty, [64, 64]);
    }
    make_maps::<2>(&heap);
    make_bytes(&heap, OLD, [200]);
    let verification = heap.verify().unwrap();
    assert_eq!(verification.violations, []);
    assert!(verification.is_sound());
    assert_eq!(verification.objects, BUILT_IN + 9, "without fillers and holes");
    assert_eq!(verification.describe(), "0 violations: ");
}

#[test]
fn violations_are_counted_and_the_first_are_shown() {
    let heap = build(tiny());
    let pages: Vec<_> = (0..9).map(PageIndex::new).collect();
    pages.iter().for_each(|&page| update(&heap, page, |info| info.kept = true));
    let verification = heap.verify().unwrap();
    pages.iter().for_each(|&page| update(&heap, page, |info| info.kept = false));
    assert!(!verification.is_sound());
    assert_eq!(verification.violations.len(), 9);
    let shown: Vec<_> = (0..8).map(|page| format!("BadPageInfo {{ page: page {page} }}")).collect();
    assert_eq!(verification.describe(), format!("9 violations: {}", shown.join("; ")));
    assert_eq!(verification.violations[8].to_string(), "BadPageInfo { page: page 8 }");
}

/// With the flag, a violation ends the collection, and is what the panic says.
#[test]
fn a_verified_collection_says_what_is_wrong() {
    let heap = build(tiny());
    let [object] = make_bytes(&heap, OLD, [16]);
    mark(&heap, object);
    let said = panics(|| heap.collect(CollectionKind::Major));
    let expected = Violation::StrayMark { object };
    assert_eq!(said, format!("heap verification before a collection: 1 violations: {expected}"));
}

// ---- headers --------------------------------------------------------------------------------------------------------

/// Pages of each kind are walked, also where the damage is not the first object.
#[test]
fn a_lost_header_is_found_in_each_space() {
    let heap = build(tiny());
    let objects = [
        Root::False.offset(),
        make_bytes(&heap, YOUNG, [16, 16])[1],
        make_bytes(&heap, OLD, [16, 16])[1],
        make_maps::<2>(&heap)[1],
        make(&heap, CODE, Root::CodeMap, [64, 64])[1],
        make_bytes(&heap, OLD, [200])[0],
    ];
    for object in objects {
        expect_of_words(&heap, &[bad_map(object, 0)], &[(object, 0)]);
    }
}

/// The headers that the collector writes in a stop name no map after it, and not each word that can be read as a
/// reference names one.
#[test]
fn a_header_names_a_map() {
    let heap = build(tiny());
    let [object] = make_bytes(&heap, OLD, [16]);
    let [map] = make_maps::<1>(&heap);
    let layout = heap.layout();
    let bad = [
        Header::Kept(Root::ByteArrayMap.offset()).encode(),
        Header::Forwarded(map).encode(),
        // An oddball; a hole.
        reference(Root::Undefined.offset()),
        reference(map.plus(32)),
        // Behind the paged area; behind the reservation; the last granules that a word can name.
        reference(Offset::new(layout.paged_pages() * PAGE)),
        reference(Offset::new(layout.pages() * PAGE)),
        !2,
    ];
    for header in bad {
        expect_of_words(&heap, &[bad_map(object, header)], &[(object, header)]);
    }
    // The object is as long by this map.
    write(&heap, object, reference(map));
    write(&heap, object.word(1), length(0));
    write(&heap, map.word(2), Shape::new(24, 4, 1, Tail::None).unwrap().encode()[1]);
    assert_sound(&heap);
}

/// Words that read like a map are none if they are no object of map space.
#[test]
fn what_only_looks_like_a_map_is_none() {
    let heap = build(tiny());
    let [object] = make_bytes(&heap, YOUNG, [16]);
    let [map] = make_maps::<1>(&heap);
    let array = make_array(&heap, OLD, 64);
    let [kind, geometry] = Shape::new(24, 4, 1, Tail::None).unwrap().encode();
    // The slots of a map, which are no multiple of 32; elements of an old array, which are one.
    for inside in [map.word(4), array.plus(32)] {
        let words = [
            (inside, Root::MetaMap.tagged().bits()),
            (inside.word(1), kind),
            (inside.word(2), geometry),
            (object, reference(inside)),
        ];
        expect_of_words(&heap, &[bad_map(object, reference(inside))], &words);
    }
}

/// Maps in the root page are the built-in ones, even if another object of the kind is there.
#[test]
fn a_map_in_the_root_page_is_built_in() {
    let mut config = tiny();
    config.page_bytes = Some(512);
    for bytes in [&mut config.soft_limit_bytes, &mut config.hard_limit_bytes, &mut config.hard_limit_bytes_max] {
        *bytes *= 4;
    }
    config.new_space_bytes *= 4;
    let heap = build(config);
    let [object] = make_bytes(&heap, OLD, [16]);
    let at = Offset::new(words::ROOT_BYTES);
    // SAFETY: no local heap is running, and the words are committed.
    let view = unsafe { heap.spaces().view() };
    view.copy(Root::ByteArrayMap.offset(), at, 32);
    view.write_filler(at.plus(32), 512 - words::ROOT_BYTES - 32);
    assert_sound(&heap);
    assert_eq!(heap.verify().unwrap().objects, BUILT_IN + 2);
    expect_of_words(&heap, &[bad_map(object, reference(at))], &[(object, reference(at))]);
    view.write_filler(at, 512 - words::ROOT_BYTES);
}

// ---- sizes and places -----------------------------------------------------------------------------------------------

/// An object may end where its page or run ends, and not one granule later.
#[test]
fn an_object_over_the_end_is_found() {
    let heap = build(tiny());
    let [_, last] = make_bytes(&heap, OLD, [64, 64]);
    let [large] = make_bytes(&heap, OLD, [2 * PAGE]);
    assert_sound(&heap);
    for (object, bytes) in [(last, 64), (large, 2 * PAGE)] {
        let over = Violation::OverEnd { object, bytes: bytes + 8 };
        expect_of_words(&heap, &[over], &[(object.word(1), length(bytes - 8 + 1))]);
    }
}

#[test]
fn an_object_of_another_space_is_found() {
    let heap = build(tiny());
    let [oddball, map] = make_bytes(&heap, OLD, [8, 32]);
    let [large] = make_bytes(&heap, OLD, [PAGE]);
    let [in_map_space] = make_maps(&heap);
    let misplaced = [
        (oddball, Root::OddballMap, SpaceKind::Old),
        (map, Root::MetaMap, SpaceKind::Old),
        (in_map_space, Root::ByteArrayMap, SpaceKind::Map),
    ];
    for (object, map, space) in misplaced {
        let expected = Violation::Misplaced { object, space };
        expect_of_words(&heap, &[expected], &[(object, map.tagged().bits())]);
    }
    // Code is code where it is large, too.
    write(&heap, large, Root::CodeMap.tagged().bits());
    assert_sound(&heap);
}

/// Maps start at multiples of 32 bytes, code at multiples of 64. The gaps around them are fillers.
#[test]
fn an_object_between_the_granules_of_its_space_is_found() {
    let heap = build(tiny());
    let [map, _] = make_maps(&heap);
    let [code, _] = make(&heap, CODE, Root::CodeMap, [64, 64]);
    let shifted_map: Vec<_> = (0..8).map(|index| (map.plus(16).word(index), read(&heap, map.word(index)))).collect();
    let cases = [
        (map, 16, 32, SpaceKind::Map, shifted_map),
        (code, 32, 64, SpaceKind::Code, gap(code.plus(32), Root::CodeMap, 64).to_vec()),
    ];
    for (start, shift, bytes, space, words) in cases {
        let object = start.plus(shift);
        let mut words = words;
        words.extend(gap(start, Root::FillerMap, shift));
        words.extend(gap(object.plus(bytes), Root::FillerMap, bytes - shift));
        expect_of_words(&heap, &[Violation::Misplaced { object, space }], &words);
    }
}

// ---- references -----------------------------------------------------------------------------------------------------

#[test]
fn a_slot_that_refers_to_no_object_is_found() {
    let heap = build(tiny());
    let young = make_array(&heap, YOUNG, 16);
    let [target] = make_bytes(&heap, OLD, [32]);
    let (old, large) = (make_array(&heap, OLD, 16), make_array(&heap, OLD, 200));
    let [map] = make_maps(&heap);
    // Inside the object, in a hole, behind the reservation.
    let nowhere = [target.plus(8), old.plus(16), Offset::new(heap.layout().pages() * PAGE)];
    // The first and the last slot of an array, both ends of a run, a map's.
    let slots = [young.word(2), young.word(3), old.word(2), large.word(2), large.plus(196), map.word(7)];
    for slot in slots {
        expect_of_words(&heap, &[], &[(slot, reference(target))]);
        for target in nowhere {
            let expected = Violation::BadReference { slot: Some(slot), target };
            expect_of_words(&heap, &[expected], &[(slot, reference(target))]);
        }
    }
}

/// Handles, persistent handles and root sets are looked at. The object that they refer to becomes a filler.
#[test]
fn a_root_that_refers_to_no_object_is_found() {
    let heap = build(tiny());
    let roots = heap.new_root_set(2);
    let mut thread = heap.attach().unwrap();
    let (object, _persistent) = thread
        .run(|scope| {
            let object = scope.new_bytes(8).unwrap();
            scope.store_root(&roots, 1, scope.get(object).into()).unwrap();
            let at = scope.get(object).tagged().target();
            let header = read(&heap, at);
            write(&heap, at, Root::FillerMap.tagged().bits());
            let expected = Violation::BadReference { slot: None, target: at };
            assert_eq!(scope.verify().unwrap().violations, [expected.clone(), expected], "the handle and the root set");
            write(&heap, at, header);
            (at, scope.persist(object))
        })
        .unwrap();
    let bad = Violation::BadReference { slot: None, target: object };
    expect_of_words(&heap, &[bad.clone(), bad], &[(object, Root::FillerMap.tagged().bits())]);
}

/// Of the slots that refer to a young object, those of old objects are to be remembered.
#[test]
fn a_slot_that_is_not_remembered_is_found() {
    let heap = build(tiny());
    let [young] = make_bytes(&heap, YOUNG, [16]);
    let [map] = make_maps(&heap);
    let (old, large) = (make_array(&heap, OLD, 16), make_array(&heap, OLD, 200));
    for slot in [old.word(2), old.word(3), map.word(7), large.word(2), large.plus(196)] {
        let words = [(slot, reference(young))];
        expect_of_words(&heap, &[Violation::NotRemembered { slot }], &words);
        damage::remember(&heap, slot);
        expect_of_words(&heap, &[], &words);
        forget(&heap, slot);
    }
    let host = make_array(&heap, YOUNG, 16);
    expect_of_words(&heap, &[], &[(host.word(2), reference(young))]);
}

/// No slot of a root page, of a young object, or of a page without objects is remembered.
#[test]
fn a_stale_remembered_slot_is_found() {
    let heap = build(tiny());
    let young = make_array(&heap, YOUNG, 16);
    let pooled = take_page(&heap, PageKind::Old);
    // SAFETY: the page was just taken.
    unsafe { heap.spaces().pool_page(pooled) };
    let pooled = heap.layout().page_start(pooled);
    let unused = Offset::new((heap.layout().pages() - 1) * PAGE);
    for slot in [Root::Undefined.offset().word(1), young.word(2), pooled, pooled.plus(PAGE - 4), unused] {
        let remember = || damage::remember(&heap, slot);
        expect(&heap, &[Violation::StaleRemembered { slot }], remember, || forget(&heap, slot));
    }
    let large = make_array(&heap, OLD, 200);
    let [map] = make_maps(&heap);
    let [code] = make(&heap, CODE, Root::CodeMap, [64]);
    for slot in [make_array(&heap, OLD, 16).word(2), map.word(7), code.word(1), large.word(2), large.plus(196)] {
        expect(&heap, &[], || damage::remember(&heap, slot), || forget(&heap, slot));
    }
}

// ---- tables ---------------------------------------------------------------------------------------------------------

#[test]
fn a_stray_mark_is_found() {
    let heap = build(tiny());
    let [old] = make_bytes(&heap, OLD, [16]);
    let [large] = make_bytes(&heap, OLD, [200]);
    let start = heap.layout().page_start(page_of(&heap, old));
    // On an object, where none starts, at the end of a page, on a large object and its tail, on a built-in object.
    for object in [old, old.plus(8), start.plus(PAGE - 8), large, large.plus(PAGE), Root::MetaMap.offset()] {
        let (page, granule) = heap.spaces().pages.granule_of(object);
        // SAFETY: no local heap is running.
        let clear = || unsafe { heap.spaces().pages.marks().put(page, granule, false) };
        let mark = || assert!(damage::mark(&heap, object));
        expect(&heap, &[Violation::StrayMark { object }], mark, clear);
    }
}

#[test]
fn flags_of_a_collection_are_found_after_it() {
    let heap = build(tiny());
    let [young] = make_bytes(&heap, YOUNG, [16]);
    let [old] = make_bytes(&heap, OLD, [16]);
    let [large] = make_bytes(&heap, OLD, [200]);
    for object in [young, old, large, large.plus(PAGE), Root::MetaMap.offset()] {
        let page = page_of(&heap, object);
        let expected = [Violation::BadPageInfo { page }];
        expect_of_info(&heap, &expected, page, |info| info.evacuated = true);
        expect_of_info(&heap, &expected, page, |info| info.kept = true);
    }
}

#[test]
fn a_hole_that_is_in_one_place_only_is_found() {
    let heap = build(tiny());
    let objects = [make_bytes(&heap, OLD, [16])[0], make_maps::<1>(&heap)[0], make_bytes(&heap, CODE, [64])[0]];
    for (object, bytes) in objects.into_iter().zip([16, 32, 64]) {
        let (page, hole) = (page_of(&heap, object), object.plus(bytes));
        let expected = [Violation::HolesDisagree { page }];
        // A free block without a bit, which may leave the page without the room it is offered for; a bit without a
        // free block; a free block that became a filler.
        let mut missing = expected.to_vec();
        // The other pages have another hole.
        if bytes == 64 {
            missing.push(Violation::BadOffer { page });
        }
        expect(&heap, &missing, || put_hole(&heap, hole, false), || put_hole(&heap, hole, true));
        expect(&heap, &expected, || put_hole(&heap, object, true), || put_hole(&heap, object, false));
        expect_of_words(&heap, &expected, &[(hole, Root::FillerMap.tagged().bits())]);
    }
}

/// A page is offered by the space that it belongs to.
#[test]
fn a_page_on_a_foreign_offer_is_found() {
    let heap = build(tiny());
    let spaces = heap.spaces();
    let pages = [make_bytes(&heap, OLD, [8])[0], make_maps::<1>(&heap)[0], make_bytes(&heap, CODE, [64])[0]];
    let pages = pages.map(|object| page_of(&heap, object));
    for page in pages {
        for space in [&spaces.old, &spaces.map, &spaces.code] {
            // SAFETY: no local heap runs.
            if unsafe { space.offered_bytes(page) }.is_some() {
                continue;
            }
            // The space's own page is off its set meanwhile, so that what comes out again is known.
            let own = take_offer(space).expect("each space offers a page");
            let take = || {
                assert_eq!(take_offer(space), Some(page));
                offer(space, own, 64);
            };
            let mut expected = [(page, Violation::BadOffer { page }), (own, Violation::LostPage { page: own })];
            expected.sort_by_key(|(page, _)| page.index());
            expect(&heap, &expected.map(|(_, violation)| violation), || offer(space, page, PAGE), take);
        }
    }
}

/// S-3: whatever can serve a request is where a request looks for it.
#[test]
fn what_nobody_can_take_is_found() {
    let heap = build(tiny());
    let spaces = heap.spaces();
    let old = page_of(&heap, make_bytes(&heap, OLD, [16])[0]);
    let lost = |page| [Violation::LostPage { page }];
    expect(&heap, &lost(old), || assert_eq!(take_offer(&spaces.old), Some(old)), || offer(&spaces.old, old, 64));

    // SAFETY: S-4: no local heap is running, and nobody stops the world.
    let free = unsafe { spaces.take_page(PageKind::Old, Limit::Hard) }.expect("there is room");
    let start = |page| heap.layout().page_start(page).bytes();
    let lose = |page| {
        // SAFETY: the page is the test's, and nothing refers into it.
        unsafe { spaces.memory.release(start(page), PAGE) }.expect("the system takes it back");
        label(&heap, page, PageKind::Free);
        spaces.budget.give_back(1);
    };
    // SAFETY: S-3, S-4: the page is nobody's, no local heap is running, and nobody stops the world.
    expect(&heap, &lost(free), || lose(free), || unsafe { spaces.fresh.put_address(free) });

    // SAFETY: S-4, as above.
    let run = unsafe { LargeSpace::take_run(spaces, PAGE, Limit::Hard) }.expect("there is room");
    let head = heap.layout().page_of(run);
    let find = || {
        label(&heap, head, PageKind::LargeHead);
        count_more(&heap, 1);
        spaces.memory.commit(start(head), PAGE).expect("there is memory");
        // SAFETY: the run never held an object.
        unsafe { LargeSpace::release_run(spaces, head) };
    };
    expect(&heap, &lost(head), || lose(head), find);
}

/// A page is offered for what it has room for: its greatest hole, or the whole of it.
#[test]
fn a_page_offered_for_more_than_it_has_is_found() {
    let heap = build(tiny());
    let old = &heap.spaces().old;
    let full = page_of(&heap, make_bytes(&heap, OLD, [64, 56])[0]);
    // SAFETY: no local heap runs.
    assert_eq!(unsafe { old.offered_bytes(full) }, None, "a hole of 8 bytes is not worth it");
    let mut pages = (0..heap.layout().paged_pages()).map(PageIndex::new);
    // SAFETY: no local heap is running.
    let free = pages.find(|&page| unsafe { heap.spaces().pages.kind(page) } == PageKind::Free).expect("there is room");
    for page in [full, free] {
        let take = || assert_eq!(take_offer(old), Some(page));
        expect(&heap, &[Violation::BadOffer { page }], || offer(old, page, 64), take);
    }
}

/// The pages of the pool are those that are labelled so.
#[test]
fn a_pool_that_disagrees_with_the_labels_is_found() {
    let heap = build(tiny());
    let spaces = heap.spaces();
    let used = page_of(&heap, make_bytes(&heap, OLD, [16])[0]);
    // SAFETY: S-4: no local heap is running, and nobody stops the world before the damage is undone.
    let take = || _ = unsafe { spaces.fresh.take_pooled() }.expect("one is in the pool");
    // SAFETY: as above.
    let put = |page| unsafe { spaces.fresh.put_pooled(page) };
    expect(&heap, &[Violation::BadOffer { page: used }], || put(used), take);
    let page = take_page(&heap, PageKind::Old);
    // SAFETY: the page was just taken.
    unsafe { spaces.pool_page(page) };
    expect(&heap, &[Violation::BadOffer { page }], take, || put(page));
}

// ---- pages that are counted -----------------------------------------------------------------------------------------

#[test]
fn a_count_of_pages_that_drifts_is_found() {
    let heap = build(tiny());
    make_bytes(&heap, OLD, [200]);
    let budget = &heap.spaces().budget;
    let found = heap.layout().root_pages() + heap.layout().new_pages() + 2;
    assert_eq!(budget.committed(), found);
    let drift = |counted| [Violation::CommittedDrift { counted, found }];
    expect(&heap, &drift(found + 1), || count_more(&heap, 1), || budget.give_back(1));
}

/// Budget for what is committed cannot be given back: the ledger says so at once.
#[test]
#[should_panic(expected = "S-1: giving back the budget of 1 pages leaves 1 pages committed beyond what is charged")]
fn budget_of_committed_pages_stays() {
    let heap = build(tiny());
    make_bytes(&heap, OLD, [200]);
    heap.spaces().budget.give_back(1);
}

/// As many committed pages as the hard limit are allowed. With a page more, the verification before a collection
/// fails and says why.
#[test]
fn pages_beyond_the_hard_limit_are_found() {
    let heap = build(tiny());
    let budget = &heap.spaces().budget;
    let committed = budget.committed();
    // SAFETY: no local heap is running.
    let limit_to = |pages| unsafe { budget.set_limits(pages, pages) };
    limit_to(committed);
    assert_sound(&heap);
    limit_to(committed - 1);
    let said = panics(|| heap.collect(CollectionKind::Minor));
    let expected = Violation::OverHardLimit { committed, limit: committed - 1 };
    assert_eq!(said, format!("heap verification before a collection: 1 violations: {expected}"));
}

// ---- runs -----------------------------------------------------------------------------------------------------------

#[test]
fn a_wrong_length_of_a_run_is_found() {
    let heap = build(tiny());
    let [object] = make_bytes(&heap, OLD, [200]);
    let head = page_of(&heap, object);
    assert_eq!(info(&heap, head).run_pages, 2);
    let bad = || Violation::BadPageInfo { page: head };
    expect_of_info(&heap, &[bad()], head, |info| info.run_pages = 0);
    expect_of_info(&heap, &[Violation::OverEnd { object, bytes: 200 }], head, |info| info.run_pages = 1);
    // A page more than the object needs, which is no tail either, and is not counted.
    let counted = heap.spaces().budget.committed();
    let expected = [bad(), bad(), Violation::CommittedDrift { counted, found: counted + 1 }];
    expect_of_info(&heap, &expected, head, |info| info.run_pages = 3);
    let beyond = heap.layout().pages() - head.index() + 1;
    expect_of_info(&heap, &[bad()], head, |info| info.run_pages = beyond as u32);
    // The run is right, but for its object.
    expect_of_words(&heap, &[], &[(object.word(1), length(PAGE - 8 + 1))]);
    expect_of_words(&heap, &[bad()], &[(object.word(1), length(PAGE - 8))]);
}

/// A run may end where the reservation ends.
#[test]
fn a_run_of_the_whole_area_is_sound() {
    let heap = build(tiny());
    let (spaces, layout) = (heap.spaces(), heap.layout());
    // SAFETY: no local heap is running.
    let limit_to = |pages| unsafe { spaces.budget.set_limits(layout.soft_limit_pages(), pages) };
    limit_to(layout.pages());
    let bytes = layout.large_pages() * PAGE;
    // SAFETY: S-4: no local heap is running, and nobody stops the world.
    let at = unsafe { LargeSpace::take_run(spaces, bytes, Limit::Hard) }.unwrap();
    assert_eq!(at.bytes() + bytes, layout.pages() * PAGE);
    // SAFETY: the run is this thread's.
    unsafe { spaces.view() }.format(at, bytes, Root::ByteArrayMap.tagged().bits());
    write(&heap, at.word(1), length(bytes - 8));
    assert_sound(&heap);
    // SAFETY: nothing refers to the object, and no local heap is running.
    unsafe { LargeSpace::release_run(spaces, page_of(&heap, at)) };
    limit_to(layout.hard_limit_pages());
    assert_sound(&heap);
}

#[test]
fn a_tail_with_a_wrong_label_is_found() {
    let heap = build(tiny());
    let [object] = make_bytes(&heap, OLD, [304]);
    let head = page_of(&heap, object);
    for tail in [1, 2].map(|index| PageIndex::new(head.index() + index)) {
        let relabel = |kind| label(&heap, tail, kind);
        let expected = [Violation::BadPageInfo { page: head }, Violation::BadCommit { page: tail }];
        expect(&heap, &expected, || relabel(PageKind::Free), || relabel(PageKind::LargeTail));
    }
}

/// A run whose pages the large-object space believes to be free.
#[test]
fn a_run_that_is_not_used_is_found() {
    let heap = build(tiny());
    let (spaces, layout) = (heap.spaces(), heap.layout());
    let head = PageIndex::new(layout.paged_pages());
    let at = layout.page_start(head);
    let plant = || {
        count_more(&heap, 1);
        spaces.memory.commit(at.bytes(), PAGE).unwrap();
        // SAFETY: the page is nobody's.
        unsafe { spaces.view() }.format(at, PAGE, Root::ByteArrayMap.tagged().bits());
        write(&heap, at.word(1), length(PAGE - 8));
        update(&heap, head, |info| info.run_pages = 1);
        label(&heap, head, PageKind::LargeHead);
    };
    let undo = || {
        // SAFETY: the page is nobody's, and empty.
        unsafe { spaces.memory.release(at.bytes(), PAGE).unwrap() };
        label(&heap, head, PageKind::Free);
        update(&heap, head, |info| *info = PageInfo::NEW);
        spaces.budget.give_back(1);
    };
    expect(&heap, &[Violation::BadPageInfo { page: head }], plant, undo);
}
