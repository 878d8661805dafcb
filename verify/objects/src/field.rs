//! The fields that an object of a kind has before those that hold its properties. The first three are every object's.

use super::kind;

/// The map that an object has now: a field of every object.
pub const MAP: usize = 0;
/// Properties that have no place in the object: an array, a dictionary, or the small integer 0. A field of every
/// object.
pub const PROPERTIES: usize = 1;
/// Elements: an array, or the small integer 0. A field of every object.
pub const ELEMENTS: usize = 2;
/// The length of an array.
pub const ARRAY_LENGTH: usize = 3;

/// Fields of a function.
pub(crate) mod function {
    /// The shared info of its source.
    pub const SHARED: usize = 3;
    /// The context that the function was made in.
    pub const CONTEXT: usize = 4;
    /// The initial map of what it constructs; before there is one, its prototype object; before that, the small
    /// integer 0.
    pub const PROTOTYPE_OR_MAP: usize = 5;
    /// The home object, in whose prototype `super` looks; undefined if the function is no method.
    pub const HOME: usize = 6;
    /// Of a class: the keys of its fields and the functions that compute them, in turn, in an array; else undefined.
    pub const FIELDS: usize = 7;
}

/// How many properties an error has fields for.
pub const ERROR_FIELDS: usize = 2;

/// The first field of an object of this kind that holds a property.
#[must_use]
pub fn fields_start(kind: u16) -> usize {
    match kind {
        kind::ARRAY => ARRAY_LENGTH + 1,
        kind::FUNCTION => function::FIELDS + 1,
        _ => ELEMENTS + 1,
    }
}
