//! What the transactions of a chain do with money, and how much of that is kept.
//!
//! [`flows`] reads a block, [`keep`] says which transactions a small index keeps, [`settle`] turns blocks into rows. Nothing here
//! judges a transaction: the daemon did. But what contradicts what is known is refused, so that a balance is never a guess.

pub mod flows;
pub mod keep;
pub mod settle;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use flows::BlockFlows;

/// How much of the chain is indexed. Chosen with the first block and kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexMode {
    /// What the plane needs: blocks, payments, transactions that carry data, collateral, the fluxnode lists.
    #[default]
    Plane,
    /// Every transaction, output, script and balance.
    Full,
}

impl IndexMode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plane => "plane",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for IndexMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mode of the index; it is `plane` or `full`")]
pub struct UnknownMode(String);

impl FromStr for IndexMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "plane" => Ok(Self::Plane),
            "full" => Ok(Self::Full),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}
