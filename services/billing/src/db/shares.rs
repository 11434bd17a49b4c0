//! The parameters of sharing.

use chrono::{DateTime, Utc};
use fluxplane_ledger::share::{ShareTable, TierWeights};
use fluxplane_platform::db::columns::small;
use sqlx::PgConnection;

/// The table in force at a time; the first one before any is.
pub async fn in_force(conn: &mut PgConnection, at: DateTime<Utc>) -> sqlx::Result<ShareTable> {
    let row = sqlx::query!(
        r#"
        SELECT version, starts_at, first_part, yearly_growth, last_part, online_part, cumulus, nimbus, stratus
        FROM share_table ORDER BY in_force_from <= $1 DESC,
            CASE WHEN in_force_from <= $1 THEN in_force_from END DESC, in_force_from LIMIT 1
        "#,
        at,
    )
    .fetch_one(conn)
    .await?;
    let part = |column, value: i32| small("share_table", column, row.version, value);
    Ok(ShareTable {
        version: part("version", row.version)?,
        starts_at: row.starts_at,
        first_part: part("first_part", row.first_part)?,
        yearly_growth: part("yearly_growth", row.yearly_growth)?,
        last_part: part("last_part", row.last_part)?,
        online_part: part("online_part", row.online_part)?,
        tier_weights: TierWeights {
            cumulus: part("cumulus", row.cumulus)?,
            nimbus: part("nimbus", row.nimbus)?,
            stratus: part("stratus", row.stratus)?,
        },
    })
}
