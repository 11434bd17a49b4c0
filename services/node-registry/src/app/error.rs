//! What can go wrong, one variant per operation.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
    id::NodeId,
};
use fluxplane_platform::{
    db::idempotency,
    error::{Remote, ServiceError, db_kind, db_reason},
};

use crate::domain::join::JoinError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("{0}")]
    Join(JoinError),
    #[error("ask the chain indexer: {0}")]
    Chain(Remote),
    #[error("ask the scheduler: {0}")]
    Scheduler(Remote),
    #[error("node {0} does not exist")]
    NoNode(NodeId),
    #[error("node {0} was retired; another machine joined in its place")]
    Retired(NodeId),
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("certify the node")]
    Certify(#[source] anyhow::Error),
    #[error("node {0} is not connected")]
    NotConnected(NodeId),
    #[error("a stored message cannot be read")]
    Decode(#[from] prost::DecodeError),
}

impl From<idempotency::Reused> for Error {
    fn from(_: idempotency::Reused) -> Self {
        Self::KeyReused
    }
}

impl From<JoinError> for Error {
    fn from(err: JoinError) -> Self {
        Self::Join(err)
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) => db_kind(err),
            Self::Join(err) => err.kind(),
            Self::Chain(remote) | Self::Scheduler(remote) => remote.kind,
            Self::NoNode(_) => ErrorKind::NotFound,
            Self::Retired(_) => ErrorKind::Forbidden,
            Self::Invalid(_) | Self::KeyReused => ErrorKind::Invalid,
            Self::Certify(_) | Self::Decode(_) => ErrorKind::Internal,
            Self::NotConnected(_) => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) => db_reason(err),
            Self::Join(err) => err.reason(),
            Self::Chain(remote) | Self::Scheduler(remote) => remote.reason,
            Self::NoNode(_) => Reason::NotFound,
            Self::Retired(_) => Reason::Forbidden,
            Self::Invalid(_) => Reason::InvalidRequest,
            Self::KeyReused => Reason::IdempotencyKeyReused,
            Self::Certify(_) | Self::Decode(_) => Reason::Internal,
            Self::NotConnected(_) => Reason::NodeUnreachable,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Join(err) => err.violations(),
            Self::Chain(remote) | Self::Scheduler(remote) => remote.violations.clone(),
            Self::Invalid(violations) => violations.clone(),
            Self::Db(_)
            | Self::NoNode(_)
            | Self::Retired(_)
            | Self::KeyReused
            | Self::Certify(_)
            | Self::NotConnected(_)
            | Self::Decode(_) => Vec::new(),
        }
    }
}
