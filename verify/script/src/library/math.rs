//! `Math`: what is exact, or rounded as IEEE 754 says. Functions whose last digit depends on the implementation are
//! absent.

use super::super::interpreter::{Call, Interpreter, NativeFn, Run};
use heaplab::Scope;
use heaplab_objects::Js;
use heaplab_objects::number::to_int32;

/// A function of one number.
macro_rules! of_one {
    ($f:expr) => {
        |interpreter, scope, call| {
            let value = call.argument(scope, 0);
            let value = interpreter.to_number(scope, value)?;
            let f: fn(f64) -> f64 = $f;
            interpreter.number(scope, f(value))
        }
    };
}

pub(super) fn set_up(interpreter: &mut Interpreter, scope: &mut Scope<'_, '_>) -> Run<()> {
    let math = interpreter.new_object(scope)?;
    interpreter.to_dictionary(scope, math)?;
    let functions: [(&str, NativeFn); 9] = [
        ("abs", of_one!(f64::abs)),
        ("floor", of_one!(f64::floor)),
        ("ceil", of_one!(f64::ceil)),
        ("trunc", of_one!(f64::trunc)),
        ("sqrt", of_one!(f64::sqrt)),
        ("round", of_one!(round)),
        ("sign", of_one!(sign)),
        ("fround", of_one!(|value| f64::from(value as f32))),
        ("clz32", of_one!(|value| f64::from((to_int32(value) as u32).leading_zeros()))),
    ];
    for (name, native) in functions {
        interpreter.method_of(scope, math, name, 1, native)?;
    }
    interpreter.method_of(scope, math, "min", 2, min)?;
    interpreter.method_of(scope, math, "max", 2, max)?;
    interpreter.method_of(scope, math, "pow", 2, pow)?;
    interpreter.method_of(scope, math, "imul", 2, imul)?;
    interpreter.method_of(scope, math, "random", 0, random)?;
    for (name, value) in [
        ("PI", core::f64::consts::PI),
        ("E", core::f64::consts::E),
        ("LN2", core::f64::consts::LN_2),
        ("LN10", core::f64::consts::LN_10),
        ("LOG2E", core::f64::consts::LOG2_E),
        ("LOG10E", core::f64::consts::LOG10_E),
        ("SQRT2", core::f64::consts::SQRT_2),
        ("SQRT1_2", core::f64::consts::FRAC_1_SQRT_2),
    ] {
        interpreter.constant_of(scope, math, name, value)?;
    }
    interpreter.absent(
        scope,
        math,
        &[
            "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "exp", "expm1", "hypot",
            "log", "log10", "log1p", "log2", "sin", "sinh", "tan", "tanh",
        ],
    )?;
    interpreter.define_global(scope, "Math", math.any())
}

/// The nearest integer; halves are rounded towards positive infinity.
fn round(value: f64) -> f64 {
    let floor = value.floor();
    if value - floor >= 0.5 { if floor == -1.0 { -0.0 } else { floor + 1.0 } } else { floor }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 || value.is_nan() { value } else { value.signum() }
}

fn numbers<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Vec<f64>> {
    call.arguments.iter().map(|&value| interpreter.to_number(scope, value)).collect()
}

fn min<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let least = |one: f64, other: f64| {
        if one.is_nan() || other.is_nan() {
            f64::NAN
        } else if other < one || (other == one && other.is_sign_negative()) {
            other
        } else {
            one
        }
    };
    let value = numbers(interpreter, scope, call)?.into_iter().fold(f64::INFINITY, least);
    interpreter.number(scope, value)
}

fn max<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let greatest = |one: f64, other: f64| {
        if one.is_nan() || other.is_nan() {
            f64::NAN
        } else if other > one || (other == one && other.is_sign_positive()) {
            other
        } else {
            one
        }
    };
    let value = numbers(interpreter, scope, call)?.into_iter().fold(f64::NEG_INFINITY, greatest);
    interpreter.number(scope, value)
}

fn pow<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (base, exponent) = (call.argument(scope, 0), call.argument(scope, 1));
    let base = interpreter.to_number(scope, base)?;
    let exponent = interpreter.to_number(scope, exponent)?;
    let value = interpreter.power(base, exponent)?;
    interpreter.number(scope, value)
}

fn imul<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, call: &Call<'s, '_>) -> Run<Js<'s>> {
    let (left, right) = (call.argument(scope, 0), call.argument(scope, 1));
    let left = interpreter.to_number(scope, left)?;
    let right = interpreter.to_number(scope, right)?;
    interpreter.number(scope, f64::from(to_int32(left).wrapping_mul(to_int32(right))))
}

/// `Math.random`. The sequence is the same in every interpreter, so that a run can be repeated.
fn random<'s>(interpreter: &mut Interpreter, scope: &mut Scope<'s, '_>, _: &Call<'s, '_>) -> Run<Js<'s>> {
    let mut state = interpreter.random;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    interpreter.random = state;
    interpreter.number(scope, (state >> 11) as f64 / (1_u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_the_language() {
        for (value, rounded) in
            [(0.5, 1.0), (1.5, 2.0), (2.5, 3.0), (-1.5, -1.0), (-2.5, -2.0), (0.499_999_999_999_999_94, 0.0)]
        {
            assert_eq!(round(value), rounded, "{value}");
        }
        assert!(round(-0.2).is_sign_negative() && round(-0.5).is_sign_negative() && round(-0.0).is_sign_negative());
        assert_eq!(round(4_503_599_627_370_497.0), 4_503_599_627_370_497.0);
    }
}
