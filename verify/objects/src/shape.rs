//! The shapes of the records that have one map each.

use super::kind;
use heaplab::{AllocError, Shape, Tail};

/// The shape of the records of a kind that has one map.
///
/// # Errors
/// `InvalidShape` for a kind of objects, which have maps of their own.
pub const fn shape(kind: u16) -> Result<Shape, AllocError> {
    match kind {
        kind::NUMBER => Shape::new(kind, 3, 0, Tail::None),
        kind::ONE_BYTE | kind::TWO_BYTE => Shape::new(kind, 3, 1, Tail::Bytes),
        kind::CONS => Shape::new(kind, 4, 3, Tail::None),
        kind::SENTINEL => Shape::new(kind, 2, 1, Tail::None),
        kind::DESCRIPTORS | kind::CONTEXT => Shape::new(kind, 3, 2, Tail::Tagged),
        kind::ACCESSOR_INFO => Shape::new(kind, 5, 4, Tail::None),
        kind::ACCESSOR_PAIR => Shape::new(kind, 3, 2, Tail::None),
        kind::SHARED => Shape::new(kind, 8, 7, Tail::None),
        kind::DICTIONARY => Shape::new(kind, 5, 4, Tail::Tagged),
        _ => Err(AllocError::InvalidShape("objects have maps of their own")),
    }
}
