//! Layer 4: allocation. The linear allocation buffer, its refill, and the retry ladder.
//!
//! ```text
//! bump     top + size <= limit                      inlined, no atomics, no shared word
//! refill   retire the LAB, get memory from a space  outlined and cold; fails as a value
//! ladder   attempt, collection, attempt, ...        data; the collections belong to the layers above
//! ```
//!
//! Invariants:
//! * **L-1** `top <= limit <= end`, all granule-aligned, within one page; `end - top` is at most half a page, so the
//!   bump path needs no test for large objects.
//! * **L-2** The words of `top..end` belong to this local heap alone. The words hold anything: an object is zeroed
//!   when it is allocated, not its LAB when that is installed, so each cache line is brought in once.
//! * **L-3** A retired LAB leaves no gap: its rest is a filler (new space) or a hole of the owned page.
//! * **L-4** A local heap owns at most one page per paged space; nobody else looks at that page's holes.
//! * **L-5** All memory of an allocator comes from one [`Spaces`](crate::space::Spaces), that of the heap that its
//!   local heap is attached to. Whoever passes a `Spaces` to an allocator passes this one, and is at work in its heap
//!   (S-4).

mod allocator;
mod lab;
mod ladder;
mod reserve;

pub use allocator::{AllocationCounters, Allocator, ScopeMark};
pub use lab::Lab;
pub use ladder::{Collect, Collected, Fell, Rung, climb, rungs};
pub use reserve::{Reserve, ReservedMemory};
