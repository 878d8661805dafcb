//! heaplab: a V8-shaped managed heap with lock-free linear allocation buffers, model-checked as it ships.
//!
//! The code that ships is the code that is checked: in an exploration, which the feature `loom` adds, the same text
//! runs on simulated memory under a model checker; with `shuttle`, under a scheduler that draws its interleavings.
//! Start at [`Heap`]; a runtime that does without handles starts at [`raw`].
//!
//! What is exported here is what an embedder needs. The layers below are modules of this crate; the feature `internals`
//! makes them public, for the suite in `verify/` and for the curious, and they are **not** covered by any promise of
//! stability.
//!
//! Layers, each of which uses lower ones only (a test enforces it):
//!
//! | layer | module | what |
//! |---|---|---|
//! | 7 | [`heap`] | the public API, verifier, survey, statistics, flags |
//! | 6 | [`collection`] | minor, mark, sweep, evacuate |
//! | 5 | [`thread`] | local heaps, safepoint, roots |
//! | 4 | [`allocation`] | LAB, refill, retry ladder |
//! | 3 | [`space`] | new, paged, large; page sets, frontier, budget |
//! | 2 | [`object`], [`page`] | tagged words, shapes; metadata beside the pages |
//! | 1 | [`memory`] | reserve, commit, release; words by offset |
//! | 0 | [`words`], [`sync`] | offsets, errors; the facade to threads and atomics |

#![cfg_attr(
    not(feature = "internals"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        rustdoc::private_intra_doc_links,
        reason = "the suite uses parts of the layers that the heap does not use"
    )
)]

pub mod docs;
pub mod raw;

// The layers are private, except for the suite by the feature `internals`. Each is declared twice, since the
// formatter does not follow a declaration in a macro.
#[cfg(not(feature = "internals"))]
mod allocation;
#[cfg(feature = "internals")]
pub mod allocation;
#[cfg(not(feature = "internals"))]
mod collection;
#[cfg(feature = "internals")]
pub mod collection;
#[cfg(not(feature = "internals"))]
mod heap;
#[cfg(feature = "internals")]
pub mod heap;
#[cfg(not(feature = "internals"))]
mod memory;
#[cfg(feature = "internals")]
pub mod memory;
#[cfg(not(feature = "internals"))]
mod object;
#[cfg(feature = "internals")]
pub mod object;
#[cfg(not(feature = "internals"))]
mod page;
#[cfg(feature = "internals")]
pub mod page;
#[cfg(not(feature = "internals"))]
mod space;
#[cfg(feature = "internals")]
pub mod space;
#[cfg(not(feature = "internals"))]
mod sync;
#[cfg(feature = "internals")]
pub mod sync;
#[cfg(not(feature = "internals"))]
mod thread;
#[cfg(feature = "internals")]
pub mod thread;
#[cfg(not(feature = "internals"))]
mod words;
#[cfg(feature = "internals")]
pub mod words;

pub use allocation::{AllocationCounters, Reserve};
pub use collection::{CollectionSummary, WorkDone};
pub use heap::{
    Array, AttachError, Attachment, BuildError, Bytes, CloseError, Code, CollectionTrace, FlagError, Handle, Heap,
    HeapConfig, HeapType, LimitError, Map, MemoryUse, NearLimit, NearLimitCallback, OwnRequests, PageSurvey,
    Persistent, Record, RecordType, Ref, RefusedMemory, RootSet, RunError, Scope, Statistics, StopError, Survey, Value,
    Verification, Violation, WrongHeap,
};
pub use memory::{MemoryError, PageSource};
pub use object::{FIXED_WORDS_MAX, LENGTH_MAX, MAP_SLOTS, Shape, Tagged, Tail, kind};
pub use page::PageKind;
pub use raw::LocalHeap;
pub use sync::is_modelled;
pub use words::{
    AllocError, AllocationOrigin, AllocationType, CollectionKind, ConfigError, Layout, Offset, PageIndex, SpaceKind,
};

/// The README's example is compiled and run.
#[cfg(all(doctest, not(feature = "shuttle")))]
#[doc = include_str!("../README.md")]
struct Readme;
