//! P12, copying: two collector threads meet one object.
//!
//! Goal: an object is copied once and both see the same copy, complete (O-10). Method: the shipping claim of a
//! header; each collector writes a copy of its own plainly before it claims. There is one collector thread today; the
//! interfaces are those of several, and so are their orderings.

use super::worlds::{self, race};
use heaplab::object::{Header, Root};
use heaplab::space::Spaces;
use heaplab::sync::{Arc, Ordering};
use heaplab::words::{Limit, Offset, PageIndex};
use heaplab_checker::model::Spec;
use heaplab_checker::models;
use heaplab_common::claim_eq;

models! {
    "forwarding":
    evacuate_vs_evacuate: Spec::two_threads(),
    keep_vs_keep: Spec::two_threads(),
}

/// An object of two words in the first page after the roots, room for copies in the next.
pub(super) fn world() -> (Arc<Spaces>, Offset) {
    let spaces = worlds::spaces(&worlds::layout(2, 1, 1));
    let layout = spaces.layout();
    let at = layout.page_start(PageIndex::new(worlds::ROOTS));
    // SAFETY: S-4: nobody else has this heap yet.
    assert!(unsafe { spaces.budget.try_reserve(1, Limit::Hard) }, "the second page is not new space's");
    spaces.memory.commit(at.bytes(), 2 * layout.page_bytes()).expect("a small world");
    // SAFETY: nobody else knows the page.
    unsafe {
        worlds::write_object(spaces.view(), at, 16);
        spaces.view().write(at.word(2), 42);
    }
    (spaces, at)
}

/// Copies the object to `to` and claims it. Returns the copy that counts, after reading it in full.
fn evacuate(spaces: &Spaces, object: Offset, to: Offset) -> Offset {
    // SAFETY: in a stop; the place of the copy is this collector's, and headers are accessed atomically.
    unsafe {
        let view = spaces.view();
        let header = Header::decode(spaces.memory.load(object.bytes(), Ordering::Acquire));
        let copy = match header {
            Header::Forwarded(copy) => copy,
            old => {
                view.write(to, old.encode());
                view.write(to.word(1), view.read(object.word(1)));
                view.write(to.word(2), view.read(object.word(2)));
                match view.claim(object, old, Header::Forwarded(to)) {
                    Ok(()) => to,
                    Err(Header::Forwarded(copy)) => copy,
                    Err(other) => panic!("nobody keeps this object: {other:?}"),
                }
            }
        };
        claim_eq!(view.read(copy), Root::ByteArrayMap.tagged().bits(), "the header of the copy");
        claim_eq!(view.read(copy.word(1)), (16 - 8) << 1, "the length of the copy");
        claim_eq!(view.read(copy.word(2)), 42, "the contents of the copy");
        copy
    }
}

/// Each offers a place of its own: both go on with the same copy, which is one of the two.
fn evacuate_vs_evacuate() {
    let (spaces, object) = world();
    let to = spaces.layout().page_end(spaces.layout().page_of(object));
    let there = spaces.clone();
    let (a, b) = race(|| evacuate(&spaces, object, to), move || evacuate(&there, object, to.plus(64)));
    claim_eq!(b, a, "the copy that the second collector found");
    assert!([to, to.plus(64)].contains(&a), "one of the two places: {a:?}");
}

/// Both find no destination: exactly one decides to keep the object, and the other one finds that decided.
fn keep_vs_keep() {
    fn keep(spaces: &Spaces, object: Offset) -> bool {
        let map = Root::ByteArrayMap.offset();
        // SAFETY: in a stop; headers are accessed atomically.
        let claimed = unsafe { spaces.view().claim(object, Header::Map(map), Header::Kept(map)) };
        assert!(matches!(claimed, Ok(()) | Err(Header::Kept(_))), "{claimed:?}");
        claimed.is_ok()
    }
    let (spaces, object) = world();
    let there = spaces.clone();
    let (a, b) = race(|| keep(&spaces, object), move || keep(&there, object));
    assert!(a != b, "one of them decides");
}
