//! Which kinds of account may meet, in which direction, for which purpose.
//!
//! A transfer that balances may still be wrong: revenue booked straight from the chain, an operator paid out of a
//! customer's prepayment. So every purpose lists its routes, and what is not listed is refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::account::AccountKind;

/// The purpose of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Coins arrived on the chain.
    Deposit,
    /// The purpose of a payment in suspense became known.
    Identify,
    /// A customer funds an application out of the balance.
    Prepay,
    /// The unused part of a prepayment returns to the balance.
    Unused,
    /// Evidenced time is charged.
    Charge,
    /// A charge is given back, in whole or in part.
    Refund,
    /// Whole sat that rounding left over are put aside, returned, or earned.
    Round,
    /// The operators' part of the revenue.
    Share,
    /// An operator's part of the pool.
    Earn,
    /// Coins are sent to an operator.
    Payout,
    /// Coins are sent to a customer.
    Withdraw,
    /// A payment nobody could identify goes back.
    SendBack,
    /// Coins are sent to the plane's owners.
    Draw,
    /// Coins that were sent are final on the chain.
    PayoutFinal,
    /// Coins that were sent never arrived, and are owed again.
    PayoutFailed,
    /// A fee paid to the chain.
    ChainFee,
    /// A payment that was spent vanished from the chain.
    Debt,
    /// A debt is settled out of a later payment.
    SettleDebt,
    /// The plane's owners put coins in.
    Fund,
    /// An earlier transfer is undone, in whole or in part.
    Reversal,
}

use AccountKind as K;

/// Debited kind, credited kind.
type Route = (AccountKind, AccountKind);

impl Purpose {
    pub const ALL: [Self; 20] = [
        Self::Deposit,
        Self::Identify,
        Self::Prepay,
        Self::Unused,
        Self::Charge,
        Self::Refund,
        Self::Round,
        Self::Share,
        Self::Earn,
        Self::Payout,
        Self::Withdraw,
        Self::SendBack,
        Self::Draw,
        Self::PayoutFinal,
        Self::PayoutFailed,
        Self::ChainFee,
        Self::Debt,
        Self::SettleDebt,
        Self::Fund,
        Self::Reversal,
    ];

    /// The routes of the purpose. A reversal has none of its own: it takes any other route backwards.
    pub const fn routes(self) -> &'static [Route] {
        match self {
            Self::Deposit => &[
                (K::ChainClearing, K::Customer),
                (K::ChainClearing, K::CustomerHeld),
                (K::ChainClearing, K::Suspense),
            ],
            Self::Identify => &[(K::Suspense, K::Customer), (K::Suspense, K::CustomerHeld)],
            Self::Prepay => &[(K::Customer, K::CustomerHeld)],
            Self::Unused => &[(K::CustomerHeld, K::Customer)],
            Self::Charge => &[(K::CustomerHeld, K::Revenue), (K::Customer, K::Revenue)],
            Self::Refund => &[(K::Revenue, K::Customer), (K::Revenue, K::CustomerHeld)],
            Self::Round => &[
                (K::CustomerHeld, K::Rounding),
                (K::Customer, K::Rounding),
                (K::Rounding, K::Customer),
                (K::Rounding, K::Revenue),
            ],
            Self::Share => &[(K::Revenue, K::OperatorPool)],
            Self::Earn => &[(K::OperatorPool, K::Operator)],
            Self::Payout => &[(K::Operator, K::PayoutClearing)],
            Self::Withdraw => &[(K::Customer, K::PayoutClearing)],
            Self::SendBack => &[(K::Suspense, K::PayoutClearing)],
            Self::Draw => &[
                (K::Revenue, K::PayoutClearing),
                (K::Capital, K::PayoutClearing),
            ],
            Self::PayoutFinal => &[(K::PayoutClearing, K::ChainClearing)],
            Self::PayoutFailed => &[
                (K::PayoutClearing, K::Operator),
                (K::PayoutClearing, K::Customer),
                (K::PayoutClearing, K::Suspense),
                (K::PayoutClearing, K::Revenue),
                (K::PayoutClearing, K::Capital),
            ],
            Self::ChainFee => &[(K::ChainFees, K::ChainClearing)],
            Self::Debt => &[(K::CustomerDebt, K::ChainClearing)],
            Self::SettleDebt => &[(K::Customer, K::CustomerDebt)],
            Self::Fund => &[(K::ChainClearing, K::Capital)],
            Self::Reversal => &[],
        }
    }

    /// Whether a transfer of this purpose may debit and credit these kinds.
    pub fn permits(self, debit: AccountKind, credit: AccountKind) -> bool {
        match self {
            Self::Reversal => Self::ALL
                .into_iter()
                .any(|purpose| purpose.routes().contains(&(credit, debit))),
            Self::Deposit
            | Self::Identify
            | Self::Prepay
            | Self::Unused
            | Self::Charge
            | Self::Refund
            | Self::Round
            | Self::Share
            | Self::Earn
            | Self::Payout
            | Self::Withdraw
            | Self::SendBack
            | Self::Draw
            | Self::PayoutFinal
            | Self::PayoutFailed
            | Self::ChainFee
            | Self::Debt
            | Self::SettleDebt
            | Self::Fund => self.routes().contains(&(debit, credit)),
        }
    }

    /// Whether a transfer of this purpose undoes an earlier one and must name it.
    pub const fn undoes(self) -> bool {
        matches!(self, Self::Reversal | Self::Debt)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Identify => "identify",
            Self::Prepay => "prepay",
            Self::Unused => "unused",
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::Round => "round",
            Self::Share => "share",
            Self::Earn => "earn",
            Self::Payout => "payout",
            Self::Withdraw => "withdraw",
            Self::SendBack => "send_back",
            Self::Draw => "draw",
            Self::PayoutFinal => "payout_final",
            Self::PayoutFailed => "payout_failed",
            Self::ChainFee => "chain_fee",
            Self::Debt => "debt",
            Self::SettleDebt => "settle_debt",
            Self::Fund => "fund",
            Self::Reversal => "reversal",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that is no purpose.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a purpose of a transfer; see the list of purposes in the documentation")]
pub struct ParsePurposeError(String);

impl std::str::FromStr for Purpose {
    type Err = ParsePurposeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let purpose = Self::ALL.into_iter().find(|purpose| purpose.name() == text);
        purpose.ok_or_else(|| ParsePurposeError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_of_customers_reaches_operators_only_through_revenue() {
        for purpose in Purpose::ALL {
            for from in [K::Customer, K::CustomerHeld, K::Suspense] {
                assert!(!purpose.permits(from, K::Operator), "{purpose}");
                assert!(!purpose.permits(from, K::OperatorPool), "{purpose}");
            }
            if purpose != Purpose::Reversal {
                assert!(!purpose.permits(K::ChainClearing, K::Revenue), "{purpose}");
                assert!(!purpose.permits(K::ChainClearing, K::Operator), "{purpose}");
            }
        }
    }

    #[test]
    fn every_route_can_be_taken_back() {
        for purpose in Purpose::ALL {
            for (debit, credit) in purpose.routes() {
                assert!(purpose.permits(*debit, *credit));
                assert!(Purpose::Reversal.permits(*credit, *debit));
                assert_ne!(debit, credit);
            }
            assert_eq!(purpose.name().parse(), Ok(purpose));
        }
        assert!(!Purpose::Reversal.permits(K::Operator, K::Customer));
    }
}
