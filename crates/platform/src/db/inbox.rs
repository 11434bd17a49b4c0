//! Which events were applied already.

use sqlx::PgConnection;
use uuid::Uuid;

/// Whether an event is new to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    New,
    AppliedBefore,
}

/// Claims an event for `consumer` in the caller's transaction; the claim lasts if that commits.
///
/// A concurrent twin waits here until the first transaction ends.
pub async fn claim(conn: &mut PgConnection, consumer: &str, event_id: Uuid) -> sqlx::Result<Claim> {
    let inserted = sqlx::query!(
        "INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        consumer,
        event_id,
    )
    .execute(conn)
    .await?
    .rows_affected();
    Ok(if inserted == 1 {
        Claim::New
    } else {
        Claim::AppliedBefore
    })
}
