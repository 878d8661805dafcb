//! Values: of which kind one is, and its parts.

use super::{MAP, kind};
use heaplab::{Handle, Map, Record, Ref, Scope, Value};

/// A handle to any value.
pub type Js<'s> = Handle<'s, Value>;
/// A handle to a record: a string, an object, a function, ...
pub type Obj<'s> = Handle<'s, Record>;

/// A small integer that is known to fit.
///
/// # Panics
/// If the number does not fit.
#[must_use]
pub fn small<'a>(value: usize) -> Ref<'a, Value> {
    i32::try_from(value).ok().and_then(Ref::small).expect("a count fits a small integer")
}

/// The instance type of a value; `None` for a small integer.
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

/// The same as [`object`], through handles.
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

/// A field of a record that holds a count, as a small integer.
///
/// # Panics
/// If the field holds no small integer.
#[inline]
#[must_use]
pub fn count_field(scope: &Scope<'_, '_>, object: Ref<'_, Record>, index: usize) -> usize {
    scope.load_field(object, index).as_small().expect("a count") as usize
}
