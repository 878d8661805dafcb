//! Properties: over programs of the operation language, and over the small types that the heap is made of.
//!
//! Failures persist as seeds in `verify/proptest-regressions/`, but those of programs are written as
//! `verify/regressions/found_PROPERTY_*.ops`: a file survives a change of the strategies. Until a person has named
//! such a file by what is wrong, the property that found it runs it first, and nothing else does.
//!
//! With the feature `loom` the heap is native here, too, and the same minutes would say nothing new.
#![cfg(not(feature = "loom"))]

mod bitmaps;
mod handle_slots;
mod lab;
mod linear;
mod pages;
mod programs;
mod regressions;
mod root_registers;
mod spaces;
mod strategies;
mod tagged;
