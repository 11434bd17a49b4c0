//! Errors as the daemon gives them: a number clients match on and a text (fluxd `src/rpc/protocol.h`).

use serde::Serialize;

use crate::daemon::{DevnetError, SendError};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RpcError {
    pub code: i32,
    pub message: String,
}

pub(crate) const INVALID_REQUEST: i32 = -32_600;
pub(crate) const METHOD_NOT_FOUND: i32 = -32_601;
pub(crate) const PARSE_ERROR: i32 = -32_700;
pub(crate) const MISC: i32 = -1;
pub(crate) const TYPE: i32 = -3;
pub(crate) const INVALID_ADDRESS_OR_KEY: i32 = -5;
pub(crate) const INSUFFICIENT_FUNDS: i32 = -6;
pub(crate) const INVALID_PARAMETER: i32 = -8;
pub(crate) const DATABASE: i32 = -20;
pub(crate) const DESERIALIZATION: i32 = -22;
/// Also what the daemon calls a verification error.
pub(crate) const TRANSACTION: i32 = -25;
pub(crate) const REJECTED: i32 = -26;
pub(crate) const ALREADY_IN_CHAIN: i32 = -27;

impl RpcError {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// An error the daemon raises without a number of its own.
    pub(crate) fn misc(message: impl Into<String>) -> Self {
        Self::new(MISC, message)
    }

    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMETER, message)
    }

    pub(crate) fn address(message: impl Into<String>) -> Self {
        Self::new(INVALID_ADDRESS_OR_KEY, message)
    }

    pub(crate) fn block_not_found() -> Self {
        Self::address("Block not found")
    }

    pub(crate) fn undecodable_block() -> Self {
        Self::new(DESERIALIZATION, "Block decode failed")
    }

    pub(crate) fn undecodable_transaction() -> Self {
        Self::new(DESERIALIZATION, "TX decode failed")
    }
}

impl From<SendError> for RpcError {
    fn from(error: SendError) -> Self {
        use crate::mempool::Refusal;
        match error {
            SendError::ExpiringSoon { .. } => Self::new(REJECTED, error.to_string()),
            SendError::InChain => Self::new(ALREADY_IN_CHAIN, error.to_string()),
            // The daemon gives the number and no text; missing inputs and conflicts look alike.
            SendError::Refused(Refusal::Silent(_)) => Self::new(TRANSACTION, ""),
            SendError::Refused(Refusal::Absurd(text)) => Self::new(TRANSACTION, text),
            SendError::Refused(Refusal::Rejected(reject)) => {
                Self::new(REJECTED, reject.to_string())
            }
            SendError::Recorded => Self::misc(error.to_string()),
        }
    }
}

impl From<DevnetError> for RpcError {
    fn from(error: DevnetError) -> Self {
        let code = match &error {
            DevnetError::Depth { .. }
            | DevnetError::Branch { .. }
            | DevnetError::Amount(_)
            | DevnetError::Ip(_)
            | DevnetError::CollateralTaken(_) => INVALID_PARAMETER,
            DevnetError::UnknownNode(_) | DevnetError::UnknownBlock(_) => INVALID_ADDRESS_OR_KEY,
            DevnetError::TooDeep(_) | DevnetError::Store(_) => DATABASE,
            DevnetError::Spend(_) => INSUFFICIENT_FUNDS,
            DevnetError::Recorded { .. }
            | DevnetError::NotRecorded { .. }
            | DevnetError::NotConfirmed(_)
            | DevnetError::Refused(_)
            | DevnetError::Draft(_)
            | DevnetError::Send(_)
            | DevnetError::Recording(_) => MISC,
        };
        Self::new(code, with_sources(&error))
    }
}

/// An error and what caused it, in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
