//! Signing in with a wallet: a phrase, its signature, a session.

use std::fmt;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Client, Error, Session, call::Call};
use crate::wallet::Key;

/// A phrase to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    pub phrase: String,
    pub expires_at: DateTime<Utc>,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub principal: String,
    pub session_id: Uuid,
    pub expires_at: DateTime<Utc>,
    pub admin: bool,
}

/// What signing in and renewing answer.
#[derive(Clone, Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) refresh_expires_at: DateTime<Utc>,
    pub(super) principal: String,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens(of {})", self.principal)
    }
}

#[derive(Serialize)]
struct SignedPhrase<'a> {
    address: &'a str,
    phrase: &'a str,
    signature: &'a str,
}

impl Client {
    /// Asks for a phrase that `address` shall sign.
    pub async fn challenge(&self, address: &str) -> Result<Challenge, Error> {
        let body = serde_json::json!({ "address": address });
        let call = Call::once(Method::POST, &["auth", "challenges"])
            .public()
            .json(&body)?;
        self.json(&call).await
    }

    /// Exchanges a signed phrase for a session, and keeps it.
    pub async fn open_session(
        &self,
        address: &str,
        phrase: &str,
        signature: &str,
    ) -> Result<Session, Error> {
        let body = SignedPhrase {
            address,
            phrase,
            signature,
        };
        let call = Call::once(Method::POST, &["auth", "sessions"])
            .public()
            .json(&body)?;
        let session = Session::new(self.server_name(), self.json(&call).await?);
        self.keeper().store(Some(&session))?;
        Ok(session)
    }

    /// Signs in with a key.
    pub async fn sign_in(&self, key: &Key) -> Result<Session, Error> {
        let address = key.flux_id().to_string();
        let challenge = self.challenge(&address).await?;
        let signature = key.sign(&challenge.phrase);
        self.open_session(&address, &challenge.phrase, &signature)
            .await
    }

    /// Ends the session at the plane, and forgets it here even if the plane does not answer.
    pub async fn sign_out(&self) -> Result<(), Error> {
        let call = Call::once(Method::DELETE, &["auth", "sessions", "current"]);
        let ended = self.empty(&call).await;
        self.keeper().store(None)?;
        ended
    }

    pub async fn me(&self) -> Result<Me, Error> {
        self.json(&Call::get(&["auth", "me"])).await
    }

    pub(super) async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Error> {
        let body = serde_json::json!({ "refresh_token": refresh_token });
        let call = Call::once(Method::POST, &["auth", "sessions:refresh"])
            .public()
            .json(&body)?;
        self.json(&call).await
    }
}
