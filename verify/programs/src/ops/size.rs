//! Sizes at and around every boundary of a heap.

use heaplab::Shape;
use heaplab::object::{LENGTH_MAX, Tail};
use heaplab::words::Layout;

/// A boundary of the heap, and a distance from it: off-by-one errors show near boundaries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Size {
    /// The boundary.
    pub base: SizeBase,
    /// Bytes beyond it.
    pub delta: i8,
}

/// A boundary.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SizeBase {
    /// An object without elements.
    Empty,
    /// A young LAB.
    Lab,
    /// Half a page: the greatest object that is not large.
    Half,
    /// A page.
    Page,
    /// Two pages.
    TwoPages,
    /// Five pages.
    FivePages,
    /// The greatest object of the heap.
    Greatest,
    /// More elements than any object has.
    Absurd,
    /// All that the hard limit leaves in an empty heap.
    Whole,
    /// The least hole that a page must have to be offered to allocation.
    SmallHole,
}

impl SizeBase {
    /// All of them.
    pub const ALL: [SizeBase; 10] = [
        SizeBase::Empty,
        SizeBase::Lab,
        SizeBase::Half,
        SizeBase::Page,
        SizeBase::TwoPages,
        SizeBase::FivePages,
        SizeBase::Greatest,
        SizeBase::Absurd,
        SizeBase::Whole,
        SizeBase::SmallHole,
    ];
}

impl Size {
    /// Elements of the tail of an object of `shape` that comes nearest to this size from below; 0 without a tail, and
    /// more than any object may have for [`SizeBase::Absurd`].
    #[must_use]
    pub fn length(self, shape: Shape, layout: &Layout) -> usize {
        let fixed_bytes = shape.fixed_words() * heaplab::words::WORD_BYTES;
        let base_bytes = match self.base {
            SizeBase::Empty => fixed_bytes,
            SizeBase::Lab => layout.young_lab_bytes(),
            SizeBase::Half => layout.regular_bytes_max(),
            SizeBase::Page => layout.page_bytes(),
            SizeBase::TwoPages => 2 * layout.page_bytes(),
            SizeBase::FivePages => 5 * layout.page_bytes(),
            SizeBase::Greatest => layout.object_bytes_max(),
            SizeBase::SmallHole => layout.small_hole_bytes(),
            SizeBase::Absurd => return absurd(shape, self.delta),
            SizeBase::Whole => {
                (layout.hard_limit_pages() - layout.root_pages() - layout.new_pages()) * layout.page_bytes()
            }
        };
        let tail_bytes = base_bytes.saturating_add_signed(isize::from(self.delta)).saturating_sub(fixed_bytes);
        match shape.tail() {
            Tail::None => 0,
            Tail::Tagged => tail_bytes / heaplab::words::WORD_BYTES,
            Tail::Bytes => tail_bytes,
        }
    }
}

fn absurd(shape: Shape, delta: i8) -> usize {
    match (shape.tail(), delta) {
        (Tail::None, _) => 0,
        (_, 0..) => usize::MAX - usize::from(delta.unsigned_abs()),
        (_, _) => LENGTH_MAX + usize::from(delta.unsigned_abs()),
    }
}
