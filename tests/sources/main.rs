//! The rules of the tree that its sources, read as text, have to keep: one module for each rule. None uses the heap, so
//! all of them are one program, which is built and linked once.
//!
//! `verify/README.md` ("A rule test of the sources") says what to do when one of them is red.

#![cfg(not(miri))]

mod circles;
mod columns;
mod contracts;
mod invariants;
mod layers;
mod orderings;
mod packages;
mod rooms;
mod text;
mod two_words;
