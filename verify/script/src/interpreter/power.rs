//! Powers: `base ** exponent`, which is also `Math.pow`.
//!
//! The language fixes the result for infinities, zeros, NaN and fractional powers of negative numbers. Every other
//! result is approximated by the implementation, so it is here only where no implementation can give another: where
//! the result is exact, or beyond the range of doubles.

/// The exponent of the least double that is greater than 0, a power of two.
const EXPONENT_MIN: f64 = -1074.0;
/// A power of two with this exponent, and all greater numbers, become infinity.
const EXPONENT_INFINITE: f64 = 1024.0;
/// Integers up to this one are exact as doubles.
const EXACT_MAX: u64 = 1 << 53;

/// `base ** exponent`.
///
/// # Errors
/// What the result is called that depends on the implementation.
pub(super) fn power(base: f64, exponent: f64) -> Result<f64, &'static str> {
    if exponent == 0.0 {
        return Ok(1.0);
    }
    if base.is_nan() || exponent.is_nan() {
        return Ok(f64::NAN);
    }
    let size = base.abs();
    let power = if size == 0.0 || size.is_infinite() {
        if (size == 0.0) == (exponent < 0.0) { f64::INFINITY } else { 0.0 }
    } else if exponent.is_infinite() {
        if size == 1.0 {
            return Ok(f64::NAN);
        }
        if (size > 1.0) == (exponent > 0.0) { f64::INFINITY } else { 0.0 }
    } else if base < 0.0 && exponent.fract() != 0.0 {
        return Ok(f64::NAN);
    } else {
        power_of_positive(size, exponent)?
    };
    let is_odd = (exponent % 2.0).abs() == 1.0;
    Ok(if is_odd && base.is_sign_negative() { -power } else { power })
}

/// As [`power`], of finite numbers of which the base is positive and the exponent is not 0.
fn power_of_positive(base: f64, exponent: f64) -> Result<f64, &'static str> {
    if base == 1.0 {
        return Ok(1.0);
    }
    // The distance of 1 to the bounds is far more than the logarithm's error.
    let logarithm = base.log2() * exponent;
    if logarithm > EXPONENT_INFINITE + 1.0 {
        return Ok(f64::INFINITY);
    }
    if logarithm < EXPONENT_MIN - 2.0 {
        return Ok(0.0);
    }
    if exponent.fract() != 0.0 {
        return Err("a power with a fraction");
    }
    let (odd, shift) = odd_and_shift(base);
    let scale = f64::from(shift) * exponent;
    if odd == 1 {
        return Ok(power_of_two(scale));
    }
    // The least factor is 3, so this ends after 34 rounds, however great the exponent is.
    let (mut product, mut left) = (1_u64, exponent);
    while left > 0.0 && product <= EXACT_MAX {
        product = product.saturating_mul(odd);
        left -= 1.0;
    }
    if exponent < 0.0 || product > EXACT_MAX || scale < EXPONENT_MIN {
        return Err("a power that is not exact");
    }
    Ok(product as f64 * power_of_two(scale))
}

/// The odd number and the exponent of two whose product is the positive finite number.
fn odd_and_shift(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i32);
    // A subnormal number has no leading 1 and the exponent of the least normal ones.
    let (digits, shift) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    let zeros = digits.trailing_zeros();
    (digits >> zeros, shift + zeros as i32)
}

/// The double next to two to the power of an integer. 2^-1075 lies between 0 and the least number, and becomes 0,
/// which is the even one.
fn power_of_two(exponent: f64) -> f64 {
    if exponent >= EXPONENT_INFINITE {
        f64::INFINITY
    } else if exponent >= -1022.0 {
        f64::from_bits(((exponent + 1023.0) as u64) << 52)
    } else if exponent >= EXPONENT_MIN {
        f64::from_bits(1 << (exponent - EXPONENT_MIN) as u64)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Node.js gives. `verify/scripts/powers.js` asks more, in scripts.
    #[test]
    fn powers_are_exact_at_the_ends_of_the_doubles() {
        let least = f64::from_bits(1);
        for (base, exponent, value) in [
            (2.0, -1022.0, f64::MIN_POSITIVE),
            (2.0, -1023.0, f64::MIN_POSITIVE / 2.0),
            (2.0, -1024.0, f64::MIN_POSITIVE / 4.0),
            (2.0, -1074.0, least),
            (-2.0, -1073.0, -2.0 * least),
            (2.0, -1075.0, 0.0),
            (-2.0, -1075.0, -0.0),
            (0.5, 1074.0, least),
            (8.0, -358.0, least),
            (least, 1.0, least),
            (3.0 * least, 1.0, 3.0 * least),
            (least, -1.0, f64::INFINITY),
            (2.0, 1023.0, 8.988_465_674_311_58e307),
            (-2.0, 1025.0, f64::NEG_INFINITY),
            (f64::MAX, 1.0, f64::MAX),
            (10.0, 22.0, 1e22),
            (-3.0, 33.0, -5_559_060_566_555_523.0),
            (1.0 + f64::EPSILON, 1.0, 1.0 + f64::EPSILON),
            (1.0 + f64::EPSILON, 1e300, f64::INFINITY),
            (-1.0, 9_007_199_254_740_991.0, -1.0),
        ] {
            let given = power(base, exponent).expect("an exact power");
            assert_eq!(given.to_bits(), value.to_bits(), "{base} ** {exponent} is {given:e}");
        }
    }

    #[test]
    fn what_depends_on_the_implementation_is_named() {
        for (base, exponent) in [(3.0, -1.0), (10.0, 23.0), (10.0, 308.0), (1.5, 34.0), (0.9999, 1e6), (5e-324, -0.25)]
        {
            assert!(power(base, exponent).is_err(), "{base} ** {exponent}");
        }
        assert_eq!(power(2.0, 0.5), Err("a power with a fraction"));
        assert_eq!(power(3.0, -1.0), Err("a power that is not exact"));
    }
}
