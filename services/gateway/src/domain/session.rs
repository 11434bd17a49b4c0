//! Sessions: how long tokens live, and what a refresh token that comes back means.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fluxplane_core::id::SessionId;

/// Who is signed in, as far as a request needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Canonical wallet address.
    pub address: String,
    pub session: SessionId,
    /// When the token that was presented ends.
    pub expires_at: DateTime<Utc>,
    /// Whether the configuration names this address as an administrator.
    pub admin: bool,
}

/// How long tokens live.
#[derive(Debug, Clone, Copy)]
pub struct Lives {
    pub challenge: Duration,
    pub access: Duration,
    pub refresh: Duration,
    /// Of a login in FluxOS' way.
    pub fluxos: Duration,
}

/// A stored refresh token with the session it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRefresh {
    pub session: SessionId,
    pub principal: String,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    pub session_ended_at: Option<DateTime<Utc>>,
}

/// What to do with a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Give new tokens and mark this one used.
    Rotate,
    /// It was used before: someone has a copy, so the session ends for everyone.
    Reused,
    /// Too old, or of a session that ended.
    Dead,
}

impl StoredRefresh {
    pub fn judge(&self, now: DateTime<Utc>) -> Verdict {
        if self.session_ended_at.is_some() {
            Verdict::Dead
        } else if self.used_at.is_some() {
            Verdict::Reused
        } else if now >= self.expires_at {
            Verdict::Dead
        } else {
            Verdict::Rotate
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    SignedOut,
    TokenReused,
    /// The wallet signed in more often than it may stay signed in.
    TooMany,
}

impl EndReason {
    /// As stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::TokenReused => "token_reused",
            Self::TooMany => "too_many",
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn stored() -> StoredRefresh {
        StoredRefresh {
            session: uuid::Uuid::nil().into(),
            principal: "1abc".to_owned(),
            expires_at: DateTime::UNIX_EPOCH + TimeDelta::days(14),
            used_at: None,
            session_ended_at: None,
        }
    }

    #[test]
    fn a_fresh_token_rotates_until_the_moment_it_expires() {
        let token = stored();
        assert_eq!(
            token.judge(token.expires_at - TimeDelta::microseconds(1)),
            Verdict::Rotate
        );
        assert_eq!(token.judge(token.expires_at), Verdict::Dead);
    }

    #[test]
    fn a_used_token_is_a_theft_even_when_it_is_old() {
        let token = StoredRefresh {
            used_at: Some(DateTime::UNIX_EPOCH),
            ..stored()
        };
        assert_eq!(
            token.judge(token.expires_at + TimeDelta::days(1)),
            Verdict::Reused
        );
    }

    #[test]
    fn nothing_of_an_ended_session_counts() {
        let ended_at = Some(DateTime::UNIX_EPOCH);
        let token = StoredRefresh {
            used_at: ended_at,
            session_ended_at: ended_at,
            ..stored()
        };
        assert_eq!(token.judge(DateTime::UNIX_EPOCH), Verdict::Dead);
    }
}
