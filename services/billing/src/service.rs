//! Wiring: pool, listener, consumers, tasks.

use std::sync::Arc;

use anyhow::Context as _;
use fluxplane_platform::{
    Lifecycle, bus, db,
    grpc::{Server, client, server},
    reconciler::Nudge,
    runner::{Service, Start, Store},
    tls::Credentials,
};
use sqlx::migrate::Migrator;

use crate::{
    app::{self, epochs, prove_line::Trees, rates::Sources},
    clients::scheduler::Scheduler,
    config::{Config, DEFAULTS},
    events::{
        on_anchor::OnAnchor, on_app_ended::OnAppEnded, on_assigned::OnAssigned, on_block::OnBlock,
        on_node::OnNode, on_payment::OnPayment, on_revision::OnRevision, on_usage::OnUsage,
    },
    grpc::{self, BillingGrpc, POLICY},
    metrics::BillingMetrics,
    tasks::{ask_rates, audit::Audit, close_epochs},
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Where billing keeps its state.
pub static STORE: Store = Store {
    schema: "billing",
    migrations: &MIGRATIONS,
};

pub const SERVICE: Service = Service {
    name: "billing",
    version: env!("CARGO_PKG_VERSION"),
    defaults: DEFAULTS,
    store: Some(STORE),
};

pub async fn start(start: Start<Config>) -> anyhow::Result<Lifecycle> {
    let config = &start.config;
    let pool = db::connect(&config.db, STORE.schema, SERVICE.name);
    let jetstream = bus::connect(&config.nats, SERVICE.name).await?;
    bus::ensure_stream(&jetstream, SERVICE.name)
        .await
        .context("own stream")?;
    let ctx = app::Context {
        pool: pool.clone(),
        clock: Arc::clone(&start.clock),
        ids: Arc::clone(&start.ids),
        rules: Arc::new(config.rules()?),
        metrics: BillingMetrics::register(&start.metrics),
    };
    serve(&start, &ctx).await?;
    start.spawn_store(STORE, &pool, &jetstream);

    let own = || ctx.clone();
    start.spawn_consumer(&pool, &jetstream, OnBlock { ctx: own() });
    start.spawn_consumer(&pool, &jetstream, OnPayment { ctx: own() });
    start.spawn_consumer(&pool, &jetstream, OnRevision { ctx: own() });
    start.spawn_consumer(&pool, &jetstream, OnAppEnded { ctx: own() });
    start.spawn_consumer(&pool, &jetstream, OnAssigned);
    start.spawn_consumer(&pool, &jetstream, OnNode);
    start.spawn_consumer(&pool, &jetstream, OnUsage { ctx: own() });
    start.spawn_consumer(&pool, &jetstream, OnAnchor { ctx: own() });

    for source in ctx.rules.rate.sources.names() {
        ctx.metrics.rate_source(source);
    }
    if let Sources::Fixed(fixed) = &ctx.rules.rate.sources {
        tracing::warn!(
            ?fixed,
            "the rate of FLUX to dollars is fixed by configuration, not asked of anybody"
        );
    }
    let rates = ask_rates::AskRates { ctx: own() };
    start.spawn_reconciler(rates, ask_rates::PERIOD, &Nudge::default());
    let audit = Audit { ctx: own() };
    start.spawn_reconciler(audit, config.ledger.audit_every.0, &Nudge::default());
    let driver = start.driver(close_epochs::PERIOD, &Nudge::default());
    start.spawn_leader(&pool, epochs::LEASE, move |term| {
        let work = close_epochs::CloseEpochs {
            ctx: ctx.clone(),
            token: term.token,
        };
        driver.clone().drive(work, term.over)
    });
    Ok(start.lifecycle)
}

async fn serve(start: &Start<Config>, ctx: &app::Context) -> anyhow::Result<()> {
    let config = &start.config;
    let credentials = Credentials::load(&config.tls)?;
    let scheduler = client::connect(&config.scheduler, &credentials)?;
    let billing = BillingGrpc {
        ctx: ctx.clone(),
        scheduler: Scheduler::new(scheduler),
        trees: Trees::default(),
        metrics: start.metrics.clone(),
    };
    let server = Server {
        listener: server::bind(config.grpc.listen).await?,
        tls: credentials.server(),
        policy: POLICY,
        metrics: start.metrics.clone(),
    };
    let serving = server.serve(grpc::routes(billing), start.lifecycle.drain());
    start.lifecycle.spawn("grpc", serving);
    Ok(())
}
