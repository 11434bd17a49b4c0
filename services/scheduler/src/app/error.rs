//! What can go wrong, one variant per operation.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_envelope::{NoEntropy, OpenError};
use fluxplane_platform::{
    db::{idempotency, lease::FenceError},
    error::{ServiceError, db_kind, db_reason},
};

use crate::domain::Refusal;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    /// The transaction may have committed or not.
    #[error("commit")]
    Commit(#[source] sqlx::Error),
    #[error("{0}")]
    Refused(Refusal),
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Room that a step needs was kept for a quote meanwhile; the step is decided again.
    #[error("the room was kept for a quote meanwhile")]
    RoomKept,
    /// It was changed outside of the plane, or the ring lacks a root key.
    #[error("{0} does not open")]
    Sealed(&'static str, #[source] OpenError),
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// This leader's term is over.
    #[error("another leader took over from term {0}")]
    Superseded(i64),
}

impl From<idempotency::Reused> for Error {
    fn from(_: idempotency::Reused) -> Self {
        Self::KeyReused
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<FenceError> for Error {
    fn from(err: FenceError) -> Self {
        match err {
            FenceError::Superseded { token, .. } => Self::Superseded(token),
            FenceError::Db(err) => Self::Db(err),
        }
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) | Self::Commit(err) => db_kind(err),
            Self::Refused(refusal) => refusal.kind,
            Self::KeyReused => ErrorKind::Invalid,
            Self::Sealed(..) => ErrorKind::Internal,
            Self::RoomKept | Self::NoEntropy(_) | Self::Superseded(_) => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) | Self::Commit(err) => db_reason(err),
            Self::Refused(refusal) => refusal.reason,
            Self::KeyReused => Reason::IdempotencyKeyReused,
            Self::Sealed(..) => Reason::Internal,
            Self::RoomKept | Self::NoEntropy(_) | Self::Superseded(_) => Reason::Unavailable,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Refused(refusal) => refusal.violations.clone(),
            Self::KeyReused => vec![Violation::new(
                "Idempotency-Key",
                "the key",
                "a key belongs to one request; the same key with another request is a mistake",
                "send a fresh key with each new request",
            )],
            Self::Db(_)
            | Self::Commit(_)
            | Self::RoomKept
            | Self::Sealed(..)
            | Self::NoEntropy(_)
            | Self::Superseded(_) => Vec::new(),
        }
    }
}
