//! Wiring: pool, daemon, listener, tasks.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_platform::{
    Lifecycle, bus, db,
    grpc::{Server, server},
    reconciler::Nudge,
    runner::{Service, Start, Store},
    tls::Credentials,
};
use sqlx::migrate::Migrator;

use crate::{
    app,
    config::{Config, DEFAULTS},
    grpc::{self, ChainGrpc},
    metrics::ChainMetrics,
    source::{ChainSource, FluxdRpc, rpc::RpcConfig},
    tasks::{
        catch_up::Pace,
        follow::{Follower, same_network},
        heard::Heard,
        listen,
        observe::{self, Observe},
    },
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Where the indexer keeps its state.
pub static STORE: Store = Store {
    schema: "indexer",
    migrations: &MIGRATIONS,
};

pub const SERVICE: Service = Service {
    name: "chain-indexer",
    version: env!("CARGO_PKG_VERSION"),
    defaults: DEFAULTS,
    store: Some(STORE),
};

/// Pause before a daemon that gave no first block is asked again.
const VERIFY_PAUSE: Duration = Duration::from_millis(500);

pub async fn start(start: Start<Config>) -> anyhow::Result<Lifecycle> {
    let config = &start.config;
    let rules = config.rules()?;
    let metrics = ChainMetrics::register(&start.metrics);
    let rpc = RpcConfig {
        url: config.rpc.url.clone(),
        user: config.rpc.user.clone(),
        password: config.rpc.password.clone(),
        timeout: config.rpc.timeout.0,
    };
    let source = Arc::new(FluxdRpc::new(rpc, metrics.clone())?);
    let pool = db::connect(&config.db, STORE.schema, SERVICE.name);
    let ctx = app::Context {
        pool: pool.clone(),
        clock: Arc::clone(&start.clock),
        ids: Arc::clone(&start.ids),
        rules,
    };
    // A daemon that is away may come later; one on the wrong network must not be waited for.
    match source.genesis().await {
        Ok(found) => same_network(&ctx, found)?,
        Err(err) => tracing::warn!(error = %err, "the daemon cannot be asked yet"),
    }
    let jetstream = bus::connect(&config.nats, SERVICE.name).await?;
    bus::ensure_stream(&jetstream, SERVICE.name)
        .await
        .context("own stream")?;
    serve(&start, &ctx).await?;
    start.spawn_store(STORE, &pool, &jetstream);
    let observe = Observe {
        ctx: ctx.clone(),
        metrics: metrics.clone(),
        chain: start.health.register("chain"),
        daemon: start.health.register("daemon"),
    };
    start.spawn_reconciler(observe, observe::PERIOD, &Nudge::default());
    spawn_follower(&start, ctx, source, metrics);
    Ok(start.lifecycle)
}

async fn serve(start: &Start<Config>, ctx: &app::Context) -> anyhow::Result<()> {
    let config = &start.config;
    let chain = ChainGrpc {
        ctx: ctx.clone(),
        metrics: start.metrics.clone(),
    };
    let server = Server {
        listener: server::bind(config.grpc.listen).await?,
        tls: Credentials::load(&config.tls)?.server(),
        policy: grpc::POLICY,
        metrics: start.metrics.clone(),
    };
    let serving = server.serve(grpc::routes(chain), start.lifecycle.drain());
    start.lifecycle.spawn("grpc", serving);
    Ok(())
}

/// Follows while this replica leads, woken by announcements where the daemon makes any.
fn spawn_follower(
    start: &Start<Config>,
    ctx: app::Context,
    source: Arc<FluxdRpc>,
    metrics: ChainMetrics,
) {
    let config = &start.config;
    let (nudge, heard) = (Nudge::default(), Heard::default());
    let endpoint = config.zmq.endpoint.clone();
    if !endpoint.is_empty() {
        let stop = start.lifecycle.drain();
        let listening = listen::run(endpoint, nudge.clone(), heard.clone(), stop);
        start.lifecycle.spawn("announcements", listening);
    }
    let pace = Pace {
        fetch_batch: config.follow.fetch_batch,
        fetch_parallel: config.follow.fetch_parallel,
        blocks_per_transaction: config.follow.blocks_per_transaction,
    };
    let drop_after = config.payments.drop_after.0;
    let driver = start.driver(config.follow.poll_interval.0, &nudge);
    let pool = ctx.pool.clone();
    start.spawn_leader(&pool, app::LEASE, move |term| {
        let mut follower = Follower {
            ctx: ctx.clone(),
            source: Arc::clone(&source),
            token: term.token,
            stop: term.over.clone(),
            pace,
            drop_after,
            metrics: metrics.clone(),
            heard: heard.clone(),
            at: None,
            reported: None,
        };
        let driver = driver.clone();
        async move {
            follower.verify_network(VERIFY_PAUSE).await?;
            driver.drive(follower, term.over).await
        }
    });
}
