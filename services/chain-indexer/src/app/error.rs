//! What can go wrong, one variant per operation.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_flux_chain::{
    Hash256, OutPoint,
    fluxnode::{ImportError, UndoError},
};
use fluxplane_platform::error::{ServiceError, db_kind, db_reason};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    #[error("there is no block {0} on the best chain")]
    NoBlock(String),
    #[error("transaction {0} is neither on the best chain nor in the mempool")]
    NoTransaction(Hash256),
    #[error("collateral {0} is on no list")]
    NoFluxnode(OutPoint),
    #[error(
        "the database follows network {found} with genesis block {found_genesis}, the configuration names {wanted} with \
         {wanted_genesis}; use another schema or correct chain.network"
    )]
    OtherNetwork {
        found: String,
        found_genesis: Hash256,
        wanted: String,
        wanted_genesis: Hash256,
    },
    #[error("the stored fluxnode lists are no state")]
    Lists(#[source] ImportError),
    #[error("the record that takes back block {0} is missing")]
    NoUndo(u32),
    #[error("take the fluxnode lists back")]
    Undo(#[source] UndoError),
    #[error("another replica follows the chain now")]
    Superseded,
    #[error("apply blocks")]
    Work(#[source] tokio::task::JoinError),
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) => db_kind(err),
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::NoBlock(_) | Self::NoTransaction(_) | Self::NoFluxnode(_) => ErrorKind::NotFound,
            Self::OtherNetwork { .. }
            | Self::Lists(_)
            | Self::NoUndo(_)
            | Self::Undo(_)
            | Self::Superseded
            | Self::Work(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) => db_reason(err),
            Self::Invalid(_) => Reason::InvalidRequest,
            Self::NoBlock(_) | Self::NoTransaction(_) | Self::NoFluxnode(_) => Reason::NotFound,
            Self::OtherNetwork { .. }
            | Self::Lists(_)
            | Self::NoUndo(_)
            | Self::Undo(_)
            | Self::Superseded
            | Self::Work(_) => Reason::Internal,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::Db(_)
            | Self::NoBlock(_)
            | Self::NoTransaction(_)
            | Self::NoFluxnode(_)
            | Self::OtherNetwork { .. }
            | Self::Lists(_)
            | Self::NoUndo(_)
            | Self::Undo(_)
            | Self::Superseded
            | Self::Work(_) => Vec::new(),
        }
    }
}
