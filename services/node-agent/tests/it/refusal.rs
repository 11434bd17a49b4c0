//! A refusal as the registry words it.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::ServiceError;

/// The request was signed by another key.
#[derive(Debug, thiserror::Error)]
#[error("the node key did not sign the request")]
pub(crate) struct WrongKey;

impl ServiceError for WrongKey {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unauthenticated
    }

    fn reason(&self) -> Reason {
        Reason::NodeKeyMismatch
    }

    fn violations(&self) -> Vec<Violation> {
        vec![Violation::new(
            "node_key_signature",
            "…",
            "the node key of the start transaction signs the request",
            "use the key that fluxd has for this collateral",
        )]
    }
}
