//! Strings: `String`, and the methods of its prototype. Positions count UTF-16 code units.

use super::super::interpreter::{Call, Interpreter, NativeFn, Root, Run};
use super::argument::relative;
use super::result::{boolean, undefined};
use heaplab::Scope;
use heaplab_objects::{Js, kind, kind_of, number, small, string};

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let prototype = interpreter.new_prototype(scope, Root::StringPrototype)?;
    let constructor = interpreter.constructor_of(scope, "String", 1, construct, prototype)?;
    interpreter.method_of(scope, constructor, "fromCharCode", 1, from_char_code)?;
    interpreter.absent(scope, constructor, &["fromCodePoint", "raw"])?;
    for (name, length, native) in [
        ("toString", 0, this_string as NativeFn),
        ("valueOf", 0, this_string),
        ("charAt", 1, char_at),
        ("charCodeAt", 1, char_code_at),
        ("codePointAt", 1, code_point_at),
        ("at", 1, at),
        ("indexOf", 1, index_of),
        ("lastIndexOf", 1, last_index_of),
        ("includes", 1, includes),
        ("startsWith", 1, starts_with),
        ("endsWith", 1, ends_with),
        ("slice", 2, slice),
        ("substring", 2, substring),
        ("substr", 2, substr),
        ("split", 2, split),
        ("concat", 1, concat),
        ("repeat", 1, repeat),
        ("padStart", 1, pad_start),
        ("padEnd", 1, pad_end),
        ("trim", 0, trim),
        ("trimStart", 0, trim_start),
        ("trimEnd", 0, trim_end),
        ("toUpperCase", 0, to_upper_case),
        ("toLowerCase", 0, to_lower_case),
        ("replace", 2, replace),
        ("replaceAll", 2, replace_all),
    ] {
        interpreter.method_of(scope, prototype, name, length, native)?;
    }
    interpreter.absent(
        scope,
        prototype,
        &[
            "anchor",
            "big",
            "blink",
            "bold",
            "fixed",
            "fontcolor",
            "fontsize",
            "isWellFormed",
            "italics",
            "link",
            "localeCompare",
            "match",
            "matchAll",
            "normalize",
            "search",
            "small",
            "strike",
            "sub",
            "sup",
            "toLocaleLowerCase",
            "toLocaleUpperCase",
            "toWellFormed",
            "trimLeft",
            "trimRight",
        ],
    )
}

fn construct<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    if call.new_target.is_some() {
        return Err(interpreter.unsupported("new String"));
    }
    match call.arguments.first() {
        None => Ok(interpreter.root_handle(scope, Root::EmptyString)),
        Some(&value) => Ok(interpreter.to_string(scope, value)?.any()),
    }
}

fn from_char_code<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let mut units = Vec::new();
    for &value in call.arguments {
        let value = interpreter.to_number(scope, value)?;
        units.push(number::to_int32(value) as u16);
    }
    Ok(interpreter.string_of_units(scope, &units)?.any())
}

fn this_string<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    match kind_of(scope, scope.get(call.this)) {
        Some(kind::ONE_BYTE | kind::TWO_BYTE | kind::CONS) => Ok(call.this),
        _ => Err(interpreter.type_error(scope, "String.prototype.toString requires that 'this' be a String")),
    }
}

/// `this` as code units.
fn this_units<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Vec<u16>> {
    if interpreter.is_nullish(scope, scope.get(call.this)) {
        let name = interpreter.name_of_function(scope, scope.get(call.callee));
        let message = format!("String.prototype.{name} called on null or undefined");
        return Err(interpreter.type_error(scope, message));
    }
    let text = interpreter.to_string(scope, call.this)?;
    let flat = interpreter.flat(scope, text)?;
    Ok(string::units(scope, scope.get(flat)))
}

fn result<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, units: &[u16]) -> Run<Js<'s>> {
    if units.len() > string::LENGTH_MAX {
        return Err(interpreter.range_error(scope, "Invalid string length"));
    }
    Ok(interpreter.string_of_units(scope, units)?.any())
}

/// The code unit at the position that argument 0 names. `None` if the string is not that long.
fn unit<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Option<u16>> {
    let position = call.argument(scope, 0);
    if let (Some(text), Some(index)) = (string::cast(scope, scope.get(call.this)), scope.get(position).as_small()) {
        // One unit of a flat string needs no copy of the string.
        let text = scope.handle(text);
        let flat = interpreter.flat(scope, text)?;
        let at = scope.get(flat);
        let index = usize::try_from(index).ok().filter(|&index| index < string::length(scope, at));
        return Ok(index.map(|index| string::unit_at(scope, at, index)));
    }
    let units = this_units(interpreter, scope, call)?;
    let position = interpreter.to_integer(scope, position)?;
    Ok(if position < 0.0 || position >= units.len() as f64 { None } else { Some(units[position as usize]) })
}

fn char_at<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let unit = unit(interpreter, scope, call)?;
    result(interpreter, scope, unit.as_slice())
}

fn char_code_at<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let unit = unit(interpreter, scope, call)?;
    interpreter.number(scope, unit.map_or(f64::NAN, f64::from))
}

fn code_point_at<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let position = call.argument(scope, 0);
    let position = interpreter.to_integer(scope, position)?;
    if position < 0.0 || position >= units.len() as f64 {
        return undefined(scope);
    }
    let from = &units[position as usize..];
    let point = match char::decode_utf16(from.iter().copied()).next() {
        Some(Ok(character)) => u32::from(character),
        _ => u32::from(from[0]),
    };
    interpreter.number(scope, f64::from(point))
}

fn at<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let position = call.argument(scope, 0);
    let position = interpreter.to_integer(scope, position)?;
    let position = if position < 0.0 { position + units.len() as f64 } else { position };
    if position < 0.0 || position >= units.len() as f64 {
        return undefined(scope);
    }
    result(interpreter, scope, &units[position as usize..=position as usize])
}

/// Where `needle` begins in `units`, from `start` on.
fn find(units: &[u16], needle: &[u16], start: usize) -> Option<usize> {
    if needle.is_empty() {
        return Some(start.min(units.len()));
    }
    units.get(start..)?.windows(needle.len()).position(|window| window == needle).map(|index| start + index)
}

/// Argument 0 as a string, always: there are no regular expressions.
fn needle<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Vec<u16>> {
    let needle = call.argument(scope, 0);
    interpreter.to_units(scope, needle)
}

/// Argument `index` as a position, clamped to the string; `default` if it is undefined.
fn position<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    index: usize,
    length: usize,
    default: usize,
) -> Run<usize> {
    let value = call.argument(scope, index);
    if scope.get(value) == scope.undefined() {
        return Ok(default);
    }
    Ok(interpreter.to_integer(scope, value)?.clamp(0.0, length as f64) as usize)
}

fn index<'s>(scope: &Scope<'s, '_>, found: Option<usize>) -> Run<Js<'s>> {
    Ok(match found {
        Some(index) => scope.handle(small(index)),
        None => scope.handle(heaplab::Ref::small(-1).expect("a small integer")),
    })
}

fn index_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let needle = needle(interpreter, scope, call)?;
    let start = position(interpreter, scope, call, 1, units.len(), 0)?;
    index(scope, find(&units, &needle, start))
}

fn last_index_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let needle = needle(interpreter, scope, call)?;
    let start = call.argument(scope, 1);
    let start = interpreter.to_number(scope, start)?;
    let start = if start.is_nan() { units.len() } else { start.clamp(0.0, units.len() as f64) as usize };
    let last = units.len().checked_sub(needle.len());
    let found = last.and_then(|last| (0..=last.min(start)).rev().find(|&at| units[at..].starts_with(&needle)));
    index(scope, found)
}

fn includes<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let needle = needle(interpreter, scope, call)?;
    let start = position(interpreter, scope, call, 1, units.len(), 0)?;
    boolean(scope, find(&units, &needle, start).is_some())
}

fn starts_with<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let needle = needle(interpreter, scope, call)?;
    let start = position(interpreter, scope, call, 1, units.len(), 0)?;
    boolean(scope, units[start..].starts_with(&needle))
}

fn ends_with<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let needle = needle(interpreter, scope, call)?;
    let end = position(interpreter, scope, call, 1, units.len(), units.len())?;
    boolean(scope, units[..end].ends_with(&needle))
}

fn slice<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let (start, end) = (call.argument(scope, 0), call.argument(scope, 1));
    let start = relative(interpreter, scope, start, units.len(), 0)?;
    let end = relative(interpreter, scope, end, units.len(), units.len())?;
    result(interpreter, scope, units.get(start..end).unwrap_or(&[]))
}

fn substring<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let start = position(interpreter, scope, call, 0, units.len(), 0)?;
    let end = position(interpreter, scope, call, 1, units.len(), units.len())?;
    result(interpreter, scope, &units[start.min(end)..start.max(end)])
}

fn substr<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let start = call.argument(scope, 0);
    let start = relative(interpreter, scope, start, units.len(), 0)?;
    let count = position(interpreter, scope, call, 1, units.len() - start, units.len() - start)?;
    result(interpreter, scope, &units[start..start + count])
}

fn split<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    if scope.get(call.argument(scope, 1)) != scope.undefined() {
        return Err(interpreter.unsupported("split with a limit"));
    }
    let array = interpreter.new_array(scope, 0)?;
    let separator = call.argument(scope, 0);
    let mut pieces: Vec<&[u16]> = Vec::new();
    let separator =
        if scope.get(separator) == scope.undefined() { None } else { Some(interpreter.to_units(scope, separator)?) };
    match &separator {
        None => pieces.push(&units),
        Some(separator) if separator.is_empty() => pieces.extend(units.chunks(1)),
        Some(separator) => {
            let mut start = 0;
            while let Some(at) = find(&units, separator, start) {
                pieces.push(&units[start..at]);
                start = at + separator.len();
            }
            pieces.push(&units[start..]);
        }
    }
    for piece in pieces {
        scope.nested(|scope| {
            let piece = interpreter.string_of_units(scope, piece)?;
            interpreter.push(scope, array, piece.any())
        })?;
    }
    Ok(array.any())
}

fn concat<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let mut units = this_units(interpreter, scope, call)?;
    for &value in call.arguments {
        units.extend(interpreter.to_units(scope, value)?);
    }
    result(interpreter, scope, &units)
}

fn repeat<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let value = call.argument(scope, 0);
    let count = interpreter.to_integer(scope, value)?;
    if count < 0.0 || count.is_infinite() {
        let text = interpreter.display(scope, value);
        return Err(interpreter.range_error(scope, format!("Invalid count value: {text}")));
    }
    if units.len() as f64 * count > string::LENGTH_MAX as f64 {
        return Err(interpreter.range_error(scope, "Invalid string length"));
    }
    result(interpreter, scope, &units.repeat(if units.is_empty() { 0 } else { count as usize }))
}

/// The code units that have to be added to reach the length that argument 0 names.
fn padding<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    length: usize,
) -> Run<Vec<u16>> {
    let target = call.argument(scope, 0);
    let target = interpreter.to_integer(scope, target)?.max(0.0);
    let filler = call.argument(scope, 1);
    let filler = if scope.get(filler) == scope.undefined() {
        vec![u16::from(b' ')]
    } else {
        interpreter.to_units(scope, filler)?
    };
    if target <= length as f64 || filler.is_empty() {
        return Ok(Vec::new());
    }
    if target > string::LENGTH_MAX as f64 {
        return Err(interpreter.range_error(scope, "Invalid string length"));
    }
    Ok(filler.iter().copied().cycle().take(target as usize - length).collect())
}

fn pad_start<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let padding = padding(interpreter, scope, call, units.len())?;
    result(interpreter, scope, &[padding, units].concat())
}

fn pad_end<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let padding = padding(interpreter, scope, call, units.len())?;
    result(interpreter, scope, &[units, padding].concat())
}

fn is_space(unit: u16) -> bool {
    char::from_u32(u32::from(unit)).is_some_and(number::is_space)
}

fn trimmed<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    (at_start, at_end): (bool, bool),
) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let start = if at_start { units.iter().take_while(|&&unit| is_space(unit)).count() } else { 0 };
    let rest = &units[start..];
    let end = if at_end { rest.iter().rev().take_while(|&&unit| is_space(unit)).count() } else { 0 };
    result(interpreter, scope, &rest[..rest.len() - end])
}

fn trim<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    trimmed(interpreter, scope, call, (true, true))
}

fn trim_start<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    trimmed(interpreter, scope, call, (true, false))
}

fn trim_end<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    trimmed(interpreter, scope, call, (false, true))
}

/// Changes the case of an ASCII string. The script is stopped at other characters, whose case depends on the version
/// of Unicode.
fn cased<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    change: fn(&mut [u8]),
) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    if units.iter().any(|&unit| unit > 127) {
        return Err(interpreter.unsupported("the case of characters beyond ASCII"));
    }
    let mut bytes: Vec<u8> = units.iter().map(|&unit| unit as u8).collect();
    change(&mut bytes);
    let units: Vec<u16> = bytes.into_iter().map(u16::from).collect();
    result(interpreter, scope, &units)
}

fn to_upper_case<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    cased(interpreter, scope, call, <[u8]>::make_ascii_uppercase)
}

fn to_lower_case<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    cased(interpreter, scope, call, <[u8]>::make_ascii_lowercase)
}

fn replace<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    replaced(interpreter, scope, call, false)
}

fn replace_all<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    replaced(interpreter, scope, call, true)
}

fn replaced<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    all: bool,
) -> Run<Js<'s>> {
    let units = this_units(interpreter, scope, call)?;
    let needle = needle(interpreter, scope, call)?;
    let replacement = call.argument(scope, 1);
    let is_function = interpreter.is_callable(scope, scope.get(replacement));
    let fixed = if is_function { Vec::new() } else { interpreter.to_units(scope, replacement)? };
    if fixed.contains(&u16::from(b'$')) {
        return Err(interpreter.unsupported("a replacement with $"));
    }
    let (mut made, mut start, mut from) = (Vec::new(), 0, 0);
    while let Some(at) = find(&units, &needle, from) {
        made.extend_from_slice(&units[start..at]);
        if is_function {
            let piece = scope.nested(|scope| {
                let arguments = [
                    interpreter.string_of_units(scope, &needle)?.any(),
                    scope.handle(small(at)),
                    interpreter.string_of_units(scope, &units)?.any(),
                ];
                let this = scope.handle(scope.undefined());
                let piece = interpreter.call(scope, replacement, this, &arguments)?;
                interpreter.to_units(scope, piece)
            })?;
            made.extend(piece);
        } else {
            made.extend_from_slice(&fixed);
        }
        start = at + needle.len();
        from = start + usize::from(needle.is_empty());
        if !all || from > units.len() {
            break;
        }
    }
    made.extend_from_slice(&units[start..]);
    result(interpreter, scope, &made)
}
