//! Questions of owners, and of everybody about published applications.

use fluxplane_core::id::{AppId, InstanceId};
use fluxplane_platform::db::{Inconsistency, paging::Page};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Context, Error};
use crate::{
    db::{self, instances::Located, published::StoredMessage, timeline::StoredEntry},
    domain::{
        App, Refusal,
        app::{Details, Published},
        published::{Location, PublishedMessage, Wanted},
    },
};

/// Most instances in one answer: every one that lives, and the newest of those that are over.
const MAX_INSTANCES: i64 = 500;

/// Most timeline entries read at once.
pub const TIMELINE_BATCH: i64 = 200;

/// An application of the caller.
pub async fn get_app(ctx: &Context, owner: &str, name: &str) -> Result<Details, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let app = find(&mut conn, owner, name).await?;
    details_of(ctx, &mut conn, app).await
}

/// One page of the caller's applications and the cursor of the next.
pub async fn list_apps(
    ctx: &Context,
    owner: &str,
    page: &Page<Uuid>,
) -> Result<(Vec<Details>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut apps = db::apps::list(&mut conn, owner, page).await?;
    let cursor = page.cut(&mut apps, |app| app.id.uuid());
    Ok((with_revisions(ctx, &mut conn, apps).await?, cursor))
}

/// Instances of an application of the caller.
pub async fn list_instances(
    ctx: &Context,
    owner: &str,
    name: &str,
    include_ended: bool,
) -> Result<Vec<Located>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let app = find(&mut conn, owner, name).await?;
    let mut instances =
        db::instances::list(&mut conn, app.id, include_ended, MAX_INSTANCES).await?;
    let current = db::revisions::by_number(&mut conn, app.id, app.current).await?;
    // An instance whose containers are those of the current revision is one of it, whenever it was started.
    if let Some(current) = current.filter(|current| current.revision.funded_at.is_some()) {
        let current = current.revision;
        let same = |located: &&mut Located| {
            located.copy.is_live() && located.copy.rollout == current.rollout
        };
        for located in instances.iter_mut().filter(same) {
            located.copy.number = current.number;
            located.copy.instance.revision = current.id;
        }
    }
    Ok(instances)
}

/// The application whose timeline the caller may watch.
pub async fn watched(ctx: &Context, owner: &str, name: &str) -> Result<AppId, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(find(&mut conn, owner, name).await?.id)
}

/// The next entries of a timeline, oldest first.
pub async fn timeline_after(
    ctx: &Context,
    app: AppId,
    sequence: u64,
) -> Result<Vec<StoredEntry>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    Ok(db::timeline::after(&mut conn, app, sequence, TIMELINE_BATCH).await?)
}

/// A decision as JSON, and in words.
#[derive(Debug)]
pub struct Explained {
    pub record_json: String,
    pub explanation: String,
}

/// Why an instance of the caller is where it is, or why it waits.
pub async fn get_decision(
    ctx: &Context,
    owner: &str,
    instance: InstanceId,
) -> Result<Explained, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let (record, node) = db::decisions::of_instance(&mut conn, instance, owner)
        .await?
        .ok_or_else(|| Refusal::no_instance(instance))?;
    let chosen = node.and_then(|node| record.explain(node));
    let explanation = match (chosen, &record.pending) {
        (Some(chosen), _) => chosen.text,
        (None, Some(pending)) => pending.to_string(),
        (None, None) => "The record does not name the node of this instance.".to_owned(),
    };
    let record_json =
        serde_json::to_string(&record).map_err(|err| sqlx::Error::Encode(Box::new(err)))?;
    Ok(Explained {
        record_json,
        explanation,
    })
}

/// One page of the messages of published applications, and the cursor of the next.
pub async fn list_published_messages(
    ctx: &Context,
    wanted: &Wanted,
    page: &Page<Uuid>,
) -> Result<(Vec<PublishedMessage>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut stored = db::published::messages(&mut conn, wanted, page).await?;
    let cursor = page.cut(&mut stored, |one| one.message.revision.uuid());
    let sealed = stored.iter().filter_map(|one| one.spec.sealed());
    let keys = ctx.vault.keys_for(&mut conn, sealed).await?;
    let messages = stored.into_iter().map(|one| {
        let StoredMessage { mut message, spec } = one;
        message.spec_json = keys.spec(spec, &message.owner, message.revision)?;
        Ok(message)
    });
    Ok((messages.collect::<Result<_, Error>>()?, cursor))
}

/// One page of the places where published applications run, and the cursor of the next.
pub async fn list_published_instances(
    ctx: &Context,
    name: &str,
    page: &Page<Uuid>,
) -> Result<(Vec<Location>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut locations = db::published::locations(&mut conn, name, page).await?;
    let cursor = page.cut(&mut locations, |location| location.instance.uuid());
    Ok((locations, cursor))
}

async fn find(conn: &mut PgConnection, owner: &str, name: &str) -> Result<App, Error> {
    let found = db::apps::by_name(conn, name, Some(owner)).await?;
    Ok(found.ok_or_else(|| Refusal::no_app(name))?)
}

/// An application with its revisions.
pub(super) async fn details_of(
    ctx: &Context,
    conn: &mut PgConnection,
    app: App,
) -> Result<Details, Error> {
    let name = app.name.clone();
    let mut details = with_revisions(ctx, conn, vec![app]).await?;
    Ok(details.pop().ok_or_else(|| Refusal::no_app(&name))?)
}

/// Puts the specifications back into an answer that was kept for a repeated request: there it is without them.
pub(super) async fn restore_specs(
    ctx: &Context,
    conn: &mut PgConnection,
    details: &mut Details,
) -> Result<(), Error> {
    let revisions = [Some(&mut details.current), details.pending.as_mut()];
    for published in revisions.into_iter().flatten() {
        if published.spec_json.is_empty() {
            let number = published.revision.number;
            let stored = db::revisions::by_number(conn, details.app.id, number).await?;
            let found = ctx
                .vault
                .publish(conn, stored.into_iter().collect())
                .await?;
            if let Some(found) = found.into_iter().next() {
                published.spec_json = found.spec_json;
            }
        }
    }
    Ok(())
}

async fn with_revisions(
    ctx: &Context,
    conn: &mut PgConnection,
    apps: Vec<App>,
) -> Result<Vec<Details>, Error> {
    let wanted: Vec<(AppId, u32)> = apps
        .iter()
        .flat_map(|app| {
            let pending = app.pending.map(|number| (app.id, number));
            [Some((app.id, app.current)), pending].into_iter().flatten()
        })
        .collect();
    let stored = db::revisions::of_apps(conn, &wanted).await?;
    let owners: Vec<AppId> = stored.iter().map(|one| one.app).collect();
    let published = ctx.vault.publish(conn, stored).await?;
    let revisions: Vec<(AppId, Published)> = owners.into_iter().zip(published).collect();
    let find = |app: AppId, number: u32| {
        let of = revisions
            .iter()
            .find(|(id, published)| *id == app && published.revision.number == number);
        of.map(|(_, published)| published.clone())
    };
    let details = apps.into_iter().map(|app| {
        let missing = || Inconsistency::new("app", "current_number", app.id, app.current);
        Ok(Details {
            current: find(app.id, app.current)
                .ok_or_else(missing)
                .map_err(sqlx::Error::from)?,
            pending: app.pending.and_then(|number| find(app.id, number)),
            app,
        })
    });
    details.collect()
}
