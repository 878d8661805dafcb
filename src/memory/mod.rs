//! Layer 1: one contiguous reservation, its pages, and its words by offset.
//!
//! A heap lives in one reservation made once. Everything above this layer names a place in it by its *offset*: a count
//! of bytes from the base. No address leaves this module, so the same algorithm runs on real memory and on memory that
//! a model checker watches.
//!
//! ```text
//!            offset 0                                                       bytes
//!  base ────► ┌───────────┬───────────┬───────────┬──── … ────┬───────────┐
//!             │ committed │ committed │ reserved  │           │ reserved  │
//!             └───────────┴───────────┴───────────┴──── … ────┴───────────┘
//!               word = 4 bytes, little-endian numbered: byte k is bits 8k..8k+8
//! ```
//!
//! A range is *reserved* (nobody may touch it; when mapped, it costs address space only) or *committed* (its words
//! may be accessed). [`Memory::commit`] and [`Memory::release`] move it from one state to the other. When mapped,
//! what is released costs no memory and no mapping of its own: the system keeps at most five mappings for a
//! reservation, whatever was committed and released (module `mapped`).
//!
//! # Invariants
//!
//! * **ME-1** The base never changes and the reservation stays whole until the [`Memory`] is dropped.
//! * **ME-2** The base is aligned to [`BASE_ALIGN`] bytes at least, so an offset has the alignment of its address up to
//!   that.
//! * **ME-3** After a successful commit every word of the range is accessible to every thread that learns of the
//!   commit, until some part of the range is released. Learning takes an edge of the caller's own: a commit publishes
//!   nothing.
//! * **ME-4** Memory is words and nothing else: 4 bytes each, 4-aligned, and only ever accessed as such. Byte copies go
//!   through the word that contains the byte, so no two atomic accesses of different sizes ever meet.
//!
//! # Two kinds of access
//!
//! *Shared* access ([`load`](Memory::load), [`store`](Memory::store), [`compare_exchange`](Memory::compare_exchange),
//! [`copy_in`](Memory::copy_in), [`copy_out`](Memory::copy_out)) is atomic and may meet any other shared access.
//! *Plain* access ([`read`](Memory::read), [`write`](Memory::write), [`zero`](Memory::zero), [`copy`](Memory::copy)) is
//! for an object that is not yet published and for a stop, and must not meet any access by another thread unless both
//! read. The simulated source reports a plain access that meets another access as a race.
//!
//! # Free words
//!
//! Committed memory is not all in use. What the layers above [`withhold`](Memory::withhold) is free; under
//! AddressSanitizer a touch of it is a report (module `poison`).
//!
//! # What this layer does not do
//!
//! It decides nothing about how much is committed (the budget does; the [`Ledger`] here checks it), hands out no pages
//! (page sets do), and orders nothing between threads except where the caller passes an ordering.

mod bytes;
#[cfg(feature = "loom")]
mod chosen;
mod error;
mod fault;
mod ledger;
#[cfg(all(unix, not(miri)))]
mod mapped;
mod native;
#[cfg(any(not(unix), miri))]
mod no_system;
mod owned;
#[cfg(heaplab_asan)]
mod poison;
mod reservation;
#[cfg(feature = "loom")]
mod simulated;
mod source;
#[cfg(all(unix, not(miri)))]
mod system;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(not(all(unix, not(miri))))]
mod unmapped;
#[cfg(not(heaplab_asan))]
mod unpoisoned;

#[cfg(feature = "loom")]
use chosen::{Region, bytes_max};
#[cfg(all(unix, not(miri)))]
use mapped::Mapped;
#[cfg(not(feature = "loom"))]
use native::{Region, bytes_max};
#[cfg(any(not(unix), miri))]
use no_system::system_page_bytes;
#[cfg(heaplab_asan)]
use poison::Poison;
#[cfg(all(unix, not(miri)))]
use system::system_page_bytes;
#[cfg(not(all(unix, not(miri))))]
use unmapped::Mapped;
#[cfg(not(heaplab_asan))]
use unpoisoned::Poison;

pub use error::MemoryError;
pub use fault::Fault;
pub use ledger::Ledger;
pub use reservation::Memory;
pub use source::PageSource;
pub use tables::{try_reserved, try_table};

/// Whether this build reports accesses to [withheld](Memory::withhold) words: it is built for AddressSanitizer.
pub const POISONS: bool = cfg!(heaplab_asan);

/// Whether a modelled heap of this build lives in simulated memory.
const SIMULATES: bool = cfg!(feature = "loom");

/// Whether a heap of this build maps its memory, unless it is told otherwise.
const MAPS: bool = cfg!(all(unix, not(miri), not(feature = "shuttle")));

/// Why this build maps no memory.
#[cfg(not(all(unix, not(miri))))]
const UNMAPPED: &str = if cfg!(miri) {
    "Miri does not model reserved address space"
} else {
    "it needs mmap, which this system does not have"
};

/// The least alignment of a reservation's base, in bytes: offset alignment up to this is address alignment.
pub const BASE_ALIGN: usize = 64;
