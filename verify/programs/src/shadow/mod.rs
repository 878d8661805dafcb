//! The shadow heap: a second, simple implementation of what a heap is supposed to be, and the engines that run
//! [programs](crate::ops) on both.
//!
//! ```text
//! Graph      every live object: shape, contents, identity, space           what must be there
//! HeapState  flags, limits, local heaps, pages                             what must be so
//! bound      when a request may be refused, and when it may not            what must (not) fail
//! Oracle     one operation on both, then compares; MayHave: what a rival may have done
//! engines    who does the next operation: single, interleaved, concurrent
//! Driver     which of the first two, on which heap, with which fault
//! Door       the safe API, or the raw one
//! ```
//!
//! What is compared, and when:
//! * each operation's result: value or error, by variant and by numbers;
//! * after each operation that may have collected, and every so often, the whole reachable graph, word by word, from
//!   all roots at once: contents, identity, space, alignment, overlap, who may have moved, and who must have left new
//!   space;
//! * the heap is verified, and so its counters recomputed, after each collection that was asked for by its kind; on a
//!   heap of a few pages also after a request that has collected; around every other collection if the program says
//!   so. Under a checker each look would be one more stop, so only those after major collections are left;
//! * after a major collection the number of objects that the verifier finds: exactly the reachable ones, and beside
//!   rivals at least those of this shadow;
//! * each refusal against a bound (`bound`), and each always-allocate scope against its reserve; a page that is refused
//!   to be filled, against what there is of pages;
//! * the hard limit, against what the near-heap-limit callback answered;
//! * a request that a fault struck may be refused, and every other one is judged as if there were no faults;
//! * at the end everything is dropped and collected twice: nothing may be left but the built-in objects, and nothing
//!   committed but their pages and new space's charge.
//!
//! A difference is a panic, which says the step; [`announce`] makes it print the program.
//!
//! There are two other shadows, for what this one cannot be: the stress (`verify/scenarios`) has one for thousands of
//! objects and hours, and `tests/programs.rs` of the heap's package, which this crate depends on, has one for the
//! public API.

mod bound;
mod concurrent;
mod contents;
mod door;
mod driver;
mod filling;
mod graph;
mod heap_state;
mod inspection;
mod interleaved;
mod object;
mod oracle;
mod page_request;
mod raw_door;
mod request;
mod reserves;
mod rivals;
mod round;
mod round_fault;
mod shared_roots;
mod sharing;
mod single;
mod tally;
mod unwound;
mod watch;

pub use bound::{Held, Need, ReserveGuard, check_committed, may_refuse, reserve};
pub use concurrent::{run_concurrent, run_stretched};
pub use door::{Door, Request, Requests, ScopeDoor, Source, What};
pub use driver::{Driver, run_interleaved, run_single};
pub use graph::{Graph, GraphCensus, Happened};
pub use object::{Id, Part, Payload, ShadowObject, Slot, Value};
pub use oracle::Oracle;
pub use raw_door::{RawDoor, RawRoot, assert_hostile_requests_fail, word_of};
pub use round_fault::RoundFault;
pub use shared_roots::Roots;
pub use tally::Tally;

pub use watch::{announce, current_program, current_step, forget_program, quietly, survey_before};

/// The built-in objects: seven maps and four oddballs.
pub const IMMORTAL_OBJECTS: u64 = 11;
