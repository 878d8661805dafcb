//! Layer 0: the words everything else is written in.
//!
//! Heap addresses are byte offsets from the start of one reservation ([`Offset`]), pages are numbered
//! ([`PageIndex`]), and the geometry that turns one into the other is computed once, in [`Layout`]. The enums here name
//! what a caller asks for; the errors say who has to act next.

mod error;
mod heap_id;
mod kinds;
mod layout;
mod offset;

pub use error::{AllocError, AttemptError, ConfigError};
pub use heap_id::{HeapId, SafepointKey};
pub use kinds::{AllocationOrigin, AllocationType, CollectionKind, Limit, SpaceKind};
pub use layout::{GRANULE_BYTES, Layout, LayoutRequest, RESERVATION_BYTES_MAX, ROOT_BYTES, WORD_BYTES};
pub use offset::{Offset, PageIndex, align_up};
