//! Wiring: pool, bus, listener, consumers, the leader.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_envelope::SystemEntropy;
use fluxplane_platform::{
    Lifecycle, bus, db,
    grpc::{Server, server},
    keyring,
    reconciler::Nudge,
    runner::{Service, Start, Store},
    tls::Credentials,
};
use sqlx::{PgPool, migrate::Migrator};

use crate::{
    app::{
        self, Limits, Vault, delta,
        known_fleet::KnownFleet,
        preview::Previews,
        reconcile::{LEASE, Leader},
    },
    config::{Config, DEFAULTS},
    domain::{case::Terms, rollout::Rules},
    events::{
        on_billing::OnBilling, on_block::OnBlock, on_instances_reported::OnInstancesReported,
        on_node_changed::OnNodeChanged,
    },
    grpc::{self, AppGrpc, POLICY, SecretGrpc, Watchers},
    metrics::SchedulerMetrics,
    tasks::{count::Count, hear, keep_private::KeepPrivate, place::Place},
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Where the scheduler keeps its state.
pub static STORE: Store = Store {
    schema: "scheduler",
    migrations: &MIGRATIONS,
};

pub const SERVICE: Service = Service {
    name: "scheduler",
    version: env!("CARGO_PKG_VERSION"),
    defaults: DEFAULTS,
    store: Some(STORE),
};

/// How often the gauges are refreshed.
const COUNT_PERIOD: Duration = Duration::from_secs(5);

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
        limits: Limits {
            pay_within: config.intent.pay_within.0,
            unpaid_per_owner: config.intent.unpaid_per_owner,
            reserved_per_owner: config.intent.reserved_per_owner,
            reserved_copies_per_owner: config.intent.reserved_copies_per_owner,
            reserved_percent: config.placement.reserved_percent,
            secrets_per_owner: config.private.secrets_per_owner,
            keep_ended: config.private.keep_ended.0,
        },
        vault: Vault {
            ring: Arc::new(keyring::load(&config.private.root_keys_file)?),
            entropy: Arc::new(SystemEntropy),
        },
    };
    let metrics = SchedulerMetrics::register(&start.metrics);
    let root_version = i64::from(ctx.vault.ring.active());
    metrics.private.root_version.set(root_version);
    // Wakes the leader, if this replica leads.
    let nudge = Nudge::default();
    let watchers = Watchers::new(metrics.watchers.clone(), start.lifecycle.drain());

    serve(&start, &ctx, &nudge, &watchers, &metrics).await?;
    start.spawn_store(STORE, &pool, &jetstream);
    let (ctx, nudge) = (&ctx, &nudge);
    start.spawn_consumer(&pool, &jetstream, OnBlock { ctx: ctx.clone() });
    let nodes = OnNodeChanged {
        ctx: ctx.clone(),
        nudge: nudge.clone(),
    };
    start.spawn_consumer(&pool, &jetstream, nodes);
    let reports = OnInstancesReported {
        ctx: ctx.clone(),
        nudge: nudge.clone(),
    };
    start.spawn_consumer(&pool, &jetstream, reports);
    let money = OnBilling {
        ctx: ctx.clone(),
        nudge: nudge.clone(),
    };
    start.spawn_consumer(&pool, &jetstream, money);
    let hearing = hear::run(
        pool.clone(),
        nudge.clone(),
        watchers,
        start.lifecycle.drain(),
    );
    start.lifecycle.spawn("hear", hearing);
    let count = Count {
        ctx: ctx.clone(),
        metrics: metrics.clone(),
    };
    start.spawn_reconciler(count, COUNT_PERIOD, &Nudge::default());
    let upkeep = KeepPrivate {
        ctx: ctx.clone(),
        metrics: metrics.clone(),
    };
    let period = start.config.private.upkeep_period.0;
    start.spawn_reconciler(upkeep, period, &Nudge::default());
    lead(&start, &pool, ctx, &metrics, nudge);
    Ok(start.lifecycle)
}

/// The listener for other services.
async fn serve(
    start: &Start<Config>,
    ctx: &app::Context,
    nudge: &Nudge,
    watchers: &Watchers,
    metrics: &SchedulerMetrics,
) -> anyhow::Result<()> {
    let placement = &start.config.placement;
    let assumed = placement.assumed_start.0.as_secs();
    let fleet = KnownFleet::new(placement.preview_keep.0);
    let apps = AppGrpc {
        ctx: ctx.clone(),
        previews: Previews::new(fleet.clone(), u32::try_from(assumed).unwrap_or(u32::MAX)),
        fleet,
        watchers: watchers.clone(),
        nudge: nudge.clone(),
        metrics: start.metrics.clone(),
    };
    let secrets = SecretGrpc {
        ctx: ctx.clone(),
        nudge: nudge.clone(),
        metrics: start.metrics.clone(),
        private: metrics.private.clone(),
    };
    let server = Server {
        listener: server::bind(start.config.grpc.listen).await?,
        tls: Credentials::load(&start.config.tls)?.server(),
        policy: POLICY,
        metrics: start.metrics.clone(),
    };
    let serving = server.serve(grpc::routes(apps, secrets), start.lifecycle.drain());
    start.lifecycle.spawn("grpc", serving);
    Ok(())
}

/// Stands for election; the work begins anew with each term.
fn lead(
    start: &Start<Config>,
    pool: &PgPool,
    ctx: &app::Context,
    metrics: &SchedulerMetrics,
    nudge: &Nudge,
) {
    let config = &start.config;
    let terms = Terms {
        rules: Rules {
            health_timeout: delta(config.rollout.health_timeout.0),
            retry: delta(config.placement.retry.0),
        },
        grace: delta(config.intent.confirmation_grace.0),
        recheck: delta(config.placement.recheck.0),
    };
    let driver = start.driver(config.placement.period.0, nudge);
    let (ctx, metrics) = (ctx.clone(), metrics.clone());
    start.spawn_leader(pool, LEASE, move |term| {
        let leader = Leader::new(ctx.clone(), term.token, terms, metrics.clone());
        driver.clone().drive(Place(leader), term.over)
    });
}
