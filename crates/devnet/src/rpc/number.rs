//! Numbers the daemon prints with up to 16 significant digits (its JSON library, `std::setprecision(16)`). The one place of this crate
//! with floating-point numbers: difficulties, rates and priorities are none of ours.

use fluxplane_flux_chain::{ChainParams, describe};
use serde::{Serialize, Serializer, ser};
use serde_json::value::RawValue;

/// A number with up to 16 significant digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Significant(f64);

impl Significant {
    /// The difficulty `bits` stand for.
    pub(crate) fn difficulty(params: &ChainParams, bits: u32) -> Self {
        Self(describe::difficulty(params, bits))
    }

    /// A quotient of whole numbers.
    pub(crate) fn ratio(numerator: i128, denominator: i128) -> Self {
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
        RawValue::from_string(general(self.0))
            .map_err(ser::Error::custom)?
            .serialize(serializer)
    }
}

/// C's `%.16g`.
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

    fn printed(value: f64) -> String {
        serde_json::to_string(&Significant(value)).unwrap()
    }

    #[test]
    fn numbers_have_sixteen_digits() {
        for (value, expected) in [
            (1.0, "1"),
            (986_895.0 / 986_775.0, "1.000121608269362"),
            (0.000_012_5, "1.25e-05"),
            (2_379_084_967.320_261, "2379084967.320261"),
            (2.5e17, "2.5e+17"),
            (0.0, "0"),
        ] {
            assert_eq!(printed(value), expected);
        }
    }
}
