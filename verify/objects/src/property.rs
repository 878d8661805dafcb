//! Properties: where a key leads in an object, and what is there.

use super::map::{self, Details, flag};
use super::{ELEMENTS, Obj, PROPERTIES, dictionary, elements, fields_start, kind_of, map_of, record};
use heaplab::{Array, Record, Ref, Scope, Value};

/// A property key: an array index, or an internalised name.
#[derive(Clone, Copy, Debug)]
pub enum Key<'s> {
    /// An index, less than 2^32 - 1.
    Index(u32),
    /// A name (M-5).
    Name(Obj<'s>),
}

/// Where a property is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Field `n` of those that hold properties: in the object, then in its array of properties.
    Field(usize),
    /// An accessor in descriptor `n`.
    Descriptor(usize),
    /// Entry `n` of the dictionary.
    Entry(usize),
    /// Element `n`.
    Element(usize),
}

/// A property of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Property {
    /// Where it is.
    pub place: Place,
    /// What it is like.
    pub details: Details,
}

/// The object's own property of this name, which is an internalised string (M-5).
#[inline]
#[must_use]
pub fn find_named(scope: &Scope<'_, '_>, object: Ref<'_, Record>, name: Ref<'_, Record>) -> Option<Property> {
    let map = map_of(scope, object);
    if map::info(scope, map).has(flag::DICTIONARY) {
        let dictionary = dictionary_of(scope, object);
        let entry = dictionary::find(scope, dictionary, name)?;
        return Some(Property { place: Place::Entry(entry), details: dictionary::details(scope, dictionary, entry) });
    }
    let (index, details) = map::find(scope, map, name)?;
    let place = if details.is_accessor() { Place::Descriptor(index) } else { Place::Field(details.field()) };
    Some(Property { place, details })
}

/// The object's own element at this index.
#[inline]
#[must_use]
pub fn find_element(
    scope: &Scope<'_, '_>,
    hole: Ref<'_, Value>,
    object: Ref<'_, Record>,
    index: usize,
) -> Option<Property> {
    elements::get(scope, hole, object, index)?;
    let is_frozen = map::info(scope, map_of(scope, object)).has(flag::FROZEN);
    let details = if is_frozen { Details::new(false, false, true, false) } else { Details::PLAIN };
    Some(Property { place: Place::Element(index), details })
}

/// The dictionary of an object in dictionary mode.
///
/// # Panics
/// If the object is in fast mode.
pub fn dictionary_of<'a>(scope: &'a Scope<'_, '_>, object: Ref<'a, Record>) -> Ref<'a, Record> {
    record(scope, scope.load_field(object, PROPERTIES)).expect("an object in dictionary mode has a dictionary (M-3)")
}

/// The value of a property; the record of an accessor.
///
/// # Panics
/// If the object has no such place.
pub fn value<'a>(scope: &'a Scope<'_, '_>, object: Ref<'a, Record>, place: Place) -> Ref<'a, Value> {
    match place {
        Place::Field(field) => field_value(scope, object, field),
        Place::Descriptor(index) => map::value(scope, map_of(scope, object), index),
        Place::Entry(entry) => dictionary::value(scope, dictionary_of(scope, object), entry),
        Place::Element(index) => {
            let elements = scope.downcast::<Array>(scope.load_field(object, ELEMENTS)).expect("elements");
            scope.load(elements, index)
        }
    }
}

/// Sets the value of a data property, or the record of an accessor in a dictionary.
///
/// # Panics
/// If the object has no such place, or the place is a descriptor.
pub fn set_value(scope: &Scope<'_, '_>, object: Ref<'_, Record>, place: Place, value: Ref<'_, Value>) {
    match place {
        Place::Field(field) => set_field_value(scope, object, field, value),
        Place::Descriptor(_) => panic!("descriptors are shared by objects"),
        Place::Entry(entry) => dictionary::set_value(scope, dictionary_of(scope, object), entry, value),
        Place::Element(index) => elements::set(scope, object, index, value),
    }
}

/// Where a field is: `Ok` with its index in the object, or `Err` with its index in the array of properties.
fn split(scope: &Scope<'_, '_>, object: Ref<'_, Record>, field: usize) -> Result<usize, usize> {
    let in_object = map::info(scope, map_of(scope, object)).in_object();
    match field.checked_sub(in_object) {
        None => {
            let kind = kind_of(scope, object.into()).expect("an object has a kind");
            Ok(fields_start(kind) + field)
        }
        Some(outside) => Err(outside),
    }
}

/// Field `field` of those that hold properties.
#[inline]
fn field_value<'a>(scope: &'a Scope<'_, '_>, object: Ref<'a, Record>, field: usize) -> Ref<'a, Value> {
    match split(scope, object, field) {
        Ok(index) => scope.load_field(object, index),
        Err(index) => scope.load(outside(scope, object).expect("a field outside of the object"), index),
    }
}

/// Sets field `field` of those that hold properties.
///
/// # Panics
/// If there is no room for the field.
pub fn set_field_value(scope: &Scope<'_, '_>, object: Ref<'_, Record>, field: usize, value: Ref<'_, Value>) {
    match split(scope, object, field) {
        Ok(index) => scope.store_field(object, index, value),
        Err(index) => scope.store(outside(scope, object).expect("a field outside of the object"), index, value),
    }
}

/// The array of properties that have no place in the object, if there is one.
pub fn outside<'a>(scope: &'a Scope<'_, '_>, object: Ref<'a, Record>) -> Option<Ref<'a, Array>> {
    scope.downcast(scope.load_field(object, PROPERTIES))
}
