//! heaplab: a V8-shaped managed heap with lock-free linear allocation buffers, and the code that is model-checked.
//!
//! The code that ships is the code that is checked: with the feature `loom`, the same text runs on simulated memory
//! under a model checker; with `shuttle`, under a scheduler that draws its interleavings. Start at [`Heap`]; the layers below it are public modules, for the verification suite and for
//! the curious, and **not** covered by any promise of stability.
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

pub mod allocation;
pub mod collection;
pub mod docs;
pub mod heap;
pub mod memory;
pub mod object;
pub mod page;
pub mod space;
pub mod sync;
pub mod thread;
pub mod words;

pub use allocation::Reserve;
pub use heap::{
    Array, AttachError, Attachment, BuildError, Bytes, CloseError, Code, CollectionTrace, FlagError, Handle, Heap,
    HeapConfig, HeapType, LocalHeap, Map, MemoryUse, NearLimit, PageSurvey, Persistent, Record, RecordType, Ref,
    RootSet, RunError, Scope, Statistics, StopError, Survey, Value, Verification, Violation, WrongHeap,
};
pub use object::{Shape, Tagged, Tail};
pub use words::{AllocError, AllocationOrigin, AllocationType, CollectionKind, Offset, SpaceKind};

/// The README's example is compiled and run.
#[cfg(all(doctest, not(any(feature = "loom", feature = "shuttle"))))]
#[doc = include_str!("../README.md")]
struct Readme;
