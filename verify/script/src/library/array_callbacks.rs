//! Methods of arrays that call a function for each element.

use super::super::interpreter::{Call, Interpreter, NativeFn, Root, Run, Unwind};
use super::argument::callback;
use super::array::{get, has, length, plain, this_array};
use super::result::{boolean, undefined};
use super::sort::sort;
use heaplab::Scope;
use heaplab_objects::{Js, Obj, small};

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let prototype = interpreter.root_record(scope, Root::ArrayPrototype);
    for (name, native) in [
        ("forEach", for_each as NativeFn),
        ("map", map),
        ("filter", filter),
        ("some", some),
        ("every", every),
        ("find", find),
        ("findIndex", find_index),
        ("findLast", find_last),
        ("findLastIndex", find_last_index),
        ("reduce", reduce),
        ("reduceRight", reduce_right),
        ("sort", sort),
    ] {
        interpreter.method_of(scope, prototype, name, 1, native)?;
    }
    Ok(())
}

/// What to do after an element.
enum Next {
    On,
    /// No further element is looked at; the element's index is the result.
    Stop(usize),
}

/// Calls the function with each element that is there (and with holes, if `holes`) and hands its answer to `f`.
/// Returns the index of the first element for which `f` returns false.
fn each<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    array: Obj<'s>,
    holes: bool,
    backwards: bool,
    mut f: impl for<'i> FnMut(&mut Interpreter, &mut Scope<'i, 's>, Js<'i>, Js<'i>) -> Run<bool>,
) -> Run<Option<usize>> {
    let function = callback(interpreter, scope, call)?;
    let this = call.argument(scope, 1);
    let count = length(scope, array);
    for step in 0..count {
        let index = if backwards { count - 1 - step } else { step };
        let next = scope.nested(|scope| {
            if !holes && !has(interpreter, scope, array, index) {
                return Ok::<_, Unwind>(Next::On);
            }
            let value = get(interpreter, scope, array, index)?;
            let at = scope.handle(small(index));
            let answer = interpreter.call(scope, function, this, &[value, at, array.any()])?;
            let goes_on = f(interpreter, scope, value, answer)?;
            Ok(if goes_on { Next::On } else { Next::Stop(index) })
        })?;
        if let Next::Stop(index) = next {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn for_each<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    each(interpreter, scope, call, array, false, false, |_, _, _, _| Ok(true))?;
    undefined(scope)
}

fn map<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = plain(interpreter, scope, call)?;
    let function = callback(interpreter, scope, call)?;
    let this = call.argument(scope, 1);
    let count = length(scope, array);
    let result = interpreter.new_array(scope, count)?;
    for index in 0..count {
        scope.nested(|scope| {
            if !has(interpreter, scope, array, index) {
                return Ok(());
            }
            let value = get(interpreter, scope, array, index)?;
            let at = scope.handle(small(index));
            let answer = interpreter.call(scope, function, this, &[value, at, array.any()])?;
            heaplab_objects::elements::set(scope, scope.get(result), index, scope.get(answer));
            Ok::<_, Unwind>(())
        })?;
    }
    Ok(result.any())
}

fn filter<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = plain(interpreter, scope, call)?;
    let result = interpreter.new_array(scope, 0)?;
    each(interpreter, scope, call, array, false, false, |interpreter, scope, value, answer| {
        if interpreter.to_boolean(scope, scope.get(answer)) {
            interpreter.push(scope, result, value)?;
        }
        Ok(true)
    })?;
    Ok(result.any())
}

/// The array, and the index of the first element for which the answer is `wanted`. Root `Escaping` holds that
/// element.
fn first<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    wanted: bool,
    (holes, backwards): (bool, bool),
) -> Run<(Obj<'s>, Option<usize>)> {
    let array = this_array(interpreter, scope, call)?;
    let found = each(interpreter, scope, call, array, holes, backwards, |interpreter, scope, value, answer| {
        let is_it = interpreter.to_boolean(scope, scope.get(answer)) == wanted;
        if is_it {
            interpreter.set_root(scope, Root::Escaping, scope.get(value));
        }
        Ok(!is_it)
    })?;
    Ok((array, found))
}

fn some<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (_, found) = first(interpreter, scope, call, true, (false, false))?;
    boolean(scope, found.is_some())
}

fn every<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (_, found) = first(interpreter, scope, call, false, (false, false))?;
    boolean(scope, found.is_none())
}

/// The element that [`first`] found, as the function saw it.
fn found_value<'s>(interpreter: &Interpreter, scope: &mut Scope<'s, '_>, found: Option<usize>) -> Run<Js<'s>> {
    match found {
        Some(_) => Ok(interpreter.root_handle(scope, Root::Escaping)),
        None => undefined(scope),
    }
}

fn found_index<'s>(scope: &Scope<'s, '_>, found: Option<usize>) -> Run<Js<'s>> {
    Ok(match found {
        Some(index) => scope.handle(small(index)),
        None => scope.handle(heaplab::Ref::small(-1).expect("a small integer")),
    })
}

fn find<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (_, found) = first(interpreter, scope, call, true, (true, false))?;
    found_value(interpreter, scope, found)
}

fn find_index<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (_, found) = first(interpreter, scope, call, true, (true, false))?;
    found_index(scope, found)
}

fn find_last<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (_, found) = first(interpreter, scope, call, true, (true, true))?;
    found_value(interpreter, scope, found)
}

fn find_last_index<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (_, found) = first(interpreter, scope, call, true, (true, true))?;
    found_index(scope, found)
}

fn reduce<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    fold(interpreter, scope, call, false)
}

fn reduce_right<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    fold(interpreter, scope, call, true)
}

fn fold<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    backwards: bool,
) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    let function = callback(interpreter, scope, call)?;
    let count = length(scope, array);
    // The value so far leaves each call's handle scope in an array.
    let held = scope.new_array(1)?;
    let mut is_begun = false;
    if let Some(&start) = call.arguments.get(1) {
        scope.store(scope.get(held), 0, scope.get(start));
        is_begun = true;
    }
    for step in 0..count {
        let index = if backwards { count - 1 - step } else { step };
        scope.nested(|scope| {
            if !has(interpreter, scope, array, index) {
                return Ok(());
            }
            let value = get(interpreter, scope, array, index)?;
            let next = if is_begun {
                let so_far = scope.handle(scope.load(scope.get(held), 0));
                let at = scope.handle(small(index));
                let this = scope.handle(scope.undefined());
                interpreter.call(scope, function, this, &[so_far, value, at, array.any()])?
            } else {
                is_begun = true;
                value
            };
            scope.store(scope.get(held), 0, scope.get(next));
            Ok::<_, Unwind>(())
        })?;
    }
    if !is_begun {
        return Err(interpreter.type_error(scope, "Reduce of empty array with no initial value"));
    }
    Ok(scope.handle(scope.load(scope.get(held), 0)))
}
