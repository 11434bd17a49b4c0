//! A quote keeps a name for whoever asked for it.

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::error::Violation;

use super::{Context, Error};
use crate::{db, domain::Refusal};

/// Longest time a name may be kept at once.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// Keeps a name for an owner. `None`: a living application of the owner has it.
pub async fn reserve_name(
    ctx: &Context,
    owner: &str,
    name: &str,
    until: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Error> {
    let now = ctx.clock.now();
    if until <= now || until > now + LONGEST {
        let rule = format!(
            "a name is kept for at most {} hours from now on",
            LONGEST.num_hours()
        );
        let remedy = "name a moment soon";
        let violation = Violation::new("until", until, rule, remedy);
        return Err(Refusal::invalid(violation).into());
    }
    let mut tx = fluxplane_platform::db::begin(&ctx.pool).await?;
    db::reservations::lock_name(&mut tx, name).await?;
    let app = db::apps::by_name(&mut tx, name, None).await?;
    if let Some(app) = app.filter(|app| app.ended_at.is_none()) {
        if app.owner == owner {
            return Ok(None);
        }
        return Err(Refusal::name_taken(name).into());
    }
    if let Some(until) = db::reservations::held_by_another(&mut tx, name, owner, now).await? {
        return Err(Refusal::name_reserved(name, until).into());
    }
    let limit = ctx.limits.reserved_per_owner;
    if db::reservations::count_others(&mut tx, name, owner, now).await? >= i64::from(limit) {
        return Err(Refusal::too_many_reserved(owner, limit).into());
    }
    let until = db::reservations::put(&mut tx, name, owner, until).await?;
    tx.commit().await.map_err(Error::Commit)?;
    Ok(Some(until))
}
