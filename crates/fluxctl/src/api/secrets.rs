//! What owners entrust to the plane.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{Client, Error, call::Call, open_enum::open_enum, page::Listing};

open_enum! {
    /// What a secret serves for.
    SecretKind {
        Value = "value",
        Registry = "registry",
    }
}

/// A secret, without what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    pub name: String,
    pub kind: SecretKind,
    /// Grows with every value.
    pub version: u64,
    pub created_at: DateTime<Utc>,
    /// When it got its present value.
    pub updated_at: DateTime<Utc>,
    /// Living applications that name it.
    pub used_by: Vec<String>,
}

/// What a secret shall hold.
#[derive(Serialize)]
#[serde(untagged)]
pub enum SecretContent {
    Value {
        value: String,
    },
    Registry {
        #[serde(skip_serializing_if = "Option::is_none")]
        registry: Option<String>,
        username: String,
        password: String,
    },
}

impl Client {
    /// Stores a value under a name.
    pub async fn put_secret(&self, name: &str, content: &SecretContent) -> Result<Secret, Error> {
        let call = Call::change(Method::PUT, &["secrets", name], self.key()).json(content)?;
        self.json(&call).await
    }

    pub async fn secret(&self, name: &str) -> Result<Secret, Error> {
        self.json(&Call::get(&["secrets", name])).await
    }

    pub async fn secrets(&self, limit: u32) -> Result<Listing<Secret>, Error> {
        self.listing(Call::get(&["secrets"]), limit).await
    }

    /// Destroys a secret. Returns what it was.
    pub async fn delete_secret(&self, name: &str, force: bool) -> Result<Secret, Error> {
        let call = Call::change(Method::DELETE, &["secrets", name], self.key());
        let call = call.maybe("force", force.then_some(true));
        self.json(&call).await
    }
}
