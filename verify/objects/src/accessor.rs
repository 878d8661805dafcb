//! Accessors: native ones (accessor info) and the script's (accessor pair).

use super::{Obj, record, small};
use heaplab::{AllocError, AllocationType, Handle, Map, Record, Ref, Scope, Value};

/// Fields of an accessor info.
pub const NAME: usize = 0;
/// The number of the native getter, or undefined.
pub const GETTER: usize = 1;
/// The number of the native setter, or undefined.
pub const SETTER: usize = 2;
/// Whether the property behaves like data: [`WRITABLE`] or [`READ_ONLY`]. Undefined if it does not.
pub const DATA: usize = 3;

/// Like data that can be written: an array's length.
pub const WRITABLE: i32 = 1;
/// Like data that cannot be written: a function's name.
pub const READ_ONLY: i32 = 2;

/// Fields of an accessor pair.
pub const PAIR_GETTER: usize = 0;
/// See [`PAIR_GETTER`].
pub const PAIR_SETTER: usize = 1;

/// A native accessor. May collect.
///
/// # Errors
/// No memory.
pub fn new_info<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    name: Obj<'s>,
    getter: Option<usize>,
    setter: Option<usize>,
) -> Result<Obj<'s>, AllocError> {
    let info = scope.new_record_in(map, 0, AllocationType::Old)?;
    let number = |native: Option<usize>| native.map_or(scope.undefined(), small);
    scope.store_field(scope.get(info), NAME, scope.get(name).into());
    scope.store_field(scope.get(info), GETTER, number(getter));
    scope.store_field(scope.get(info), SETTER, number(setter));
    scope.store_field(scope.get(info), DATA, scope.undefined());
    Ok(info)
}

/// A script's accessor; undefined where there is no function. May collect.
///
/// # Errors
/// No memory.
pub fn new_pair<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    getter: Handle<'s, Value>,
    setter: Handle<'s, Value>,
) -> Result<Obj<'s>, AllocError> {
    let pair = scope.new_record(map)?;
    scope.store_field(scope.get(pair), PAIR_GETTER, scope.get(getter));
    scope.store_field(scope.get(pair), PAIR_SETTER, scope.get(setter));
    Ok(pair)
}

/// The number of a native function in an accessor info.
#[must_use]
pub fn native(scope: &Scope<'_, '_>, info: Ref<'_, Record>, field: usize) -> Option<usize> {
    scope.load_field(info, field).as_small().map(|number| number as usize)
}

/// The record of an accessor property's value.
///
/// # Panics
/// If the property is no accessor.
pub fn of_value<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Ref<'a, Record> {
    record(scope, value).expect("an accessor property holds an accessor")
}
