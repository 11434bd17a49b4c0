//! Discounts for long terms as brackets, like those of an income tax.
//!
//! A discount on the whole term would make a term of 90 days cheaper than one of 89. Here each bracket lowers only the
//! seconds that lie in it, so a longer term always costs more, never jumps, and a term that ends early costs exactly
//! what the shorter term would have cost.

use serde::{Deserialize, Serialize};

/// Parts per million in a whole.
pub const WHOLE_PPM: u32 = 1_000_000;

/// From a second of the term on, this much less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bracket {
    /// Seconds since the term began.
    pub from_seconds: u64,
    /// Parts per million that are taken off, below one million.
    pub discount_ppm: u32,
}

/// Brackets in ascending order; before the first one there is no discount.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Bracket>", into = "Vec<Bracket>")]
pub struct Brackets(Vec<Bracket>);

/// Brackets that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BracketsError {
    #[error(
        "from_seconds is {later} after {earlier}, but brackets must begin later and later; sort them"
    )]
    Order { earlier: u64, later: u64 },
    #[error(
        "discount_ppm falls from {earlier} to {later}, but a longer term must not become dearer; raise it"
    )]
    Falls { earlier: u32, later: u32 },
    #[error("discount_ppm is {0}, but must be below 1000000; something must be left to pay")]
    Everything(u32),
}

impl Brackets {
    /// No discount at all.
    pub const NONE: Self = Self(Vec::new());

    /// # Errors
    /// When the brackets are out of order, a discount falls, or takes everything.
    pub fn new(brackets: Vec<Bracket>) -> Result<Self, BracketsError> {
        if let Some(bracket) = brackets.iter().find(|own| own.discount_ppm >= WHOLE_PPM) {
            return Err(BracketsError::Everything(bracket.discount_ppm));
        }
        for (earlier, later) in brackets.iter().zip(brackets.iter().skip(1)) {
            if later.from_seconds <= earlier.from_seconds {
                return Err(BracketsError::Order {
                    earlier: earlier.from_seconds,
                    later: later.from_seconds,
                });
            }
            if later.discount_ppm < earlier.discount_ppm {
                return Err(BracketsError::Falls {
                    earlier: earlier.discount_ppm,
                    later: later.discount_ppm,
                });
            }
        }
        Ok(Self(brackets))
    }

    pub fn as_slice(&self) -> &[Bracket] {
        &self.0
    }

    /// The discount on a second of the term, in parts per million.
    pub fn at(&self, second: u64) -> u32 {
        let began = self.0.iter().rfind(|own| own.from_seconds <= second);
        began.map_or(0, |bracket| bracket.discount_ppm)
    }

    /// The first `seconds` of a term, each weighted by what is left of its price, in parts per million.
    pub(super) fn weigh(&self, seconds: u64) -> u128 {
        let mut weight = u128::from(seconds) * u128::from(WHOLE_PPM);
        let mut before = 0;
        for bracket in &self.0 {
            let inside = seconds.saturating_sub(bracket.from_seconds);
            weight -= u128::from(inside) * u128::from(bracket.discount_ppm - before);
            before = bracket.discount_ppm;
        }
        weight
    }
}

impl TryFrom<Vec<Bracket>> for Brackets {
    type Error = BracketsError;

    fn try_from(brackets: Vec<Bracket>) -> Result<Self, Self::Error> {
        Self::new(brackets)
    }
}

impl From<Brackets> for Vec<Bracket> {
    fn from(brackets: Brackets) -> Self {
        brackets.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brackets(pairs: &[(u64, u32)]) -> Result<Brackets, BracketsError> {
        let bracket = |&(from_seconds, discount_ppm): &(u64, u32)| Bracket {
            from_seconds,
            discount_ppm,
        };
        Brackets::new(pairs.iter().map(bracket).collect())
    }

    #[test]
    fn each_second_keeps_the_discount_of_its_bracket() {
        let own = brackets(&[(10, 100_000), (20, 250_000)]).unwrap();
        assert_eq!([own.at(9), own.at(10), own.at(20)], [0, 100_000, 250_000]);
        let by_second: u128 = (0..25)
            .map(|second| u128::from(WHOLE_PPM - own.at(second)))
            .sum();
        assert_eq!(own.weigh(25), by_second);
        assert_eq!(own.weigh(0), 0);
        assert_eq!(Brackets::NONE.weigh(3), 3_000_000);
    }

    #[test]
    fn bad_brackets_are_refused_by_name() {
        assert_eq!(
            brackets(&[(5, 1), (5, 2)]),
            Err(BracketsError::Order {
                earlier: 5,
                later: 5
            })
        );
        assert_eq!(
            brackets(&[(5, 2), (6, 1)]),
            Err(BracketsError::Falls {
                earlier: 2,
                later: 1
            })
        );
        assert_eq!(
            brackets(&[(0, WHOLE_PPM)]),
            Err(BracketsError::Everything(WHOLE_PPM))
        );
    }
}
