//! The operation language: programs that every engine runs.
//!
//! A [`Program`] is a world (which heap) and steps: which thread does what. It is one type with three forms, which turn
//! into each other without loss:
//!
//! | form | for | where |
//! |---|---|---|
//! | bytes | fuzzers: **any** bytes are a valid program, four to a step | [`Program::decode`], [`Program::encode`] |
//! | text | people, and `verify/regressions/*.ops`: versioned | [`Program::parse`], `Display` |
//! | values | generators and shrinkers | [`Program`] itself, its `Arbitrary`, the strategies of `verify/props` |
//!
//! Nothing in a program depends on the state it meets: operands are taken modulo what there is. So shrinking by
//! removing steps always leaves a program, and a program recorded by one engine means the same to every other.
//!
//! An operation is a row of the table in `op.rs`, from which the forms of [`Op`] come.

mod choice;
mod codec;
mod faulty;
#[cfg(test)]
mod frozen;
mod limits;
mod op;
mod operand;
mod operands;
mod program;
mod recorded;
mod size;
mod table;
mod text;
mod version;
mod word;
mod words;
mod world;

pub use choice::{NearLimitChoice, ObjectShape, RecordShape, ReserveChoice, ValueChoice};
pub use faulty::{FaultPoint, Faulty, Strikes};
pub use limits::Limits;
pub use op::Op;
pub use program::{Program, Step};
pub use recorded::{FOUND, check_made, found, recorded, write_found};
pub use size::{Size, SizeBase};
pub use text::ParseError;
pub use version::VERSION;
pub use world::{World, WorldSize};
