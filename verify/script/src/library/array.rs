//! Arrays: `Array`, and the methods of its prototype that call nobody back.

use super::super::interpreter::{Call, Interpreter, NativeFn, Root, Run, Unwind};
use super::argument::relative;
use super::result::{boolean, undefined};
use heaplab::Scope;
use heaplab_objects::map::{self, Details, flag};
use heaplab_objects::property::Key;
use heaplab_objects::{Js, Obj, elements, function, kind, map_of, number, object_handle, small, string};

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let prototype = interpreter.new_prototype(scope, Root::ArrayPrototype)?;
    let map = map::new(scope, kind::ARRAY, 0, prototype.any(), 0)?;
    interpreter.set_root(scope, Root::ArrayMap, scope.get(map).into());
    let details = Details::new(true, false, false, false);
    interpreter.descriptor(scope, map, "length", (get_length, Some(set_length)), details)?;
    let constructor = interpreter.constructor_of(scope, "Array", 1, array, prototype)?;
    interpreter.method_of(scope, constructor, "isArray", 1, is_array)?;
    interpreter.method_of(scope, constructor, "of", 0, of)?;
    interpreter.method_of(scope, constructor, "from", 1, from)?;
    interpreter.absent(scope, constructor, &["fromAsync"])?;
    for (name, length, native) in [
        ("push", 1, push as NativeFn),
        ("pop", 0, pop),
        ("shift", 0, shift),
        ("unshift", 1, unshift),
        ("slice", 2, slice),
        ("splice", 2, splice),
        ("concat", 1, concat),
        ("join", 1, join),
        ("toString", 0, to_string),
        ("reverse", 0, reverse),
        ("indexOf", 1, index_of),
        ("lastIndexOf", 1, last_index_of),
        ("includes", 1, includes),
        ("fill", 1, fill),
        ("at", 1, at),
        ("flat", 0, flat),
    ] {
        interpreter.method_of(scope, prototype, name, length, native)?;
    }
    interpreter.absent(
        scope,
        prototype,
        &[
            "copyWithin",
            "entries",
            "flatMap",
            "keys",
            "toLocaleString",
            "toReversed",
            "toSorted",
            "toSpliced",
            "values",
            "with",
        ],
    )
}

fn get_length<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let holder = call.holder.expect("an accessor has a holder");
    Ok(scope.handle(small(elements::array_length(scope, scope.get(holder)))))
}

fn set_length<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let holder = call.holder.expect("an accessor has a holder");
    let value = call.argument(scope, 0);
    let length = length_of(interpreter, scope, value)?;
    interpreter.set_array_length(scope, holder, length)?;
    undefined(scope)
}

/// A value as an array's length.
fn length_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, value: Js<'s>) -> Run<usize> {
    let length = interpreter.to_number(scope, value)?;
    if length < 0.0 || length.fract() != 0.0 || length.is_nan() || length > f64::from(u32::MAX) {
        return Err(interpreter.range_error(scope, "Invalid array length"));
    }
    Ok(length as usize)
}

/// `this` as an array.
pub(super) fn this_array<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
) -> Run<Obj<'s>> {
    if interpreter.is_array(scope, scope.get(call.this)) {
        return interpreter.expect_object(scope, call.this);
    }
    Err(interpreter.unsupported("an array's method on something that is no array"))
}

/// `this` as an array that may be changed.
pub(super) fn changing<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
) -> Run<Obj<'s>> {
    let array = this_array(interpreter, scope, call)?;
    if map::info(scope, map_of(scope, scope.get(array))).has(flag::SEALED) {
        return Err(interpreter.unsupported("a method that changes a frozen array"));
    }
    Ok(array)
}

/// `this` as an array whose methods make plain arrays. The script is stopped at an array of a subclass, which would
/// make others.
pub(super) fn plain<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Obj<'s>> {
    let array = this_array(interpreter, scope, call)?;
    let prototype = interpreter.prototype_of(scope, array);
    if scope.get(prototype) != interpreter.root(scope, Root::ArrayPrototype) {
        return Err(interpreter.unsupported("a method that makes an array of a subclass"));
    }
    Ok(array)
}

pub(super) fn length<'s>(scope: &Scope<'s, '_>, array: Obj<'s>) -> usize {
    elements::array_length(scope, scope.get(array))
}

/// Whether there is an element, the array's own or a prototype's.
pub(super) fn has<'s>(interpreter: &Interpreter, scope: &Scope<'s, '_>, array: Obj<'s>, index: usize) -> bool {
    interpreter.has(scope, scope.get(array), Key::Index(index as u32))
}

pub(super) fn get<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    array: Obj<'s>,
    index: usize,
) -> Run<Js<'s>> {
    interpreter.get(scope, array.any(), Key::Index(index as u32))
}

fn array<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = match call.new_target {
        Some(target) if scope.get(target) != scope.get(call.callee) => {
            let map = interpreter.initial_map(scope, target, kind::ARRAY, 0)?;
            let array = map::new_object(scope, map)?;
            scope.store_field(scope.get(array), heaplab_objects::ARRAY_LENGTH, small(0));
            array
        }
        _ => interpreter.new_array(scope, 0)?,
    };
    if let [only] = call.arguments
        && number::value(scope, scope.get(*only)).is_some()
    {
        let length = length_of(interpreter, scope, *only)?;
        interpreter.set_array_length(scope, array, length)?;
        return Ok(array.any());
    }
    for &value in call.arguments {
        interpreter.push(scope, array, value)?;
    }
    Ok(array.any())
}

fn is_array<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let is = interpreter.is_array(scope, scope.get(call.argument(scope, 0)));
    boolean(scope, is)
}

fn is_plain_constructor<'s>(interpreter: &Interpreter, scope: &Scope<'s, '_>, call: &Call<'s, '_>) -> bool {
    function::cast(scope, scope.get(call.this)).is_some_and(|function| {
        scope.load_field(function, function::PROTOTYPE_OR_MAP) == interpreter.root(scope, Root::ArrayPrototype)
    })
}

fn of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    if !is_plain_constructor(interpreter, scope, call) {
        return Err(interpreter.unsupported("Array.of of another constructor"));
    }
    Ok(interpreter.array_of(scope, call.arguments)?.any())
}

fn from<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    if !is_plain_constructor(interpreter, scope, call) {
        return Err(interpreter.unsupported("Array.from of another constructor"));
    }
    let (source, function, this) = (call.argument(scope, 0), call.argument(scope, 1), call.argument(scope, 2));
    let maps = scope.get(function) != scope.undefined();
    if maps && !interpreter.is_callable(scope, scope.get(function)) {
        let text = interpreter.display(scope, function);
        return Err(interpreter.type_error(scope, format!("{text} is not a function")));
    }
    if interpreter.is_nullish(scope, scope.get(source)) {
        let text = if scope.get(source) == scope.null() { "object null" } else { "undefined" };
        let message = format!("{text} is not iterable (cannot read property Symbol(Symbol.iterator))");
        return Err(interpreter.type_error(scope, message));
    }
    let result = interpreter.new_array(scope, 0)?;
    let mut index = 0;
    let is_iterable =
        interpreter.is_array(scope, scope.get(source)) || string::cast(scope, scope.get(source)).is_some();
    if is_iterable {
        interpreter.iterate(scope, source, None, |interpreter, scope, value| {
            let value = if maps {
                let at = scope.handle(small(index));
                interpreter.call(scope, function, this, &[value, at])?
            } else {
                value
            };
            index += 1;
            interpreter.push(scope, result, value)?;
            Ok(true)
        })?;
        return Ok(result.any());
    }
    let count = if interpreter.is_object(scope, source) {
        let name = interpreter.root_record(scope, Root::Length);
        let count = interpreter.get(scope, source, Key::Name(name))?;
        interpreter.to_integer(scope, count)?.max(0.0)
    } else {
        0.0
    };
    if count > elements::DENSE_MAX as f64 {
        return Err(interpreter.unsupported("an array of so many elements"));
    }
    for index in 0..count as usize {
        scope.nested(|scope| {
            let mut value = interpreter.get(scope, source, Key::Index(index as u32))?;
            if maps {
                let at = scope.handle(small(index));
                value = interpreter.call(scope, function, this, &[value, at])?;
            }
            interpreter.push(scope, result, value)
        })?;
    }
    Ok(result.any())
}

fn push<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    for &value in call.arguments {
        interpreter.push(scope, array, value)?;
    }
    Ok(scope.handle(small(length(scope, array))))
}

fn pop<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = changing(interpreter, scope, call)?;
    let Some(last) = length(scope, array).checked_sub(1) else { return undefined(scope) };
    let value = get(interpreter, scope, array, last)?;
    interpreter.set_array_length(scope, array, last)?;
    Ok(value)
}

fn shift<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = changing(interpreter, scope, call)?;
    let count = length(scope, array);
    if count == 0 {
        return undefined(scope);
    }
    let value = get(interpreter, scope, array, 0)?;
    // Nothing collects while the elements move to the front.
    let at = scope.get(array);
    let hole = interpreter.hole(scope);
    for index in 1..count {
        elements::set(scope, at, index - 1, elements::get(scope, hole, at, index).unwrap_or(hole));
    }
    interpreter.set_array_length(scope, array, count - 1)?;
    Ok(value)
}

fn unshift<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = changing(interpreter, scope, call)?;
    let (count, more) = (length(scope, array), call.arguments.len());
    interpreter.set_array_length(scope, array, count + more)?;
    let at = scope.get(array);
    let hole = interpreter.hole(scope);
    if more != 0 {
        for index in (0..count).rev() {
            elements::set(scope, at, index + more, elements::get(scope, hole, at, index).unwrap_or(hole));
        }
        for (index, &value) in call.arguments.iter().enumerate() {
            elements::set(scope, at, index, scope.get(value));
        }
    }
    Ok(scope.handle(small(count + more)))
}

/// Copies a range of elements, holes included, to the end of another array.
fn copy_range<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    from: Obj<'s>,
    range: core::ops::Range<usize>,
    to: Obj<'s>,
) -> Run<()> {
    let start = length(scope, to);
    interpreter.set_array_length(scope, to, start + range.len())?;
    let hole = interpreter.hole(scope);
    let (source, target) = (scope.get(from), scope.get(to));
    for (offset, index) in range.enumerate() {
        let value = elements::get(scope, hole, source, index).unwrap_or(hole);
        elements::set(scope, target, start + offset, value);
    }
    Ok(())
}

fn slice<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = plain(interpreter, scope, call)?;
    let count = length(scope, array);
    let (start, end) = (call.argument(scope, 0), call.argument(scope, 1));
    let start = relative(interpreter, scope, start, count, 0)?;
    let end = relative(interpreter, scope, end, count, count)?;
    let result = interpreter.new_array(scope, 0)?;
    let end = end.min(length(scope, array));
    copy_range(interpreter, scope, array, start..end.max(start), result)?;
    Ok(result.any())
}

fn splice<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    plain(interpreter, scope, call)?;
    let array = changing(interpreter, scope, call)?;
    let count = length(scope, array);
    let start = call.argument(scope, 0);
    let start = relative(interpreter, scope, start, count, 0)?;
    let deleted = match call.arguments.len() {
        0 => 0,
        1 => count - start,
        _ => interpreter.to_integer(scope, call.arguments[1])?.clamp(0.0, (count - start) as f64) as usize,
    };
    if length(scope, array) != count {
        return Err(interpreter.unsupported("an array that changes while its method runs"));
    }
    let removed = interpreter.new_array(scope, 0)?;
    copy_range(interpreter, scope, array, start..start + deleted, removed)?;
    let inserted = call.arguments.get(2..).unwrap_or(&[]);
    let tail = interpreter.new_array(scope, 0)?;
    copy_range(interpreter, scope, array, start + deleted..count, tail)?;
    interpreter.set_array_length(scope, array, start)?;
    for &value in inserted {
        interpreter.push(scope, array, value)?;
    }
    let tail_count = length(scope, tail);
    copy_range(interpreter, scope, tail, 0..tail_count, array)?;
    Ok(removed.any())
}

fn concat<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = plain(interpreter, scope, call)?;
    let result = interpreter.new_array(scope, 0)?;
    let count = length(scope, array);
    copy_range(interpreter, scope, array, 0..count, result)?;
    for &value in call.arguments {
        if interpreter.is_array(scope, scope.get(value)) {
            let from = interpreter.expect_object(scope, value)?;
            let count = length(scope, from);
            copy_range(interpreter, scope, from, 0..count, result)?;
        } else {
            interpreter.push(scope, result, value)?;
        }
    }
    Ok(result.any())
}

fn to_string<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    join(interpreter, scope, &Call { arguments: &[], ..*call })
}

/// The most joins within joins. In the language an array within itself joins as nothing; this interpreter does not
/// tell it from deep nesting, and stops the script.
const JOINS_MAX: usize = 32;

fn join<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    let separator = call.argument(scope, 0);
    let separator = if scope.get(separator) == scope.undefined() {
        vec![u16::from(b',')]
    } else {
        interpreter.to_units(scope, separator)?
    };
    if interpreter.joins >= JOINS_MAX {
        return Err(interpreter.unsupported("joining an array that contains itself, or many others"));
    }
    interpreter.joins += 1;
    let joined = join_elements(interpreter, scope, array, &separator);
    interpreter.joins -= 1;
    let joined = joined?;
    if joined.len() > string::LENGTH_MAX {
        return Err(interpreter.range_error(scope, "Invalid string length"));
    }
    Ok(interpreter.string_of_units(scope, &joined)?.any())
}

fn join_elements<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    array: Obj<'s>,
    separator: &[u16],
) -> Run<Vec<u16>> {
    let mut joined = Vec::new();
    for index in 0..length(scope, array) {
        if index != 0 {
            joined.extend_from_slice(separator);
        }
        scope.nested(|scope| {
            let value = get(interpreter, scope, array, index)?;
            if !interpreter.is_nullish(scope, scope.get(value)) {
                joined.extend(interpreter.to_units(scope, value)?);
            }
            Ok::<_, Unwind>(())
        })?;
        if joined.len() > string::LENGTH_MAX {
            return Err(interpreter.range_error(scope, "Invalid string length"));
        }
    }
    Ok(joined)
}

fn reverse<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = changing(interpreter, scope, call)?;
    let at = scope.get(array);
    let hole = interpreter.hole(scope);
    let count = length(scope, array);
    for index in 0..count / 2 {
        let (low, high) = (elements::get(scope, hole, at, index), elements::get(scope, hole, at, count - 1 - index));
        elements::set(scope, at, index, high.unwrap_or(hole));
        elements::set(scope, at, count - 1 - index, low.unwrap_or(hole));
    }
    Ok(call.this)
}

/// The first index of `indices` whose element is strictly equal to `wanted`, or -1.
fn position<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    array: Obj<'s>,
    wanted: Js<'s>,
    indices: impl Iterator<Item = usize>,
) -> Run<Js<'s>> {
    let at = scope.get(array);
    let hole = interpreter.hole(scope);
    for index in indices {
        if let Some(value) = elements::get(scope, hole, at, index)
            && interpreter.strict_equal(scope, value, scope.get(wanted))
        {
            return Ok(scope.handle(small(index)));
        }
    }
    Ok(scope.handle(heaplab::Ref::small(-1).expect("a small integer")))
}

fn index_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    let count = length(scope, array);
    let start = call.argument(scope, 1);
    let start = relative(interpreter, scope, start, count, 0)?;
    position(interpreter, scope, array, call.argument(scope, 0), start..count)
}

fn last_index_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    if call.arguments.len() > 1 {
        return Err(interpreter.unsupported("lastIndexOf with a start"));
    }
    let count = length(scope, array);
    position(interpreter, scope, array, call.argument(scope, 0), (0..count).rev())
}

fn includes<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    let count = length(scope, array);
    let start = call.argument(scope, 1);
    let start = relative(interpreter, scope, start, count, 0)?;
    let at = scope.get(array);
    let wanted = scope.get(call.argument(scope, 0));
    let is_nan = |value| number::value(scope, value).is_some_and(f64::is_nan);
    let found = (start..count).any(|index| {
        let value = interpreter.element_or_undefined(scope, at, index);
        interpreter.strict_equal(scope, value, wanted) || (is_nan(value) && is_nan(wanted))
    });
    boolean(scope, found)
}

fn fill<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = changing(interpreter, scope, call)?;
    let count = length(scope, array);
    let (start, end) = (call.argument(scope, 1), call.argument(scope, 2));
    let start = relative(interpreter, scope, start, count, 0)?;
    let end = relative(interpreter, scope, end, count, count)?.min(length(scope, array));
    let at = scope.get(array);
    let value = scope.get(call.argument(scope, 0));
    (start..end).for_each(|index| elements::set(scope, at, index, value));
    Ok(call.this)
}

fn at<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = this_array(interpreter, scope, call)?;
    let index = call.argument(scope, 0);
    let index = interpreter.to_integer(scope, index)?;
    let count = length(scope, array) as f64;
    let index = if index < 0.0 { index + count } else { index };
    if index < 0.0 || index >= count {
        return undefined(scope);
    }
    get(interpreter, scope, array, index as usize)
}

fn flat<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let array = plain(interpreter, scope, call)?;
    let depth = call.argument(scope, 0);
    let depth = if scope.get(depth) == scope.undefined() { 1.0 } else { interpreter.to_integer(scope, depth)? };
    let result = interpreter.new_array(scope, 0)?;
    flatten(interpreter, scope, array, depth, result)?;
    Ok(result.any())
}

fn flatten<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    array: Obj<'s>,
    depth: f64,
    result: Obj<'s>,
) -> Run<()> {
    interpreter.check_stack(scope)?;
    for index in 0..length(scope, array) {
        scope.nested(|scope| {
            if !has(interpreter, scope, array, index) {
                return Ok(());
            }
            let value = get(interpreter, scope, array, index)?;
            if depth >= 1.0 && interpreter.is_array(scope, scope.get(value)) {
                let inner = object_handle(scope, value).expect("an array");
                return flatten(interpreter, scope, inner, depth - 1.0, result);
            }
            interpreter.push(scope, result, value)
        })?;
    }
    Ok(())
}
