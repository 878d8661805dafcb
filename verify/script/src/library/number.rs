//! Numbers and truth values: `Number`, `Boolean`, their prototypes.

use super::super::interpreter::{Call, ErrorKind, Interpreter, NativeFn, Root, Run};
use super::result::boolean;
use heaplab::Scope;
use heaplab_objects::map::Details;
use heaplab_objects::property::Key;
use heaplab_objects::{Js, number};

/// `Number.MAX_SAFE_INTEGER`: the greatest integer `n` such that `n` and `n + 1` are both exact as doubles.
const SAFE_MAX: f64 = 9_007_199_254_740_991.0;

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let prototype = interpreter.new_prototype(scope, Root::NumberPrototype)?;
    let constructor = interpreter.constructor_of(scope, "Number", 1, construct, prototype)?;
    interpreter.method_of(scope, prototype, "toString", 1, to_string)?;
    interpreter.method_of(scope, prototype, "toFixed", 1, to_fixed)?;
    interpreter.method_of(scope, prototype, "valueOf", 0, value_of)?;
    interpreter.absent(scope, prototype, &["toExponential", "toLocaleString", "toPrecision"])?;
    for (name, native) in [
        ("isInteger", is_integer as NativeFn),
        ("isSafeInteger", is_safe_integer),
        ("isFinite", is_finite),
        ("isNaN", is_nan),
        ("parseInt", parse_int),
        ("parseFloat", parse_float),
    ] {
        let length = if name == "parseInt" { 2 } else { 1 };
        interpreter.method_of(scope, constructor, name, length, native)?;
    }
    for (name, value) in [
        ("MAX_SAFE_INTEGER", SAFE_MAX),
        ("MIN_SAFE_INTEGER", -SAFE_MAX),
        ("MAX_VALUE", f64::MAX),
        ("MIN_VALUE", f64::from_bits(1)),
        ("EPSILON", f64::EPSILON),
        ("POSITIVE_INFINITY", f64::INFINITY),
        ("NEGATIVE_INFINITY", f64::NEG_INFINITY),
        ("NaN", f64::NAN),
    ] {
        interpreter.constant_of(scope, constructor, name, value)?;
    }
    // The global functions are the same objects.
    for name in ["parseInt", "parseFloat"] {
        let function = interpreter.get_named(scope, constructor.any(), name)?;
        interpreter.define_global(scope, name, function)?;
    }
    let prototype = interpreter.new_prototype(scope, Root::BooleanPrototype)?;
    interpreter.constructor_of(scope, "Boolean", 1, construct_boolean, prototype)?;
    interpreter.method_of(scope, prototype, "toString", 0, boolean_to_string)?;
    interpreter.method_of(scope, prototype, "valueOf", 0, boolean_value_of)
}

fn construct<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    if call.new_target.is_some() {
        return Err(interpreter.unsupported("new Number"));
    }
    let value = match call.arguments.first() {
        None => 0.0,
        Some(&value) => interpreter.to_number(scope, value)?,
    };
    interpreter.number(scope, value)
}

fn construct_boolean<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    if call.new_target.is_some() {
        return Err(interpreter.unsupported("new Boolean"));
    }
    let value = interpreter.to_boolean(scope, scope.get(call.argument(scope, 0)));
    boolean(scope, value)
}

fn boolean_to_string<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = boolean_value_of(interpreter, scope, call)?;
    Ok(interpreter.to_string(scope, value)?.any())
}

fn boolean_value_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = scope.get(call.this);
    if value == scope.boolean(true) || value == scope.boolean(false) {
        return Ok(call.this);
    }
    Err(interpreter.type_error(scope, "Boolean.prototype.valueOf requires that 'this' be a Boolean"))
}

/// `this` as a number.
fn this_number<'s>(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'s, '_>,
    call: &Call<'s, '_>,
    name: &str,
) -> Run<f64> {
    match number::value(scope, scope.get(call.this)) {
        Some(value) => Ok(value),
        None => {
            let message = format!("Number.prototype.{name} requires that 'this' be a Number");
            Err(interpreter.throw(scope, ErrorKind::Type, message))
        }
    }
}

fn value_of<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    this_number(interpreter, scope, call, "valueOf")?;
    Ok(call.this)
}

fn to_string<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = this_number(interpreter, scope, call, "toString")?;
    let radix = call.argument(scope, 0);
    let radix = if scope.get(radix) == scope.undefined() { 10.0 } else { interpreter.to_integer(scope, radix)? };
    if !(2.0..=36.0).contains(&radix) {
        return Err(interpreter.range_error(scope, "toString() radix argument must be between 2 and 36"));
    }
    if radix == 10.0 || !value.is_finite() {
        return Ok(interpreter.string(scope, &number::to_text(value))?.any());
    }
    if value.fract() != 0.0 || value.abs() > SAFE_MAX {
        return Err(interpreter.unsupported("a fraction or a great number in another radix"));
    }
    let (mut left, mut digits) = (value.abs() as u64, Vec::new());
    loop {
        digits.push(char::from_digit((left % radix as u64) as u32, radix as u32).expect("a digit"));
        left /= radix as u64;
        if left == 0 {
            break;
        }
    }
    if value < 0.0 {
        digits.push('-');
    }
    let text: String = digits.into_iter().rev().collect();
    Ok(interpreter.string(scope, &text)?.any())
}

fn to_fixed<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let value = this_number(interpreter, scope, call, "toFixed")?;
    let digits = call.argument(scope, 0);
    let digits = interpreter.to_integer(scope, digits)?;
    if !(0.0..=100.0).contains(&digits) {
        return Err(interpreter.range_error(scope, "toFixed() digits argument must be between 0 and 100"));
    }
    let text = if value.abs() >= 1e21 || !value.is_finite() {
        number::to_text(value)
    } else {
        ryu_js::Buffer::new().format_to_fixed(value, digits as u8).to_owned()
    };
    Ok(interpreter.string(scope, &text)?.any())
}

/// The argument, if it is a number.
fn given<'s>(scope: &Scope<'s, '_>, call: &Call<'s, '_>) -> Option<f64> {
    call.arguments.first().and_then(|&value| number::value(scope, scope.get(value)))
}

fn is_integer<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let is = given(scope, call).is_some_and(|value| value.fract() == 0.0);
    boolean(scope, is)
}

fn is_safe_integer<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let is = given(scope, call).is_some_and(|value| value.fract() == 0.0 && value.abs() <= SAFE_MAX);
    boolean(scope, is)
}

fn is_finite<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let is = given(scope, call).is_some_and(f64::is_finite);
    boolean(scope, is)
}

fn is_nan<'s>(_: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let is = given(scope, call).is_some_and(f64::is_nan);
    boolean(scope, is)
}

fn parse_int<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (text, radix) = (call.argument(scope, 0), call.argument(scope, 1));
    let text = String::from_utf16_lossy(&interpreter.to_units(scope, text)?);
    let radix = interpreter.to_number(scope, radix)?;
    let radix = number::to_int32(radix);
    let text = text.trim_start_matches(number::is_space);
    let (is_negative, text) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, text) = match (radix, hex) {
        (0 | 16, Some(rest)) => (16, rest),
        (0, None) => (10, text),
        (radix, _) => (radix, text),
    };
    if !(2..=36).contains(&radix) {
        return interpreter.number(scope, f64::NAN);
    }
    let end = text.find(|c: char| !c.is_digit(radix as u32)).unwrap_or(text.len());
    let value = if end == 0 { f64::NAN } else { number::of_digits(&text[..end], radix as u32) };
    if value > SAFE_MAX && !(radix as u32).is_power_of_two() && radix != 10 {
        return Err(interpreter.unsupported("so many digits in such a radix"));
    }
    interpreter.number(scope, if is_negative { -value } else { value })
}

fn parse_float<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let text = call.argument(scope, 0);
    let text = String::from_utf16_lossy(&interpreter.to_units(scope, text)?);
    let (value, _) = number::decimal_prefix(text.trim_start_matches(number::is_space));
    interpreter.number(scope, value)
}

/// Gives the global object a property that cannot be changed; its value is undefined without a number.
pub(super) fn global_constant(
    interpreter: &mut Interpreter,
    scope: &mut Scope<'_, '_>,
    name: &str,
    value: Option<f64>,
) -> Run<()> {
    scope.nested(|scope| {
        let global = interpreter.root_record(scope, Root::Global);
        let name = interpreter.name(scope, name)?;
        let value = match value {
            Some(value) => interpreter.number(scope, value)?,
            None => scope.handle(scope.undefined()),
        };
        interpreter.define(scope, global, Key::Name(name), Details::FIXED, value)
    })
}
