//! How applications are paid for.

use serde::{Deserialize, Serialize};

/// Where the money for a revision comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funding {
    /// A chain payment that carries the message hash.
    ChainPayment,
    /// The owner's balance with the plane.
    Balance,
}

impl Funding {
    pub const ALL: [Self; 2] = [Self::ChainPayment, Self::Balance];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ChainPayment => "chain_payment",
            Self::Balance => "balance",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|funding| funding.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for funding in Funding::ALL {
            assert_eq!(Funding::from_name(funding.name()), Some(funding));
        }
        assert_eq!(Funding::from_name("gift"), None);
    }
}
