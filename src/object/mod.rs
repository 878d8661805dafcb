//! Layer 2: objects. Tagged words, headers, shapes, the built-in objects, and the exclusive view of heap words.
//!
//! Every object starts with a header word and has a size that is a multiple of 8 bytes:
//!
//! ```text
//! word 0   header: the object's map (low bit 1); inside a stop also "kept" (bit 1) or a forwarding address (low bit 0)
//! word 1.. tagged words, as many as the map says: small integers and references
//!          raw words up to the end of the fixed part
//!          tail, if the map says so: tagged words or bytes, as many as word 1 (a small integer) counts
//! ```
//!
//! Invariants:
//! * **J-1** An object's map and length never change after it is published.
//! * **J-2** The header of a published object is changed only in a stop.
//! * **J-3** Maps lie at multiples of 32 bytes and never move, so bits 1 and 2 of a map reference are zero.
//! * **J-4** Zeroed memory is a valid body: each word is the small integer 0.

mod built_in;
mod header;
mod roots;
mod shape;
mod tagged;
mod view;

pub(crate) use built_in::POISON;
pub use header::Header;
pub use roots::{BUILT_IN_KINDS, Root};
pub(crate) use shape::{ELEMENTS_WORD, LENGTH_WORD, MAP_RECORD_BYTES_WORD, MAP_SHAPE_WORD, MAP_SLOTS_WORD, MAP_WORDS};
pub use shape::{FIXED_WORDS_MAX, LENGTH_MAX, MAP_SLOTS, Shape, Tail, kind};
pub use tagged::Tagged;
pub use view::{SlotRange, View};
