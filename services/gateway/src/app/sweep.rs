//! Forgets what is over.

use chrono::TimeDelta;
use fluxplane_platform::db as platform_db;

use super::{Context, Error};
use crate::db;

/// How long ended sessions stay visible to whoever looks into an incident.
const KEEP_SESSIONS: TimeDelta = TimeDelta::days(30);

/// How long calls that proved nobody stay in the audit trail. They cost an attacker nothing, so they may not pile up.
const KEEP_NAMELESS_CALLS: TimeDelta = TimeDelta::days(7);

/// What one sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    pub challenges: u64,
    pub sessions: u64,
    pub calls: u64,
}

pub async fn sweep(ctx: &Context) -> Result<Swept, Error> {
    let now = ctx.clock.now();
    let mut tx = platform_db::begin(&ctx.pool).await?;
    let swept = Swept {
        challenges: db::challenges::delete_expired(&mut tx, now).await?
            + db::login_phrases::delete_expired(&mut tx, now).await?,
        sessions: db::sessions::forget(&mut tx, now - KEEP_SESSIONS).await?,
        calls: db::audit::forget_nameless(&mut tx, now - KEEP_NAMELESS_CALLS).await?,
    };
    tx.commit().await?;
    Ok(swept)
}
