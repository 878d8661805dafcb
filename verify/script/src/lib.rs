//! StressJS: a script interpreter whose every value lives in the heap.
//!
//! It runs the mission's second test, `(new Foo).get`: a script's accessor calls back into the heap, which collects,
//! moves objects and serves allocations with every space full, while the interpreter holds live objects. So handles,
//! maps, accessors and a moving collector are tested together, under re-entry.
//!
//! ```text
//! text --parse--> tree of boa_parser --lower--> code --interpreter--> objects in the heap
//! ```
//!
//! | module | nouns |
//! |---|---|
//! | [`heaplab_objects`] | maps, descriptors, strings, numbers, contexts, functions: what is in the heap |
//! | `code`, `lower` | the lowered source; scopes, bindings, places |
//! | `interpreter` | frames, calls, properties, exceptions; the root set |
//! | `library` | the global object |
//! | `generate` | drawn scripts, and what they are run against |
//! | `stress_js` | the mission's second test |
//!
//! The language is the part of JavaScript that allocation-heavy programs use. All code runs as strict code. What the
//! interpreter has not got is an error that names the construct, with line and column; never another result:
//!
//! * **SC-1** What the parser knows and the interpreter does not is refused before the script runs (`SourceError`).
//! * **SC-2** A function of the language that the library has not got stops the script when it is looked at
//!   (`Stopped::Unsupported`). The script cannot catch that.
//! * **SC-3** Where code that is not strict would do something else than strict code, the script is refused or
//!   stopped.
//!
//! Not part of it: generators, async functions, modules, regular expressions, symbols and iterators of the script's
//! own, private names, tagged templates, `arguments`, direct `eval`, BigInt, `Map`, `Set`, `Date`, `JSON`, and
//! functions of `Math` whose last digit depends on the implementation.

// A script's values live in the heap, and the heaps of the scheduled face exist inside of a run only.
#![cfg(all(feature = "parser", not(feature = "shuttle")))]

pub mod code;
pub mod generate;
pub mod interpreter;
mod library;
mod lower;
mod parse;
mod run;
mod stress_js;

pub use interpreter::{Interpreter, Stopped, Unwind};
pub use lower::lower;
pub use parse::{SOURCE_BYTES_MAX, SourceError};
pub use run::{Failure, Finished, Printed, STACK_BYTES, on_large_stack, run_lowered, run_source};
pub use stress_js::{STRESS_JS, stress_js};
