//! What the explorer explores, refuses and finds: tests by hand, beside the random ones of `differential`.

mod common;
mod faults;
mod interface;
mod litmus;
mod locks;
mod misuse;
