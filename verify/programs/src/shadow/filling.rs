//! Pages that an operation fills, and what the next operation finds in them.
//!
//! `fill` takes a page of a space and fills it but for some bytes. A request of the same thread and type that comes
//! right behind it, and fits into what is left, is served at once. The promise lasts for one step: whatever comes in
//! between may take the rest, and does not have to be known.

use super::{Door, Oracle};
use heaplab::{AllocError, AllocationType};
use heaplab_common::claim_eq;

/// A page that a step has filled, and what the step left of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling {
    actor: usize,
    ty: AllocationType,
    bytes_left: usize,
}

impl Filling {
    /// Whether the page has room for a request.
    pub(super) fn has_room(&self, actor: usize, ty: AllocationType, bytes: usize) -> bool {
        (self.actor, self.ty) == (actor, ty) && bytes <= self.bytes_left
    }
}

/// The page that the present step has filled, and the one that the step before has. Most steps fill none.
#[derive(Debug, Default)]
pub(super) struct Fillings {
    present: Option<Filling>,
    before: Option<Filling>,
}

impl Fillings {
    /// A step begins: the last one becomes the one before.
    pub(super) fn begin_step(&mut self) {
        self.before = self.present.take();
    }

    /// The page that the step before has filled.
    pub(super) fn before(&self) -> Option<Filling> {
        self.before
    }
}

impl Oracle {
    /// Fills a page, which does not climb: it is refused at once, and only for want of a page.
    pub(super) fn fill<D: Door>(&mut self, actor: usize, door: &mut D, ty: AllocationType, bytes: usize) {
        let valid = bytes.is_multiple_of(ty.granule_bytes()) && bytes <= self.state.layout.regular_bytes_max();
        let armed = self.armed(door.attempts_before_failure());
        let answer = door.fill_page_but(ty, bytes);
        let struck = self.struck(armed, door.attempts_before_failure());
        match answer {
            Ok(()) => {
                assert!(valid, "a page was filled but for {bytes} bytes");
                self.fillings.present = Some(Filling { actor, ty, bytes_left: bytes });
                self.tally.filled += 1;
                let own = self.guards.iter_mut().filter(|guard| guard.owner == actor);
                own.for_each(|guard| guard.filled(ty));
            }
            Err(AllocError::InvalidSize { size_bytes }) => {
                assert!(!valid, "a page cannot be filled but for {bytes} bytes, a good size");
                claim_eq!(size_bytes, bytes, "the size that a refusal names");
            }
            Err(AllocError::OutOfMemory { allocation_type, size_bytes }) => {
                assert!(valid, "a page is to be filled but for {bytes} bytes, and a bad size is out of memory");
                claim_eq!((allocation_type, size_bytes), (ty, bytes), "what a refusal names");
                self.tally.fills_refused += 1;
                if !struck && let Err(reason) = self.state.may_refuse_a_page(ty, bytes) {
                    panic!("a page for {ty:?}, to be filled but for {bytes} bytes, was refused although {reason}");
                }
            }
            Err(error) => panic!("filling a page: {error}"),
        }
        // Reserves may be drawn on.
        self.stopped(false);
    }
}
