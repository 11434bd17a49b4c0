//! Numbers the way the daemon prints them. The one place of this crate with floating-point numbers: difficulties and priorities leave
//! it as text, and nothing is decided by them.

use fluxplane_core::Sat;
use serde::{Serialize, Serializer, ser};
use serde_json::value::RawValue;

use crate::params::ChainParams;

/// An amount in FLUX with all eight decimals (fluxd `ValueFromAmount`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Sat);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw(self.0.to_string()).serialize(serializer)
    }
}

/// A number with up to 16 significant digits (the daemon's JSON library, `std::setprecision(16)`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Significant(f64);

impl Significant {
    /// The difficulty that `bits` stand for, as a multiple of the easiest proof of work (fluxd `GetDifficulty`); 0 for bits
    /// that name no number.
    pub fn difficulty(params: &ChainParams, bits: u32) -> Self {
        let limit = params.pow.limit.compact().0;
        let mantissa = |compact: u32| f64::from(compact & 0x00ff_ffff);
        if mantissa(bits) == 0.0 {
            return Self(0.0);
        }
        let exponent = |compact: u32| i32::try_from(compact >> 24).unwrap_or_default();
        let ratio = mantissa(limit) / mantissa(bits);
        // Multiplying by powers of two is exact, so the order of the steps does not matter.
        Self(ratio * 256_f64.powi(exponent(limit) - exponent(bits)))
    }

    /// A quotient of whole numbers; 0 when divided by 0.
    pub fn ratio(numerator: i128, denominator: i128) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the daemon divides doubles here as well"
        )]
        let quotient = if denominator == 0 {
            0.0
        } else {
            numerator as f64 / denominator as f64
        };
        Self(quotient)
    }
}

impl Serialize for Significant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.0.is_finite() {
            return Err(ser::Error::custom("JSON has no infinite numbers"));
        }
        raw(general(self.0)).serialize(serializer)
    }
}

fn raw(number: String) -> Box<RawValue> {
    RawValue::from_string(number).expect("a decimal number is JSON")
}

/// C's `%.16g`: 16 significant digits without trailing zeros, with an exponent when the number is tiny or huge.
fn general(value: f64) -> String {
    const DIGITS: usize = 16;
    let scientific = format!("{value:.*e}", DIGITS - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trim = |text: &str| {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    match usize::try_from(exponent) {
        Ok(exponent) if exponent < DIGITS => trim(&format!("{value:.*}", DIGITS - 1 - exponent)),
        Err(_) if exponent >= -4 => {
            let decimals = usize::try_from(-exponent).unwrap_or_default() + DIGITS - 1;
            trim(&format!("{value:.decimals$}"))
        }
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trim(mantissa), exponent.unsigned_abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_zeros() {
        let text = serde_json::to_string(&Amount(Sat::new(1_134_020_000))).unwrap();
        assert_eq!(text, "11.34020000");
        assert_eq!(
            serde_json::to_string(&Amount(Sat::new(-1))).unwrap(),
            "-0.00000001"
        );
    }

    #[test]
    fn numbers_have_sixteen_digits() {
        for (value, expected) in [
            (1.0, "1"),
            (986_895.0 / 986_775.0, "1.000121608269362"),
            (986_895.0 / 8_388_607.0, "0.1176470658358414"),
            (0.000_012_5, "1.25e-05"),
            (12_345_678.9, "12345678.9"),
            (2_379_084_967.320_261, "2379084967.320261"),
            (2.5e17, "2.5e+17"),
            (0.0, "0"),
        ] {
            assert_eq!(general(value), expected);
            let json = serde_json::to_string(&Significant(value)).unwrap();
            assert_eq!(json, expected);
        }
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(Significant::ratio(1, 0), Significant(0.0));
        assert_eq!(Significant::ratio(-1, 4), Significant(-0.25));
    }
}
