//! One run of the model: threads as coroutines that add events to the graph.
//!
//! A run first *replays* the graph: each thread performs the events that the graph has, without being interrupted,
//! except that a read waits until the write that it reads from was performed. So the plain native data of the model
//! is touched in an order that agrees with happens-before. Then the run goes *forward*: one thread after another adds
//! events. Which thread is next depends on nothing but the graph.
//!
//! * **RT-1** One coroutine runs at a time, all of them on the thread of the host that explores.
//! * **RT-2** The state is borrowed for one step of an operation and never while code of the model runs.
//! * **RT-3** Of a run that is given up each thread runs on to its end, or unwinds ([`flat`] says when which). From
//!   there on operations work on flat memory, the newest values that the graph had, and are no events. A lock is
//!   still held by one thread at a time.
//! * **RT-4** The stack of a thread is used again only after its coroutine has ended. A thread that cannot be unwound
//!   is forgotten with its stack.

pub(crate) mod access;
pub(crate) mod coroutine;
pub(crate) mod estimate;
pub(crate) mod flat;
pub(crate) mod lock;
pub(crate) mod panics;
pub(crate) mod races;
pub(crate) mod recording;
pub(crate) mod replay;
pub(crate) mod runner;
pub(crate) mod schedule;
pub(crate) mod spin;
pub(crate) mod state;
pub(crate) mod threads;
