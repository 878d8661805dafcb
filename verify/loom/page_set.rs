//! P1, the page set: take, take and put.
//!
//! Goal: no page has two takers, none is lost, a take with pages available succeeds, and a taker sees what the putter
//! wrote about the page (O-1). Method: each page has a note in a plain cell that its owner alone may touch, so two owners
//! at once, or an owner without an edge from the one before, are a race.

use super::worlds::{Milestone, race};
use heaplab::space::PageSet;
use heaplab::sync::{Arc, UnsafeCell, thread};
use heaplab::words::PageIndex;
use heaplab_verify::model::{Fault, Spec};
use heaplab_verify::models;

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
    /// Of `pages` pages, those in `inside` are in the set, each with its number as the note.
    fn new(pages: usize, bits_per_word: usize, inside: &[usize]) -> Arc<World> {
        let world =
            World { set: PageSet::new(pages, bits_per_word), notes: (0..pages).map(|_| UnsafeCell::new(0)).collect() };
        for &page in inside {
            world.put(page, page as u32);
        }
        Arc::new(world)
    }

    /// Gives up `page`, which the caller owns.
    fn put(&self, page: usize, note: u32) {
        // SAFETY: the caller owns the page; the model checks it.
        unsafe { self.notes[page].with_mut(|old| *old = note) };
        self.set.put(PageIndex::new(page));
    }

    /// Takes a page: its number and the note found.
    fn take(&self) -> Option<(usize, u32)> {
        let page = self.set.take()?.index();
        // SAFETY: the caller owns the page now; the model checks it.
        let note = unsafe { self.notes[page].with_mut(|note| core::mem::replace(&mut *note, u32::MAX)) };
        Some((page, note))
    }

    /// Every page that is left, in order. The counter agrees with the bits: each bit is a page that somebody may take once,
    /// so a page that was put twice, the second time while its taker was on the way, is found out.
    fn drain(&self) -> Vec<usize> {
        let inside = |page: &usize| self.set.contains(PageIndex::new(*page));
        let bits: Vec<usize> = (0..self.notes.len()).filter(inside).collect();
        assert_eq!(self.set.len(), bits.len(), "pages counted, and bits set: {bits:?}");
        let mut left: Vec<usize> = core::iter::from_fn(|| self.take()).map(|(page, _)| page).collect();
        left.sort_unstable();
        assert_eq!(left, bits, "what is in the set can be taken");
        left
    }
}

fn take_vs_take_of_the_last_page() {
    let world = World::new(2, 1, &[1]);
    let there = world.clone();
    let (a, b) = race(|| world.take(), move || there.take());
    assert!(a.is_some() != b.is_some(), "one of them: {a:?}, {b:?}");
    assert_eq!(a.or(b), Some((1, 1)));
    assert!(world.drain().is_empty());
}

/// As many pages as takers, in different words: nobody is refused, whoever scans first.
fn take_vs_take_with_enough_pages() {
    let world = World::new(2, 1, &[0, 1]);
    let there = world.clone();
    let (a, b) = race(|| world.take(), move || there.take());
    let (a, b) = (a.expect("enough pages"), b.expect("enough pages"));
    assert_ne!(a.0, b.0);
    assert!(world.drain().is_empty());
}

/// A claim whose exchange fails for no reason is tried again, not given up.
fn take_vs_take_with_enough_pages_and_a_spurious_failure() {
    take_vs_take_with_enough_pages();
}

/// The same within one word, where the second taker's guess may be stale.
fn take_vs_take_in_one_word() {
    let world = World::new(2, 2, &[0, 1]);
    let there = world.clone();
    let (a, b) = race(|| world.take(), move || there.take());
    let (a, b) = (a.expect("enough pages"), b.expect("enough pages"));
    assert_ne!(a.0, b.0);
    assert!(world.drain().is_empty());
}

/// O-1: the taker reads the note plainly.
fn take_vs_put() {
    let world = World::new(2, 1, &[]);
    let there = world.clone();
    let (taken, ()) = race(|| world.take(), move || there.put(1, 7));
    assert!(matches!(taken, None | Some((1, 7))));
    assert_eq!(world.drain(), if taken.is_none() { vec![1] } else { vec![] });
}

/// I-2: who takes after a page was put gets one, though nothing but time lies between, and a load of the counter may be
/// stale.
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
    assert_eq!(world.drain().len(), usize::from(taken.is_none()));
}

/// whoever claims a page sees each put that the counter had counted, though it takes another page, of another word.
/// (That the counter was 2 is seen by a load without an edge, so a later claim is of the put's value or a newer one.)
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
            assert_eq!(unsafe { written.with(|written| *written) }, 1);
            taken
        },
        move || {
            // SAFETY: nobody reads it before the put; the model checks it.
            unsafe { writes.with_mut(|written| *written = 1) };
            there.put(1, 7);
        },
    );
    assert!(matches!(taken, None | Some((0, 0))), "the first bit that is set: {taken:?}");
    assert_eq!(world.drain().len(), 2 - usize::from(taken.is_some()));
}

/// X-2, as far as the checker goes: a rival that claims later takes the bit that was to be found, and leaves another, which a
/// first scan may miss.
fn claim_find_vs_put_take() {
    let world = World::new(2, 1, &[0]);
    let (there, done) = (world.clone(), Milestone::new());
    let is_done = done.clone();
    let (a, b) = race(
        || {
            let claim = world.set.claim();
            // It may be seen, which orders nothing.
            let _ = done.is_reached();
            claim.map(|claim| claim.find().index())
        },
        move || {
            there.put(1, 1);
            let taken = there.take().map(|(page, _)| page);
            is_done.reach();
            taken
        },
    );
    let mut pages: Vec<usize> = a.into_iter().chain(b).collect();
    pages.sort_unstable();
    assert_eq!(pages, [0, 1], "two pages for two takers: {a:?}, {b:?}");
}

/// A later scan reads by an RMW that changes nothing: whatever a rival puts back meanwhile stays in the set.
fn claim_find_vs_put_take_put() {
    let world = World::new(2, 1, &[0]);
    let (there, done) = (world.clone(), Milestone::new());
    let is_done = done.clone();
    let (a, ()) = race(
        || {
            let claim = world.set.claim();
            // It may be seen, which orders nothing.
            let _ = done.is_reached();
            claim.map(|claim| claim.find().index())
        },
        move || {
            there.put(1, 1);
            let (page, note) = there.take().expect("two pages for two takers");
            is_done.reach();
            there.put(page, note);
        },
    );
    let a = a.expect("a page is in the set at every moment, or is put back");
    assert_eq!(world.drain(), [1 - a], "one page was taken for good, and the other is in the set");
}

/// O-1's release sequence: another page's bits change in the word between put and take.
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
    let mut pages: Vec<usize> = taken.iter().flatten().map(|&(page, _)| page).collect();
    assert!(taken.iter().flatten().all(|&(page, note)| note == 10 + page as u32), "{taken:?}");
    pages.extend(world.drain());
    pages.sort_unstable();
    assert_eq!(pages, [0, 1], "none is lost, none is taken twice");
}

/// A page goes around: the second taker finds it as it was at first, or as the first taker put it back, or not at all.
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
    assert!(matches!(a, None | Some((1, 1 | 8))), "{a:?}");
    assert!(matches!(b, None | Some((1, 1))), "{b:?}");
    assert!(a.is_some() || b.is_some(), "there was a page");
    assert_eq!(world.drain().len(), usize::from(a.is_none()), "none is lost");
}

/// I-2: at every moment one page at least is available, so the taker is not refused, though pages leave and come back.
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
    assert_eq!(note as usize, page);
    assert!(b < 2);
    assert_eq!(world.drain(), [1 - page]);
}

/// The shape that shows an ABA where there is one: one takes, the other takes twice and puts the first back.
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
    assert_eq!(b.1 as usize, b.0, "nobody put before");
    let mut pages: Vec<usize> = [a, c].into_iter().flatten().map(|(page, _)| page).collect();
    pages.extend(world.drain());
    pages.sort_unstable();
    assert_eq!(pages, [0, 1], "every page has one owner: {a:?}, {b:?}, {c:?}");
}

/// O-1 across three threads: what the first putter wrote reaches the taker although the second putter's change of the
/// same word lies between.
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
    assert!(taken.iter().flatten().all(|&(page, note)| note == 10 + page as u32), "{taken:?}");
    let mut pages: Vec<usize> = taken.into_iter().flatten().map(|(page, _)| page).collect();
    pages.extend(world.drain());
    pages.sort_unstable();
    assert_eq!(pages, [0, 1]);
}

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
    let here = world.take();
    let mut pages: Vec<usize> = others.into_iter().filter_map(|other| other.join().unwrap()).map(|t| t.0).collect();
    pages.extend(here.map(|(page, _)| page));
    assert!(!pages.is_empty(), "a page was available from the start");
    pages.extend(world.drain());
    pages.sort_unstable();
    assert_eq!(pages, [0, 1]);
}
