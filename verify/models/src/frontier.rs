//! P3, the frontier of new space: carve, carve and seal.
//!
//! Goal: LABs are disjoint and inside their page, each page has one sealer, no page is lost, every gap is a filler, a
//! refusal comes only when the table is used up, and a carver may write to a page that another thread committed
//! (O-2). Method: a page holds two LABs and a rest that is no LAB; each carver writes all words of what it got,
//! plainly, so two owners of a word are a race, and so is a carver without an edge from the commit; at the end
//! everything below the frontier is accounted for, byte by byte.

use super::worlds::{self, PAGE, ROOTS, one_of, race};
use heaplab::memory::{Memory, PageSource};
use heaplab::object::{Root, View};
use heaplab::page::PageTable;
use heaplab::space::{Carved, NewSpace, Ordinal};
use heaplab::sync::{Arc, thread};
use heaplab::words::{AttemptError, Layout, Offset, PageIndex, WORD_BYTES};
use heaplab_checker::model::{Fault, Spec};
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "frontier":
    carve_vs_carve_in_a_fresh_page: Spec::two_threads(),
    carve_vs_seal: Spec::two_threads(),
    seal_vs_seal: Spec::two_threads(),
    carve_vs_carve_seal_into_a_committed_page: Spec::two_threads(),
    carve_of_a_rest_vs_seal: Spec::two_threads(),
    carve_carve_vs_carve_at_the_end_of_the_table: Spec::two_threads(),
    seal_vs_seal_with_one_commit_refused: Spec::two_threads(),
    carve_vs_carve_vs_carve: Spec::bounded(3, 3),
    carve_vs_carve_with_one_refusal: Spec::two_threads().with_fault(Fault::PageRequest),
    carve_vs_carve_with_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
    carve_vs_seal_with_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
    seal_vs_seal_with_a_spurious_failure: Spec::two_threads().with_fault(Fault::WeakExchange),
}

/// Bytes of a LAB. Two LABs leave 32 bytes of a page.
const LAB: usize = 48;

struct World {
    layout: Layout,
    memory: Memory,
    new: NewSpace,
}

/// What one carver got: a LAB, or the tail of the page that it sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    start: usize,
    bytes: usize,
    is_tail: bool,
}

impl World {
    /// A world whose table has these pages, each with whether it is committed.
    fn new(pages: &[(usize, bool)]) -> Arc<World> {
        let layout = worlds::layout(4, 1, 1);
        let memory =
            Memory::reserve(PageSource::for_page_bytes(PAGE), layout.pages() * PAGE, PAGE).expect("a small world");
        let new = NewSpace::new();
        let table = PageTable::new(&layout);
        let ordinals = pages.iter().map(|&(page, committed)| {
            if committed {
                memory.commit(page * PAGE, PAGE).expect("a small world");
            }
            Ordinal { page: PageIndex::new(page), committed }
        });
        // SAFETY: nobody else knows this space yet.
        unsafe { new.rebuild(&table, ordinals.collect()) };
        Arc::new(World { layout, memory, new })
    }

    fn view(&self) -> View<'_> {
        // SAFETY: used on words that the user owns; the model checks it.
        unsafe { View::new(&self.memory) }
    }

    /// Carves, fills the tail if it sealed a page, and writes every word of the LAB.
    fn carve(&self, bytes_min: usize) -> Result<Vec<Part>, AttemptError> {
        // SAFETY: S-4: no thread of these models stops the world; the tail is filled below.
        let carved = unsafe { self.new.carve(&self.memory, &self.layout, bytes_min, LAB) };
        let Carved { start, bytes, tail } = carved?;
        let mut parts = vec![Part { start: start.bytes(), bytes, is_tail: false }];
        for at in (0..bytes).step_by(WORD_BYTES) {
            self.view().write(start.plus(at), 7);
        }
        if let Some((at, bytes)) = tail {
            self.view().write_filler(at, bytes);
            parts.push(Part { start: at.bytes(), bytes, is_tail: true });
        }
        // A LAB, or the rest of its page if that is less.
        claim_eq!(bytes, LAB.min(PAGE - start.bytes() % PAGE), "the size of the LAB at {start:?}");
        assert!(bytes >= bytes_min, "{bytes} bytes, where {bytes_min} were asked for");
        for part in &parts {
            let last = Offset::new(part.start + part.bytes - 1);
            let first = Offset::new(part.start);
            claim_eq!(self.layout.page_of(last), self.layout.page_of(first), "the page that {part:?} ends in");
        }
        Ok(parts)
    }

    /// Asserts that the parts are disjoint and cover the table's pages, in its order, from its start to the frontier,
    /// and that tails and the rest of the last page are fillers.
    fn account(&self, pages: &[usize], mut parts: Vec<Part>) {
        // SAFETY: every other thread has ended.
        unsafe { self.new.make_walkable(self.view(), &self.layout) };
        let used = self.new.used_bytes(&self.layout);
        for part in parts.iter().filter(|part| part.is_tail) {
            self.assert_filler(Offset::new(part.start), part.bytes);
        }
        let mut covered = 0;
        while covered < used {
            let at = pages[covered / PAGE] * PAGE + covered % PAGE;
            let found = parts.iter().position(|part| part.start == at);
            let part = parts.swap_remove(found.unwrap_or_else(|| panic!("nobody has the bytes at {at}: {parts:?}")));
            covered += part.bytes;
        }
        claim_eq!(covered, used, "what is covered of the bytes below the frontier");
        assert!(parts.is_empty(), "beyond the frontier, or twice: {parts:?}");
        if !used.is_multiple_of(PAGE) {
            let rest = Offset::new(pages[used / PAGE] * PAGE + used % PAGE);
            self.assert_filler(rest, PAGE - used % PAGE);
        }
    }

    fn assert_filler(&self, at: Offset, bytes: usize) {
        claim_eq!(self.view().read(at), Root::FillerMap.tagged().bits(), "the header of the filler at {at:?}");
        let length = self.view().read(at.word(1)) >> 1;
        claim_eq!(length as usize, bytes - 2 * WORD_BYTES, "the length of the filler at {at:?}");
    }
}

const FIRST: usize = ROOTS;

/// Asserts that exactly one page was sealed.
fn assert_one_sealer(parts: &[Part]) {
    claim_eq!(parts.iter().filter(|part| part.is_tail).count(), 1, "the number of sealed pages in {parts:?}");
}

/// Both reach a page that nobody has used: the page is committed and entered once, and both write to it.
fn carve_vs_carve_in_a_fresh_page() {
    let world = World::new(&[(FIRST, false)]);
    let there = world.clone();
    let (a, b) = race(|| world.carve(8), move || there.carve(8));
    let parts = [a.expect("room for both"), b.expect("room for both")].concat();
    claim_eq!(parts.len(), 2, "the number of parts, where no page is sealed,");
    claim_eq!(world.new.used_bytes(&world.layout), 2 * LAB, "the number of bytes used");
    world.account(&[FIRST], parts);
}

/// The page has room for one of the two: the other seals it, once, and goes on in the next page, which it commits.
fn carve_vs_seal() {
    let world = World::new(&[(FIRST, true), (FIRST + 1, false)]);
    let first = world.carve(8).unwrap();
    let there = world.clone();
    let (a, b) = race(|| world.carve(LAB), move || there.carve(LAB));
    let parts = [first, a.expect("room"), b.expect("room")].concat();
    assert_one_sealer(&parts);
    world.account(&[FIRST, FIRST + 1], parts);
}

/// Both find the page used up, both try to seal it: one does, and both are served by the next page.
fn seal_vs_seal() {
    let world = World::new(&[(FIRST, true), (FIRST + 1, false)]);
    let first = [world.carve(LAB).unwrap(), world.carve(LAB).unwrap()].concat();
    let there = world.clone();
    let (a, b) = race(|| world.carve(LAB), move || there.carve(LAB));
    let parts = [first, a.expect("room"), b.expect("room")].concat();
    assert_one_sealer(&parts);
    world.account(&[FIRST, FIRST + 1], parts);
}

/// O-2, the sealer's side: the page that it seals was committed by the other thread, and the page that it enters was
/// committed long ago, so nothing but the frontier itself leads from that commit to its filler. All three LABs are
/// served, and whoever asks third seals the page.
fn carve_vs_carve_seal_into_a_committed_page() {
    let world = World::new(&[(FIRST, false), (FIRST + 1, true)]);
    let there = world.clone();
    let (a, b) = race(|| [world.carve(LAB), world.carve(LAB)], move || there.carve(LAB));
    let parts: Vec<_> = a.into_iter().chain([b]).flat_map(|carved| carved.expect("room")).collect();
    assert_one_sealer(&parts);
    world.account(&[FIRST, FIRST + 1], parts);
}

/// A small request takes the rest of the page, which is too small for the other request, and there is no tail. Or the
/// other carver has sealed the page, with the rest as its tail, and both LABs are in the next page.
fn carve_of_a_rest_vs_seal() {
    let world = World::new(&[(FIRST, true), (FIRST + 1, true)]);
    let first = [world.carve(LAB).unwrap(), world.carve(LAB).unwrap()].concat();
    let there = world.clone();
    let (a, b) = race(|| world.carve(8), move || there.carve(LAB));
    let (small, other) = (a.expect("room"), b.expect("room"));
    let took_the_rest = small == [Part { start: FIRST * PAGE + 2 * LAB, bytes: PAGE - 2 * LAB, is_tail: false }];
    let parts = [first, small, other].concat();
    let tails = parts.iter().filter(|part| part.is_tail).count();
    claim_eq!(tails, usize::from(!took_the_rest), "the number of tails in {parts:?}");
    world.account(&[FIRST, FIRST + 1], parts);
}

/// A carver is refused only when the table is used up: of three LABs wanted, the two that fit are served.
fn carve_carve_vs_carve_at_the_end_of_the_table() {
    let world = World::new(&[(FIRST, false)]);
    let there = world.clone();
    let (a, b) = race(|| [world.carve(LAB), world.carve(LAB)], move || there.carve(LAB));
    let all: Vec<_> = a.into_iter().chain([b]).collect();
    let refused: Vec<_> = all.iter().filter_map(|carved| carved.as_ref().err()).collect();
    claim_eq!(refused, [&AttemptError::Exhausted], "what was refused, where two of three fit,");
    world.account(&[FIRST], all.into_iter().flatten().flatten().collect());
}

/// The system refuses the commit of the next page once: its carver is told so, and the other one is served.
fn seal_vs_seal_with_one_commit_refused() {
    let world = World::new(&[(FIRST, true), (FIRST + 1, false)]);
    let first = [world.carve(LAB).unwrap(), world.carve(LAB).unwrap()].concat();
    world.memory.fail_commit_at(core::num::NonZeroUsize::new(1));
    let there = world.clone();
    let (a, b) = race(|| world.carve(LAB), move || there.carve(LAB));
    let (served, refused) = one_of(a, b);
    claim_eq!(refused, AttemptError::Refused, "the reason of the one that was refused");
    world.account(&[FIRST, FIRST + 1], [first, served].concat());
}

/// Three carvers, one page border: all are served, and one has sealed the first page.
fn carve_vs_carve_vs_carve() {
    let world = World::new(&[(FIRST, false), (FIRST + 1, false)]);
    let others: Vec<_> = (0..2)
        .map(|_| {
            let world = world.clone();
            thread::spawn(move || world.carve(LAB))
        })
        .collect();
    let mut parts = world.carve(LAB).expect("room for three");
    for other in others {
        parts.extend(other.join().unwrap().expect("room for three"));
    }
    assert_one_sealer(&parts);
    world.account(&[FIRST, FIRST + 1], parts);
}

/// Either commit of the first page may be refused, or none: a refused carver is told so and changes nothing, and the
/// next who asks is served.
fn carve_vs_carve_with_one_refusal() {
    let world = World::new(&[(FIRST, false)]);
    let there = world.clone();
    let (a, b) = race(|| world.carve(8), move || there.carve(8));
    assert!(a.is_ok() || b.is_ok(), "the refusal happens once: {a:?}, {b:?}");
    let mut parts = Vec::new();
    for carved in [a, b] {
        parts.extend(match carved {
            Ok(parts) => parts,
            Err(AttemptError::Refused) => world.carve(8).expect("the refusal happens once"),
            Err(AttemptError::Exhausted) => panic!("room for both"),
        });
    }
    world.account(&[FIRST], parts);
}

/// An exchange that fails for no reason is another guess: nothing is carved twice, no page sealed twice.
fn carve_vs_carve_with_a_spurious_failure() {
    carve_vs_carve_in_a_fresh_page();
}

/// An exchange that fails for no reason at the end of a page: the page has one sealer, and both carvers are served.
fn carve_vs_seal_with_a_spurious_failure() {
    carve_vs_seal();
}

/// An exchange that fails for no reason where both try to seal: one carver does.
fn seal_vs_seal_with_a_spurious_failure() {
    seal_vs_seal();
}
