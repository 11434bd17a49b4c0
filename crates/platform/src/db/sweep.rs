//! Forgets what can no longer be asked for.

use std::time::Duration;

use sqlx::{PgPool, postgres::types::PgInterval};

use crate::reconciler::{Progress, Reconciler};

/// A client that repeats a request after this long makes a new one.
const KEEP_REPLIES: Duration = Duration::from_hours(24);

/// Longer than any stream keeps events, so that no redelivery can come after.
const KEEP_CLAIMS: Duration = Duration::from_hours(14 * 24);

/// Deletes old idempotency keys and inbox rows.
#[derive(Debug, Clone)]
pub struct Sweeper {
    pub pool: PgPool,
}

impl Reconciler for Sweeper {
    const NAME: &'static str = "platform.sweeper";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let interval = |keep| PgInterval::try_from(keep).map_err(sqlx::Error::Encode);
        let keys = sqlx::query!(
            "DELETE FROM idempotency_key WHERE created_at < now() - $1::interval",
            interval(KEEP_REPLIES)?,
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        let claims = sqlx::query!(
            "DELETE FROM inbox WHERE applied_at < now() - $1::interval",
            interval(KEEP_CLAIMS)?,
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(Progress::done(format!(
            "forgot {keys} replies and {claims} claims"
        )))
    }
}
