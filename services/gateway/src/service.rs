//! Wiring: pool, clients, listener, tasks.

use std::{sync::Arc, time::Duration};

use fluxplane_platform::{
    Lifecycle,
    db::{self, health::DbHealth},
    reconciler::Nudge,
    runner::{Service, Start, Store},
    tls::Credentials,
};
use ring::rand::SystemRandom;
use sqlx::migrate::Migrator;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::task::TaskTracker;

use crate::{
    app::{self, audit_log::AuditLog},
    clients::Peers,
    config::{Config, DEFAULTS},
    metrics::GatewayMetrics,
    rest::{Gateway, Parts, limits::Limits, listener, router},
    tasks::{count_nodes::CountNodes, forget_buckets::ForgetBuckets, sweep::Sweep},
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Where the gateway keeps its state.
pub static STORE: Store = Store {
    schema: "gateway",
    migrations: &MIGRATIONS,
};

pub const SERVICE: Service = Service {
    name: "gateway",
    version: env!("CARGO_PKG_VERSION"),
    defaults: DEFAULTS,
    store: Some(STORE),
};

/// How often expired challenges and sessions are forgotten.
const SWEEP_PERIOD: Duration = Duration::from_mins(10);

/// How often idle callers are forgotten.
const BUCKET_PERIOD: Duration = Duration::from_secs(30);

/// How old the node summary may get.
const COUNT_PERIOD: Duration = Duration::from_secs(10);

pub async fn start(start: Start<Config>) -> anyhow::Result<Lifecycle> {
    let listener = listener::bind(&start.config.rest).await?;
    start_on(start, listener)
}

/// Starts on a listener that is bound already.
pub fn start_on(start: Start<Config>, listener: TcpListener) -> anyhow::Result<Lifecycle> {
    let config = &start.config;
    let pool = db::connect(&config.db, STORE.schema, SERVICE.name);
    let credentials = Credentials::load(&config.tls)?;
    let metrics = GatewayMetrics::register(&start.metrics);
    let ctx = app::Context {
        pool: pool.clone(),
        clock: Arc::clone(&start.clock),
        ids: Arc::clone(&start.ids),
        random: SystemRandom::new(),
        lives: config.lives(),
        admins: Arc::new(config.admins()?),
    };
    let peers = Peers::connect(config, &credentials, &metrics)?;
    let limits = Limits::new(&config.limits);
    let (audit, writer) = AuditLog::new(pool.clone());
    let (count, node_count) = watch::channel(None);
    let (calls, stop) = (TaskTracker::new(), start.lifecycle.drain());
    start
        .lifecycle
        .spawn("audit", writer.run(stop.clone(), calls.clone()));

    let gateway = Gateway::new(Parts {
        ctx: ctx.clone(),
        audit,
        peers: peers.clone(),
        limits: limits.clone(),
        metrics: metrics.clone(),
        platform_metrics: start.metrics.clone(),
        config: config.rest.clone(),
        node_count,
        calls: calls.clone(),
        stop: stop.clone(),
    });
    let router = router::build(gateway);
    let open = metrics.connections.clone();
    let rest = listener::serve(listener, config.rest.clone(), router, open, stop.clone());
    start.lifecycle.spawn("rest", async move {
        let served = rest.await;
        // No connection is left, so no call begins any more; those in flight end.
        calls.close();
        calls.wait().await;
        served
    });

    let once_a_while = Nudge::default();
    start.spawn_reconciler(Sweep { ctx: ctx.clone() }, SWEEP_PERIOD, &once_a_while);
    start.spawn_reconciler(ForgetBuckets { limits }, BUCKET_PERIOD, &once_a_while);
    let counter = CountNodes {
        registry: peers.registry,
        clock: ctx.clock,
        count,
    };
    start.spawn_reconciler(counter, COUNT_PERIOD, &once_a_while);
    let health = DbHealth {
        pool,
        migrations: STORE.migrations,
        component: start.health.register("database"),
    };
    start.spawn_reconciler(health, db::health::PERIOD, &once_a_while);
    Ok(start.lifecycle)
}
