//! Instance types.

use heaplab::object::kind::FIRST_EMBEDDER;

/// A double.
pub const NUMBER: u16 = FIRST_EMBEDDER;
/// A string of Latin-1 bytes.
pub const ONE_BYTE: u16 = FIRST_EMBEDDER + 1;
/// A string of UTF-16 code units.
pub const TWO_BYTE: u16 = FIRST_EMBEDDER + 2;
/// The concatenation of two strings.
pub const CONS: u16 = FIRST_EMBEDDER + 3;
/// A value that scripts never see: a hole, an uninitialised binding.
pub const SENTINEL: u16 = FIRST_EMBEDDER + 4;
/// A descriptor array.
pub const DESCRIPTORS: u16 = FIRST_EMBEDDER + 5;
/// A native accessor.
pub const ACCESSOR_INFO: u16 = FIRST_EMBEDDER + 6;
/// A script's accessor.
pub const ACCESSOR_PAIR: u16 = FIRST_EMBEDDER + 7;
/// What the functions made by one piece of source share.
pub const SHARED: u16 = FIRST_EMBEDDER + 8;
/// The captured variables of a scope.
pub const CONTEXT: u16 = FIRST_EMBEDDER + 9;
/// The properties of an object in dictionary mode.
pub const DICTIONARY: u16 = FIRST_EMBEDDER + 10;
/// The first instance type of objects of the script.
pub const FIRST_OBJECT: u16 = FIRST_EMBEDDER + 16;
/// A plain object.
pub const OBJECT: u16 = FIRST_OBJECT;
/// An array.
pub const ARRAY: u16 = FIRST_OBJECT + 1;
/// A function.
pub const FUNCTION: u16 = FIRST_OBJECT + 2;
/// An error.
pub const ERROR: u16 = FIRST_OBJECT + 3;
