//! Seals what is private before it is stored, and opens what was.
//!
//! Keys of owners are read with the values they open and forgotten after: unwrapping one takes a microsecond, and nothing has
//! to be told when one changes.

use std::{collections::HashMap, sync::Arc};

use fluxplane_core::{Clock, IdSource, id::RevisionId};
use fluxplane_envelope::{Entropy, OpenError, RootRing, Row, TenantKey, Zeroizing, key_of};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Error;
use crate::{
    db::{
        self,
        keys::Wrapped,
        revisions::{Stored, StoredSpec},
    },
    domain::{app::Published, private::Environments},
    service::STORE,
};

/// What everything sealed here is bound to, besides its row.
const SPEC: &str = "revision.spec";
const ENVIRONMENTS: &str = "revision.private";
const SECRET: &str = "secret";

/// A revision has one specification and one set of environments.
const ONLY: u64 = 1;

/// Holds the root keys.
#[derive(Debug, Clone)]
pub struct Vault {
    pub ring: Arc<RootRing>,
    pub entropy: Arc<dyn Entropy>,
}

/// The keys of several owners.
#[derive(Debug, Default)]
pub struct Keys(HashMap<Uuid, TenantKey>);

/// A revision's place.
pub fn spec_row(owner: &str, id: RevisionId) -> Row<'_> {
    row(SPEC, owner, id.uuid(), ONLY)
}

pub fn environments_row(owner: &str, id: RevisionId) -> Row<'_> {
    row(ENVIRONMENTS, owner, id.uuid(), ONLY)
}

pub fn secret_row(owner: &str, id: Uuid, version: u64) -> Row<'_> {
    row(SECRET, owner, id, version)
}

const fn row<'a>(table: &'a str, tenant: &'a str, row: Uuid, version: u64) -> Row<'a> {
    Row {
        schema: STORE.schema,
        table,
        tenant,
        row,
        version,
    }
}

/// What is private about a revision, sealed.
pub struct SealedRevision {
    pub spec: Vec<u8>,
    pub environments: Option<Vec<u8>>,
}

impl Vault {
    /// The key of an owner; the first time, a new one.
    pub async fn key(
        &self,
        conn: &mut PgConnection,
        owner: &str,
        ids: &dyn IdSource,
        clock: &dyn Clock,
    ) -> Result<TenantKey, Error> {
        if let Some(known) = db::keys::of_tenant(conn, owner).await? {
            return self.unwrap(&known);
        }
        let key = TenantKey::generate(ids.next(), self.entropy.as_ref())?;
        let fresh = Wrapped {
            id: key.id(),
            tenant: owner.to_owned(),
            wrapped: key.wrap(&self.ring, owner, self.entropy.as_ref())?,
        };
        db::keys::insert(conn, &fresh, self.ring.active(), clock.now()).await?;
        // Somebody else may have been first.
        let stored = db::keys::of_tenant(conn, owner).await?;
        stored.map_or(Ok(key), |stored| self.unwrap(&stored))
    }

    /// The keys that open these values.
    pub async fn keys_for<'a>(
        &self,
        conn: &mut PgConnection,
        sealed: impl Iterator<Item = &'a [u8]> + Send,
    ) -> Result<Keys, Error> {
        let mut ids = sealed
            .map(|sealed| key_of(sealed).map_err(|err| broken("a sealed value", err)))
            .collect::<Result<Vec<_>, _>>()?;
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Keys::default());
        }
        let found = db::keys::by_id(conn, &ids).await?;
        let keys = found.iter().map(|wrapped| {
            let key = self.unwrap(wrapped)?;
            Ok((wrapped.id, key))
        });
        Ok(Keys(keys.collect::<Result<_, Error>>()?))
    }

    /// Wraps a key with the root key that wraps now.
    pub fn rewrap(&self, wrapped: &Wrapped) -> Result<Vec<u8>, Error> {
        let key = self.unwrap(wrapped)?;
        Ok(key.wrap(&self.ring, &wrapped.tenant, self.entropy.as_ref())?)
    }

    fn unwrap(&self, wrapped: &Wrapped) -> Result<TenantKey, Error> {
        let Wrapped {
            id,
            tenant,
            wrapped,
        } = wrapped;
        TenantKey::unwrap(wrapped, &self.ring, tenant, *id)
            .map_err(|err| broken("the key of an owner", err))
    }

    pub fn seal_revision(
        &self,
        key: &TenantKey,
        owner: &str,
        id: RevisionId,
        spec_json: &str,
        environments: &Environments,
    ) -> Result<SealedRevision, Error> {
        let entropy = self.entropy.as_ref();
        let spec = key.seal(&spec_row(owner, id), spec_json.as_bytes(), entropy)?;
        let environments = if environments.is_empty() {
            None
        } else {
            let json = serde_json::to_vec(environments);
            let json = json.map_err(|err| sqlx::Error::Encode(Box::new(err)))?;
            let json = Zeroizing::new(json);
            Some(key.seal(&environments_row(owner, id), &json, entropy)?)
        };
        Ok(SealedRevision { spec, environments })
    }

    /// Revisions with their specifications.
    pub async fn publish(
        &self,
        conn: &mut PgConnection,
        stored: Vec<Stored>,
    ) -> Result<Vec<Published>, Error> {
        let sealed = stored.iter().filter_map(|one| one.spec.sealed());
        let keys = self.keys_for(conn, sealed).await?;
        stored
            .into_iter()
            .map(|one| {
                let spec_json = keys.spec(one.spec, &one.revision.owner, one.revision.id)?;
                Ok(Published {
                    revision: one.revision,
                    spec_json,
                })
            })
            .collect()
    }
}

impl StoredSpec {
    /// What needs a key.
    pub fn sealed(&self) -> Option<&[u8]> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::Clear(_) | Self::Gone => None,
        }
    }
}

impl Keys {
    pub fn open(&self, row: &Row<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let id = key_of(sealed).map_err(|err| broken("a sealed value", err))?;
        let key = self
            .0
            .get(&id)
            .ok_or_else(|| broken("a sealed value", OpenError::OtherKey))?;
        key.open(row, sealed)
            .map_err(|err| broken("a sealed value", err))
    }

    /// Canonical JSON; empty when it was destroyed.
    pub fn spec(&self, stored: StoredSpec, owner: &str, id: RevisionId) -> Result<String, Error> {
        match stored {
            StoredSpec::Clear(text) => Ok(text),
            StoredSpec::Gone => Ok(String::new()),
            StoredSpec::Sealed(sealed) => {
                let text = self.open(&spec_row(owner, id), &sealed)?;
                String::from_utf8(text.to_vec())
                    .map_err(|err| sqlx::Error::Decode(Box::new(err)).into())
            }
        }
    }

    pub fn environments(
        &self,
        sealed: &[u8],
        owner: &str,
        id: RevisionId,
    ) -> Result<Environments, Error> {
        let json = self.open(&environments_row(owner, id), sealed)?;
        serde_json::from_slice(&json)
            // The cause would repeat what it could not read.
            .map_err(|_| broken("the environment of a revision", OpenError::Format))
    }
}

const fn broken(what: &'static str, err: OpenError) -> Error {
    Error::Sealed(what, err)
}
