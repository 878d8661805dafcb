//! Properties: over programs of the operation language, and over the small types that the heap is made of.
//!
//! Failures persist as seeds in `verify/proptest-regressions/`; programs are also written as
//! `verify/regressions/found_*.ops`, which survive a change of the strategies.
#![cfg(not(feature = "loom"))]

mod bitmaps;
mod handle_slots;
mod lab;
mod pages;
mod programs;
mod regressions;
mod spaces;
mod strategies;
mod tagged;
