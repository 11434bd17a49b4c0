//! Accounts: whose money it is, on which side it grows, and how low it may go.
//!
//! What the plane has or is owed (assets, expenses) grows by debits. What it owes (customers' balances, operators'
//! earnings) or has earned grows by credits. An account names its owner, so the same text is the same account
//! everywhere.

use std::{fmt, str::FromStr};

use fluxplane_core::id::AppId;
use serde::{Deserialize, Serialize};

/// The longest name of an owner, in bytes.
const LONGEST_NAME: usize = 128;

/// The name of a customer or an operator: what they sign in with, or an id that stands for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Party(String);

impl Party {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "party `{0}` is empty, longer than 128 bytes, or holds spaces or control characters; use the wallet address or id"
)]
pub struct ParsePartyError(String);

impl TryFrom<String> for Party {
    type Error = ParsePartyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if text.is_empty() || text.len() > LONGEST_NAME || text.contains(odd) {
            return Err(ParsePartyError(text));
        }
        Ok(Self(text))
    }
}

impl FromStr for Party {
    type Err = ParsePartyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl From<Party> for String {
    fn from(party: Party) -> Self {
        party.0
    }
}

/// One account of one asset's ledger.
///
/// Written as `kind` or `kind:owner`, for instance `revenue` and `customer:t1abc`; that text is what databases store
/// and order by. The order of accounts is the order in which they are locked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Account {
    /// Coins seen on the chain at the plane's addresses.
    ChainClearing,
    /// Coins on their way out: broadcast, but not yet final. Returns to zero when all payouts are.
    PayoutClearing,
    /// Fees paid to the chain.
    ChainFees,
    /// What the plane's owners put in.
    Capital,
    /// What the plane has earned and not shared.
    Revenue,
    /// Money received for a purpose nobody knows, such as the payment of an unknown hash.
    Suspense,
    /// The operators' part of the revenue before it is divided among them.
    OperatorPool,
    /// What a customer can spend.
    Customer(Party),
    /// What a customer prepaid for one application.
    CustomerHeld(AppId),
    /// What a customer owes, after a payment that was spent vanished from the chain.
    CustomerDebt(Party),
    /// Whole sat that roundings in a customer's favour left over.
    Rounding(Party),
    /// What an operator has earned and not been paid.
    Operator(Party),
}

/// An account without its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    ChainClearing,
    PayoutClearing,
    ChainFees,
    Capital,
    Revenue,
    Suspense,
    OperatorPool,
    Customer,
    CustomerHeld,
    CustomerDebt,
    Rounding,
    Operator,
}

/// One of the two sides of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Debit,
    Credit,
}

impl AccountKind {
    pub const ALL: [Self; 12] = [
        Self::ChainClearing,
        Self::PayoutClearing,
        Self::ChainFees,
        Self::Capital,
        Self::Revenue,
        Self::Suspense,
        Self::OperatorPool,
        Self::Customer,
        Self::CustomerHeld,
        Self::CustomerDebt,
        Self::Rounding,
        Self::Operator,
    ];

    /// The side on which the account grows.
    pub const fn normal_side(self) -> Side {
        match self {
            Self::ChainClearing | Self::ChainFees | Self::CustomerDebt => Side::Debit,
            Self::PayoutClearing
            | Self::Capital
            | Self::Revenue
            | Self::Suspense
            | Self::OperatorPool
            | Self::Customer
            | Self::CustomerHeld
            | Self::Rounding
            | Self::Operator => Side::Credit,
        }
    }

    /// Whether the balance on the normal side may fall below zero.
    ///
    /// Money of others may not: nobody spends what they do not have. The plane's own accounts follow facts that cannot
    /// be refused, such as a payment that vanished from the chain, and are watched instead.
    pub const fn may_go_negative(self) -> bool {
        match self {
            Self::ChainClearing | Self::ChainFees | Self::Capital | Self::Revenue => true,
            Self::PayoutClearing
            | Self::Suspense
            | Self::OperatorPool
            | Self::Customer
            | Self::CustomerHeld
            | Self::CustomerDebt
            | Self::Rounding
            | Self::Operator => false,
        }
    }

    /// Whether the account must return to zero, because it only bridges the time until an outside system confirms.
    pub const fn must_clear(self) -> bool {
        matches!(self, Self::PayoutClearing | Self::Suspense)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::ChainClearing => "chain_clearing",
            Self::PayoutClearing => "payout_clearing",
            Self::ChainFees => "chain_fees",
            Self::Capital => "capital",
            Self::Revenue => "revenue",
            Self::Suspense => "suspense",
            Self::OperatorPool => "operator_pool",
            Self::Customer => "customer",
            Self::CustomerHeld => "customer_held",
            Self::CustomerDebt => "customer_debt",
            Self::Rounding => "rounding",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for AccountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Account {
    pub const fn kind(&self) -> AccountKind {
        match self {
            Self::ChainClearing => AccountKind::ChainClearing,
            Self::PayoutClearing => AccountKind::PayoutClearing,
            Self::ChainFees => AccountKind::ChainFees,
            Self::Capital => AccountKind::Capital,
            Self::Revenue => AccountKind::Revenue,
            Self::Suspense => AccountKind::Suspense,
            Self::OperatorPool => AccountKind::OperatorPool,
            Self::Customer(_) => AccountKind::Customer,
            Self::CustomerHeld(_) => AccountKind::CustomerHeld,
            Self::CustomerDebt(_) => AccountKind::CustomerDebt,
            Self::Rounding(_) => AccountKind::Rounding,
            Self::Operator(_) => AccountKind::Operator,
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::ChainClearing
            | Self::PayoutClearing
            | Self::ChainFees
            | Self::Capital
            | Self::Revenue
            | Self::Suspense
            | Self::OperatorPool => write!(f, "{kind}"),
            Self::CustomerHeld(app) => write!(f, "{kind}:{app}"),
            Self::Customer(party)
            | Self::CustomerDebt(party)
            | Self::Rounding(party)
            | Self::Operator(party) => write!(f, "{kind}:{party}"),
        }
    }
}

/// A text that is no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAccountError {
    #[error("account `{0}` has an unknown kind; see the list of kinds in the documentation")]
    UnknownKind(String),
    #[error("account `{0}` lacks its owner; write kind:owner")]
    OwnerMissing(String),
    #[error("account `{0}` belongs to the plane and takes no owner; write the kind alone")]
    OwnerUnexpected(String),
    #[error("account `{account}` has an owner that is no application id")]
    NoApp {
        account: String,
        #[source]
        source: uuid::Error,
    },
    #[error("account `{account}` has an owner that names nobody")]
    NoParty {
        account: String,
        #[source]
        source: ParsePartyError,
    },
}

impl FromStr for Account {
    type Err = ParseAccountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, owner) = match text.split_once(':') {
            Some((name, owner)) => (name, Some(owner)),
            None => (text, None),
        };
        let kind = AccountKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name);
        let kind = kind.ok_or_else(|| ParseAccountError::UnknownKind(text.to_owned()))?;
        let plane = |account: Self| match owner {
            None => Ok(account),
            Some(_) => Err(ParseAccountError::OwnerUnexpected(text.to_owned())),
        };
        let owner = || owner.ok_or_else(|| ParseAccountError::OwnerMissing(text.to_owned()));
        let party = || {
            owner()?
                .parse()
                .map_err(|source| ParseAccountError::NoParty {
                    account: text.to_owned(),
                    source,
                })
        };
        match kind {
            AccountKind::ChainClearing => plane(Self::ChainClearing),
            AccountKind::PayoutClearing => plane(Self::PayoutClearing),
            AccountKind::ChainFees => plane(Self::ChainFees),
            AccountKind::Capital => plane(Self::Capital),
            AccountKind::Revenue => plane(Self::Revenue),
            AccountKind::Suspense => plane(Self::Suspense),
            AccountKind::OperatorPool => plane(Self::OperatorPool),
            AccountKind::Customer => party().map(Self::Customer),
            AccountKind::CustomerDebt => party().map(Self::CustomerDebt),
            AccountKind::Rounding => party().map(Self::Rounding),
            AccountKind::Operator => party().map(Self::Operator),
            AccountKind::CustomerHeld => {
                let app = owner()?
                    .parse()
                    .map_err(|source| ParseAccountError::NoApp {
                        account: text.to_owned(),
                        source,
                    })?;
                Ok(Self::CustomerHeld(app))
            }
        }
    }
}

impl TryFrom<String> for Account {
    type Error = ParseAccountError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_survives_its_text() {
        let party: Party = "t1Abc".parse().unwrap();
        let app = AppId::new(uuid::Uuid::from_u128(7));
        let accounts = [
            Account::ChainClearing,
            Account::PayoutClearing,
            Account::ChainFees,
            Account::Capital,
            Account::Revenue,
            Account::Suspense,
            Account::OperatorPool,
            Account::Customer(party.clone()),
            Account::CustomerHeld(app),
            Account::CustomerDebt(party.clone()),
            Account::Rounding(party.clone()),
            Account::Operator(party),
        ];
        for (account, kind) in accounts.iter().zip(AccountKind::ALL) {
            assert_eq!(account.kind(), kind);
            assert_eq!(account.to_string().parse().as_ref(), Ok(account));
        }
        assert_eq!(accounts[7].to_string(), "customer:t1Abc");
    }

    #[test]
    fn a_wrong_text_says_what_is_wrong() {
        let error = |text: &str| text.parse::<Account>().unwrap_err();
        assert!(matches!(error("bank:x"), ParseAccountError::UnknownKind(_)));
        assert!(matches!(
            error("customer"),
            ParseAccountError::OwnerMissing(_)
        ));
        assert!(matches!(
            error("revenue:x"),
            ParseAccountError::OwnerUnexpected(_)
        ));
        assert!(matches!(
            error("customer:"),
            ParseAccountError::NoParty { .. }
        ));
        assert!(matches!(
            error("customer:a b"),
            ParseAccountError::NoParty { .. }
        ));
        assert!(matches!(
            error("customer_held:x"),
            ParseAccountError::NoApp { .. }
        ));
    }
}
