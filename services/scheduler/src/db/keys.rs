//! Keys of owners, wrapped.

use chrono::{DateTime, Utc};
use fluxplane_platform::db::ensure_one_row;
use sqlx::PgConnection;
use uuid::Uuid;

/// A key as it is stored.
#[derive(Debug, Clone)]
pub struct Wrapped {
    pub id: Uuid,
    /// Wallet address.
    pub tenant: String,
    pub wrapped: Vec<u8>,
}

/// The key of an owner, if there is one yet.
pub async fn of_tenant(conn: &mut PgConnection, tenant: &str) -> sqlx::Result<Option<Wrapped>> {
    sqlx::query_as!(
        Wrapped,
        "SELECT id, tenant, wrapped FROM tenant_key WHERE tenant = $1",
        tenant,
    )
    .fetch_optional(conn)
    .await
}

/// Several keys by their ids.
pub async fn by_id(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Wrapped>> {
    sqlx::query_as!(
        Wrapped,
        "SELECT id, tenant, wrapped FROM tenant_key WHERE id = ANY($1)",
        ids,
    )
    .fetch_all(conn)
    .await
}

/// Stores the first key of an owner, unless somebody else just did.
pub async fn insert(
    conn: &mut PgConnection,
    key: &Wrapped,
    root_version: u32,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO tenant_key (id, tenant, wrapped, root_version, created_at, wrapped_at)
        VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (tenant) DO NOTHING
        "#,
        key.id,
        key.tenant,
        key.wrapped,
        i64::from(root_version),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keys that another root key wrapped, locked until the transaction ends; those that another replica has are left out.
pub async fn wrapped_by_others(
    conn: &mut PgConnection,
    root_version: u32,
    limit: i64,
) -> sqlx::Result<Vec<Wrapped>> {
    sqlx::query_as!(
        Wrapped,
        r#"
        SELECT id, tenant, wrapped FROM tenant_key WHERE root_version <> $1
        ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
        "#,
        i64::from(root_version),
        limit,
    )
    .fetch_all(conn)
    .await
}

pub async fn count_wrapped_by_others(
    conn: &mut PgConnection,
    root_version: u32,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM tenant_key WHERE root_version <> $1"#,
        i64::from(root_version),
    )
    .fetch_one(conn)
    .await
}

/// Writes a locked key that was wrapped anew.
pub async fn rewrap(
    conn: &mut PgConnection,
    id: Uuid,
    wrapped: &[u8],
    root_version: u32,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE tenant_key SET wrapped = $2, root_version = $3, wrapped_at = $4 WHERE id = $1",
        id,
        wrapped,
        i64::from(root_version),
        now,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "wrap a key anew")
}
