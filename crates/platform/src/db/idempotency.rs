//! Idempotency keys: a repeated request gets the first one's reply and has no second effect.
//!
//! The key, the effect and the reply commit together, so there is no "in progress" state: a concurrent twin waits on the
//! row until the first transaction ends. Needs READ COMMITTED.

use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Begin {
    /// First time: do the work, then [`finish`].
    Proceed,
    /// Done before: answer this.
    Replay(Vec<u8>),
    /// The key belongs to another request.
    Mismatch,
}

/// Identifies a request's content.
pub fn fingerprint(method: &str, request: &impl prost::Message) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(method.as_bytes());
    hash.update([0]);
    hash.update(request.encode_to_vec());
    hash.finalize().into()
}

/// Claims `key` for the caller's transaction.
pub async fn begin(
    conn: &mut PgConnection,
    principal: &str,
    key: &str,
    fingerprint: &[u8; 32],
) -> sqlx::Result<Begin> {
    let inserted = sqlx::query!(
        r#"
        INSERT INTO idempotency_key (principal, key, fingerprint) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING
        "#,
        principal,
        key,
        fingerprint,
    )
    .execute(&mut *conn)
    .await?
    .rows_affected();
    if inserted == 1 {
        return Ok(Begin::Proceed);
    }
    let row = sqlx::query!(
        "SELECT fingerprint, reply FROM idempotency_key WHERE principal = $1 AND key = $2",
        principal,
        key,
    )
    .fetch_one(conn)
    .await?;
    Ok(match row.reply {
        Some(reply) if row.fingerprint == fingerprint => Begin::Replay(reply),
        _ => Begin::Mismatch,
    })
}

/// Stores the reply of the work done under `key`, in the same transaction.
pub async fn finish(
    conn: &mut PgConnection,
    principal: &str,
    key: &str,
    reply: &impl prost::Message,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE idempotency_key SET reply = $3 WHERE principal = $1 AND key = $2",
        principal,
        key,
        reply.encode_to_vec(),
    )
    .execute(conn)
    .await?;
    super::ensure_one_row(updated.rows_affected(), "finish idempotency key")
}
