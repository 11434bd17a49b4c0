//! Takes a block back, so that no row tells that it ever was there.

use sqlx::PgConnection;

use crate::db::columns::int;

/// Undoes the block at the tip.
pub async fn block(conn: &mut PgConnection, height: u32) -> sqlx::Result<()> {
    let height = int(height)?;
    let touched = sqlx::query_scalar!(
        r#"
        SELECT account AS "account!" FROM output WHERE height = $1
        UNION
        SELECT account FROM output WHERE spent_height = $1
        "#,
        height,
    )
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        UPDATE output SET spent_height = NULL, spent_position = NULL, spent_vin = NULL
        WHERE spent_height = $1
        "#,
        height,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("DELETE FROM output WHERE height = $1", height)
        .execute(&mut *conn)
        .await?;
    take_back_entries(conn, height, &touched).await?;
    sqlx::query!("DELETE FROM block_supply WHERE height = $1", height)
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes what the block did to these scripts, and the scripts that only it paid. The last of them have the highest numbers, so
/// the numbers go on as if they had never been given.
async fn take_back_entries(
    conn: &mut PgConnection,
    height: i32,
    accounts: &[i32],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        WITH gone AS (
            SELECT account, sum(received_sat)::bigint AS received, sum(sent_sat)::bigint AS sent,
                   count(*)::integer AS transactions
            FROM account_entry WHERE account = ANY($2) AND height = $1 GROUP BY account
        )
        UPDATE balance b SET
            received_sat = b.received_sat - gone.received, sent_sat = b.sent_sat - gone.sent,
            transactions = b.transactions - gone.transactions,
            last_height = before.last_height
        FROM gone CROSS JOIN LATERAL (
            SELECT e.height AS last_height FROM account_entry e
            WHERE e.account = gone.account AND e.height < $1
            ORDER BY e.height DESC, e.position DESC LIMIT 1
        ) before
        WHERE b.account = gone.account
        "#,
        height,
        accounts,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM balance WHERE account = ANY($2) AND first_height = $1",
        height,
        accounts,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        DELETE FROM account a WHERE id = ANY($1)
          AND NOT EXISTS (SELECT 1 FROM balance b WHERE b.account = a.id)
        "#,
        accounts,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM account_entry WHERE account = ANY($2) AND height = $1",
        height,
        accounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}
