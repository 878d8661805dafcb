//! The suite as a whole: all models side by side, mutants against models, and what is written about it.
//!
//! Models and mutants run in processes of their own, as many at once as there are processors: loom explores on one
//! thread, and a mutant may end in an abort. `process` speaks with one such process, `pool` keeps the processors
//! busy, `campaign` tries mutants, and [`record`](crate::record) is what is known in the end,
//! `target/heaplab/certificate.json`. All of it needs the feature `loom`, but for [`pool`], the macro
//! [`models!`](crate::models), and [`run`], which a test of a model calls.

#[cfg(feature = "loom")]
pub mod campaign;
#[cfg(feature = "loom")]
pub mod excuses;
#[cfg(feature = "loom")]
mod in_test;
pub mod pool;
#[cfg(feature = "loom")]
pub mod process;
#[cfg(feature = "loom")]
mod sites;
#[cfg(not(feature = "loom"))]
mod smoke;
mod table;
#[cfg(feature = "loom")]
pub mod worker;

#[cfg(feature = "loom")]
pub use in_test::run;
#[cfg(not(feature = "loom"))]
pub use smoke::run;
