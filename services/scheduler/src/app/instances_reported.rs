//! A node said what it runs.

use std::collections::BTreeSet;

use fluxplane_core::id::AppId;
use sqlx::PgConnection;

use super::{Context, Error};
use crate::{
    db,
    domain::{
        Copy, Entry, Instance,
        observe::{Report, observe},
    },
};

/// Takes over what a report says, in the transaction of the event's consumer. Most reports say nothing new; those take no
/// lock.
pub async fn instances_reported(
    conn: &mut PgConnection,
    ctx: &Context,
    report: &Report,
) -> Result<(), Error> {
    let now = ctx.clock.now();
    let known = db::instances::on_node(conn, report.node).await?;
    let apps: BTreeSet<AppId> = changed(&known, report, now)
        .iter()
        .map(|(instance, _)| instance.app)
        .collect();
    if apps.is_empty() {
        return Ok(());
    }
    let apps: Vec<AppId> = apps.into_iter().collect();
    db::apps::attend(conn, &apps, now).await?;
    // Read again, now that nobody else changes them.
    let mut known = db::instances::on_node(conn, report.node).await?;
    known.retain(|copy| apps.contains(&copy.instance.app));
    let changes = changed(&known, report, now);
    let instances: Vec<&Instance> = changes.iter().map(|(instance, _)| instance).collect();
    db::instances::update(conn, &instances).await?;
    let entries: Vec<(AppId, Entry)> = changes
        .iter()
        .flat_map(|(instance, entries)| entries.iter().map(|entry| (instance.app, entry.clone())))
        .collect();
    db::timeline::append(conn, now, &entries).await?;
    Ok(())
}

fn changed(
    copies: &[Copy],
    report: &Report,
    now: chrono::DateTime<chrono::Utc>,
) -> Vec<(Instance, Vec<Entry>)> {
    copies
        .iter()
        .filter_map(|copy| observe(&copy.instance, copy.number, report, now))
        .collect()
}
