//! P2, the budget: how much is committed, by however many threads.
//!
//! Goal: never above the hard limit, refusals exact, a failed mapping gives everything back, pooled pages are drained
//! before a request is refused. Method: the shipping reservation on a world in which one page more or less decides.
//! Pages are labelled and written by their takers, so a page with two takers is a race.

use super::worlds::{self, Milestone, one_of, race, try_reserve};
use core::num::NonZeroUsize;
use heaplab::page::PageKind;
use heaplab::space::{Budget, LargeSpace, Spaces};
use heaplab::sync::{Arc, UnsafeCell, thread};
use heaplab::words::{AttemptError, Limit, Offset, PageIndex};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "budget":
    reserve_vs_reserve_at_the_limit: Spec::two_threads(),
    reserve_vs_reserve_with_room_for_both: Spec::two_threads(),
    soft_vs_hard: Spec::two_threads(),
    reserve_give_back_vs_reserve_give_back: Spec::two_threads(),
    give_back_vs_reserve: Spec::two_threads(),
    give_back_vs_reserve_of_what_was_returned: Spec::two_threads(),
    give_back_vs_reserve_give_back_vs_reserve: Spec::bounded(3, 3),
    reserve_vs_reserve_vs_reserve: Spec::bounded(3, 3),
    failed_mapping_vs_take_of_the_last_page: Spec::two_threads(),
    take_pool_vs_take_pool: Spec::two_threads(),
    large_run_vs_take_page_from_the_pool: Spec::two_threads(),
    large_run_vs_large_run_from_the_pool: Spec::two_threads(),
    release_run_vs_large_run: Spec::two_threads(),
    refused_release_vs_large_run: Spec::two_threads(),
    refused_release_and_reserve_vs_large_run: Spec::two_threads(),
    release_kept_vs_large_run: Spec::two_threads(),
    reserve_vs_reserve_with_room_for_both_and_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
    reserve_vs_reserve_at_the_limit_with_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
    take_page_vs_take_page_with_one_refusal: Spec::two_threads().with_fault(Fault::PageRequest),
    take_page_after_pool_page: Spec::two_threads(),
    take_page_after_give_back: Spec::two_threads(),
    large_run_after_pool_page: Spec::two_threads(),
    large_run_after_release_run: Spec::two_threads(),
}

/// A budget with these limits, of which `committed` pages are used.
fn budget(soft: usize, hard: usize, committed: usize) -> Arc<Budget> {
    let budget = Budget::new(soft, hard);
    assert!(try_reserve(&budget, committed, Limit::Hard), "{committed} of {hard} pages fit");
    Arc::new(budget)
}

/// There is room for one of the two, so exactly one is served, and its pages are counted.
fn reserve_vs_reserve_at_the_limit() {
    let budget = budget(4, 4, 2);
    let there = budget.clone();
    let (a, b) = race(|| try_reserve(&budget, 2, Limit::Hard), move || try_reserve(&there, 1, Limit::Hard));
    assert!(a != b, "exactly one fits: {a}, {b}");
    claim_eq!(budget.committed(), 2 + if a { 2 } else { 1 }, "the number of committed pages");
}

/// There is room for both, so neither is refused, whoever loses an exchange.
fn reserve_vs_reserve_with_room_for_both() {
    let budget = budget(4, 4, 2);
    let there = budget.clone();
    let (a, b) = race(|| try_reserve(&budget, 1, Limit::Hard), move || try_reserve(&there, 1, Limit::Hard));
    assert!(a && b, "both fit: {a}, {b}");
    claim_eq!(budget.committed(), 4, "the number of committed pages");
}

/// The soft request is served only if it comes first; the hard one always.
fn soft_vs_hard() {
    let budget = budget(3, 4, 2);
    let there = budget.clone();
    let (soft, hard) = race(|| try_reserve(&budget, 1, Limit::Soft), move || try_reserve(&there, 1, Limit::Hard));
    assert!(hard, "the hard limit leaves room for both");
    claim_eq!(budget.committed(), 3 + usize::from(soft), "the number of committed pages");
    assert!(!try_reserve(&budget, 1, Limit::Soft), "the soft limit is reached either way");
}

/// The hard limit holds at every moment: each thread looks at the count right after it changed it. While one has its
/// two pages, the other one has none, so the count is three; who is refused has met the other one's pages, which may
/// be back already.
fn reserve_give_back_vs_reserve_give_back() {
    fn visit(budget: &Budget) -> bool {
        let got = try_reserve(budget, 2, Limit::Hard);
        let committed = budget.committed();
        if got {
            claim_eq!(committed, 3, "the number of committed pages while this thread has two");
            budget.give_back(2);
        } else {
            assert!([1, 3].contains(&committed), "the other one has two pages, or has given them back: {committed}");
        }
        got
    }
    let budget = budget(4, 4, 1);
    let there = budget.clone();
    let (a, b) = race(|| visit(&budget), move || visit(&there));
    assert!(a || b, "one of them finds room");
    claim_eq!(budget.committed(), 1, "the number of committed pages when both have given theirs back");
}

/// A refusal is exact: who asks after a page was given back gets the page, though nothing but time lies between. Who
/// asks before may be refused, and then the page is counted nowhere.
fn give_back_vs_reserve() {
    let budget = budget(4, 4, 4);
    let (there, given) = (budget.clone(), Milestone::new());
    let gives = given.clone();
    let (got, ()) = race(
        || {
            let was_given = given.is_reached();
            let got = try_reserve(&budget, 1, Limit::Hard);
            assert!(got || !was_given, "a page had been given back and the request was refused");
            got
        },
        move || {
            there.give_back(1);
            gives.reach();
        },
    );
    claim_eq!(budget.committed(), 3 + usize::from(got), "the number of committed pages");
}

/// O-7: whoever reserves what was given back sees what was done before: here a cell stands for the address, the
/// memory or the run that the budget promises. Both ways of asking see it. Who asks before may be
/// refused.
fn give_back_vs_reserve_of_what_was_returned() {
    let (budget, returned) = (budget(4, 4, 4), Arc::new(UnsafeCell::new(false)));
    let (there, returns) = (budget.clone(), returned.clone());
    let (got, ()) = race(
        || {
            // SAFETY: S-4: nothing stops the world of a bare budget.
            let seen = unsafe { budget.try_reserve_seen(1, Limit::Hard) };
            let got = seen || try_reserve(&budget, 1, Limit::Hard);
            // SAFETY: the other thread wrote it before it gave the page back; the model checks it.
            assert!(!got || unsafe { returned.with(|returned| *returned) }, "what was returned is seen");
            got
        },
        move || {
            // SAFETY: nobody reads it before the page is given back; the model checks it.
            unsafe { returns.with_mut(|returned| *returned = true) };
            there.give_back(1);
        },
    );
    claim_eq!(budget.committed(), 3 + usize::from(got), "the number of committed pages");
}

/// O-7's release sequence: what the first thread returned is seen by whoever gets the last unit, though another's
/// reservation and return lie between. Either request may be refused, while the page's first owner or the other
/// request has the page; counted in the end is what is kept.
fn give_back_vs_reserve_give_back_vs_reserve() {
    let (budget, returned) = (budget(4, 4, 4), Arc::new(UnsafeCell::new(false)));
    let ask = |passes_on: bool| {
        let (budget, returned) = (budget.clone(), returned.clone());
        move || {
            let got = try_reserve(&budget, 1, Limit::Hard);
            // SAFETY: the main thread wrote it before it gave the page back; the model checks it.
            assert!(!got || unsafe { returned.with(|returned| *returned) }, "what was returned is seen");
            if got && passes_on {
                budget.give_back(1);
            }
            got
        }
    };
    let (passes_on, keeps) = (thread::spawn(ask(true)), thread::spawn(ask(false)));
    // SAFETY: nobody reads it before the page is given back; the model checks it.
    unsafe { returned.with_mut(|returned| *returned = true) };
    budget.give_back(1);
    let (_, kept) = (passes_on.join().unwrap(), keeps.join().unwrap());
    claim_eq!(budget.committed(), 3 + usize::from(kept), "the number of committed pages");
}

/// Three ask for two pages: exactly two are served.
fn reserve_vs_reserve_vs_reserve() {
    let budget = budget(4, 4, 2);
    let others: Vec<_> = (0..2)
        .map(|_| {
            let budget = budget.clone();
            thread::spawn(move || try_reserve(&budget, 1, Limit::Hard))
        })
        .collect();
    let mut served = usize::from(try_reserve(&budget, 1, Limit::Hard));
    served += others.into_iter().map(|other| usize::from(other.join().unwrap())).sum::<usize>();
    claim_eq!(served, 2, "the number of requests served");
    claim_eq!(budget.committed(), 4, "the number of committed pages");
}

/// Takes an empty page for old space and writes its first word.
fn take_page(spaces: &Spaces) -> Result<PageIndex, AttemptError> {
    let page = worlds::take_page(spaces, PageKind::Old, Limit::Hard)?;
    // SAFETY: the page is the caller's.
    unsafe { spaces.view().write(spaces.layout().page_start(page), 1) };
    Ok(page)
}

/// Asserts that the budget's counts agree with the labels of the pages, that free pages have their addresses (S-2),
/// and that the hard limit holds.
fn assert_exact(spaces: &Spaces) {
    // SAFETY: every other thread has ended.
    let labelled = |kind| unsafe { worlds::pages_of(spaces, kind) };
    let free = labelled(PageKind::Free);
    let used = spaces.layout().pages() - free.len();
    claim_eq!(spaces.budget.committed(), used, "the number of committed pages, by those that are not free,");
    let pooled = labelled(PageKind::Pooled);
    claim_eq!(spaces.fresh.pooled(), pooled.len(), "the number of pooled pages, by their labels,");
    // SAFETY: the threads have ended.
    assert!(pooled.into_iter().all(|page| unsafe { spaces.fresh.is_pooled(page) }), "what is labelled so can be taken");
    let has_owner = |page: &PageIndex| match page.index() < spaces.layout().paged_pages() {
        // SAFETY: as above.
        true => unsafe { spaces.fresh.has_address(*page) },
        false => !spaces.large.is_used(*page),
    };
    assert!(free.iter().all(has_owner), "S-2: the address of a free page is there to be used: {free:?}");
    spaces.budget.assert_settled();
    // SAFETY: S-4: as above.
    let hard = unsafe { spaces.budget.limit(Limit::Hard) };
    assert!(spaces.budget.committed() <= hard, "no more is committed than the hard limit, {hard} pages");
}

/// At the limit: the thread whose mapping failed holds the last unit for a moment, so the other one may be refused, but
/// the page is there for the next who asks. Exactly one is told `Refused`; the other one is served, or was too early
/// and is told `Exhausted`.
fn failed_mapping_vs_take_of_the_last_page() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    spaces.memory.fail_commit_at(NonZeroUsize::new(1));
    let there = spaces.clone();
    let (a, b) = race(|| take_page(&spaces), move || take_page(&there));
    let (struck, other): (Vec<_>, Vec<_>) = [a, b].into_iter().partition(|taken| *taken == Err(AttemptError::Refused));
    claim_eq!(struck.len(), 1, "the number of failed mappings in {a:?}, {b:?}");
    assert!(matches!(other[0], Ok(_) | Err(AttemptError::Exhausted)), "the other one waits for nobody: {other:?}");
    assert_exact(&spaces);
    let again = take_page(&spaces);
    claim_eq!(again.is_ok(), other[0].is_err(), "whether a page is left, which was asked for with {again:?},");
    claim_eq!(take_page(&spaces), Err(AttemptError::Exhausted), "what is left then");
}

/// Both take and give back; a page that went through the pool is written by its next taker. Who asks while the other
/// one has the page is told `Exhausted`; the first to ask is served.
fn take_pool_vs_take_pool() {
    fn visit(spaces: &Spaces) -> Result<PageIndex, AttemptError> {
        let page = take_page(spaces)?;
        // SAFETY: the page is the caller's, and nothing refers to it.
        unsafe { spaces.pool_page(page) };
        Ok(page)
    }
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let there = spaces.clone();
    let (a, b) = race(|| visit(&spaces), move || visit(&there));
    assert!(a.is_ok() || b.is_ok(), "the first to ask finds the page: {a:?}, {b:?}");
    for refused in [a, b].into_iter().filter_map(Result::err) {
        claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    }
    assert_exact(&spaces);
    claim_eq!(spaces.fresh.pooled(), 1, "the number of pooled pages");
}

/// A world at its limit whose only free pages are `pooled` pages in the pool.
fn pooled_world(pooled: usize) -> Arc<Spaces> {
    let spaces = worlds::spaces(&worlds::layout(1, pooled, 2));
    let pages: Vec<_> = (0..pooled).map(|_| take_page(&spaces).expect("within the limit")).collect();
    for page in pages {
        // SAFETY: the page is this thread's, and nothing refers to it.
        unsafe { spaces.pool_page(page) };
    }
    spaces
}

/// A large request drains the pool and gets its page, or the other thread was first and has it. One of the two is
/// always served.
fn large_run_vs_take_page_from_the_pool() {
    let spaces = pooled_world(1);
    let there = spaces.clone();
    let (run, page) = race(|| worlds::take_run(&spaces, worlds::PAGE, Limit::Hard), move || take_page(&there));
    let (_, refused) = one_of(run.map(drop), page.map(drop));
    claim_eq!(refused, AttemptError::Exhausted, "the reason of the one that was refused");
    assert_exact(&spaces);
    claim_eq!(spaces.fresh.pooled(), 0, "the number of pooled pages, where one had a taker,");
}

/// Two large requests, a pooled page for each: both are served, by different runs, and the pool is empty.
fn large_run_vs_large_run_from_the_pool() {
    let spaces = pooled_world(2);
    let there = spaces.clone();
    let (a, b) = race(
        || worlds::take_run(&spaces, worlds::PAGE, Limit::Hard),
        move || worlds::take_run(&there, worlds::PAGE, Limit::Hard),
    );
    let (a, b) = (a.expect("a pooled page for each"), b.expect("a pooled page for each"));
    assert_ne!(a, b, "a run for each");
    assert_exact(&spaces);
    claim_eq!(spaces.fresh.pooled(), 0, "the number of pooled pages");
}

/// Asserts what a request for a run was told in a world with one place, `run`'s: it was served, or came too early and
/// was told `Exhausted`, and then the next one is served. The counts are exact, and nobody else is served.
fn assert_the_only_place(spaces: &Spaces, got: Result<Offset, AttemptError>, run: Offset) {
    assert!(matches!(got, Ok(_) | Err(AttemptError::Exhausted)), "served, or too early: {got:?}");
    let take = || worlds::take_run(spaces, worlds::PAGE, Limit::Hard);
    claim_eq!(got.or_else(|_| take()), Ok(run), "the run in the only place");
    assert_exact(spaces);
    claim_eq!(take(), Err(AttemptError::Exhausted), "what is left then");
}

/// A run goes back while another is asked for: labels and words change hands under the leaf mutex, the budget after it.
/// The only place is that run's, so the request gets it, or comes too early and is told `Exhausted`, and then the next
/// one gets it.
fn release_run_vs_large_run() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let run = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard).expect("within the limit");
    let (there, written) = (spaces.clone(), Arc::new(UnsafeCell::new(0)));
    let other = written.clone();
    let (got, ()) = race(
        || {
            let got = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard);
            if let Ok(at) = got {
                // SAFETY: the run is this thread's; the model checks it.
                unsafe {
                    spaces.view().write(at, 2);
                    written.with_mut(|value| *value += 1);
                }
            }
            got
        },
        move || {
            // SAFETY: the run is this thread's, and holds no object.
            unsafe {
                there.view().write(run, 1);
                other.with_mut(|value| *value += 1);
                LargeSpace::release_run(&there, there.layout().page_of(run));
            }
        },
    );
    // SAFETY: every other thread has ended.
    let writers = unsafe { written.with(|value| *value) };
    claim_eq!(writers, 1 + u32::from(got.is_ok()), "the number of owners that have written to the run");
    assert_the_only_place(&spaces, got, run);
}

/// A run goes back, the system does not take it, and another one is asked for: the request is refused while the run
/// is its owner's, and served by the kept page afterwards, without budget. What is committed is the same throughout.
fn refused_release_vs_large_run() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let run = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard).expect("within the limit");
    let committed = spaces.budget.committed();
    spaces.memory.fail_release_at(NonZeroUsize::new(1));
    let there = spaces.clone();
    let write = |spaces: &Spaces, at: Offset, value: u32| {
        // SAFETY: the run is the writer's; the model checks it.
        unsafe { spaces.view().write(at, value) };
    };
    let (got, ()) = race(
        || {
            let got = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard);
            got.inspect(|&at| write(&spaces, at, 2))
        },
        move || {
            write(&there, run, 1);
            // SAFETY: the run is this thread's, and holds no object.
            unsafe { LargeSpace::release_run(&there, there.layout().page_of(run)) };
        },
    );
    assert_eq!(spaces.memory.release_fault_in(), None, "the release was refused");
    assert_eq!(
        spaces.budget.committed(),
        committed,
        "a refused release credits nothing, and a kept page costs nothing"
    );
    claim_eq!(spaces.large.kept_pages(), usize::from(got.is_err()), "the number of kept pages, until somebody has it,");
    assert_the_only_place(&spaces, got, run);
}

/// A run goes back that the system does not take, and then the last page of the budget is taken: there is room for
/// another run at every moment, first in the budget and then in the table, so the request is served whatever it has
/// seen before.
fn refused_release_and_reserve_vs_large_run() {
    let spaces = worlds::spaces(&worlds::layout(1, 2, 2));
    let run = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard).expect("within the limit");
    spaces.memory.fail_release_at(NonZeroUsize::new(1));
    let there = spaces.clone();
    let (got, reserved) = race(
        || worlds::take_run(&spaces, worlds::PAGE, Limit::Hard),
        move || {
            // SAFETY: the run is this thread's, and holds no object.
            unsafe { LargeSpace::release_run(&there, there.layout().page_of(run)) };
            // SAFETY: S-4: nobody stops the world here.
            unsafe { there.budget.try_reserve_seen(1, Limit::Hard) }
        },
    );
    let got = got.expect("there is room at every moment");
    assert_eq!(reserved, got == run, "one page of the two is kept, and one is budget");
    claim_eq!(spaces.large.kept_pages(), usize::from(!reserved), "the number of kept pages");
    let last = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard);
    claim_eq!(last, if reserved { Err(AttemptError::Exhausted) } else { Ok(run) }, "what is left");
    assert_eq!(spaces.memory.release_fault_in(), None, "the release was refused");
}

/// A kept page, the only one that is free, goes back to the system while a run is asked for: the run is served by the
/// kept page, or by its budget once it is back, and is refused only while the releaser has the page. No page is kept
/// afterwards.
fn release_kept_vs_large_run() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let run = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard).expect("within the limit");
    spaces.memory.fail_release_at(NonZeroUsize::new(1));
    // SAFETY: the run is this thread's, and holds no object.
    unsafe { LargeSpace::release_run(&spaces, spaces.layout().page_of(run)) };
    claim_eq!(spaces.large.kept_pages(), 1, "the number of kept pages before");
    let there = spaces.clone();
    let (got, ()) = race(
        || worlds::take_run(&spaces, worlds::PAGE, Limit::Hard),
        // SAFETY: S-4: nobody stops the world here.
        move || unsafe { LargeSpace::release_kept(&there) },
    );
    claim_eq!(spaces.large.kept_pages(), 0, "the number of kept pages");
    assert_the_only_place(&spaces, got, run);
}

/// A reservation whose exchange fails for no reason is tried again: both are served still.
fn reserve_vs_reserve_with_room_for_both_and_a_spurious_failure() {
    reserve_vs_reserve_with_room_for_both();
}

/// There is room for one of the two: exactly one is served, whichever exchange fails for no reason.
fn reserve_vs_reserve_at_the_limit_with_a_spurious_failure() {
    reserve_vs_reserve_at_the_limit();
}

/// Either mapping may be refused, or none: whoever is refused is told `Refused`, never `Exhausted`, and finds
/// everything given back. The two pages are served in the end, and no third.
fn take_page_vs_take_page_with_one_refusal() {
    let Some(spaces) = worlds::spaces_unless_refused(&worlds::layout(1, 2, 1)) else { return };
    let there = spaces.clone();
    let (a, b) = race(|| take_page(&spaces), move || take_page(&there));
    assert!(a.is_ok() || b.is_ok(), "the refusal happens once: {a:?}, {b:?}");
    assert_exact(&spaces);
    for refused in [a, b].into_iter().filter_map(Result::err) {
        claim_eq!(refused, AttemptError::Refused, "the reason of the one that was refused");
        assert!(take_page(&spaces).is_ok(), "what was refused was given back");
    }
    claim_eq!(take_page(&spaces), Err(AttemptError::Exhausted), "what is left then");
}

/// A refusal is exact: `give` makes room for one page, and who asks after it is served, though nothing but time lies
/// between and every look may be stale. Who asks before may be told `Exhausted`; the next one to ask is served then,
/// and no other.
fn ask_after<T: Send + 'static>(
    spaces: &Arc<Spaces>,
    given: T,
    give: fn(&Spaces, T),
    ask: fn(&Spaces) -> Result<(), AttemptError>,
) {
    let (there, is_given) = (spaces.clone(), Milestone::new());
    let gives = is_given.clone();
    let (got, ()) = race(
        || {
            let was_given = is_given.is_reached();
            let got = ask(spaces);
            assert!(got.is_ok() || !was_given, "there was room for it, and it was refused");
            got
        },
        move || {
            give(&there, given);
            gives.reach();
        },
    );
    assert_exact(spaces);
    // SAFETY: every other thread has ended.
    let used = [PageKind::Old, PageKind::LargeHead].map(|kind| unsafe { worlds::pages_of(spaces, kind) }.len());
    claim_eq!(
        used.iter().sum::<usize>(),
        usize::from(got.is_ok()),
        "the number of pages used, which only the asker has,"
    );
    if got.is_err() {
        claim_eq!(got, Err(AttemptError::Exhausted), "what an early request is told");
        claim_eq!(ask(spaces), Ok(()), "what the next request is told, for which there is room,");
    }
    claim_eq!(ask(spaces), Err(AttemptError::Exhausted), "what a request beyond the one room is told");
}

fn ask_page(spaces: &Spaces) -> Result<(), AttemptError> {
    take_page(spaces).map(drop)
}

fn ask_run(spaces: &Spaces) -> Result<(), AttemptError> {
    worlds::take_run(spaces, worlds::PAGE, Limit::Hard).map(drop)
}

fn pool_page(spaces: &Spaces, page: PageIndex) {
    // SAFETY: the page is the caller's, and nothing refers to it.
    unsafe { spaces.pool_page(page) };
}

/// At the limit, and the only free page comes into the pool: it serves whoever asks after that.
fn take_page_after_pool_page() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let page = take_page(&spaces).expect("within the limit");
    ask_after(&spaces, page, pool_page, ask_page);
}

/// A run goes back, and with it the budget, which serves a page to whoever asks after that.
fn take_page_after_give_back() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let run = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard).expect("within the limit");
    ask_after(&spaces, run, release_run, ask_page);
}

fn release_run(spaces: &Spaces, run: heaplab::words::Offset) {
    // SAFETY: the run is the caller's, and holds no object.
    unsafe { LargeSpace::release_run(spaces, spaces.layout().page_of(run)) };
}

/// The only free page comes into the pool: a run drains it and is served, if it is asked for after that.
fn large_run_after_pool_page() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let page = take_page(&spaces).expect("within the limit");
    ask_after(&spaces, page, pool_page, ask_run);
}

/// A run goes back, place and budget: a run that is asked for after that is served.
fn large_run_after_release_run() {
    let spaces = worlds::spaces(&worlds::layout(1, 1, 1));
    let run = worlds::take_run(&spaces, worlds::PAGE, Limit::Hard).expect("within the limit");
    ask_after(&spaces, run, release_run, ask_run);
}
