//! The object model: what a script's values are in the heap.
//!
//! Every value is a small integer, one of the heap's oddballs (undefined, null, true, false), or a record whose map
//! says its instance type:
//!
//! ```text
//! heap number     | map | 2 raw words: the bits of a double |
//! string          | map | bytes | hash (raw) | one or two bytes a UTF-16 code unit ... |
//! cons string     | map | code units | left | right |              becomes (flat, empty) when it is read
//! sentinel        | map | 1 unused field |                           a hole, an uninitialised binding
//! descriptors     | map | length | used | key, details, value | key, details, value | ... slack |
//! accessor info   | map | name | getter | setter | data |           getter and setter: numbers of native functions
//! accessor pair   | map | getter | setter |                         functions of the script
//! shared info     | map | name | length | unit | function | native | flags | constants |
//! context         | map | length | previous | slots ... |
//! dictionary      | map | length | used | live | capacity | index table ... | key, details, value | ... |
//! object          | first map | map | properties | elements | fields in the object ... |
//! array           | first map | map | properties | elements | length |
//! function        | first map | map | properties | elements | shared | context | prototype or initial map |
//!                 | home object | fields |
//! ```
//!
//! A map's four slots are the prototype, the descriptors, the transitions, and a small integer of [`map::Info`]. The
//! heap's headers never change outside of a stop (its invariant J-1), so an object keeps in its header the map that it
//! was made with, which says how large it is, and has the map that it has now in a slot.
//!
//! Invariants:
//! * **M-1** Objects of one map have the same named properties, at the same places. A property that is added takes the
//!   object to another map: the one that the transition names, if the same property was added to such an object before.
//! * **M-2** A map sees the first `own` of its descriptors. Maps along a chain of transitions share one array; only
//!   the map at its end owns it, and appends in the slack.
//! * **M-3** An object in dictionary mode has a map of its own, whose properties are in the dictionary.
//! * **M-4** All maps of an object, one after the other, have the shape of its first.
//! * **M-5** A property's name is an internalised string, so that names are compared by identity. What looks like an
//!   array index is an element, not a name; except in objects whose map says that they are sparse.
//! * **M-6** Whatever may collect takes `&mut Scope`. So a function here that takes `&Scope` moves nothing, and its
//!   references stay good; what is held over a call of another function is a handle.

pub mod accessor;
pub mod context;
pub mod dictionary;
pub mod elements;
mod field;
pub mod function;
pub mod kind;
pub mod map;
pub mod number;
pub mod property;
mod shape;
pub mod string;
mod value;

pub use field::{ARRAY_LENGTH, ELEMENTS, ERROR_FIELDS, MAP, PROPERTIES, fields_start};
pub use shape::shape;
pub use value::{
    Js, Obj, count_field, is_object, is_string, kind_of, map_of, object, object_handle, record, record_of, small,
};
