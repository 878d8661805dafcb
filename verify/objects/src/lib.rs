//! The object model: what a script's values are in the heap.
//!
//! Every value is a small integer, one of the heap's oddballs (undefined, null, true, false), or a record whose map
//! says its instance type:
//!
//! ```text
//! heap number     | map | 2 raw words: the bits of a double |
//! string          | map | bytes | hash (raw) | one or two bytes a UTF-16 code unit ... |
//! cons string     | map | code units | left | right |              becomes (flat, empty) when it is read
//! descriptors     | map | length | used | key, details, value | key, details, value | ... slack |
//! accessor info   | map | name | getter | setter | data |           getter and setter: numbers of native functions
//! accessor pair   | map | getter | setter |                         functions of the script
//! shared info     | map | name | length | unit | function | native | flags | constants |
//! context         | map | length | previous | slots ... |
//! dictionary      | map | length | used | live | capacity | index table ... | key, details, value | ... |
//! object          | first map | map | properties | elements | fields in the object ... |
//! array           | first map | map | properties | elements | length |
//! function        | first map | map | properties | elements | shared | context | prototype or initial map | home
//! object | fields |
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
//!   references stay good; what is held over the others is a handle.

pub mod accessor;
pub mod context;
pub mod dictionary;
pub mod elements;
pub mod function;
pub mod map;
pub mod number;
pub mod property;
pub mod string;

use heaplab::{AllocError, Handle, Map, Record, Ref, Scope, Shape, Tail, Value};

/// A handle to any value.
pub type Js<'s> = Handle<'s, Value>;
/// A handle to a record: a string, an object, a function, ...
pub type Obj<'s> = Handle<'s, Record>;

/// Instance types.
pub mod kind {
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
    /// The first that is an object of the script.
    pub const FIRST_OBJECT: u16 = FIRST_EMBEDDER + 16;
    /// A plain object.
    pub const OBJECT: u16 = FIRST_OBJECT;
    /// An array.
    pub const ARRAY: u16 = FIRST_OBJECT + 1;
    /// A function.
    pub const FUNCTION: u16 = FIRST_OBJECT + 2;
    /// An error.
    pub const ERROR: u16 = FIRST_OBJECT + 3;
}

/// Shapes of the records that have one map each.
pub const fn shape(kind: u16) -> Result<Shape, AllocError> {
    match kind {
        kind::NUMBER => Shape::new(kind, 3, 0, Tail::None),
        kind::ONE_BYTE | kind::TWO_BYTE => Shape::new(kind, 3, 1, Tail::Bytes),
        kind::CONS => Shape::new(kind, 4, 3, Tail::None),
        kind::SENTINEL => Shape::new(kind, 2, 1, Tail::None),
        kind::DESCRIPTORS | kind::CONTEXT => Shape::new(kind, 3, 2, Tail::Tagged),
        kind::ACCESSOR_INFO => Shape::new(kind, 5, 4, Tail::None),
        kind::ACCESSOR_PAIR => Shape::new(kind, 3, 2, Tail::None),
        kind::SHARED => Shape::new(kind, 8, 7, Tail::None),
        kind::DICTIONARY => Shape::new(kind, 5, 4, Tail::Tagged),
        _ => Err(AllocError::InvalidShape("objects have maps of their own")),
    }
}

/// The map that an object has now: a field of every object.
pub const MAP: usize = 0;
/// Properties that have no place in the object: an array, a dictionary, or the small integer 0. A field of every
/// object.
pub const PROPERTIES: usize = 1;
/// Elements: an array, or the small integer 0. A field of every object.
pub const ELEMENTS: usize = 2;
/// The length of an array.
pub const ARRAY_LENGTH: usize = 3;

/// Fields of properties in an error.
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

/// A small integer that is known to fit.
///
/// # Panics
/// If it does not.
#[must_use]
pub fn small<'a>(value: usize) -> Ref<'a, Value> {
    i32::try_from(value).ok().and_then(Ref::small).expect("a count fits a small integer")
}

/// The instance type of an object; of small integers none.
#[inline]
#[must_use]
pub fn kind_of(scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> Option<u16> {
    scope.map(value).map(|map| scope.shape_of(map).kind())
}

/// The value as a record, if it is one.
#[inline]
pub fn record<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Option<Ref<'a, Record>> {
    scope.downcast::<Record>(value)
}

/// The value as a record of this kind, if it is one.
#[inline]
pub fn record_of<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>, kind: u16) -> Option<Ref<'a, Record>> {
    if kind_of(scope, value) == Some(kind) { record(scope, value) } else { None }
}

/// The value as an object of the script, if it is one.
#[inline]
pub fn object<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Option<Ref<'a, Record>> {
    if is_object(scope, value) { record(scope, value) } else { None }
}

/// The same through handles.
#[inline]
pub fn object_handle<'s>(scope: &Scope<'s, '_>, value: Js<'s>) -> Option<Obj<'s>> {
    object(scope, scope.get(value)).map(|object| scope.handle(object))
}

/// Whether the value is an object of the script, not a primitive.
#[inline]
#[must_use]
pub fn is_object(scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
    kind_of(scope, value).is_some_and(|kind| kind >= kind::FIRST_OBJECT)
}

/// Whether the value is a string.
#[inline]
#[must_use]
pub fn is_string(scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> bool {
    matches!(kind_of(scope, value), Some(kind::ONE_BYTE | kind::TWO_BYTE | kind::CONS))
}

/// The map that an object has now.
///
/// # Panics
/// If the record is no object.
#[inline]
pub fn map_of<'a>(scope: &'a Scope<'_, '_>, object: Ref<'a, Record>) -> Ref<'a, Map> {
    scope.downcast(scope.load_field(object, MAP)).expect("an object has a map")
}

/// A small integer field.
#[inline]
#[must_use]
pub fn count_field(scope: &Scope<'_, '_>, object: Ref<'_, Record>, index: usize) -> usize {
    scope.load_field(object, index).as_small().expect("a count") as usize
}
