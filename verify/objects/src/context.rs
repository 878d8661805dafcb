//! Contexts: the variables of a scope that closures capture.

use super::{Obj, record};
use heaplab::{AllocError, AllocationType, Handle, Map, Record, Ref, Scope};

/// Field of a context: the context of the enclosing scope. Field 0 is the length.
pub const PREVIOUS: usize = 1;

/// A context of `slots` slots, each undefined. May collect.
///
/// # Errors
/// No memory.
pub fn new<'s>(
    scope: &mut Scope<'s, '_>,
    map: Handle<'s, Map>,
    previous: Option<Obj<'s>>,
    slots: usize,
) -> Result<Obj<'s>, AllocError> {
    let context = scope.new_record_in(map, slots, AllocationType::Young)?;
    let at = scope.get(context);
    scope.store_field(at, PREVIOUS, previous.map_or(scope.undefined(), |previous| scope.get(previous).into()));
    (0..slots).for_each(|slot| scope.store_element(at, slot, scope.undefined()));
    Ok(context)
}

/// A copy with the same previous context and the same values: the next iteration's variables. May collect.
///
/// # Errors
/// No memory.
pub fn copy<'s>(scope: &mut Scope<'s, '_>, map: Handle<'s, Map>, context: Obj<'s>) -> Result<Obj<'s>, AllocError> {
    let slots = scope.tail_len(scope.get(context));
    let copy = scope.new_record_in(map, slots, AllocationType::Young)?;
    let (from, to) = (scope.get(context), scope.get(copy));
    scope.store_field(to, PREVIOUS, scope.load_field(from, PREVIOUS));
    (0..slots).for_each(|index| scope.store_element(to, index, scope.load_element(from, index)));
    Ok(copy)
}

/// The context `hops` steps outward.
///
/// # Panics
/// If there are fewer contexts.
pub fn outward<'a>(scope: &'a Scope<'_, '_>, context: Ref<'a, Record>, hops: u32) -> Ref<'a, Record> {
    let step = |context, _| record(scope, scope.load_field(context, PREVIOUS)).expect("a context");
    (0..hops).fold(context, step)
}
