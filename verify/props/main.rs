//! Properties, over programs of the operation language and over the small types of the heap.

mod programs;
