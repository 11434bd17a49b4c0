//! Wiring: pool, clients, listener, consumer, task.

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
    app::{self, Anchoring},
    clients::{billing::Billing, daemon::Daemon},
    config::{Config, DEFAULTS},
    events::on_epoch_closed::OnEpochClosed,
    grpc::{self, POLICY, ValidatorGrpc},
    metrics::ValidatorMetrics,
    tasks::anchor::AnchorEpochs,
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Where the validator keeps its state.
pub static STORE: Store = Store {
    schema: "validator",
    migrations: &MIGRATIONS,
};

pub const SERVICE: Service = Service {
    name: "validator",
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
        metrics: ValidatorMetrics::register(&start.metrics),
    };
    let credentials = Credentials::load(&config.tls)?;
    serve(&start, &ctx, &credentials).await?;
    start.spawn_store(STORE, &pool, &jetstream);
    let nudge = Nudge::default();
    let on_closed = OnEpochClosed {
        ctx: ctx.clone(),
        nudge: nudge.clone(),
    };
    start.spawn_consumer(&pool, &jetstream, on_closed);
    spawn_anchoring(&start, &ctx, &credentials, &nudge)?;
    Ok(start.lifecycle)
}

fn spawn_anchoring(
    start: &Start<Config>,
    ctx: &app::Context,
    credentials: &Credentials,
    nudge: &Nudge,
) -> anyhow::Result<()> {
    let config = &start.config;
    let daemon = &config.daemon;
    let anchoring = Anchoring {
        billing: Billing::new(client::connect(&config.billing, credentials)?),
        daemon: Daemon::new(
            daemon.url.clone(),
            daemon.user.clone(),
            daemon.password.clone(),
            daemon.timeout.0,
        )?,
        signer: config.signer()?,
        final_confirmations: config.anchors.final_confirmations.into(),
        recheck_refused: config.anchors.recheck_refused()?,
        resend_after: config.anchors.resend_after()?,
        token: 0,
    };
    if let Some(signer) = &anchoring.signer {
        tracing::info!(address = %signer.address, "anchors are paid from this address");
    } else {
        tracing::warn!("anchors.wif is empty: epochs are checked and not anchored");
    }
    let driver = start.driver(config.anchors.poll.0, nudge);
    let pool = ctx.pool.clone();
    let ctx = ctx.clone();
    start.spawn_leader(&pool, app::LEASE, move |term| {
        let work = AnchorEpochs {
            ctx: ctx.clone(),
            anchoring: Anchoring {
                token: term.token,
                ..anchoring.clone()
            },
        };
        driver.clone().drive(work, term.over)
    });
    Ok(())
}

async fn serve(
    start: &Start<Config>,
    ctx: &app::Context,
    credentials: &Credentials,
) -> anyhow::Result<()> {
    let config = &start.config;
    let validator = ValidatorGrpc {
        ctx: ctx.clone(),
        metrics: start.metrics.clone(),
    };
    let server = Server {
        listener: server::bind(config.grpc.listen).await?,
        tls: credentials.server(),
        policy: POLICY,
        metrics: start.metrics.clone(),
    };
    let serving = server.serve(grpc::routes(validator), start.lifecycle.drain());
    start.lifecycle.spawn("grpc", serving);
    Ok(())
}
