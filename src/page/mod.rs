//! Layer 2: pages. Metadata beside the pages, never in them.
//!
//! A page's number indexes every side table, so no structure keeps links in heap words and a stale reader never touches
//! reused memory. The tables cost, per heap byte: mark bits 1/64, hole bits 1/64 (one per 8 bytes each), remembered
//! bits 1/32 (one per word: a granule may hold a tagged and a raw word, and a raw word must not be read as a slot).
//!
//! Invariants:
//! * **G-1** A page's kind and [`PageInfo`] are written by its owner before any object in it is published, or in a
//!   stop. So plain reads of the kind of an object's page are ordered by whatever published the object.
//! * **G-2** In a stop, once LABs and owned pages are given up, every walkable page is committed, and a gapless
//!   sequence of objects, fillers and free blocks.
//! * **G-3** The hole bits of a page are touched by its owner only: the local heap that took it, or the collector.
//!   Each set bit is the start of a free block, and every free block has its bit set.
//! * **G-4** While the world is stopped every table is the collector's: nobody else reads or writes a row, a kind or
//!   a flag.

mod bits;
mod holes;
mod table;

pub use bits::{Bitmap, PageBits};
pub use holes::Holes;
pub use table::{NO_ORDINAL, PageInfo, PageKind, PageTable};
