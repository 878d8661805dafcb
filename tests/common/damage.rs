//! Small worlds without a local heap, and how they are spoiled from below: for tests of the verifier.
//!
//! What needs a stopped world is done while no local heap is attached, by the one thread that there is.

use heaplab::PageIndex;
use heaplab::heap::Internals as _;
use heaplab::object::Root;
use heaplab::page::{PageInfo, PageKind};
use heaplab::raw::RawLocalHeap;
use heaplab::space::PagedSpace;
use heaplab::words::Limit;
use heaplab::{AllocationOrigin, AllocationType, Heap, Offset, Shape, Tagged, Tail, Violation};

/// Runs `f` on a raw local heap that is gone afterwards: what it had left is holes and fillers.
pub(crate) fn on_a_local_heap<R>(heap: &Heap, f: impl FnOnce(RawLocalHeap) -> R) -> R {
    let local = heap.attach_raw().unwrap();
    // SAFETY: R-1: the only local heap; it runs between these two calls.
    unsafe { local.raw().unpark() };
    let result = f(local.raw());
    // SAFETY: as above.
    unsafe { local.raw().park() };
    result
}

/// Objects of a built-in map with a tail, zeroed, one behind the other, of these sizes in bytes. Nothing refers to
/// them.
pub(crate) fn make<const N: usize>(heap: &Heap, ty: AllocationType, map: Root, sizes: [usize; N]) -> [Offset; N] {
    let unit = if map == Root::FixedArrayMap { 4 } else { 1 };
    on_a_local_heap(heap, |local| {
        sizes.map(|bytes| {
            let origin = AllocationOrigin::Runtime;
            // SAFETY: formatted at once; there is room, so nothing is collected.
            unsafe {
                let at = local.allocate_raw(bytes, ty, origin, 8).unwrap();
                local.view().write(at, map.tagged().bits());
                local.view().write(at.word(1), length((bytes - 8) / unit));
                at
            }
        })
    })
}

pub(crate) fn make_bytes<const N: usize>(heap: &Heap, ty: AllocationType, sizes: [usize; N]) -> [Offset; N] {
    make(heap, ty, Root::ByteArrayMap, sizes)
}

pub(crate) fn make_array(heap: &Heap, ty: AllocationType, bytes: usize) -> Offset {
    make(heap, ty, Root::FixedArrayMap, [bytes])[0]
}

/// Maps of records of two words, one behind the other. Their first shape word, read as a length, is 24.
pub(crate) fn make_maps<const N: usize>(heap: &Heap) -> [Offset; N] {
    let shape = Shape::new(24, 2, 1, Tail::None).unwrap();
    // SAFETY: there is room, so nothing is collected.
    on_a_local_heap(heap, |local| [(); N].map(|()| unsafe { local.allocate_map(shape) }.unwrap()))
}

/// A length as word 1 of an object says it.
pub(crate) fn length(elements: usize) -> u32 {
    (elements as u32) << 1
}

/// The words of a byte array, a code object, a filler: header and length.
pub(crate) fn gap(at: Offset, map: Root, bytes: usize) -> [(Offset, u32); 2] {
    [(at, map.tagged().bits()), (at.word(1), length(bytes - 8))]
}

pub(crate) fn reference(to: Offset) -> u32 {
    Tagged::reference(to).bits()
}

pub(crate) fn page_of(heap: &Heap, at: Offset) -> PageIndex {
    heap.layout().page_of(at)
}

pub(crate) fn read(heap: &Heap, at: Offset) -> u32 {
    // SAFETY: callers name committed words; no local heap is running.
    unsafe { heap.spaces().memory.read(at.bytes()) }
}

pub(crate) fn write(heap: &Heap, at: Offset, word: u32) {
    // SAFETY: callers name committed words; no local heap is running.
    unsafe { heap.spaces().memory.write(at.bytes(), word) }
}

pub(crate) fn info(heap: &Heap, page: PageIndex) -> PageInfo {
    // SAFETY: no local heap is running.
    unsafe { heap.spaces().pages.info(page) }
}

pub(crate) fn update(heap: &Heap, page: PageIndex, f: impl FnOnce(&mut PageInfo)) {
    // SAFETY: no local heap is running.
    unsafe { heap.spaces().pages.update(page, f) }
}

pub(crate) fn label(heap: &Heap, page: PageIndex, kind: PageKind) {
    // SAFETY: no local heap is running.
    unsafe { heap.spaces().pages.label(page, kind, info(heap, page)) }
}

pub(crate) fn put_hole(heap: &Heap, at: Offset, value: bool) {
    let (page, granule) = heap.spaces().pages.granule_of(at);
    // SAFETY: no local heap is running.
    unsafe { heap.spaces().pages.holes().put(page, granule, value) }
}

pub(crate) fn mark(heap: &Heap, object: Offset) -> bool {
    // SAFETY: no local heap is running.
    unsafe { heap.spaces().pages.mark(object) }
}

pub(crate) fn remember(heap: &Heap, slot: Offset) {
    // SAFETY: no local heap is running; what is damaged by it is verified only, or put right before.
    unsafe { heap.spaces().pages.remember(slot) }
}

pub(crate) fn take_page(heap: &Heap, kind: PageKind) -> PageIndex {
    // SAFETY: S-4: no local heap is running, and nobody stops the world.
    unsafe { heap.spaces().take_page(kind, Limit::Hard) }.expect("a page is free")
}

/// Offers a page to allocation, rightly or not.
pub(crate) fn offer(space: &PagedSpace, page: PageIndex, greatest: usize) {
    // SAFETY: no local heap is running; a wrong offer is taken back before one is.
    assert!(unsafe { space.put(page, greatest) });
}

/// Takes a page that is on offer for a small object.
pub(crate) fn take_offer(space: &PagedSpace) -> Option<PageIndex> {
    // SAFETY: S-4: no local heap is running, and nobody stops the world.
    unsafe { space.take(64) }
}

pub(crate) fn forget(heap: &Heap, slot: Offset) {
    // SAFETY: no local heap is running.
    unsafe { heap.spaces().pages.forget_range(slot, 4) }
}

/// Counts more pages as committed, whatever the limits say.
pub(crate) fn count_more(heap: &Heap, pages: usize) {
    assert!(heap.spaces().budget.try_reserve_within(pages, usize::MAX));
}

pub(crate) fn found(heap: &Heap) -> Vec<Violation> {
    heap.verify().expect("not poisoned, not running").violations
}

/// Spoils the heap, compares what the verifier says, and makes all good again.
pub(crate) fn expect(heap: &Heap, expected: &[Violation], spoil: impl FnOnce(), undo: impl FnOnce()) {
    spoil();
    assert_eq!(found(heap), expected);
    undo();
    super::common::assert_sound(heap);
}

/// As [`expect`], where words spoil the heap.
pub(crate) fn expect_of_words(heap: &Heap, expected: &[Violation], words: &[(Offset, u32)]) {
    let before: Vec<_> = words.iter().map(|&(at, _)| (at, read(heap, at))).collect();
    let write_all = |words: &[(Offset, u32)]| words.iter().for_each(|&(at, word)| write(heap, at, word));
    expect(heap, expected, || write_all(words), || write_all(&before));
}

/// As [`expect`], where a change of what is known about a page spoils the heap.
pub(crate) fn expect_of_info(heap: &Heap, expected: &[Violation], page: PageIndex, change: impl FnOnce(&mut PageInfo)) {
    let before = info(heap, page);
    expect(heap, expected, || update(heap, page, change), || update(heap, page, |info| *info = before));
}
