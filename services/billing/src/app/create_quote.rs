//! A customer asks for a firm price.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Sat,
    error::Violation,
    id::{QuoteId, RevisionId},
};
use fluxplane_platform::db::idempotency;
use fluxplane_pricing::legacy::float::PriceError;
use sqlx::PgConnection;

use super::{Context, Error, rates, seconds};
use crate::{
    clients::scheduler::Scheduler,
    db,
    domain::{
        app::App,
        quote::{Offer, Quote, Running, WhatIf, native, offer},
        rate::Rate,
        spec::{self, ReadSpec, Spec},
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
/// harmless when no quote comes of it: it keeps a name and room for its owner for a while.
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
    let prospect = look_ahead(ctx, scheduler, &command).await?;
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
) -> Result<Prospect, Error> {
    let created_at = ctx.clock.now();
    let expires_at = created_at + ctx.rules.quote_life;
    let CreateQuote {
        owner, spec_json, ..
    } = command;
    let what_if = scheduler.preview(owner, spec_json).await;
    let mut what_if = what_if.map_err(Error::Scheduler)?;
    let mut name_reserved_until = None;
    if command.update_of.is_empty() {
        let reserved = scheduler.reserve(owner, spec_json, expires_at).await;
        if let Some(reserved) = reserved.map_err(Error::Scheduler)? {
            name_reserved_until = Some(reserved.name_until);
            what_if.reserved = Some(reserved.room);
        }
    }
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
    // What the running term has left is counted from the moment on at which this quote is no offer any more: whoever takes
    // it before gets the difference back.
    let until = seconds(prospect.expires_at);
    let before = match &app {
        Some(app) => Some(predecessor(conn, app, &spec.spec, until).await?),
        None => None,
    };
    let rate = rates::accept_now(conn, ctx).await?;
    let replaces = before.as_ref().map(Predecessor::revision);
    let offer = make_offer(conn, ctx, &spec, height, &rate, before.as_ref()).await?;
    let kept = spec.for_pricing();
    Ok(Quote {
        id: ctx.ids.next().into(),
        owner: command.owner,
        app_name: spec.name,
        spec: kept,
        spec_sha256: spec.sha256,
        replaces,
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

async fn make_offer(
    conn: &mut PgConnection,
    ctx: &Context,
    spec: &ReadSpec,
    height: u64,
    rate: &Rate,
    before: Option<&Predecessor>,
) -> Result<Offer, Error> {
    match &spec.spec {
        Spec::FluxOs(own) => {
            let running = before.and_then(Predecessor::fluxos);
            offer(own, spec.instances, height, rate, running).map_err(|err| no_price(&err))
        }
        Spec::Native(own) => {
            let epoch = db::epochs::newest(conn).await?.unwrap_or(0);
            let question = native::Question {
                spec: own,
                instances: spec.instances,
                table: ctx.rules.tables.at(epoch),
                rate,
                unused: before.and_then(Predecessor::unused),
            };
            native::offer(&question).map_err(|violation| Error::Spec(vec![violation]))
        }
    }
}

/// What an update replaces, as its price list needs it.
#[derive(Debug)]
pub(super) enum Predecessor {
    FluxOs(Box<Running>),
    Native { revision: RevisionId, unused: Sat },
}

impl Predecessor {
    const fn revision(&self) -> RevisionId {
        match self {
            Self::FluxOs(running) => running.revision,
            Self::Native { revision, .. } => *revision,
        }
    }

    pub(super) fn fluxos(&self) -> Option<&Running> {
        match self {
            Self::FluxOs(running) => Some(running),
            Self::Native { .. } => None,
        }
    }

    pub(super) const fn unused(&self) -> Option<Sat> {
        match self {
            Self::FluxOs(_) => None,
            Self::Native { unused, .. } => Some(*unused),
        }
    }
}

/// What `spec` would replace. `until` is the second from which on the running term counts as unused.
pub(super) async fn predecessor(
    conn: &mut PgConnection,
    app: &App,
    spec: &Spec,
    until: u64,
) -> Result<Predecessor, Error> {
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
    let before = spec::reread(&current.spec).map_err(Error::Inconsistent)?;
    match (before, spec) {
        (Spec::FluxOs(before), Spec::FluxOs(_)) => Ok(Predecessor::FluxOs(Box::new(Running {
            revision: current.id,
            spec: *before,
            height: current.height,
            updates,
        }))),
        (Spec::Native(_), Spec::Native(_)) => {
            let mut terms = db::terms::of_app(conn, app.id).await?;
            let unused = terms.iter_mut().map(|term| term.cut(until));
            Ok(Predecessor::Native {
                revision: current.id,
                unused: Sat::checked_sum(unused).unwrap_or(Sat::ZERO),
            })
        }
        (Spec::Native(_), Spec::FluxOs(_)) => Err(other_kind("fluxplane/v1", "FluxOS")),
        (Spec::FluxOs(_), Spec::Native(_)) => Err(other_kind("FluxOS", "fluxplane/v1")),
    }
}

fn other_kind(before: &str, now: &str) -> Error {
    let rule = format!(
        "the application has a specification of {before}, and an update keeps the kind: both are priced by their own list"
    );
    let remedy = "convert the update with `fluxctl spec convert`, or submit another application";
    Error::Spec(vec![Violation::new(
        "spec",
        format!("a specification of {now}"),
        rule,
        remedy,
    )])
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
