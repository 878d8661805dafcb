//! Numbers: small integers where they fit, else heap numbers.

use super::{Js, kind, record_of};
use heaplab::{AllocError, Handle, Map, Ref, Scope, Value};

/// A number. Minus zero, fractions and what needs more than 31 bits are heap numbers. May collect.
///
/// # Errors
/// No memory.
#[inline]
pub fn new<'s>(scope: &mut Scope<'s, '_>, map: Handle<'s, Map>, value: f64) -> Result<Js<'s>, AllocError> {
    if let Some(small) = as_small(value).and_then(Ref::small) {
        return Ok(scope.handle(small));
    }
    let number = scope.new_record(map)?;
    let bits = value.to_bits();
    scope.store_raw(scope.get(number), 0, bits as u32);
    scope.store_raw(scope.get(number), 1, (bits >> 32) as u32);
    Ok(number.any())
}

/// The number as an `i32`, if it is one and not minus zero.
#[inline]
#[must_use]
pub fn as_small(value: f64) -> Option<i32> {
    let integer = value as i32;
    (f64::from(integer) == value && (integer != 0 || value.is_sign_positive())).then_some(integer)
}

/// The double that a number is; `None` for other values.
#[inline]
#[must_use]
pub fn value(scope: &Scope<'_, '_>, value: Ref<'_, Value>) -> Option<f64> {
    if let Some(small) = value.as_small() {
        return Some(f64::from(small));
    }
    let number = record_of(scope, value, kind::NUMBER)?;
    let (low, high) = (scope.load_raw(number, 0), scope.load_raw(number, 1));
    Some(f64::from_bits(u64::from(low) | u64::from(high) << 32))
}

/// The digits of a number, as the language prints it.
#[must_use]
pub fn to_text(value: f64) -> String {
    ryu_js::Buffer::new().format(value).to_owned()
}

/// What the language makes of a string where it needs a number.
#[must_use]
pub fn parse(text: &[u16]) -> f64 {
    let Ok(text) = String::from_utf16(text) else { return f64::NAN };
    let text = text.trim_matches(is_space);
    let radix = |digits: &str, radix: u32| {
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            f64::NAN
        } else {
            of_digits(digits, radix)
        }
    };
    match text.as_bytes() {
        [] => 0.0,
        [b'0', b'x' | b'X', ..] => radix(&text[2..], 16),
        [b'0', b'o' | b'O', ..] => radix(&text[2..], 8),
        [b'0', b'b' | b'B', ..] => radix(&text[2..], 2),
        _ => match decimal_prefix(text) {
            (value, length) if length == text.len() => value,
            _ => f64::NAN,
        },
    }
}

/// White space and line terminators of the language.
#[must_use]
pub fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | ' ' | '\u{a0}' | '\u{feff}' | '\n' | '\r' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

/// The decimal number that the text begins with, and how many bytes it has. NaN and 0 if the text begins with no
/// number.
#[must_use]
pub fn decimal_prefix(text: &str) -> (f64, usize) {
    let bytes = text.as_bytes();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let negative = bytes.first() == Some(&b'-');
    if text[sign..].starts_with("Infinity") {
        return (if negative { f64::NEG_INFINITY } else { f64::INFINITY }, sign + "Infinity".len());
    }
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction != 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return (f64::NAN, 0);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let mark = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = if mark <= bytes.len() { digits(mark) } else { 0 };
        if exponent != 0 {
            end = mark + exponent;
        }
    }
    (text[..end].parse().unwrap_or(f64::NAN), end)
}

/// The value of digits in a radix, exact below 2^53. Beyond, a radix that is 10 or a power of two rounds once, as the
/// language asks; for other radixes the language leaves the rounding open.
#[must_use]
pub fn of_digits(digits: &str, radix: u32) -> f64 {
    if radix == 10 {
        return digits.parse().unwrap_or(f64::NAN);
    }
    let digit = |c: char| c.to_digit(radix).unwrap_or(0);
    if !radix.is_power_of_two() {
        return digits.chars().fold(0.0, |sum, c| sum * f64::from(radix) + f64::from(digit(c)));
    }
    let width = radix.trailing_zeros();
    let (mut bits, mut exponent, mut sticky) = (0_u64, 0_i32, false);
    for c in digits.chars() {
        for place in (0..width).rev() {
            let bit = u64::from(digit(c) >> place & 1);
            if bits >> 62 == 0 {
                bits = bits << 1 | bit;
            } else {
                exponent = exponent.saturating_add(1);
                sticky |= bit != 0;
            }
        }
    }
    // The bits beyond the first 53 decide the rounding; the dropped bits count as one, set if any of them was.
    (bits | u64::from(sticky)) as f64 * 2_f64.powi(exponent)
}

/// The language's conversion to 32-bit integers.
#[inline]
#[must_use]
pub fn to_int32(value: f64) -> i32 {
    let integer = value as i32;
    if f64::from(integer) == value {
        return integer;
    }
    if !value.is_finite() {
        return 0;
    }
    const TWO_32: f64 = 4_294_967_296.0;
    let modulus = value.trunc() % TWO_32;
    let modulus = if modulus < 0.0 { modulus + TWO_32 } else { modulus };
    modulus as u32 as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn strings_become_numbers_as_the_language_says() {
        for (text, value) in [
            ("", 0.0),
            ("  12  ", 12.0),
            ("0x1F", 31.0),
            ("0b101", 5.0),
            ("0o17", 15.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+7", 7.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x20000000000001", 9_007_199_254_740_992.0),
            ("0x20000000000003", 9_007_199_254_740_996.0),
        ] {
            assert_eq!(parse(&units(text)), value, "{text}");
        }
        for text in ["1x", ".", "e5", "--1", "0x", "0xg", "-0x1", "1_000", "infinity", "inf", "nan"] {
            assert!(parse(&units(text)).is_nan(), "{text}");
        }
        assert!(parse(&units("-0")).is_sign_negative());
    }

    #[test]
    fn doubles_wrap_to_32_bits() {
        for (value, integer) in [
            (4_294_967_296.0, 0),
            (2_147_483_648.0, i32::MIN),
            (-2_147_483_649.0, i32::MAX),
            (1e21, -559_939_584),
            (f64::NAN, 0),
            (-1.9, -1),
        ] {
            assert_eq!(to_int32(value), integer, "{value}");
        }
    }
}
