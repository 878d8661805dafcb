//! Programs of heap operations: the language, the oracle of what a program's heap must be, and who drives programs.
//!
//! Each module is a room. It uses only the rooms that its row names, which stand above it in this table.
//! `tests/sources/rooms.rs` of the heap's package compares the table with the sources.
//!
//! | room | what for | uses |
//! |---|---|---|
//! | `ops` | programs: operations, their text and their bytes | |
//! | `shadow` | the oracle: what a program's heap must be, and who drives it | `ops` |
//! | `systematic` | each fallible point of a program fails in turn | `ops`, `shadow` |
//! | `hostile` | any configuration, and a program on it | `ops`, `shadow` |
//! | `schedule` | programs under random schedules | `ops`, `shadow` |
//! | `explored` | every interleaving of a small program | `ops`, `shadow` |

#[cfg(feature = "loom")]
pub mod explored;
pub mod hostile;
pub mod ops;
#[cfg(feature = "shuttle")]
pub mod schedule;
pub mod shadow;
pub mod systematic;
