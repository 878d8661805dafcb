//! Accessors: native ones (accessor info) and the script's (accessor pair).

use super::{Obj, record, small};
use heaplab::{AllocError, AllocationType, Handle, Map, Record, Ref, Scope, Value};

/// Field of an accessor info: the property's name.
pub const NAME: usize = 0;
/// Field of an accessor info: the number of the native getter, or undefined.
pub const GETTER: usize = 1;
/// Field of an accessor info: the number of the native setter, or undefined.
pub const SETTER: usize = 2;
/// Field of an accessor info: [`WRITABLE`] or [`READ_ONLY`] if the property behaves like data, else undefined.
pub const DATA: usize = 3;

/// Like data that can be written: an array's length.
pub const WRITABLE: i32 = 1;
/// Like data that cannot be written: a function's name.
pub const READ_ONLY: i32 = 2;

/// Field of an accessor pair: the function that gets, or undefined.
pub const PAIR_GETTER: usize = 0;
/// Field of an accessor pair: the function that sets, or undefined.
pub const PAIR_SETTER: usize = 1;

/// A native accessor, which does not behave like data until [`DATA`] is set. May collect.
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

/// The number of the native function in field `field` of an accessor info: [`GETTER`] or [`SETTER`].
#[must_use]
pub fn native(scope: &Scope<'_, '_>, info: Ref<'_, Record>, field: usize) -> Option<usize> {
    scope.load_field(info, field).as_small().map(|number| number as usize)
}

/// The record of an accessor property's value.
///
/// # Panics
/// If the value is no record: the property is no accessor.
pub fn of_value<'a>(scope: &'a Scope<'_, '_>, value: Ref<'a, Value>) -> Ref<'a, Record> {
    record(scope, value).expect("an accessor property holds an accessor")
}
