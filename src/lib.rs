//! heaplab (work in progress)
#![allow(missing_docs)]
pub mod words;
pub mod sync;
pub mod memory;
pub mod object;
pub mod page;
pub mod space;
pub mod allocation;
pub mod thread;
