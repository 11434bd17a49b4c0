//! Where the chain comes from: daemons that are asked, and announce.
//!
//! Whatever a source says is checked against itself before it is believed: blocks hash to their names, transactions to theirs.
//! Of several daemons, a quorum must agree on what cannot be checked that way.

pub mod archive;
mod batch_size;
mod body;
mod lists;
pub mod metrics;
pub mod quorum;
pub mod rpc;
mod unique;
mod wire;
pub mod zmq;

use std::{fmt::Debug, ops::RangeInclusive, time::Duration};

use fluxplane_flux_chain::{Hash256, OutPoint, PublicKey, fluxnode::Collateral};

use crate::domain::{Tip, agreement::SourceReport, block::BlockFault};

pub use archive::{Archive, Located};
pub use lists::{ListedNode, NodeLists};
pub use quorum::Quorum;
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

    /// A transaction of a block or of the mempool; `None` when it is not found. Only for sources that can look for one.
    fn locate(
        &self,
        _txid: Hash256,
    ) -> impl Future<Output = Result<Option<Located>, SourceError>> + Send {
        std::future::ready(Err(SourceError::Unsupported("single transactions")))
    }

    /// The fluxnode lists after its last block. Only for sources that keep them.
    fn node_lists(&self) -> impl Future<Output = Result<NodeLists, SourceError>> + Send {
        std::future::ready(Err(SourceError::Unsupported("the fluxnode lists")))
    }

    /// The keys that may start each node for its owner; empty where there are none. Only for sources that keep them.
    fn delegates(
        &self,
        _collaterals: &[OutPoint],
    ) -> impl Future<Output = Result<Vec<Vec<PublicKey>>, SourceError>> + Send {
        std::future::ready(Err(SourceError::Unsupported("delegates of fluxnodes")))
    }

    /// Outputs by name; `None` for those it cannot tell. Only for sources that keep them.
    fn outputs(
        &self,
        _names: &[OutPoint],
    ) -> impl Future<Output = Result<Vec<Option<Collateral>>, SourceError>> + Send {
        std::future::ready(Err(SourceError::Unsupported("outputs")))
    }

    /// What is known of each daemon behind it, as of the last look; empty for a source that is not about daemons.
    fn reports(&self) -> Vec<SourceReport> {
        Vec::new()
    }
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
    #[error("the daemon's block {height} is garbled")]
    Garbled {
        height: u32,
        #[source]
        fault: BlockFault,
    },
    #[error("asked for block {height} {wanted}, the daemon answers with {found}")]
    OtherBlock {
        height: u32,
        wanted: Hash256,
        found: Hash256,
    },
    #[error(
        "source `{name}` is on another network: its genesis block is {found}, that of {network} is {expected}; correct \
         chain.network or the url of the source"
    )]
    OtherNetwork {
        name: String,
        network: String,
        found: Hash256,
        expected: Hash256,
    },
    #[error("{needed} of {members} sources must agree and do not: {positions}")]
    NoQuorum {
        needed: usize,
        members: usize,
        /// Where each of them is, or why that is not known.
        positions: String,
    },
    #[error("the daemon did not answer within {} ms", .0.as_millis())]
    Slow(Duration),
    #[error("the daemon's chain moved while it was asked about {0}")]
    Moved(&'static str),
    #[error("the source does not keep {0}")]
    Unsupported(&'static str),
    #[error("ask the daemon")]
    Work(#[source] tokio::task::JoinError),
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
            Self::Rpc { .. } | Self::Work(_) => "error",
            Self::Garbled { .. } => "garbled",
            Self::OtherBlock { .. } => "other_block",
            Self::OtherNetwork { .. } => "other_network",
            Self::NoQuorum { .. } => "no_quorum",
            Self::Slow(_) => "slow",
            Self::Moved(_) => "moved",
            Self::Unsupported(_) => "unsupported",
        }
    }

    /// Whether waiting cannot mend it.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::OtherNetwork { .. })
    }

    /// Whether asking for less may help.
    pub(crate) const fn too_much(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::TooLong { .. })
    }
}
