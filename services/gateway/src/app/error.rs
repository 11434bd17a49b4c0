//! What can go wrong, one variant per operation.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::{ServiceError, db_kind, db_reason};

use crate::domain::{fluxos::LoginProblem, wallet::SignatureProblem};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("the system's random source failed")]
    Random,
    #[error("the phrase is unknown, was used, expired, or was made for another address")]
    Challenge,
    #[error("the signature does not prove the address: {0}")]
    Signature(SignatureProblem),
    #[error(transparent)]
    Login(#[from] LoginProblem),
    #[error("the access token is missing, unknown or expired, or its session ended")]
    AccessToken,
    #[error("the refresh token is unknown or expired, or its session ended")]
    RefreshToken,
    #[error("the refresh token was used before, so its session was ended for everyone who has it")]
    RefreshReused,
    #[error("the audit trail takes no entries now, so nothing is changed either")]
    Audit,
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) => db_kind(err),
            Self::Random => ErrorKind::Internal,
            Self::Challenge
            | Self::Signature(_)
            | Self::Login(_)
            | Self::AccessToken
            | Self::RefreshToken
            | Self::RefreshReused => ErrorKind::Unauthenticated,
            Self::Audit => ErrorKind::Unavailable,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) => db_reason(err),
            Self::Random => Reason::Internal,
            Self::Signature(_) | Self::Login(LoginProblem::Signature) => Reason::SignatureInvalid,
            Self::Challenge | Self::Login(_) => Reason::ChallengeInvalid,
            Self::AccessToken | Self::RefreshToken | Self::RefreshReused => Reason::Unauthenticated,
            Self::Audit => Reason::Unavailable,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        let violation = |field: &str, rule: &str, remedy: &str| {
            // Tokens, phrases and signatures are not repeated: logs and screens are no place for them.
            vec![Violation::new(field, "…", rule, remedy)]
        };
        match self {
            Self::Challenge => violation(
                "phrase",
                "a phrase works once, for five minutes, for the address it was made for",
                "ask for a new challenge and sign that phrase",
            ),
            Self::Signature(_) => violation(
                "signature",
                "the key of the address signs the phrase, byte for byte",
                "sign the phrase as it came, as a Bitcoin message, or by personal_sign for a 0x address",
            ),
            Self::AccessToken => violation(
                "Authorization",
                "this operation needs `Bearer` and a live access token",
                "sign in, or refresh the session",
            ),
            Self::RefreshToken | Self::RefreshReused => violation(
                "refresh_token",
                "a refresh token works once, for fourteen days",
                "sign in again",
            ),
            Self::Db(_) | Self::Random | Self::Audit | Self::Login(_) => Vec::new(),
        }
    }
}
