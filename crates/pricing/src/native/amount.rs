//! Amounts of US dollars: micro-dollars for what is paid, and rates fine enough for a second of one MiB.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An amount of money in micro-dollars, millionths of a US dollar. Prices are never negative.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroUsd(u64);

/// Micro-dollars in a dollar.
const MICRO: u64 = 1_000_000;

impl MicroUsd {
    pub const ZERO: Self = Self(0);

    pub const fn new(micro_usd: u64) -> Self {
        Self(micro_usd)
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for MicroUsd {
    /// All six decimals, so that columns line up: `2.909999`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:06}", self.0 / MICRO, self.0 % MICRO))
    }
}

/// The price of one second of one unit, in femto-dollars: billionths of a micro-dollar, 10⁻¹⁵ US dollars.
///
/// Its text is in micro-dollars with nine decimals, `0.000151515`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Rate(u64);

/// Femto-dollars in a micro-dollar.
pub(super) const FEMTO_PER_MICRO: u64 = 1_000_000_000;

/// Decimals of the text.
const DECIMALS: usize = 9;

impl Rate {
    /// One dollar per second and unit: more than any machine costs, and small enough that sums fit.
    pub const MAX: Self = Self(1_000_000 * FEMTO_PER_MICRO);

    pub const fn from_femto_usd(femto_usd: u64) -> Self {
        Self(femto_usd)
    }

    pub const fn femto_usd(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / FEMTO_PER_MICRO, self.0 % FEMTO_PER_MICRO);
        f.pad(&format!("{whole}.{fraction:09}"))
    }
}

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseRateError {
    #[error("`{0}` is no rate; write micro-dollars per second such as 0.000151515")]
    Malformed(String),
    #[error("`{0}` has more than 9 decimals; the smallest rate is 0.000000001 micro-dollars")]
    TooPrecise(String),
    #[error(
        "`{0}` is more than 1000000.000000000 micro-dollars per second; no resource costs that"
    )]
    TooLarge(String),
}

impl FromStr for Rate {
    type Err = ParseRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(ParseRateError::Malformed(text.to_owned()));
        }
        if fraction.len() > DECIMALS {
            return Err(ParseRateError::TooPrecise(text.to_owned()));
        }
        let femto = format!("{whole}{fraction:0<DECIMALS$}").parse().map(Self);
        femto
            .ok()
            .filter(|rate| *rate <= Self::MAX)
            .ok_or_else(|| ParseRateError::TooLarge(text.to_owned()))
    }
}

impl TryFrom<String> for Rate {
    type Error = ParseRateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_survives_its_text() {
        for femto in [0, 1, 50_505, 151_515, 94_444_444_444, Rate::MAX.femto_usd()] {
            let rate = Rate::from_femto_usd(femto);
            assert_eq!(rate.to_string().parse(), Ok(rate));
        }
        assert_eq!("0.5".parse(), Ok(Rate::from_femto_usd(500_000_000)));
        assert_eq!("2".parse(), Ok(Rate::from_femto_usd(2_000_000_000)));
    }

    #[test]
    fn what_is_no_rate_is_named() {
        for bad in ["", ".", "1.", ".5", "-1", "1e3", "1,5", " 1"] {
            assert_eq!(
                bad.parse::<Rate>(),
                Err(ParseRateError::Malformed(bad.to_owned())),
                "{bad}"
            );
        }
        assert!(matches!(
            "0.0000000001".parse::<Rate>(),
            Err(ParseRateError::TooPrecise(_))
        ));
        for large in ["1000000.000000001", "99999999999999999999"] {
            assert!(matches!(
                large.parse::<Rate>(),
                Err(ParseRateError::TooLarge(_))
            ));
        }
    }

    #[test]
    fn dollars_are_printed_with_all_decimals() {
        assert_eq!(MicroUsd::new(2_909_999).to_string(), "2.909999");
        assert_eq!(MicroUsd::ZERO.to_string(), "0.000000");
    }
}
