//! P1, the page set: take, take and put.
//!
//! Goal: no page has two takers, none is lost, a take with pages available succeeds, and a taker sees what the putter
//! wrote about the page (O-1). Method: each page has a note in a plain cell that its owner alone may touch, so two
//! owners at once, or an owner without an edge from the one before, are a race.

use super::worlds::{Milestone, race};
use heaplab::space::PageSet;
use heaplab::sync::{Arc, UnsafeCell, thread};
use heaplab::words::PageIndex;
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "page_set":
    take_vs_take_of_the_last_page: Spec::two_threads(),
    take_vs_take_with_enough_pages: Spec::two_threads(),
    take_vs_take_with_enough_pages_and_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
    take_vs_take_in_one_word: Spec::two_threads(),
    take_vs_put: Spec::two_threads(),
    take_after_put: Spec::two_threads(),
    claim_vs_put: Spec::two_threads(),
    claim_find_vs_put_take: Spec::two_threads(),
    claim_find_vs_put_take_put: Spec::two_threads(),
    take_take_vs_put_put_in_one_word: Spec::two_threads(),
    take_vs_take_put: Spec::two_threads(),
    take_vs_take_put_with_a_page_to_spare: Spec::two_threads(),
    take_vs_take_take_put: Spec::two_threads(),
    put_vs_put_vs_take_take: Spec::bounded(3, 3),
    take_vs_take_vs_put: Spec::bounded(3, 3),
}

struct World {
    set: PageSet,
    notes: Vec<UnsafeCell<u32>>,
}

impl World {
    /// A world of `pages` pages, of which those in `inside` are in the set, each with its number as its note.
    fn new(pages: usize, bits_per_word: usize, inside: &[usize]) -> Arc<World> {
        let world =
            World { set: PageSet::new(pages, bits_per_word), notes: (0..pages).map(|_| UnsafeCell::new(0)).collect() };
        for &page in inside {
            world.put(page, page as u32);
        }
        Arc::new(world)
    }

    /// Writes `note` about `page`, which the caller owns, and gives the page up.
    fn put(&self, page: usize, note: u32) {
        // SAFETY: the caller owns the page; the model checks it.
        unsafe { self.notes[page].with_mut(|old| *old = note) };
        self.set.put(PageIndex::new(page));
    }

    /// Takes a page. Returns its number and the note found.
    fn take(&self) -> Option<(usize, u32)> {
        let page = self.set.take()?.index();
        // SAFETY: the caller owns the page now; the model checks it.
        let note = unsafe { self.notes[page].with_mut(|note| core::mem::replace(&mut *note, u32::MAX)) };
        Some((page, note))
    }

    /// Claims a page, looks whether a rival is `done`, and finds the page. The look may see the milestone; it orders
    /// nothing.
    fn claim_then_find(&self, done: &Milestone) -> Option<usize> {
        let claim = self.set.claim();
        let _ = done.is_reached();
        claim.map(|claim| claim.find().index())
    }

    /// Takes every page that is left, and returns their numbers, in order. Asserts that the counter agrees with the
    /// bits: each bit is a page that can be taken once, so a page that was put twice, the second time while its taker
    /// was on the way, is found out.
    fn drain(&self) -> Vec<usize> {
        // SAFETY: the other thread has ended.
        let inside = |page: &usize| unsafe { self.set.contains(PageIndex::new(*page)) };
        let bits: Vec<usize> = (0..self.notes.len()).filter(inside).collect();
        claim_eq!(self.set.len(), bits.len(), "the count of pages, of which {bits:?} have their bits,");
        let mut left: Vec<usize> = core::iter::from_fn(|| self.take()).map(|(page, _)| page).collect();
        left.sort_unstable();
        claim_eq!(left, bits, "what can be taken of the set");
        left
    }
}

/// One page, two takers: one gets the page, with its putter's note, and the other one is refused.
fn take_vs_take_of_the_last_page() {
    let world = World::new(2, 1, &[1]);
    let there = world.clone();
    let (a, b) = race(|| world.take(), move || there.take());
    assert!(a.is_some() != b.is_some(), "one of them: {a:?}, {b:?}");
    claim_eq!(a.or(b), Some((1, 1)), "what the one that was served took");
    claim_eq!(world.drain(), [0; 0], "what is left");
}

/// As many pages as takers, in different words: nobody is refused, whoever scans first.
fn take_vs_take_with_enough_pages() {
    take_both(1);
}

/// Both pages are taken, each once, with its putter's note, by two takers that are both served.
fn take_both(bits_per_word: usize) {
    let world = World::new(2, bits_per_word, &[0, 1]);
    let there = world.clone();
    let (a, b) = race(|| world.take(), move || there.take());
    let mut taken = [a.expect("enough pages"), b.expect("enough pages")];
    taken.sort_unstable();
    claim_eq!(taken, [(0, 0), (1, 1)], "what both took");
    claim_eq!(world.drain(), [0; 0], "what is left");
}

/// A claim whose exchange fails for no reason is tried again, not given up.
fn take_vs_take_with_enough_pages_and_a_spurious_failure() {
    take_vs_take_with_enough_pages();
}

/// As many pages as takers, in one word, where the second taker's guess may be stale.
fn take_vs_take_in_one_word() {
    take_both(2);
}

/// O-1: the taker reads the note plainly. It has the page with its note, or came before the put and is refused.
fn take_vs_put() {
    let world = World::new(2, 1, &[]);
    let there = world.clone();
    let (taken, ()) = race(|| world.take(), move || there.put(1, 7));
    assert!(matches!(taken, None | Some((1, 7))), "the page as it was put, or none: {taken:?}");
    claim_eq!(world.drain(), if taken.is_none() { vec![1] } else { vec![] }, "what is left");
}

/// PS-2: a take that begins after a put has ended gets the page, though nothing but time lies between, and a load of
/// the counter may be stale. A take that begins earlier may be refused; then the page is left.
fn take_after_put() {
    let world = World::new(1, 1, &[]);
    let (there, is_put) = (world.clone(), Milestone::new());
    let puts = is_put.clone();
    let (taken, ()) = race(
        || {
            let was_put = is_put.is_reached();
            let taken = world.take();
            assert!(taken.is_some() || !was_put, "a page had been put and the take was refused");
            taken
        },
        move || {
            there.put(0, 7);
            puts.reach();
        },
    );
    assert!(matches!(taken, None | Some((0, 7))), "the page as it was put, or none: {taken:?}");
    claim_eq!(world.drain(), if taken.is_none() { vec![0] } else { vec![] }, "what is left");
}

/// whoever claims a page sees each put that the counter had counted, though it takes another page, of another
/// word. (That the counter was 2 is seen by a load without an edge, so a later claim is of the put's value or a newer
/// one.) Who has seen two pages is not refused, and takes the first one.
fn claim_vs_put() {
    let world = World::new(2, 1, &[0]);
    let (there, written) = (world.clone(), Arc::new(UnsafeCell::new(0)));
    let writes = written.clone();
    let (taken, ()) = race(
        || {
            if world.set.len() < 2 {
                return None;
            }
            let taken = world.take();
            // SAFETY: the other thread wrote it before its put; the model checks it.
            claim_eq!(unsafe { written.with(|written| *written) }, 1, "what was written before the put");
            Some(taken)
        },
        move || {
            // SAFETY: nobody reads it before the put; the model checks it.
            unsafe { writes.with_mut(|written| *written = 1) };
            there.put(1, 7);
        },
    );
    assert!(matches!(taken, None | Some(Some((0, 0)))), "two pages were seen, and the first was not taken: {taken:?}");
    claim_eq!(world.drain(), if taken.is_some() { vec![1] } else { vec![0, 1] }, "what is left");
}

/// X-2, as far as the checker goes: a rival that claims later takes the bit that was to be found, and leaves another,
/// which a first scan may miss. Both are served, and a page has its own number as its note.
fn claim_find_vs_put_take() {
    let world = World::new(2, 1, &[0]);
    let (there, done) = (world.clone(), Milestone::new());
    let is_done = done.clone();
    let (a, b) = race(
        || world.claim_then_find(&done),
        move || {
            there.put(1, 1);
            let taken = there.take();
            is_done.reach();
            taken
        },
    );
    let (page, note) = b.expect("two pages for two takers");
    claim_eq!(note as usize, page, "the note of page {page}");
    claim_eq!(a, Some(1 - page), "the page of the first claimer, where the second one has page {page}");
    claim_eq!(world.drain(), [0; 0], "what is left");
}

/// A later scan reads by an RMW that changes nothing: whatever a rival puts back meanwhile stays in the set. Neither is
/// refused, and of the two pages one is left.
fn claim_find_vs_put_take_put() {
    let world = World::new(2, 1, &[0]);
    let (there, done) = (world.clone(), Milestone::new());
    let is_done = done.clone();
    let (a, ()) = race(
        || world.claim_then_find(&done),
        move || {
            there.put(1, 1);
            let (page, note) = there.take().expect("two pages for two takers");
            is_done.reach();
            there.put(page, note);
        },
    );
    let a = a.expect("a page is in the set at every moment, or is put back");
    claim_eq!(world.drain(), [1 - a], "what is left where one page was taken for good and the other was put back,");
}

/// O-1's release sequence: another page's bits change in the word between put and take. The pages are taken in the
/// order in which they were put, each with its note; a take that comes too early finds none, and leaves the rest.
fn take_take_vs_put_put_in_one_word() {
    let world = World::new(2, 2, &[]);
    let there = world.clone();
    let (taken, ()) = race(
        || [world.take(), world.take()],
        move || {
            there.put(0, 10);
            there.put(1, 11);
        },
    );
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    claim_eq!(taken, [(0, 10), (1, 11)][..taken.len()], "what was taken, in order");
    claim_eq!(world.drain(), [0, 1][taken.len()..], "what is left");
}

/// One page goes around. If the thread that only takes is first, it finds the page as it was, and the other one is
/// refused. If the other one is first, the first thread finds the page as it was put back, or is refused.
fn take_vs_take_put() {
    let world = World::new(2, 1, &[1]);
    let there = world.clone();
    let (a, b) = race(
        || world.take(),
        move || {
            let taken = there.take();
            if taken.is_some() {
                there.put(1, 8);
            }
            taken
        },
    );
    let possible = [(Some((1, 1)), None), (Some((1, 8)), Some((1, 1))), (None, Some((1, 1)))];
    assert!(possible.contains(&(a, b)), "one page goes around: {a:?}, {b:?}");
    claim_eq!(world.drain(), if a.is_none() { vec![1] } else { vec![] }, "what is left");
}

/// PS-2: at every moment one page at least is available, so the taker is not refused, though pages leave and come back.
fn take_vs_take_put_with_a_page_to_spare() {
    let world = World::new(2, 1, &[0, 1]);
    let there = world.clone();
    let (a, b) = race(
        || world.take(),
        move || {
            let (page, note) = there.take().expect("a page is available");
            there.put(page, note);
            page
        },
    );
    let (page, note) = a.expect("a page is available");
    claim_eq!(note as usize, page, "the note of page {page}");
    assert!(b < 2, "page {b} is one of the two");
    claim_eq!(world.drain(), [1 - page], "what is left");
}

/// The shape that shows an ABA if there is one: one thread takes, its rival takes twice and puts its first page back.
/// Of three takes of two pages at most one is refused, never the rival's first; each page has the note of its last
/// putter.
fn take_vs_take_take_put() {
    let world = World::new(2, 2, &[0, 1]);
    let there = world.clone();
    let (a, (b, c)) = race(
        || world.take(),
        move || {
            let (first, second) = (there.take(), there.take());
            if let Some((page, _)) = first {
                there.put(page, 20);
            }
            (first, second)
        },
    );
    let b = b.expect("two pages, one rival");
    claim_eq!(b.1 as usize, b.0, "the note of page {}, which nobody put before", b.0);
    assert!(a.is_some() || c.is_some(), "one of the two pages is left for them");
    if let Some((page, note)) = a {
        claim_eq!(note as usize, if page == b.0 { 20 } else { page }, "the note of page {page}, of {b:?} put back");
    }
    if let Some((page, note)) = c {
        claim_eq!((page, note as usize), (1 - b.0, 1 - b.0), "the second page and its note, while {b:?} is out");
    }
    let mut pages: Vec<usize> = [a, c].into_iter().flatten().map(|(page, _)| page).collect();
    pages.extend(world.drain());
    pages.sort_unstable();
    claim_eq!(pages, [0, 1], "each page and its owners, of {a:?}, {b:?}, {c:?},");
}

/// O-1 across three threads: what the first putter wrote reaches the taker although the second putter's change of the
/// same word lies between. A take that comes before a put may find none; each page is taken or left, once.
fn put_vs_put_vs_take_take() {
    let world = World::new(2, 2, &[]);
    let putters: Vec<_> = (0..2)
        .map(|page| {
            let world = world.clone();
            thread::spawn(move || world.put(page, 10 + page as u32))
        })
        .collect();
    let taken = [world.take(), world.take()];
    for putter in putters {
        putter.join().unwrap();
    }
    let has_note = |&(page, note): &(usize, u32)| note == 10 + page as u32;
    assert!(taken.iter().flatten().all(has_note), "a page with its putter's note: {taken:?}");
    let mut pages: Vec<usize> = taken.into_iter().flatten().map(|(page, _)| page).collect();
    pages.extend(world.drain());
    pages.sort_unstable();
    claim_eq!(pages, [0, 1], "what was taken and what is left");
}

/// Two takers, one page, and a second page that is put meanwhile: at least one taker is served, and the other one is
/// refused only if it came before the put.
fn take_vs_take_vs_put() {
    let world = World::new(2, 1, &[0]);
    let others: [thread::JoinHandle<Option<(usize, u32)>>; 2] = [
        thread::spawn({
            let world = world.clone();
            move || world.take()
        }),
        thread::spawn({
            let world = world.clone();
            move || {
                world.put(1, 1);
                None
            }
        }),
    ];
    let mut taken: Vec<_> = world.take().into_iter().collect();
    taken.extend(others.into_iter().filter_map(|other| other.join().unwrap()));
    assert!(!taken.is_empty(), "a page was available from the start");
    assert!(taken.iter().all(|&(page, note)| note as usize == page), "a page with its putter's note: {taken:?}");
    let mut pages: Vec<usize> = taken.into_iter().map(|(page, _)| page).collect();
    pages.extend(world.drain());
    pages.sort_unstable();
    claim_eq!(pages, [0, 1], "what was taken and what is left");
}
