//! Layer 0: the words everything else is written in.
//!
//! Heap addresses are byte offsets from the start of one reservation ([`Offset`]), pages are numbered
//! ([`PageIndex`]), and the geometry that turns one into the other is computed once, in [`Layout`]. The enums here name
//! what a caller asks for; the errors say who has to act next.

mod by;
mod error;
mod granules;
mod heap_id;
mod kinds;
mod layout;
mod offset;

pub(crate) use by::numbered;
pub use by::{By, ByKind, ByType, Numbered};
pub use error::{AllocError, AttemptError, ConfigError};
pub use granules::{
    ALIGNMENT_BYTES_MAX, CACHE_LINE_BYTES, GRANULE_BYTES, MAP_BYTES, RESERVATION_BYTES_MAX, ROOT_BYTES,
    TABLE_WORD_BITS, WORD_BYTES,
};
pub use heap_id::{HeapId, SafepointKey};
pub use kinds::{AllocationOrigin, AllocationType, CollectionKind, Limit, SpaceKind};
pub use layout::{Layout, LayoutRequest};
pub use offset::{Offset, PageIndex, align_up};
