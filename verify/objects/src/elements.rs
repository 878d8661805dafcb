//! Elements: the properties of an object whose keys are array indices, dense, in an array with room to grow.

use super::{ARRAY_LENGTH, ELEMENTS, Obj, number};
use heaplab::{AllocError, Array, Handle, Record, Ref, Scope, Value};

/// The greatest gap beyond twice the capacity that is filled with holes. A farther element makes a plain object
/// sparse.
const GAP_MAX: usize = 1024;
/// The most elements that an array can have.
pub const DENSE_MAX: usize = 1 << 25;

/// The elements, if there are any.
pub fn of<'a>(scope: &'a Scope<'_, '_>, object: Ref<'a, Record>) -> Option<Ref<'a, Array>> {
    scope.downcast(scope.load_field(object, ELEMENTS))
}

/// How many elements there is room for.
#[must_use]
pub fn capacity(scope: &Scope<'_, '_>, object: Ref<'_, Record>) -> usize {
    of(scope, object).map_or(0, |elements| scope.len(elements))
}

/// Element `index`. `None` where the elements end before it, and for a hole.
#[inline]
pub fn get<'a>(
    scope: &'a Scope<'_, '_>,
    hole: Ref<'_, Value>,
    object: Ref<'a, Record>,
    index: usize,
) -> Option<Ref<'a, Value>> {
    let elements = of(scope, object)?;
    if index >= scope.len(elements) {
        return None;
    }
    let value = scope.load(elements, index);
    (value != hole).then_some(value)
}

/// Sets element `index`, for which there is room.
///
/// # Panics
/// If there is no room for it.
pub fn set(scope: &Scope<'_, '_>, object: Ref<'_, Record>, index: usize, value: Ref<'_, Value>) {
    scope.store(of(scope, object).expect("room for the element"), index, value);
}

/// Whether an element so far out would leave the elements dense.
#[must_use]
pub fn is_near(scope: &Scope<'_, '_>, object: Ref<'_, Record>, index: usize) -> bool {
    index < DENSE_MAX && index <= 2 * capacity(scope, object) + GAP_MAX
}

/// Makes room for `count` elements; the new ones are holes. May collect.
///
/// # Errors
/// No memory.
pub fn reserve<'s>(
    scope: &mut Scope<'s, '_>,
    hole: Handle<'s, Value>,
    object: Obj<'s>,
    count: usize,
) -> Result<(), AllocError> {
    let old = capacity(scope, scope.get(object));
    if count <= old {
        return Ok(());
    }
    let grown = scope.new_array(if old == 0 { count } else { count.max(old + old / 2 + 4) })?;
    let (at, to) = (scope.get(object), scope.get(grown));
    if let Some(from) = of(scope, at) {
        (0..old).for_each(|index| scope.store(to, index, scope.load(from, index)));
    }
    (old..scope.len(to)).for_each(|index| scope.store(to, index, scope.get(hole)));
    scope.store_field(at, ELEMENTS, to.into());
    Ok(())
}

/// The length of an array.
///
/// # Panics
/// If the object is no array.
#[must_use]
pub fn array_length(scope: &Scope<'_, '_>, array: Ref<'_, Record>) -> usize {
    number::value(scope, scope.load_field(array, ARRAY_LENGTH)).expect("an array's length is a number") as usize
}
