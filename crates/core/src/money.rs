//! FLUX amounts. Integers in the smallest unit, checked; no floats.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An amount of FLUX in sat. 1 FLUX = 100,000,000 sat (fluxd `src/amount.h`, `COIN`).
///
/// Signed, because a ledger balance can be on either side. Amounts on the chain are never negative.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Sat(i64);

/// Sat in one FLUX.
pub const SAT_PER_FLUX: i64 = 100_000_000;

/// Decimal places of a FLUX amount.
const DECIMALS: usize = 8;

impl Sat {
    pub const ZERO: Self = Self(0);

    pub const fn new(sat: i64) -> Self {
        Self(sat)
    }

    /// Whole FLUX as sat, for constants.
    pub const fn from_flux(flux: i64) -> Self {
        Self(flux * SAT_PER_FLUX)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Adds up amounts; `None` when the sum leaves the range of `i64`.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// `self * numerator / denominator`, rounded toward zero, without overflow in between.
    ///
    /// `None` when the denominator is zero or the result does not fit.
    pub fn mul_div(self, numerator: u64, denominator: u64) -> Option<Self> {
        let wide = i128::from(self.0).checked_mul(i128::from(numerator))?;
        let quotient = wide.checked_div(i128::from(denominator))?;
        i64::try_from(quotient).ok().map(Self)
    }
}

impl fmt::Display for Sat {
    /// All eight decimals, so that columns line up: `0.60000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let unit = SAT_PER_FLUX.unsigned_abs();
        f.pad(&format!(
            "{sign}{}.{:08}",
            magnitude / unit,
            magnitude % unit
        ))
    }
}

/// Why a text is not an amount of FLUX.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseSatError {
    #[error("`{0}` is not a decimal number of FLUX such as 1.25")]
    Malformed(String),
    #[error("`{0}` has more than 8 decimals; the smallest unit is 0.00000001 FLUX")]
    TooPrecise(String),
    #[error("`{0}` is larger than any amount of FLUX")]
    TooLarge(String),
}

impl FromStr for Sat {
    type Err = ParseSatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ParseSatError::Malformed(text.to_owned());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        if digits.ends_with('.') {
            return Err(malformed());
        }
        if fraction.len() > DECIMALS {
            return Err(ParseSatError::TooPrecise(text.to_owned()));
        }
        let too_large = || ParseSatError::TooLarge(text.to_owned());
        let sat: i64 = format!("{whole}{fraction:0<DECIMALS$}")
            .parse()
            .map_err(|_| too_large())?;
        Ok(Self(if negative { -sat } else { sat }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_forms() {
        assert_eq!(Sat::new(60_000_000).to_string(), "0.60000000");
        assert_eq!(Sat::new(-1).to_string(), "-0.00000001");
        assert_eq!("12.5".parse(), Ok(Sat::new(1_250_000_000)));
        for bad in ["", ".", "1.", ".5", "1,5", "1e8", "+1", "--1", " 1"] {
            assert_eq!(
                bad.parse::<Sat>(),
                Err(ParseSatError::Malformed(bad.to_owned())),
                "{bad}"
            );
        }
        assert!(matches!(
            "0.000000001".parse::<Sat>(),
            Err(ParseSatError::TooPrecise(_))
        ));
        assert!(matches!(
            "92233720369".parse::<Sat>(),
            Err(ParseSatError::TooLarge(_))
        ));
    }

    proptest! {
        #[test]
        fn every_amount_survives_its_text(sat in -i64::MAX..=i64::MAX) {
            prop_assert_eq!(Sat::new(sat).to_string().parse(), Ok(Sat::new(sat)));
        }

        #[test]
        fn a_share_never_exceeds_the_whole(sat in 0..i64::MAX, part in 0..=1_000_u64) {
            let share = Sat::new(sat).mul_div(part, 1_000).unwrap();
            prop_assert!(share <= Sat::new(sat) && !share.is_negative());
        }
    }
}
