//! The published leaves of closed epochs.

use fluxplane_platform::db::columns::bigint;
use sqlx::PgConnection;

/// Leaves per statement: large enough to be quick, small enough to bound memory.
const BATCH: usize = 20_000;

/// Stores the leaves of an epoch in tree order.
pub async fn insert(conn: &mut PgConnection, epoch: u64, leaves: &[Vec<u8>]) -> sqlx::Result<()> {
    let mut first = 0_i64;
    for batch in leaves.chunks(BATCH) {
        let inserted = sqlx::query!(
            r#"
            INSERT INTO leaf (epoch, index, body)
            SELECT $1, $2 + place - 1, body FROM unnest($3::bytea[]) WITH ORDINALITY AS new (body, place)
            "#,
            bigint(epoch),
            first,
            batch,
        )
        .execute(&mut *conn)
        .await?;
        first += bigint(inserted.rows_affected());
    }
    Ok(())
}

/// Leaves from an index on, in tree order.
pub async fn range(
    conn: &mut PgConnection,
    epoch: u64,
    first: u64,
    limit: i64,
) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar!(
        "SELECT body FROM leaf WHERE epoch = $1 AND index >= $2 ORDER BY index LIMIT $3",
        bigint(epoch),
        bigint(first),
        limit,
    )
    .fetch_all(conn)
    .await
}
