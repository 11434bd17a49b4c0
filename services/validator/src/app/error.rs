//! What can go wrong, one variant per operation.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::{Remote, ServiceError, db_kind, db_reason};

use crate::{clients::daemon::RpcError, domain::build::AnchorTxError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("ask billing: {0}")]
    Billing(Remote),
    #[error("ask the chain's daemon")]
    Daemon(#[source] RpcError),
    #[error("make the anchor")]
    Build(#[source] AnchorTxError),
    #[error(
        "the daemon follows the chain `{found}`, the configuration says `{expected}`; correct daemon.url or daemon.network"
    )]
    WrongChain { found: String, expected: String },
    #[error("another replica anchors now")]
    Superseded,
    #[error("epoch {epoch} has no anchor yet: {waits}")]
    NoAnchor { epoch: u64, waits: String },
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    /// Something stored that no version of this service writes.
    #[error("stored data is inconsistent: {0}")]
    Inconsistent(String),
}

impl From<RpcError> for Error {
    fn from(err: RpcError) -> Self {
        Self::Daemon(err)
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) => db_kind(err),
            Self::Billing(remote) => remote.kind,
            Self::Daemon(_) | Self::WrongChain { .. } | Self::Superseded => ErrorKind::Unavailable,
            Self::NoAnchor { .. } => ErrorKind::NotFound,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Build(_) | Self::Inconsistent(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) => db_reason(err),
            Self::Billing(remote) => remote.reason,
            Self::Daemon(_) | Self::WrongChain { .. } | Self::Superseded => Reason::Unavailable,
            Self::NoAnchor { .. } => Reason::NotFound,
            Self::Invalid(_) => Reason::InvalidRequest,
            Self::Build(_) | Self::Inconsistent(_) => Reason::Internal,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::Billing(remote) => remote.violations.clone(),
            Self::NoAnchor { epoch, .. } => vec![Violation::new(
                "epoch",
                epoch,
                "it must be an epoch that was closed and anchored",
                "list the anchors",
            )],
            Self::Db(_)
            | Self::Daemon(_)
            | Self::Build(_)
            | Self::WrongChain { .. }
            | Self::Superseded
            | Self::Inconsistent(_) => Vec::new(),
        }
    }
}
