//! Where a token's transfers come from: a node asked by Ethereum's JSON-RPC.

mod rpc;
mod wire;

use std::{fmt::Debug, ops::RangeInclusive};

use alloy_primitives::Address;

use super::domain::{
    Header, Log,
    refusal::{self, Refusal},
};

pub use rpc::EthRpc;

/// A chain that can be asked.
pub trait EvmSource: Debug + Send + Sync + 'static {
    /// EIP-155.
    fn chain_id(&self) -> impl Future<Output = Result<u64, SourceError>> + Send;

    /// Height of the last block.
    fn head(&self) -> impl Future<Output = Result<u64, SourceError>> + Send;

    /// The block at a height; `None` when there is none.
    fn header(
        &self,
        height: u64,
    ) -> impl Future<Output = Result<Option<Header>, SourceError>> + Send;

    /// Decimal places of a token; `None` when there is no contract at that address.
    fn decimals(
        &self,
        contract: Address,
    ) -> impl Future<Output = Result<Option<u8>, SourceError>> + Send;

    /// What the node says to be logs of transfers in a range of heights.
    fn transfers(
        &self,
        contract: Address,
        heights: RangeInclusive<u64>,
    ) -> impl Future<Output = Result<Vec<Log>, SourceError>> + Send;
}

/// Why a node gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the node cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the node did not answer in time")]
    Timeout(#[source] reqwest::Error),
    #[error("the node refuses us with HTTP status {0}: check the credentials in `url`")]
    Unauthorised(u16),
    #[error("the node answers with HTTP status {0}")]
    Status(u16),
    #[error("the answer is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the answer to {method} cannot be read: {problem}")]
    Malformed {
        method: &'static str,
        problem: String,
    },
    #[error("{method}: {message} (code {code})")]
    Rpc {
        method: &'static str,
        code: i64,
        message: String,
    },
}

impl SourceError {
    /// For metrics.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Timeout(_) => "timeout",
            Self::Unauthorised(_) => "unauthorised",
            Self::Status(_) => "status",
            Self::TooLong { .. } => "too_long",
            Self::Malformed { .. } => "malformed",
            Self::Rpc { .. } => "error",
        }
    }

    /// Whether asking about fewer blocks may help.
    pub fn too_much(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::TooLong { .. } => true,
            // Request timeout, content too large, and what a proxy says when the node behind it took too long.
            Self::Status(status) => matches!(status, 408 | 413 | 502 | 504),
            Self::Rpc { code, message, .. } => refusal::judge(*code, message) == Refusal::TooMuch,
            Self::Unreachable(_) | Self::Unauthorised(_) | Self::Malformed { .. } => false,
        }
    }
}
