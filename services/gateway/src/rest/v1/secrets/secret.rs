//! A secret as its owner sees it: everything but what it holds.

use chrono::{DateTime, Utc};
use fluxplane_proto::scheduler::v1 as wire;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::wire::{Malformed, time};

/// What a secret serves for.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// The value of an environment variable.
    Value,
    /// Who may pull from a registry of images.
    Registry,
}

/// A secret, without what it holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Secret {
    #[schema(example = "database-password")]
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

impl TryFrom<wire::Secret> for Secret {
    type Error = Malformed;

    fn try_from(secret: wire::Secret) -> Result<Self, Malformed> {
        let kind = match secret.kind() {
            wire::SecretKind::Value => SecretKind::Value,
            wire::SecretKind::Registry => SecretKind::Registry,
            wire::SecretKind::Unspecified => return Err(Malformed::value("kind", 0)),
        };
        Ok(Self {
            kind,
            version: secret.version,
            created_at: time("created_at", secret.created_at)?,
            updated_at: time("updated_at", secret.updated_at)?,
            used_by: secret.used_by,
            name: secret.name,
        })
    }
}
