//! Rounding as JavaScript does it.

use fluxplane_app_spec::json::number_text;

/// `Math.ceil(x * 100) / 100`.
pub fn ceil_to_cents(x: f64) -> f64 {
    (x * 100.0).ceil() / 100.0
}

/// `x.toFixed(2)`: the exact value of the double, rounded half up in magnitude.
pub fn to_fixed_2(x: f64) -> String {
    /// From here on `toFixed` prints like `String(x)`.
    const PLAIN_FROM: f64 = 1e21;
    const MANTISSA_BITS: u64 = 52;
    const EXPONENT_BIAS: i64 = 1_075;
    if !x.is_finite() || x.abs() >= PLAIN_FROM {
        return number_text(x);
    }
    let bits = x.to_bits();
    let fraction = bits & ((1 << MANTISSA_BITS) - 1);
    let biased = i64::try_from((bits >> MANTISSA_BITS) & 0x7ff).expect("eleven bits");
    // x = mantissa * 2^exponent, exactly.
    let (mantissa, exponent) = if biased == 0 {
        (fraction, 1 - EXPONENT_BIAS)
    } else {
        (fraction | (1 << MANTISSA_BITS), biased - EXPONENT_BIAS)
    };
    let hundredfold = u128::from(mantissa) * 100;
    let cents = if exponent >= 0 {
        // Below 1e21 the exponent is at most 17, so 60 bits become 77.
        hundredfold << exponent
    } else {
        let shift = exponent.unsigned_abs();
        // `hundredfold` has 60 bits: with a larger shift nothing is left, not even a half.
        if shift > 100 {
            0
        } else {
            (hundredfold + (1 << (shift - 1))) >> shift
        }
    };
    let sign = if x < 0.0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// `Number(x.toFixed(2))`.
pub(super) fn fixed_2(x: f64) -> f64 {
    to_fixed_2(x).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_value_of_the_double_decides() {
        // Each result is what node prints.
        for (x, text) in [
            (0.0, "0.00"),
            (-0.0, "0.00"),
            (1.005, "1.00"),
            (1.255, "1.25"),
            (2.5, "2.50"),
            (0.125, "0.13"),
            (0.375, "0.38"),
            (-0.125, "-0.13"),
            (-0.001, "-0.00"),
            (8.345, "8.35"),
            (10.235, "10.23"),
            (1e20, "100000000000000000000.00"),
            (1e21, "1e+21"),
            (123_456_789.125, "123456789.13"),
            (5e-324, "0.00"),
            (0.005, "0.01"),
            (0.004_999_999_999_999_999, "0.00"),
            (999_999_999_999_999.9, "999999999999999.88"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(to_fixed_2(x), text, "{x}");
        }
    }

    #[test]
    fn ceilings_see_the_error_of_the_product() {
        assert_eq!(ceil_to_cents(0.2 * 0.8).to_string(), "0.17");
        assert_eq!(ceil_to_cents(0.16).to_string(), "0.16");
        assert_eq!(ceil_to_cents(-0.001).to_string(), "-0");
    }
}
