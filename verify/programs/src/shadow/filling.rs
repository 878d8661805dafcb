//! Pages that an operation fills, and what the next operation finds in them.
//!
//! `fill` takes a page of a space and fills it but for some bytes. A request of the same thread and type that comes
//! right behind it, and fits into what is left, is served at once. The promise lasts for one step: any other step may
//! take the rest, and what it takes does not have to be known.

use heaplab::AllocationType;

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
    /// Begins a step: the present one becomes the one before.
    pub(super) fn begin_step(&mut self) {
        self.before = self.present.take();
    }

    /// Notes that the present step has filled a page but for so many bytes.
    pub(super) fn filled(&mut self, actor: usize, ty: AllocationType, bytes_left: usize) {
        self.present = Some(Filling { actor, ty, bytes_left });
    }

    /// The page that the step before has filled.
    pub(super) fn before(&self) -> Option<Filling> {
        self.before
    }
}
