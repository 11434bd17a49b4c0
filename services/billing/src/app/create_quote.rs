//! A customer asks for a firm price.

use chrono::{DateTime, Utc};
use fluxplane_core::{error::Violation, id::QuoteId};
use fluxplane_platform::db::idempotency;
use fluxplane_pricing::legacy::float::PriceError;
use sqlx::PgConnection;

use super::{Context, Error, rates};
use crate::{
    clients::scheduler::Scheduler,
    db,
    domain::{
        app::App,
        quote::{Quote, Running, WhatIf, offer},
        spec::{self, ReadSpec},
    },
};

#[derive(Debug)]
pub struct CreateQuote {
    /// Who asks.
    pub owner: String,
    pub spec_json: String,
    /// Name of the running application; empty for a registration.
    pub update_of: String,
}

/// Makes a quote, or returns the one made for the same key.
///
/// The scheduler is asked before the transaction begins, so that no connection waits for it. What it is asked for is
/// harmless when no quote comes of it: it keeps a name for its owner for a while.
pub async fn create_quote(
    ctx: &Context,
    scheduler: &Scheduler,
    idempotency: &idempotency::Request,
    command: CreateQuote,
) -> Result<Quote, Error> {
    if command.owner.is_empty() {
        let rule = "a quote is made for somebody";
        let violation = Violation::new("caller.principal", "", rule, "sign in");
        return Err(Error::Invalid(vec![violation]));
    }
    let mut conn = ctx.pool.acquire().await?;
    let made = idempotency::stored::<QuoteId, Error>(&mut conn, idempotency).await?;
    if let Some(id) = made {
        let quote = db::quotes::get(&mut conn, id).await?;
        return quote.ok_or(Error::NoQuote(id));
    }
    let asked = read(&mut conn, ctx, &command).await?;
    drop(conn);
    let prospect = look_ahead(ctx, scheduler, &command, &asked.spec.name).await?;
    let mut tx = ctx.begin().await?;
    let id: QuoteId = idempotency::once(&mut tx, idempotency, async |conn| {
        let quote = price(conn, ctx, command, asked, prospect).await?;
        db::quotes::insert(conn, &quote).await?;
        Ok::<_, Error>(quote.id)
    })
    .await?;
    let quote = db::quotes::get(&mut tx, id).await?;
    tx.commit().await?;
    ctx.metrics.quotes.inc();
    quote.ok_or(Error::NoQuote(id))
}

/// A specification, and the height by which it was judged.
struct Asked {
    spec: ReadSpec,
    height: u64,
}

async fn read(
    conn: &mut PgConnection,
    ctx: &Context,
    command: &CreateQuote,
) -> Result<Asked, Error> {
    let height = current_height(conn, ctx)
        .await?
        .ok_or(Error::HeightUnknown)?;
    let spec = spec::read(&command.spec_json, height).map_err(Error::Spec)?;
    running_app(conn, command, &spec).await?;
    // Without a rate there is no quote, and so nothing to keep a name for.
    rates::find(conn, ctx).await?;
    Ok(Asked { spec, height })
}

/// What the scheduler says and keeps.
struct Prospect {
    what_if: WhatIf,
    name_reserved_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

async fn look_ahead(
    ctx: &Context,
    scheduler: &Scheduler,
    command: &CreateQuote,
    name: &str,
) -> Result<Prospect, Error> {
    let created_at = ctx.clock.now();
    let expires_at = created_at + ctx.rules.quote_life;
    let CreateQuote {
        owner, spec_json, ..
    } = command;
    let what_if = scheduler.preview(owner, spec_json).await;
    let what_if = what_if.map_err(Error::Scheduler)?;
    let name_reserved_until = if command.update_of.is_empty() {
        let reserved = scheduler.reserve(owner, name, expires_at).await;
        reserved.map_err(Error::Scheduler)?
    } else {
        None
    };
    Ok(Prospect {
        what_if,
        name_reserved_until,
        created_at,
        expires_at,
    })
}

async fn price(
    conn: &mut PgConnection,
    ctx: &Context,
    command: CreateQuote,
    asked: Asked,
    prospect: Prospect,
) -> Result<Quote, Error> {
    let Asked { spec, height } = asked;
    let app = running_app(conn, &command, &spec).await?;
    let running = match &app {
        Some(app) => Some(running_revision(conn, app).await?),
        None => None,
    };
    let rate = rates::accept_now(conn, ctx).await?;
    let offer = offer(&spec, height, &rate, running.as_ref()).map_err(|err| no_price(&err))?;
    Ok(Quote {
        id: ctx.ids.next().into(),
        owner: command.owner,
        app_name: spec.name,
        spec: spec.canonical,
        spec_sha256: spec.sha256,
        replaces: running.map(|running| running.revision),
        offer,
        rate,
        height,
        instances: spec.instances,
        payment_address: ctx.rules.payment_address.clone(),
        what_if: Some(prospect.what_if),
        name_reserved_until: prospect.name_reserved_until,
        created_at: prospect.created_at,
        expires_at: prospect.expires_at,
    })
}

/// The height by which prices are made; `None` before the first block was heard of.
pub(super) async fn current_height(
    conn: &mut PgConnection,
    ctx: &Context,
) -> Result<Option<u64>, Error> {
    let tip = db::blocks::tip(conn).await?;
    Ok(tip.map(|tip| tip + ctx.rules.height_offset))
}

async fn running_app(
    conn: &mut PgConnection,
    command: &CreateQuote,
    spec: &ReadSpec,
) -> Result<Option<App>, Error> {
    let name = &command.update_of;
    if name.is_empty() {
        return Ok(None);
    }
    let invalid = |rule: &str, remedy: &str| {
        Error::Invalid(vec![Violation::new("update_of", name, rule, remedy)])
    };
    if *name != spec.name {
        let rule = format!(
            "an update keeps the name, and the specification says {}",
            spec.name
        );
        return Err(invalid(&rule, "use the same name in both"));
    }
    let app = db::apps::running(conn, name, &command.owner).await?;
    app.map(Some).ok_or_else(|| {
        let rule = "it must be an application of yours that runs";
        invalid(rule, "leave it out for a new application")
    })
}

pub(super) async fn running_revision(conn: &mut PgConnection, app: &App) -> Result<Running, Error> {
    let funded = db::revisions::funded(conn, app.id).await?;
    let updates = funded
        .iter()
        .filter(|revision| revision.number > 1)
        .map(|revision| revision.height)
        .collect();
    let current = funded
        .into_iter()
        .find(|revision| Some(revision.id) == app.running)
        .ok_or_else(|| Error::Inconsistent(format!("application {} runs no revision", app.id)))?;
    Ok(Running {
        revision: current.id,
        spec: spec::reread(&current.spec).map_err(Error::Inconsistent)?,
        height: current.height,
        updates,
    })
}

pub(super) fn no_price(err: &PriceError) -> Error {
    let rule = format!("FluxOS has no price for it: {err}");
    Error::Spec(vec![Violation::new(
        "spec",
        "",
        rule,
        "change it as the text says",
    )])
}
