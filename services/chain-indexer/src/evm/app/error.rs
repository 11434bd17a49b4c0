//! What can go wrong, one variant per operation.

use alloy_primitives::Address;
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::{ServiceError, db_kind, db_reason};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    #[error("no asset `{0}` is or was followed")]
    NoAsset(String),
    #[error("another replica follows the asset now")]
    Superseded,
    #[error(
        "`{name}` is indexed from block {stored}, the configuration says {configured}: transfers in between would be missing or \
         counted twice; set evm.start_block to {stored}"
    )]
    OtherStart {
        name: String,
        stored: u64,
        configured: u64,
    },
    #[error(
        "`{name}` is contract {stored} on chain {stored_chain} in the database, and contract {configured} on chain \
         {configured_chain} in the configuration; give the new one another evm.name"
    )]
    NameTaken {
        name: String,
        stored: Address,
        stored_chain: u64,
        configured: Address,
        configured_chain: u64,
    },
}

impl Error {
    /// One violation of a request.
    pub fn invalid(
        field: &'static str,
        value: impl std::fmt::Display,
        rule: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self::Invalid(vec![Violation::new(field, value, rule, remedy)])
    }
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) => db_kind(err),
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::NoAsset(_) => ErrorKind::NotFound,
            Self::Superseded | Self::OtherStart { .. } | Self::NameTaken { .. } => {
                ErrorKind::Internal
            }
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) => db_reason(err),
            Self::Invalid(_) => Reason::InvalidRequest,
            Self::NoAsset(_) => Reason::NotFound,
            Self::Superseded | Self::OtherStart { .. } | Self::NameTaken { .. } => Reason::Internal,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::Db(_)
            | Self::NoAsset(_)
            | Self::Superseded
            | Self::OtherStart { .. }
            | Self::NameTaken { .. } => Vec::new(),
        }
    }
}
