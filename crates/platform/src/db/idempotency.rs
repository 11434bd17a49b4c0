//! Idempotency keys: a repeated request gets the first one's result and has no second effect.
//!
//! The key, the effect and the result commit together, so there is no "in progress" state: a concurrent twin waits on the
//! row until the first transaction ends. Needs READ COMMITTED.

use fluxplane_core::error::Violation;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

/// Longest key.
const MAX_KEY_CHARS: usize = 255;

/// Identifies a changing request: who, which key, and what exactly was asked.
#[derive(Debug, Clone)]
pub struct Request {
    principal: String,
    key: String,
    fingerprint: [u8; 32],
}

/// The key belongs to another request of the same principal.
#[derive(Debug, thiserror::Error)]
#[error("the idempotency key was used for another request")]
pub struct Reused;

impl Request {
    /// `message` is the request without what may differ between repetitions, such as the request id.
    pub fn new(
        principal: &str,
        key: &str,
        method: &str,
        message: &impl prost::Message,
    ) -> Result<Self, Violation> {
        let printable = key.chars().all(|c| c.is_ascii_graphic());
        if key.is_empty() || key.len() > MAX_KEY_CHARS || !printable {
            return Err(Violation::new(
                "Idempotency-Key",
                key,
                format!("a key is 1 to {MAX_KEY_CHARS} printable ASCII characters"),
                "send a fresh UUID with each new request and the same one when repeating it",
            ));
        }
        let mut hash = Sha256::new();
        hash.update(method.as_bytes());
        hash.update([0]);
        hash.update(message.encode_to_vec());
        Ok(Self {
            principal: principal.to_owned(),
            key: key.to_owned(),
            fingerprint: hash.finalize().into(),
        })
    }
}

/// Does `work` in the caller's transaction, once per key; a repetition gets the stored result.
pub async fn once<T, E, F>(conn: &mut PgConnection, request: &Request, work: F) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
    E: From<sqlx::Error> + From<Reused>,
    F: AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
{
    if let Some(stored) = begin(conn, request).await? {
        let stored = stored.ok_or(Reused)?;
        let value = serde_json::from_slice(&stored);
        return value.map_err(|err| sqlx::Error::Decode(Box::new(err)).into());
    }
    let value = work(conn).await?;
    let json = serde_json::to_vec(&value).map_err(|err| sqlx::Error::Encode(Box::new(err)))?;
    finish(conn, request, &json).await?;
    Ok(value)
}

/// The stored result of a request that was carried out before; claims nothing. For work that asks others before its own
/// transaction begins.
pub async fn stored<T, E>(conn: &mut PgConnection, request: &Request) -> Result<Option<T>, E>
where
    T: DeserializeOwned,
    E: From<sqlx::Error> + From<Reused>,
{
    let row = sqlx::query!(
        "SELECT fingerprint, reply FROM idempotency_key WHERE principal = $1 AND key = $2",
        request.principal,
        request.key,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.fingerprint != request.fingerprint {
        return Err(Reused.into());
    }
    let reply = row
        .reply
        .map(|reply| serde_json::from_slice(&reply))
        .transpose();
    reply.map_err(|err| sqlx::Error::Decode(Box::new(err)).into())
}

/// Claims the key. `None`: it is new. `Some(None)`: it belongs to another request. Otherwise the stored result.
async fn begin(
    conn: &mut PgConnection,
    request: &Request,
) -> sqlx::Result<Option<Option<Vec<u8>>>> {
    let inserted = sqlx::query!(
        r#"
        INSERT INTO idempotency_key (principal, key, fingerprint) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING
        "#,
        request.principal,
        request.key,
        &request.fingerprint,
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if inserted == 1 {
        return Ok(None);
    }
    let row = sqlx::query!(
        "SELECT fingerprint, reply FROM idempotency_key WHERE principal = $1 AND key = $2",
        request.principal,
        request.key,
    )
    .fetch_one(conn)
    .await?;
    Ok(Some(
        row.reply.filter(|_| row.fingerprint == request.fingerprint),
    ))
}

async fn finish(conn: &mut PgConnection, request: &Request, reply: &[u8]) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE idempotency_key SET reply = $3 WHERE principal = $1 AND key = $2",
        request.principal,
        request.key,
        reply,
    )
    .execute(conn)
    .await?;
    super::ensure_one_row(updated.rows_affected(), "finish idempotency key")
}
