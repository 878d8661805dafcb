//! P4, LAB refill, retirement and thread exit, through the shipping allocator on the shipping spaces.
//!
//! Goal: what two local heaps allocate never overlaps, a local heap that leaves with half a LAB loses nothing, and
//! afterwards every page is walkable and every byte is an object, a filler, or a hole that somebody can use. Method:
//! each object is written in full by its owner, so overlap is a race; at the end every page is walked and compared
//! with the list of what was allocated.

use super::worlds::{self, Milestone, PAGE, one_of, race};
use core::ptr::NonNull;
use heaplab::Heap;
use heaplab::allocation::{Allocator, Reserve};
use heaplab::heap::RawLocalHeap;
use heaplab::page::PageKind;
use heaplab::space::{LargeSpace, Spaces};
use heaplab::sync::Arc;
use heaplab::thread::Slot;
use heaplab::words::{AllocationType, AttemptError, Limit, Offset, PageIndex, WORD_BYTES};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "refill":
    young_vs_young: Spec::two_threads(),
    old_vs_old: Spec::two_threads(),
    old_vs_old_on_fresh_pages: Spec::two_threads(),
    old_vs_old_in_one_page: Spec::two_threads(),
    old_vs_old_to_the_last_byte: Spec::two_threads(),
    young_vs_old: Spec::two_threads(),
    map_vs_code_for_the_last_page: Spec::two_threads(),
    young_vs_young_with_one_refusal: Spec::two_threads().with_fault(Fault::PageRequest),
    map_vs_old_with_one_refusal: Spec::two_threads().with_fault(Fault::PageRequest),
    young_vs_young_with_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
    map_vs_code_with_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
    heap_young_vs_young_vs_stop: Spec::bounded(3, 3),
    heap_old_vs_young_vs_stop: Spec::bounded(3, 3),
    old_after_page_given_up: Spec::two_threads(),
    old_after_page_pooled: Spec::two_threads(),
    large_after_page_pooled: Spec::two_threads(),
    young_in_scope_after_page_pooled: Spec::two_threads(),
    reserve_after_page_pooled: Spec::two_threads(),
    reserve_of_a_run_after_run_released: Spec::two_threads(),
}

/// Allocates `bytes` bytes and writes every word of them. Returns the object's start and bytes.
fn allocate(
    spaces: &Spaces,
    allocator: &mut Allocator,
    ty: AllocationType,
    bytes: usize,
) -> Result<(usize, usize), AttemptError> {
    let at = match allocator.bump(ty, bytes) {
        Some(at) => at,
        // SAFETY: L-5: no thread of these models stops the world, which has no other spaces.
        None => unsafe { allocator.attempt(spaces, ty, bytes, Limit::Hard) }?,
    };
    // SAFETY: the object is this thread's; the model checks it.
    unsafe {
        let view = spaces.view();
        for word in 0..bytes / WORD_BYTES {
            view.write(at.word(word), 0);
        }
        worlds::write_object(view, at, bytes);
    }
    Ok((at.bytes(), bytes))
}

/// A local heap's whole life: it allocates these sizes, then leaves.
fn live(spaces: &Spaces, ty: AllocationType, sizes: &[usize]) -> Vec<Result<(usize, usize), AttemptError>> {
    let mut allocator = Allocator::new();
    let objects = sizes.iter().map(|&bytes| allocate(spaces, &mut allocator, ty, bytes)).collect();
    // SAFETY: L-5, as above.
    unsafe { allocator.give_up(spaces) };
    objects
}

/// Walks every page of new, old, map and code space and compares with `objects`; returns the bytes of holes.
fn account(spaces: &Spaces, mut objects: Vec<(usize, usize)>) -> usize {
    let layout = spaces.layout();
    let (mut found, mut hole_bytes, mut paged) = (Vec::new(), 0, 0);
    // SAFETY: every other thread has ended.
    unsafe {
        spaces.new.make_walkable(spaces.view(), layout);
        for kind in [PageKind::New, PageKind::Old, PageKind::Map, PageKind::Code] {
            for page in worlds::pages_of(spaces, kind) {
                paged += 1;
                if kind == PageKind::New && !spaces.new.is_reached(spaces.pages.info(page).ordinal as usize) {
                    continue;
                }
                let walked = worlds::walk(spaces, page, layout.page_end(page));
                found.extend(walked.objects);
                let bits: Vec<_> = spaces.holes(page).iter().map(|(at, bytes)| (at.bytes(), bytes)).collect();
                claim_eq!(walked.holes, bits, "the list of free blocks of {page:?}, by its hole bits (G-3),");
                hole_bytes += walked.holes.iter().map(|&(_, bytes)| bytes).sum::<usize>();
                let roomy = walked.holes.iter().any(|&(_, bytes)| bytes >= layout.small_hole_bytes());
                let offered =
                    [&spaces.old, &spaces.map, &spaces.code].iter().any(|space| space.offered_bytes(page).is_some());
                claim_eq!(offered, roomy, "whether {page:?} is offered, by the room that it has,");
            }
        }
    }
    found.sort_unstable();
    objects.sort_unstable();
    claim_eq!(found, objects, "what is in the pages");
    let used = worlds::ROOTS + paged + spaces.fresh.pooled();
    claim_eq!(spaces.budget.committed(), used, "the number of committed pages, by their labels,");
    spaces.budget.assert_settled();
    hole_bytes
}

fn served(
    a: Vec<Result<(usize, usize), AttemptError>>,
    b: Vec<Result<(usize, usize), AttemptError>>,
) -> Vec<(usize, usize)> {
    a.into_iter().chain(b).map(|object| object.expect("there is room for all")).collect()
}

/// Both are served from one frontier, and no page of new space has a hole.
fn young_vs_young() {
    let spaces = worlds::spaces(&worlds::layout(2, 1, 1));
    let there = spaces.clone();
    let (a, b) =
        race(|| live(&spaces, AllocationType::Young, &[24]), move || live(&there, AllocationType::Young, &[40, 24]));
    claim_eq!(account(&spaces, served(a, b)), 0, "the number of bytes of holes");
}

/// Offers `count` old pages with room for any regular object, each with one object of 24 bytes. Returns the objects.
fn offer(spaces: &Spaces, count: usize) -> Vec<(usize, usize)> {
    let mut allocators: Vec<_> = (0..count).map(|_| Allocator::new()).collect();
    let objects = allocators.iter_mut().map(|allocator| allocate(spaces, allocator, AllocationType::Old, 24)).collect();
    for allocator in &mut allocators {
        // SAFETY: L-5, as above.
        unsafe { allocator.give_up(spaces) };
    }
    served(objects, Vec::new())
}

/// Each takes a page of its own, or the second goes on in what the first gave back.
fn old_vs_old() {
    let spaces = worlds::spaces(&worlds::layout(1, 2, 1));
    let before = offer(&spaces, 2);
    let there = spaces.clone();
    let (a, b) = race(|| live(&spaces, AllocationType::Old, &[24]), move || live(&there, AllocationType::Old, &[40]));
    let hole_bytes = account(&spaces, [before, served(a, b)].concat());
    claim_eq!(hole_bytes, 2 * PAGE - 2 * 24 - 24 - 40, "the number of bytes of holes");
}

/// Two local heaps ask for old pages that are not committed yet: pool, budget, addresses and the system's answer lie
/// in between. Both are served, in one page or in two, and all that is not used of these is holes.
fn old_vs_old_on_fresh_pages() {
    let spaces = worlds::spaces(&worlds::layout(1, 2, 1));
    let there = spaces.clone();
    let (a, b) = race(|| live(&spaces, AllocationType::Old, &[24]), move || live(&there, AllocationType::Old, &[40]));
    let objects = served(a, b);
    let pages = if objects[0].0 / PAGE == objects[1].0 / PAGE { 1 } else { 2 };
    claim_eq!(account(&spaces, objects), pages * PAGE - 64, "the number of bytes of holes in {pages} pages");
}

/// One page in all: the second local heap goes on in what the first one left, or is refused because the first still
/// owns the page, and is told `Exhausted`. Its holes, written by the first, are read plainly by the second (O-1). Who
/// owns the page is served twice.
fn old_vs_old_in_one_page() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let there = spaces.clone();
    let (a, b) =
        race(|| live(&spaces, AllocationType::Old, &[24, 48]), move || live(&there, AllocationType::Old, &[32]));
    assert!(a[0].is_ok() || b[0].is_ok(), "the first who asks is served");
    assert!(a[0].is_err() || a[1].is_ok(), "who owns the page goes on in it");
    for refused in a.iter().chain(&b).filter_map(|object| object.err()) {
        claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    }
    let objects: Vec<_> = a.into_iter().chain(b).flatten().collect();
    let bytes: usize = objects.iter().map(|&(_, bytes)| bytes).sum();
    claim_eq!(account(&spaces, objects), PAGE - bytes, "the number of bytes of holes");
}

/// A page fills up to its last byte: it has no hole, is in no set, and is not lost. All are served.
fn old_vs_old_to_the_last_byte() {
    let spaces = worlds::spaces(&worlds::layout(1, 2, 1));
    let before = offer(&spaces, 2);
    let there = spaces.clone();
    let (a, b) =
        race(|| live(&spaces, AllocationType::Old, &[64, 40]), move || live(&there, AllocationType::Old, &[64]));
    let hole_bytes = account(&spaces, [before, served(a, b)].concat());
    claim_eq!(hole_bytes, 40, "the number of bytes of holes");
}

/// Different spaces, with a page for each: all are served, and the old page's rest is a hole.
fn young_vs_old() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let there = spaces.clone();
    let (a, b) =
        race(|| live(&spaces, AllocationType::Young, &[24, 40]), move || live(&there, AllocationType::Old, &[24, 64]));
    claim_eq!(account(&spaces, served(a, b)), PAGE - 24 - 64, "the number of bytes of holes");
}

/// Different spaces, one budget: with a page for one of them, one is served, and the other one is told `Exhausted`.
fn map_vs_code_for_the_last_page() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let there = spaces.clone();
    let (a, b) = race(|| live(&spaces, AllocationType::Map, &[32]), move || live(&there, AllocationType::Code, &[64]));
    let (object, refused) = one_of(a[0], b[0]);
    claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    claim_eq!(account(&spaces, vec![object]), PAGE - object.1, "the number of bytes of holes");
}

/// A refusal at any commit, or none: that attempt says `Refused`, its local heap goes on with the next, all others are
/// served, and everything is accounted for.
fn live_with_one_refusal(a: (AllocationType, &'static [usize]), b: (AllocationType, &'static [usize])) {
    let Some(spaces) = worlds::spaces_unless_refused(&worlds::layout(2, 2, 1)) else { return };
    let there = spaces.clone();
    let (a, b) = race(|| live(&spaces, a.0, a.1), move || live(&there, b.0, b.1));
    let all: Vec<_> = a.into_iter().chain(b).collect();
    let refused: Vec<_> = all.iter().filter_map(|object| object.err()).collect();
    assert!(refused.is_empty() || refused == [AttemptError::Refused], "one refusal or none: {all:?}");
    account(&spaces, all.into_iter().flatten().collect());
}

/// Either commit of the frontier's pages may be refused: to one attempt, and the next one is served.
fn young_vs_young_with_one_refusal() {
    live_with_one_refusal((AllocationType::Young, &[24]), (AllocationType::Young, &[40, 24]));
}

/// A page for each space, either of which may be refused: to one attempt, and the next one is served.
fn map_vs_old_with_one_refusal() {
    live_with_one_refusal((AllocationType::Map, &[32]), (AllocationType::Old, &[24, 64]));
}

/// A carve that fails for no reason is tried again: all are served still.
fn young_vs_young_with_a_spurious_failure() {
    young_vs_young();
}

/// Budget and page sets: the claim of the last page is decided by who is first, not by a failure that means nothing.
fn map_vs_code_with_a_spurious_failure() {
    map_vs_code_for_the_last_page();
}

/// Two whole local heaps allocate until their LABs are used up, and somebody else stops the world at any point, which
/// takes the LABs away: nothing is lost, and nobody has to collect.
fn heap_vs_heap_vs_stop(a: AllocationType, b: AllocationType) {
    fn fill(local: RawLocalHeap, ty: AllocationType) -> [NonNull<Slot>; 2] {
        [24, 24].map(|bytes| worlds::allocate_rooted(local, ty, bytes).expect("there is room for all"))
    }
    let heap = Heap::new(worlds::config(2, 2)).expect("a small world");
    let ((kept, stopper), (), locals) = worlds::race_running(
        &heap,
        |local| {
            let stopper = worlds::extra_stop(&heap);
            (fill(local, a), stopper)
        },
        move |local| {
            fill(local, b);
        },
    );
    stopper.join().unwrap();
    let statistics = heap.statistics().expect("a sound heap");
    claim_eq!((statistics.requests, statistics.collections), (0, [0; 3]), "the count of requests and collections");
    let verification = heap.verify().expect("a sound heap");
    assert!(verification.is_sound(), "{}", verification.describe());
    assert_ne!(kept[0], kept[1], "a root for each");
    drop(locals);
}

/// Both are served from new space, twice, and nobody collects.
fn heap_young_vs_young_vs_stop() {
    heap_vs_heap_vs_stop(AllocationType::Young, AllocationType::Young);
}

/// One is served from old space, the other from new space, each twice, and nobody collects.
fn heap_old_vs_young_vs_stop() {
    heap_vs_heap_vs_stop(AllocationType::Old, AllocationType::Young);
}

/// The allocator's refusals are exact, each look of it that may be stale included: at the limit `give` makes room for
/// one request, and who asks after that is served, though nothing but time lies between. Who asks before may be told
/// `Exhausted`, and is served by the next attempt.
fn ask_after<T: Send + 'static>(
    spaces: &Arc<Spaces>,
    given: T,
    give: impl FnOnce(&Spaces, T) + Send + 'static,
    ask: impl Fn(&Spaces, &mut Allocator) -> Result<(), AttemptError>,
) {
    let (there, is_given) = (spaces.clone(), Milestone::new());
    let gives = is_given.clone();
    let mut allocator = Allocator::new();
    let (got, ()) = race(
        || {
            let was_given = is_given.is_reached();
            let got = ask(spaces, &mut allocator);
            assert!(got.is_ok() || !was_given, "there was room for it, and it was refused");
            got
        },
        move || {
            give(&there, given);
            gives.reach();
        },
    );
    if got.is_err() {
        claim_eq!(got, Err(AttemptError::Exhausted), "what an early attempt is told");
        claim_eq!(ask(spaces, &mut allocator), Ok(()), "what the next attempt is told, for which there is room,");
    }
    // SAFETY: S-4: every other thread has ended.
    let hard = unsafe { spaces.budget.limit(Limit::Hard) };
    claim_eq!(spaces.budget.committed(), hard, "the number of committed pages");
    claim_eq!(spaces.fresh.pooled(), 0, "the number of pooled pages, where the one had a taker,");
}

/// A world at its limit, with a page that the caller owns and nothing refers to.
fn world_with_the_last_page() -> (Arc<Spaces>, PageIndex) {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let page = worlds::take_page(&spaces, PageKind::Old, Limit::Hard).expect("within the limit");
    (spaces, page)
}

fn pool(spaces: &Spaces, page: PageIndex) {
    // SAFETY: the page is the caller's, and nothing refers to it.
    unsafe { spaces.pool_page(page) };
}

fn ask_old(spaces: &Spaces, allocator: &mut Allocator) -> Result<(), AttemptError> {
    allocate(spaces, allocator, AllocationType::Old, 24).map(drop)
}

/// The page is old space's and has room: its owner gives it up, and whoever asks after that is served in it.
fn old_after_page_given_up() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let mut owner = Allocator::new();
    allocate(&spaces, &mut owner, AllocationType::Old, 24).expect("an empty world has room");
    // SAFETY: L-5: no thread of these models stops the world, which has no other spaces.
    let give_up = |spaces: &Spaces, mut owner: Allocator| unsafe { owner.give_up(spaces) };
    ask_after(&spaces, owner, give_up, ask_old);
}

/// An old object takes the pooled page, if it is asked for after that.
fn old_after_page_pooled() {
    let (spaces, page) = world_with_the_last_page();
    ask_after(&spaces, page, pool, ask_old);
}

/// A large object drains the pooled page, if it is asked for after that.
fn large_after_page_pooled() {
    let (spaces, page) = world_with_the_last_page();
    ask_after(&spaces, page, pool, |spaces, allocator| {
        allocate(spaces, allocator, AllocationType::Old, PAGE - 8).map(drop)
    });
}

/// New space has no page left, so a page beside it is asked for, and is the pooled one if that was there before.
fn young_in_scope_after_page_pooled() {
    let (spaces, page) = world_with_the_last_page();
    // SAFETY: nobody else has these spaces yet.
    unsafe {
        spaces.new.make_walkable(spaces.view(), spaces.layout());
        spaces.new.exhaust(spaces.layout());
    }
    ask_after(&spaces, page, pool, |spaces, allocator| {
        if !allocator.is_always_allocating() {
            allocator.enter_scope();
        }
        allocate(spaces, allocator, AllocationType::Young, 24).map(drop)
    });
}

fn ask_reserve(spaces: &Spaces, allocator: &mut Allocator, reserve: Reserve) -> Result<(), AttemptError> {
    let mark = allocator.scope_mark();
    // SAFETY: L-5: no thread of these models stops the world, which has no other spaces.
    unsafe { allocator.fill_reserve(spaces, mark, &reserve, Limit::Hard) }
}

/// The reserve of a scope takes the pooled page, if it is filled after that.
fn reserve_after_page_pooled() {
    let (spaces, page) = world_with_the_last_page();
    ask_after(&spaces, page, pool, |spaces, allocator| {
        ask_reserve(spaces, allocator, Reserve { map_pages: 1, ..Reserve::NONE })
    });
}

/// The run of a reserve takes the place and the budget of one that went back, if it is filled after that.
fn reserve_of_a_run_after_run_released() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let run = worlds::take_run(&spaces, PAGE, Limit::Hard).expect("within the limit");
    let release = |spaces: &Spaces, run: Offset| {
        // SAFETY: the run is the caller's, and holds no object.
        unsafe { LargeSpace::release_run(spaces, spaces.layout().page_of(run)) };
    };
    ask_after(&spaces, run, release, |spaces, allocator| {
        ask_reserve(spaces, allocator, Reserve { large_bytes: PAGE, ..Reserve::NONE })
    });
}
