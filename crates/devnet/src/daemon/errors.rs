//! Why a developer verb or a submission is refused. Each error names the value, the rule and the remedy.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{Hash256, OutPoint, encode::DecodeError};

use crate::{
    chain::Reject, mempool::Refusal, replay::RecordingError, store::StoreError, wallet::SpendError,
};

/// Why a verb did nothing.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    #[error(
        "{verb}: the chain is a recording and only goes forward; use devnet_step, or `devnet run` for a chain that grows"
    )]
    Recorded { verb: &'static str },
    #[error("{verb}: the chain grows here; only a recording is shown with `devnet replay FILE`")]
    NotRecorded { verb: &'static str },
    #[error(
        "depth {depth}: a reorganisation takes back 1 to {limit} blocks, as deep as nodes accept, and not the genesis block"
    )]
    Depth { depth: u32, limit: u32 },
    #[error("blocks {blocks}: the new branch must be longer than the {depth} blocks it replaces")]
    Branch { blocks: u32, depth: u32 },
    #[error("amount {0}: write a positive number of FLUX")]
    Amount(Sat),
    #[error("ip `{0}`: write 1 to 60 characters, such as 203.0.113.7 or 203.0.113.7:16127")]
    Ip(String),
    #[error("collateral {0}: no node of this wallet has it; devnet_nodes lists them")]
    UnknownNode(OutPoint),
    #[error("collateral {0}: a node of this wallet has it already; remove that node first")]
    CollateralTaken(OutPoint),
    #[error("the node is not confirmed after {0} blocks; look at devnet_nodes for its stage")]
    NotConfirmed(u32),
    #[error("block {0}: no such block")]
    UnknownBlock(Hash256),
    #[error("block {0} is deeper than blocks can be taken back")]
    TooDeep(Hash256),
    #[error("the block made here is refused: {0}")]
    Refused(Reject),
    #[error("the block made here does not parse: {0}")]
    Draft(#[from] DecodeError),
    #[error("the transaction made here is refused: {0}")]
    Send(#[from] Refusal),
    #[error(transparent)]
    Spend(#[from] SpendError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

/// Why a transaction was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    #[error(
        "tx-expiring-soon: expiryheight is {expiry} but should be at least {least} to avoid transaction expiring soon"
    )]
    ExpiringSoon { expiry: u32, least: u32 },
    #[error("transaction already in block chain")]
    InChain,
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the chain is a recording; it takes no transactions")]
    Recorded,
}
