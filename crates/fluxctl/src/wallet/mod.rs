//! Key files and what they can do: name an id and an address, sign, pay.
//!
//! A key file holds one private key in wallet import format, as `fluxd dumpprivkey` prints it. Whoever reads it owns the
//! coins.

mod coins;
mod key;
mod pay;

use fluxplane_core::{Sat, error::Violation};
use fluxplane_flux_chain::build::{BuildError, SignError};

pub use coins::Coin;
pub use key::Key;
pub use pay::{Balance, MessageHash, Paid, Payment, Place, balance, build, pay};

use crate::{chain_rpc, exit::Exit};

/// Why a wallet cannot do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Input(Violation),
    #[error(transparent)]
    Chain(#[from] chain_rpc::Error),
    #[error("the chain node answered with {0}")]
    Answer(String),
    #[error(
        "{address} holds {spendable} FLUX that can be spent now; {needed} are needed with the fee{hint}"
    )]
    Insufficient {
        address: String,
        spendable: Sat,
        needed: Sat,
        /// What is held back, and how to free it.
        hint: String,
    },
    #[error("the payment cannot be made")]
    Build(#[source] BuildError),
    #[error("the payment cannot be signed")]
    Sign(#[source] SignError),
    #[error("the machine has no random numbers to make a key of")]
    Random,
}

impl Error {
    pub(crate) fn input(
        field: &str,
        value: impl std::fmt::Display,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Input(Violation::new(field, value, rule, remedy))
    }

    pub const fn exit(&self) -> Exit {
        match self {
            Self::Input(_) => Exit::Usage,
            Self::Chain(err) => err.exit(),
            Self::Insufficient { .. } => Exit::PaymentNeeded,
            Self::Answer(_) | Self::Build(_) | Self::Sign(_) | Self::Random => Exit::Failed,
        }
    }

    pub const fn code(&self) -> &'static str {
        match self {
            Self::Input(_) => "usage",
            Self::Chain(err) => err.code(),
            Self::Insufficient { .. } => "insufficient-coins",
            Self::Answer(_) => "chain-node-answer",
            Self::Build(_) | Self::Sign(_) => "payment",
            Self::Random => "random",
        }
    }
}
