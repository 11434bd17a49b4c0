//! Where the chain comes from: a daemon that is asked, and one that announces.
//!
//! Whatever a source says is checked against itself before it is believed: blocks hash to their names, transactions to theirs.

mod batch_size;
mod body;
pub mod rpc;
mod wire;
pub mod zmq;

use std::{fmt::Debug, ops::RangeInclusive};

use fluxplane_flux_chain::Hash256;

use crate::domain::Tip;

pub use rpc::FluxdRpc;

/// A chain that can be asked.
pub trait ChainSource: Debug + Send + Sync + 'static {
    /// Hash of the first block, which names the network.
    fn genesis(&self) -> impl Future<Output = Result<Hash256, SourceError>> + Send;

    /// The last block, and the block at `height` where there is one.
    fn position(
        &self,
        height: Option<u32>,
    ) -> impl Future<Output = Result<Position, SourceError>> + Send;

    /// Hashes of the best chain in order of height; `None` above its end.
    fn block_hashes(
        &self,
        heights: RangeInclusive<u32>,
    ) -> impl Future<Output = Result<Vec<Option<Hash256>>, SourceError>> + Send;

    /// Raw blocks of the best chain in order of height. An error when one is above its end.
    fn blocks(
        &self,
        heights: RangeInclusive<u32>,
    ) -> impl Future<Output = Result<Vec<Vec<u8>>, SourceError>> + Send;

    /// The transactions that wait, and the last block before and after they were listed.
    fn mempool(&self) -> impl Future<Output = Result<MempoolView, SourceError>> + Send;

    /// Raw transactions in the order asked for; `None` for those that are not known any more.
    fn transactions(
        &self,
        txids: &[Hash256],
    ) -> impl Future<Output = Result<Vec<Option<Vec<u8>>>, SourceError>> + Send;
}

/// Where a daemon is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub tip: Tip,
    /// Its block at the height that was asked about.
    pub at: Option<Hash256>,
}

/// The mempool between two looks at the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MempoolView {
    pub tip_before: Hash256,
    pub txids: Vec<Hash256>,
    pub tip_after: Hash256,
}

/// Why a source gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the daemon cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the daemon did not answer in time")]
    Timeout(#[source] reqwest::Error),
    #[error("the daemon refuses the user name or password: check rpc.user and rpc.password")]
    Unauthorised,
    #[error("the daemon answers with HTTP status {0}")]
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
            Self::Unauthorised => "unauthorised",
            Self::Status(_) => "status",
            Self::TooLong { .. } => "too_long",
            Self::Malformed { .. } => "malformed",
            Self::Rpc { .. } => "error",
        }
    }

    /// Whether asking for less may help.
    pub(crate) const fn too_much(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::TooLong { .. })
    }
}
