//! How many nodes came and went in each block.

use fluxplane_core::Tier;
use sqlx::PgConnection;

use super::columns::{Column, int};
use crate::domain::{BlockEffects, turnover::Turnover};

/// Stores the turnover of blocks.
pub async fn insert(conn: &mut PgConnection, effects: &[BlockEffects]) -> sqlx::Result<()> {
    let Some(first) = effects.first() else {
        return Ok(());
    };
    sqlx::query!(
        "INSERT INTO fluxnode_log (turnover_from) VALUES ($1) ON CONFLICT DO NOTHING",
        int(first.block.height)?,
    )
    .execute(&mut *conn)
    .await?;
    let rows: Vec<(u32, &Tier, &Turnover)> = effects
        .iter()
        .flat_map(|block| {
            let height = block.block.height;
            let tiers = block.turnover.iter();
            tiers.map(move |(tier, turnover)| (height, tier, turnover))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let tiers: Vec<i16> = rows.iter().map(|row| i16::from(row.1.number())).collect();
    let ints = |field: fn(&(u32, &Tier, &Turnover)) -> u32| -> sqlx::Result<Vec<i32>> {
        rows.iter().map(|row| int(field(row))).collect()
    };
    sqlx::query!(
        r#"
        INSERT INTO fluxnode_turnover (height, tier, started, confirmed, expired, spent, dos)
        SELECT * FROM unnest(
            $1::integer[], $2::smallint[], $3::integer[], $4::integer[], $5::integer[],
            $6::integer[], $7::integer[])
        "#,
        &ints(|row| row.0)?,
        &tiers,
        &ints(|row| row.2.started)?,
        &ints(|row| row.2.confirmed)?,
        &ints(|row| row.2.expired)?,
        &ints(|row| row.2.spent)?,
        &ints(|row| row.2.dos)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets the turnover of a block that is undone.
pub async fn delete(conn: &mut PgConnection, height: u32) -> sqlx::Result<()> {
    let height = int(height)?;
    sqlx::query!("DELETE FROM fluxnode_turnover WHERE height = $1", height)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "UPDATE fluxnode_log SET turnover_from = $1 WHERE turnover_from > $1",
        height,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first block whose turnover was counted.
pub async fn counted_from(conn: &mut PgConnection) -> sqlx::Result<Option<u32>> {
    let from = sqlx::query_scalar!("SELECT turnover_from FROM fluxnode_log")
        .fetch_optional(conn)
        .await?;
    let column = Column("fluxnode_log", "turnover_from");
    Ok(from.map(|from| column.uint("log", from)).transpose()?)
}

/// The turnover of the blocks after `from` up to `to`.
pub async fn sum(
    conn: &mut PgConnection,
    from: u32,
    to: u32,
) -> sqlx::Result<Vec<(Tier, Turnover)>> {
    let rows = sqlx::query!(
        r#"
        SELECT tier, sum(started) AS "started!", sum(confirmed) AS "confirmed!",
               sum(expired) AS "expired!", sum(spent) AS "spent!", sum(dos) AS "dos!"
        FROM fluxnode_turnover WHERE height > $1 AND height <= $2 GROUP BY tier
        "#,
        int(from)?,
        int(to)?,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let column = |name| Column("fluxnode_turnover", name);
            let tier = u8::try_from(row.tier).ok().and_then(Tier::from_number);
            let tier = tier.ok_or_else(|| column("tier").wrong("sum", row.tier))?;
            let count =
                |name, sum: i64| u32::try_from(sum).map_err(|_| column(name).wrong("sum", sum));
            let turnover = Turnover {
                started: count("started", row.started)?,
                confirmed: count("confirmed", row.confirmed)?,
                expired: count("expired", row.expired)?,
                spent: count("spent", row.spent)?,
                dos: count("dos", row.dos)?,
            };
            Ok((tier, turnover))
        })
        .collect()
}
