//! Why a transaction or a block is refused: fluxd's code and reason, which clients match on, and beside them what is wrong in
//! words, which goes to the log.

use std::{borrow::Cow, fmt};

use fluxplane_flux_chain::{
    fluxnode::{NodeFault, Rejection},
    pon::HeaderFault,
};

/// fluxd's reject codes (`src/consensus/validation.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectCode {
    /// The daemon gives 0 when nothing is wrong with the block itself.
    None,
    Invalid,
    Duplicate,
    Nonstandard,
}

impl RejectCode {
    /// The number as the daemon prints it.
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Invalid => 0x10,
            Self::Duplicate => 0x12,
            Self::Nonstandard => 0x40,
        }
    }
}

/// A refusal by consensus or policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub code: RejectCode,
    /// fluxd's reason, letter for letter.
    pub reason: Cow<'static, str>,
    /// What is wrong, with the values.
    pub detail: String,
}

impl Reject {
    pub(crate) fn new(
        code: RejectCode,
        reason: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            code,
            reason: reason.into(),
            detail: detail.into(),
        }
    }

    pub(crate) fn invalid(reason: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::new(RejectCode::Invalid, reason, detail)
    }

    pub(crate) fn duplicate(
        reason: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(RejectCode::Duplicate, reason, detail)
    }

    pub(crate) fn nonstandard(
        reason: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(RejectCode::Nonstandard, reason, detail)
    }
}

impl fmt::Display for Reject {
    /// The form of the daemon's error messages: `16: bad-txns-in-belowout`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.number(), self.reason)
    }
}

impl std::error::Error for Reject {}

impl From<Rejection> for Reject {
    fn from(rejection: Rejection) -> Self {
        Self::invalid(rejection.reason(), rejection.to_string())
    }
}

impl From<NodeFault> for Reject {
    fn from(fault: NodeFault) -> Self {
        Self::invalid(fault.reason(), fault.to_string())
    }
}

impl From<HeaderFault> for Reject {
    fn from(fault: HeaderFault) -> Self {
        Self::invalid(fault.reason(), fault.to_string())
    }
}
