//! The raw API: a local heap without handles, scopes or lifetimes, for a runtime that manages its references itself.
//!
//! [`Heap::attach_raw`](crate::Heap::attach_raw) gives a [`LocalHeap`]; all work is done through [`RawLocalHeap`],
//! whose methods are `unsafe`. Their contract is stated once, at [`RawLocalHeap`], as. Objects are named
//! by [`Offset`], words are [`Tagged`](crate::Tagged), and objects are written through a [`View`] before anybody else
//! sees them.

pub use crate::heap::{LocalHeap, RawLocalHeap};
pub use crate::object::{Header, Root, SlotRange, View};
pub use crate::thread::{HandleMark, Slot};
pub use crate::words::{GRANULE_BYTES, Offset, ROOT_BYTES, WORD_BYTES};
