//! P16, large objects: runs of pages and what they cost the budget.
//!
//! Goal: runs are disjoint and no page of one is lost; a run costs exactly its pages, whoever else takes from the
//! budget; a run that the system refuses, or that finds no place, gives back what it took; a run of a dead object is
//! free for the next request. Method: the shipping space in an area of a few pages. Every page of a run is written by
//! its taker, plainly, so two takers of a page are a race; afterwards budget, labels and the table of used pages are
//! compared.
//!
//! Runs of one page against pooled pages, and a run given back against one taken, are in `budget.rs`.

use super::worlds::{self, PAGE, ROOTS, assert_sound, one_of, race, race_running, run};
use heaplab::heap::Internals as _;
use heaplab::heap::RawLocalHeap;
use heaplab::page::PageKind;
use heaplab::space::{LargeSpace, Spaces};
use heaplab::words::{AttemptError, Limit, Offset, PageIndex};
use heaplab::{AllocError, AllocationType, CollectionKind, Heap};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "large":
    take_vs_take: Spec::two_threads(),
    take_vs_take_of_the_last_run: Spec::two_threads(),
    take_vs_take_within_the_budget_of_one: Spec::two_threads(),
    take_vs_take_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    take_release_vs_take_release: Spec::bounded(2, 3),
    take_vs_take_page_for_the_last_page: Spec::two_threads(),
    take_vs_take_page_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    take_vs_release_between_runs: Spec::two_threads(),
    take_vs_take_vs_take: Spec::bounded(3, 3),
    take_vs_take_of_the_whole_pool: Spec::bounded(2, 4),
    allocate_vs_collect: Spec::bounded(2, 3),
    allocate_vs_collect_with_one_refusal: Spec::bounded(2, 3).with_fault(Fault::PageRequest),
    allocate_vs_allocate_for_a_dead_run: Spec::bounded(2, 3),
}

/// Takes a run of `pages` pages and writes a word of each.
fn take(spaces: &Spaces, pages: usize) -> Result<(Offset, usize), AttemptError> {
    let at = worlds::take_run(spaces, pages * PAGE, Limit::Hard)?;
    for page in 0..pages {
        // SAFETY: the run is this thread's; the model checks it.
        unsafe { spaces.view().write(at.plus(page * PAGE), 1) };
    }
    Ok((at, pages))
}

/// Takes an empty page for old space and writes its first word.
fn take_page(spaces: &Spaces) -> Result<PageIndex, AttemptError> {
    let page = worlds::take_page(spaces, PageKind::Old, Limit::Hard)?;
    // SAFETY: the page is the caller's.
    unsafe { spaces.view().write(spaces.layout().page_start(page), 1) };
    Ok(page)
}

/// Asserts that the runs are disjoint, that they, the roots, new space and `paged` other pages are what is committed,
/// and that nothing else of the large area is used.
fn account(spaces: &Spaces, runs: &[(Offset, usize)], paged: usize) {
    let layout = spaces.layout();
    let mut used: Vec<usize> = Vec::new();
    for &(at, pages) in runs {
        let head = layout.page_of(at);
        claim_eq!(at, layout.page_start(head), "the start of the run in {head:?}");
        // SAFETY: every other thread has ended.
        unsafe {
            claim_eq!(spaces.pages.kind(head), PageKind::LargeHead, "the kind of {head:?}");
            claim_eq!(spaces.pages.info(head).run_pages as usize, pages, "the number of pages of the run in {head:?}");
            for tail in (1..pages).map(|tail| PageIndex::new(head.index() + tail)) {
                claim_eq!(spaces.pages.kind(tail), PageKind::LargeTail, "the kind of {tail:?}");
            }
        }
        used.extend(head.index()..head.index() + pages);
    }
    used.sort_unstable();
    let count = used.len();
    used.dedup();
    claim_eq!(used.len(), count, "the number of different pages in {runs:?}");
    for index in layout.paged_pages()..layout.pages() {
        let page = PageIndex::new(index);
        let is_used = used.contains(&index);
        claim_eq!(spaces.large.is_used(page), is_used, "whether {page:?} is used, by the table,");
        // SAFETY: every other thread has ended.
        let kind = unsafe { spaces.pages.kind(page) };
        claim_eq!(kind == PageKind::Free, !is_used, "whether {page:?} is labelled as free");
    }
    let committed = ROOTS + layout.new_pages() + count + paged;
    claim_eq!(spaces.budget.committed(), committed, "the number of committed pages");
    // SAFETY: S-4: every other thread has ended.
    let hard = unsafe { spaces.budget.limit(Limit::Hard) };
    assert!(spaces.budget.committed() <= hard, "no more is committed than the hard limit, {hard} pages");
    spaces.budget.assert_settled();
}

/// There is room and budget for both, of different lengths, so both are served.
fn take_vs_take() {
    let spaces = worlds::spaces(&worlds::layout(1, 3, 3));
    let there = spaces.clone();
    let (a, b) = race(|| take(&spaces, 2), move || take(&there, 1));
    account(&spaces, &[a.expect("room for both"), b.expect("room for both")], 0);
}

/// Budget for both, but a place for one: the other one is told `Exhausted` and gives its budget back.
fn take_vs_take_of_the_last_run() {
    let spaces = worlds::spaces(&worlds::layout(1, 4, 3));
    let there = spaces.clone();
    let (a, b) = race(|| take(&spaces, 2), move || take(&there, 2));
    let (run, refused) = one_of(a, b);
    claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    account(&spaces, &[run], 0);
}

/// A place for both, but budget for one: the other one is told `Exhausted`.
fn take_vs_take_within_the_budget_of_one() {
    let spaces = worlds::spaces(&worlds::layout(1, 3, 4));
    let there = spaces.clone();
    let (a, b) = race(|| take(&spaces, 2), move || take(&there, 2));
    let (run, refused) = one_of(a, b);
    claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    account(&spaces, &[run], 0);
}

/// The system refuses one run or none: its taker is told `Refused`, the other one is served, and place and budget are
/// there for the next who asks.
fn take_vs_take_with_one_refusal() {
    let Some(spaces) = worlds::spaces_unless_refused(&worlds::layout(1, 3, 3)) else { return };
    let there = spaces.clone();
    let (a, b) = race(|| take(&spaces, 2), move || take(&there, 1));
    let refused: Vec<_> = [(a, 2), (b, 1)].into_iter().filter(|(taken, _)| taken.is_err()).collect();
    assert!(refused.len() <= 1, "the refusal happens once: {a:?}, {b:?}");
    let mut runs: Vec<_> = [a, b].into_iter().flatten().collect();
    account(&spaces, &runs, 0);
    for (error, pages) in refused {
        claim_eq!(error, Err(AttemptError::Refused), "what the one that was refused is told");
        runs.push(take(&spaces, pages).expect("what was refused was given back"));
    }
    account(&spaces, &runs, 0);
}

/// Both take and give back; the area has a place for one at a time, and so has the budget. Who asks while the other one
/// has the run is told `Exhausted`; the first to ask is served.
fn take_release_vs_take_release() {
    fn visit(spaces: &Spaces) -> Result<(), AttemptError> {
        let (at, _) = take(spaces, 2)?;
        // SAFETY: the run is this thread's, and holds no object.
        unsafe { LargeSpace::release_run(spaces, spaces.layout().page_of(at)) };
        Ok(())
    }
    let spaces = worlds::spaces(&worlds::layout(1, 2, 2));
    let there = spaces.clone();
    let (a, b) = race(|| visit(&spaces), move || visit(&there));
    assert!(a.is_ok() || b.is_ok(), "one of them finds room: {a:?}, {b:?}");
    for refused in [a, b].into_iter().filter_map(Result::err) {
        claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    }
    account(&spaces, &[], 0);
    assert!(take(&spaces, 2).is_ok(), "all of it came back");
}

/// A run and a page of old space ask for the last page of the budget: one is served, the other one is told `Exhausted`.
fn take_vs_take_page_for_the_last_page() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let there = spaces.clone();
    let (run, page) = race(|| take(&spaces, 1), move || take_page(&there));
    let (_, refused) = one_of(run.map(drop), page.map(drop));
    claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    let runs: Vec<_> = run.into_iter().collect();
    account(&spaces, &runs, usize::from(page.is_ok()));
}

/// A run and a page of old space, with budget for both, one of which the system may refuse: its taker is told
/// `Refused`, and served if it asks again.
fn take_vs_take_page_with_one_refusal() {
    let Some(spaces) = worlds::spaces_unless_refused(&worlds::layout(1, 2, 1)) else { return };
    let there = spaces.clone();
    let (run, page) = race(|| take(&spaces, 1), move || take_page(&there));
    match (run, page) {
        (Ok(run), Ok(_)) => account(&spaces, &[run], 1),
        (Err(AttemptError::Refused), Ok(_)) => account(&spaces, &[take(&spaces, 1).expect("given back")], 1),
        (Ok(run), Err(AttemptError::Refused)) => {
            take_page(&spaces).expect("given back");
            account(&spaces, &[run], 1);
        }
        outcome => panic!("one refusal at most: {outcome:?}"),
    }
}

/// A run goes back between two others while a run is wanted that fits there only: the request is served after,
/// refused before, and the new run never overlaps its neighbours.
fn take_vs_release_between_runs() {
    let spaces = worlds::spaces(&worlds::layout(1, 3, 3));
    let runs = [0, 1, 2].map(|_| take(&spaces, 1).expect("room for three"));
    let there = spaces.clone();
    let (taken, ()) = race(
        || take(&spaces, 1),
        move || {
            // SAFETY: the run is this thread's, and holds no object.
            unsafe { LargeSpace::release_run(&there, there.layout().page_of(runs[1].0)) };
        },
    );
    assert!(matches!(taken, Ok(_) | Err(AttemptError::Exhausted)), "served, or too early: {taken:?}");
    let middle = taken.or_else(|_| take(&spaces, 1)).expect("it came back");
    claim_eq!(middle, runs[1], "the run in the only place");
    account(&spaces, &[runs[0], middle, runs[2]], 0);
}

/// Three runs of two pages, a place and budget for two: two are served, and the third one is told `Exhausted`.
fn take_vs_take_vs_take() {
    let spaces = worlds::spaces(&worlds::layout(1, 4, 5));
    let (first, second) = (spaces.clone(), spaces.clone());
    let other = heaplab::sync::thread::spawn(move || take(&first, 2));
    let (a, b) = race(|| take(&spaces, 2), move || take(&second, 2));
    let taken = [a, b, other.join().unwrap()];
    let runs: Vec<_> = taken.into_iter().flatten().collect();
    let refused: Vec<_> = taken.into_iter().filter_map(Result::err).collect();
    claim_eq!(refused, [AttemptError::Exhausted], "what was refused, where two of three fit,");
    account(&spaces, &runs, 0);
}

/// Asks for a large object of one page and keeps it. May collect.
fn ask(local: RawLocalHeap) -> Result<(), AllocError> {
    worlds::allocate_rooted(local, AllocationType::Old, PAGE - 8).map(drop)
}

/// A heap with `others` pages beside new space's, one of which holds a dead large object; `None` if the memory source
/// refuses the heap its first pages.
fn heap_with_a_dead_run(others: usize) -> Option<Heap> {
    let heap = worlds::heap_unless_refused(worlds::config(1, others))?;
    run(&heap, |scope| scope.new_bytes_in(PAGE - 16, AllocationType::Old).map(drop)).expect("an empty heap has room");
    Some(heap)
}

/// Two runs of which each needs both pooled pages, the only free ones: one gets them, though each may have drained one,
/// and the other one is told `Exhausted`.
fn take_vs_take_of_the_whole_pool() {
    let spaces = worlds::spaces(&worlds::layout(1, 2, 2));
    let pages = [(); 2].map(|()| take_page(&spaces).expect("within the limit"));
    for page in pages {
        // SAFETY: the page is this thread's, and nothing refers to it.
        unsafe { spaces.pool_page(page) };
    }
    let there = spaces.clone();
    let (a, b) = race(|| take(&spaces, 2), move || take(&there, 2));
    let (run, refused) = one_of(a, b);
    claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    account(&spaces, &[run], 0);
    claim_eq!(spaces.fresh.pooled(), 0, "the number of pooled pages");
}

/// The collection frees the dead run at any point of an allocation that takes another one; whichever page the new run
/// gets, it is live, and counted once. There is a page for it, so its owner asks for no collection.
fn allocate_vs_collect() {
    let heap = heap_with_a_dead_run(2).expect("a small world");
    let there = heap.clone();
    let local = heap.attach_raw().expect("a place");
    // SAFETY: R-1: one thread at a time has it.
    unsafe { local.unpark() };
    let ((), local) = race(
        || heap.collect(CollectionKind::Major).expect("a sound heap"),
        move || {
            claim_eq!(ask(local.raw()), Ok(()), "what the request is told");
            // SAFETY: R-1: running until here.
            unsafe { local.park() };
            local
        },
    );
    let statistics = heap.statistics().expect("a sound heap");
    claim_eq!((statistics.requests, statistics.collections), (0, [0, 1, 0]), "the count of requests and collections");
    claim_eq!(runs_used(&there), 1, "the number of runs, of which the dead one was freed,");
    drop(local);
    assert_sound(&heap);
}

/// An allocation that may be refused, and then asks for a collection, once. The other thread's collection meets the
/// request if it comes after the failed attempt; else the request runs one of its own. In either case it is served.
fn allocate_vs_collect_with_one_refusal() {
    let Some(heap) = worlds::heap_unless_refused(worlds::config(1, 1)) else { return };
    let local = heap.attach_raw().expect("a place");
    // SAFETY: R-1: one thread at a time has it.
    unsafe { local.unpark() };
    let ((), local) = race(
        || heap.collect(CollectionKind::Major).expect("a sound heap"),
        move || {
            claim_eq!(ask(local.raw()), Ok(()), "what the request is told");
            // SAFETY: R-1: running until here.
            unsafe { local.park() };
            local
        },
    );
    let statistics = heap.statistics().expect("a sound heap");
    assert!(statistics.requests <= 1, "one refusal: {}", statistics.requests);
    claim_eq!(statistics.retries, statistics.requests, "the number of attempts that failed first");
    // A refused request is met by the other thread's collection if that comes after it.
    let [minor, major, reducing] = statistics.collections;
    claim_eq!((minor, reducing), (0, 0), "the number of minor and memory-reducing collections");
    assert!(major == 1 || major == 1 + statistics.requests, "{major} for {} requests", statistics.requests);
    claim_eq!(runs_used(&heap), 1, "the number of runs");
    drop(local);
    assert_sound(&heap);
}

/// Two want the page of a dead run: one gets it, the other is told after its whole ladder that the heap is out of
/// memory. The first round may be of either or both, and meets both requests if it comes after them.
fn allocate_vs_allocate_for_a_dead_run() {
    let heap = heap_with_a_dead_run(1).expect("a small world");
    let (a, b, locals) = race_running(&heap, ask, ask);
    let ((), refused) = one_of(a, b);
    let out_of_memory = AllocError::OutOfMemory { allocation_type: AllocationType::Old, size_bytes: PAGE - 8 };
    claim_eq!(refused, out_of_memory, "what the one that was refused is told");
    let statistics = heap.statistics().expect("a sound heap");
    let (requests, [minor, major, reducing]) = (statistics.requests, statistics.collections);
    // The refused one has climbed to the top, and the served one has asked for one collection or found the page free.
    claim_eq!(statistics.retries, requests - 2, "the number of attempts that failed first");
    assert!(matches!((requests, major), (3, 2) | (4, 2 | 3)), "{major} major collections for {requests} requests");
    claim_eq!((minor, reducing), (0, 2), "the number of minor and memory-reducing collections");
    claim_eq!(runs_used(&heap), 1, "the number of runs");
    drop(locals);
    assert_sound(&heap);
}

/// The number of runs in the large area.
fn runs_used(heap: &Heap) -> usize {
    // SAFETY: every other thread has ended.
    unsafe { worlds::pages_of(heap.spaces(), PageKind::LargeHead) }.len()
}
