//! What evidenced seconds cost, exactly.
//!
//! A term has a price: `total` for `seconds` of `instances` copies. A copy that ran for one second used one of
//! `seconds × instances` equal parts of the total. Charges round down, in the customer's favour; what is cut off is
//! carried as a fraction into the next charge. So the sum of the charges never depends on how the seconds were cut into
//! reports, is never more than the exact price of the seconds, and equals the total when every second of every copy was
//! evidenced. Seconds without evidence are never charged: what is left of the total returns to the customer.

use fluxplane_core::Sat;
use serde::{Deserialize, Serialize};

/// The pinned price of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawTerm")]
pub struct Term {
    total: Sat,
    seconds: u64,
    instances: u32,
}

#[derive(Deserialize)]
struct RawTerm {
    total: Sat,
    seconds: u64,
    instances: u32,
}

/// Why a term has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    #[error("total is {0}, but must not be negative")]
    NegativeTotal(Sat),
    #[error("seconds is 0, but a term lasts at least one second")]
    NoSeconds,
    #[error("instances is 0, but a term is for at least one copy")]
    NoInstances,
    #[error("{seconds} seconds of {instances} copies are more than can be counted")]
    TooLong { seconds: u64, instances: u32 },
}

impl Term {
    /// `total` pays for `instances` copies that run for `seconds` each.
    pub fn new(total: Sat, seconds: u64, instances: u32) -> Result<Self, TermError> {
        if total.is_negative() {
            return Err(TermError::NegativeTotal(total));
        }
        if seconds == 0 {
            return Err(TermError::NoSeconds);
        }
        if instances == 0 {
            return Err(TermError::NoInstances);
        }
        if seconds.checked_mul(u64::from(instances)).is_none() {
            return Err(TermError::TooLong { seconds, instances });
        }
        Ok(Self {
            total,
            seconds,
            instances,
        })
    }

    pub const fn total(self) -> Sat {
        self.total
    }

    /// Seconds of all copies together.
    pub fn instance_seconds(self) -> u64 {
        self.seconds * u64::from(self.instances)
    }

    /// The price of that many seconds of one copy, rounded down, and what was cut off.
    fn price(self, instance_seconds: u64) -> (Sat, Fraction) {
        let whole = u128::from(self.instance_seconds());
        let total = u128::from(self.total.get().unsigned_abs());
        let product = total * u128::from(instance_seconds);
        let price = i64::try_from(product / whole).expect("a part of an i64 is an i64");
        let fraction = Fraction {
            numerator: u64::try_from(product % whole).expect("a remainder is below its divisor"),
            denominator: self.instance_seconds(),
        };
        (Sat::new(price), fraction)
    }
}

impl TryFrom<RawTerm> for Term {
    type Error = TermError;

    fn try_from(raw: RawTerm) -> Result<Self, Self::Error> {
        Self::new(raw.total, raw.seconds, raw.instances)
    }
}

/// Part of a sat that is owed but not charged yet; less than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fraction {
    pub numerator: u64,
    pub denominator: u64,
}

/// How much of a term was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawAccrual", into = "RawAccrual")]
pub struct Accrual {
    term: Term,
    used: u64,
}

#[derive(Serialize, Deserialize)]
struct RawAccrual {
    term: Term,
    /// Seconds of all copies together that were charged.
    used: u64,
}

/// One charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    pub seconds: u64,
    /// To be moved; zero when the seconds cost less than what is missing to a whole sat.
    pub amount: Sat,
    /// What earlier charges cut off.
    pub carried_in: Fraction,
    /// What this charge cuts off.
    pub carried_out: Fraction,
}

/// More seconds than the term has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{offered} seconds are offered, but only {left} of the term are left; charge the rest to another term"
)]
pub struct BeyondTerm {
    pub offered: u64,
    pub left: u64,
}

impl Accrual {
    pub const fn new(term: Term) -> Self {
        Self { term, used: 0 }
    }

    pub const fn term(&self) -> Term {
        self.term
    }

    /// Charges evidenced seconds of one or more copies, counted once each.
    pub fn charge(&mut self, seconds: u64) -> Result<Charge, BeyondTerm> {
        let left = self.left();
        if seconds > left {
            return Err(BeyondTerm {
                offered: seconds,
                left,
            });
        }
        let (before, carried_in) = self.term.price(self.used);
        self.used += seconds;
        let (after, carried_out) = self.term.price(self.used);
        let amount = after
            .checked_sub(before)
            .expect("prices rise with the seconds");
        Ok(Charge {
            seconds,
            amount,
            carried_in,
            carried_out,
        })
    }

    /// Seconds of all copies together that were charged.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// Seconds of all copies together that can still be charged.
    pub fn left(&self) -> u64 {
        self.term.instance_seconds() - self.used
    }

    /// Sum of all charges.
    pub fn charged(&self) -> Sat {
        self.term.price(self.used).0
    }

    /// What returns to the customer when the term ends now. The carried fraction is forgiven.
    pub fn unused(&self) -> Sat {
        let charged = self.charged();
        self.term
            .total
            .checked_sub(charged)
            .expect("charges never exceed the total")
    }
}

impl TryFrom<RawAccrual> for Accrual {
    type Error = BeyondTerm;

    fn try_from(raw: RawAccrual) -> Result<Self, Self::Error> {
        let mut accrual = Self::new(raw.term);
        accrual.charge(raw.used)?;
        Ok(accrual)
    }
}

impl From<Accrual> for RawAccrual {
    fn from(accrual: Accrual) -> Self {
        Self {
            term: accrual.term,
            used: accrual.used,
        }
    }
}
