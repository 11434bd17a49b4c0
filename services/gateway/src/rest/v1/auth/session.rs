//! A session as its wallet gets it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Tokens;

/// The tokens of a session. They are shown once.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// Send it as `Authorization: Bearer …`.
    #[schema(example = "fxa_6f1c…")]
    pub access_token: String,
    /// Exchange it for new tokens, once. Seen twice, it ends the session.
    #[schema(example = "fxr_9b02…")]
    pub refresh_token: String,
    /// End of the access token.
    pub expires_at: DateTime<Utc>,
    /// End of the refresh token.
    pub refresh_expires_at: DateTime<Utc>,
    /// The address that is signed in: a FluxID, or a 0x address with its checksum.
    #[schema(example = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd")]
    pub principal: String,
}

impl From<Tokens> for Session {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access.expose().to_owned(),
            refresh_token: tokens.refresh.expose().to_owned(),
            expires_at: tokens.access_expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
            principal: tokens.principal,
        }
    }
}
