//! The independent judge of the explorer: an axiomatic enumerator of RC11 that shares no code with the engine.
//!
//! | module | what it has |
//! |---|---|
//! | [`program`] | concurrent programs as data |
//! | [`relation`] | binary relations over events |
//! | [`axioms`] | the memory model, written from the paper |
//! | [`unfold`] | the sequences of events that one thread may have |
//! | [`enumerate`] | all executions of a program that the axioms allow |
//! | [`litmus`] | the judge judged: counts known from the literature, and mutants of the axioms |
//! | [`exhaustive`] | every program of a few operations |
//! | [`generator`] | random programs that shrink |
//! | [`found`] | the programs on which the two have disagreed |
//! | [`shrink`] | smaller programs that fail, too |
//! | [`mutants`] | the engine judged: without any of its rules it disagrees with the judge |
//! | [`parts`] | bounds, shards and estimates: parts of an exploration against the whole |
//! | [`runner`] | the same programs, run by the explorer |

pub(crate) mod axioms;
pub(crate) mod enumerate;
pub(crate) mod exhaustive;
pub(crate) mod found;
pub(crate) mod generator;
pub(crate) mod litmus;
pub(crate) mod mutants;
pub(crate) mod parts;
pub(crate) mod program;
pub(crate) mod relation;
pub(crate) mod runner;
pub(crate) mod shrink;
pub(crate) mod unfold;
