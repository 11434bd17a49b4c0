//! A customer asks for a firm price.

use fluxplane_core::{error::Violation, id::QuoteId};
use fluxplane_platform::db::idempotency;
use fluxplane_pricing::legacy::float::PriceError;
use sqlx::PgConnection;

use super::{Context, Error};
use crate::{
    db,
    domain::{
        app::App,
        quote::{Quote, Running, offer},
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
pub async fn create_quote(
    ctx: &Context,
    idempotency: &idempotency::Request,
    command: CreateQuote,
) -> Result<Quote, Error> {
    if command.owner.is_empty() {
        let rule = "a quote is made for somebody";
        let violation = Violation::new("caller.principal", "", rule, "sign in");
        return Err(Error::Invalid(vec![violation]));
    }
    let mut tx = ctx.begin().await?;
    let id: QuoteId = idempotency::once(&mut tx, idempotency, async |conn| {
        let quote = price(conn, ctx, command).await?;
        db::quotes::insert(conn, &quote).await?;
        Ok::<_, Error>(quote.id)
    })
    .await?;
    let quote = db::quotes::get(&mut tx, id).await?;
    tx.commit().await?;
    ctx.metrics.quotes.inc();
    quote.ok_or(Error::NoQuote(id))
}

async fn price(
    conn: &mut PgConnection,
    ctx: &Context,
    command: CreateQuote,
) -> Result<Quote, Error> {
    let rules = &ctx.rules;
    let height = current_height(conn, ctx)
        .await?
        .ok_or(Error::HeightUnknown)?;
    let spec = spec::read(&command.spec_json, height).map_err(Error::Spec)?;
    let app = running_app(conn, &command, &spec).await?;
    let running = match &app {
        Some(app) => Some(running_revision(conn, app).await?),
        None => None,
    };
    let offer =
        offer(&spec, height, &rules.rate, running.as_ref()).map_err(|err| no_price(&err))?;
    let now = ctx.clock.now();
    Ok(Quote {
        id: ctx.ids.next().into(),
        owner: command.owner,
        app_name: spec.name,
        spec: spec.canonical,
        spec_sha256: spec.sha256,
        replaces: running.map(|running| running.revision),
        offer,
        rate: rules.rate.clone(),
        height,
        instances: spec.instances,
        payment_address: rules.payment_address.clone(),
        created_at: now,
        expires_at: now + rules.quote_life,
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

async fn running_revision(conn: &mut PgConnection, app: &App) -> Result<Running, Error> {
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

fn no_price(err: &PriceError) -> Error {
    let rule = format!("FluxOS has no price for it: {err}");
    Error::Spec(vec![Violation::new(
        "spec",
        "",
        rule,
        "change it as the text says",
    )])
}
