//! Wiring: pool, daemon, listener, tasks.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_platform::{
    Lifecycle, bus,
    config::Secret,
    db,
    grpc::{Server, server},
    reconciler::Nudge,
    runner::{Service, Start, Store},
    tls::Credentials,
};
use sqlx::migrate::Migrator;

use crate::{
    app::{self, nodes::Views},
    config::{Config, DEFAULTS},
    domain::Rules,
    evm,
    grpc::{self, ChainGrpc, FluxnodeGrpc, LedgerGrpc, PaymentGrpc},
    metrics::ChainMetrics,
    source::{
        Archive, ChainSource as _, FluxdRpc, Quorum, metrics::SourceMetrics, quorum::Terms,
        rpc::RpcConfig,
    },
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
    let source_metrics = SourceMetrics::register(&start.metrics, metrics.garbled.clone());
    let source = Arc::new(sources(config, &rules, &metrics, source_metrics.clone())?);
    let pool = db::connect(&config.db, STORE.schema, SERVICE.name);
    let ctx = app::Context {
        pool: pool.clone(),
        clock: Arc::clone(&start.clock),
        ids: Arc::clone(&start.ids),
        rules,
        writer: app::Writer::default(),
    };
    // A daemon that is away may come later; one on the wrong network must not be waited for.
    match source.genesis().await {
        Ok(found) => same_network(&ctx, found)?,
        Err(err) if err.is_final() => return Err(err.into()),
        Err(err) => tracing::warn!(error = %err, "the daemon cannot be asked yet"),
    }
    let jetstream = bus::connect(&config.nats, SERVICE.name).await?;
    bus::ensure_stream(&jetstream, SERVICE.name)
        .await
        .context("own stream")?;
    serve(&start, &ctx, Arc::clone(&source) as _).await?;
    start.spawn_store(STORE, &pool, &jetstream);
    evm::service::spawn(&start, &(&ctx).into(), &config.evm)?;
    let observe = Observe {
        ctx: ctx.clone(),
        metrics: metrics.clone(),
        sources: source_metrics,
        chain: start.health.register("chain"),
        daemon: start.health.register("daemon"),
    };
    start.spawn_reconciler(observe, observe::PERIOD, &Nudge::default());
    spawn_follower(&start, ctx, source, metrics);
    Ok(start.lifecycle)
}

/// All configured daemons as one source.
fn sources(
    config: &Config,
    rules: &Rules,
    metrics: &ChainMetrics,
    source_metrics: SourceMetrics,
) -> anyhow::Result<Quorum<FluxdRpc>> {
    let rpc = &config.rpc;
    let connect = |url: &str, user: &str, password: &Secret| {
        let reach = RpcConfig {
            url: url.to_owned(),
            user: user.to_owned(),
            password: password.clone(),
            timeout: rpc.timeout.0,
        };
        FluxdRpc::new(reach, metrics.clone())
    };
    let first = connect(&rpc.url, &rpc.user, &rpc.password)?;
    let mut members = vec![(rpc.name.clone(), first)];
    for more in &rpc.more {
        let source = connect(&more.url, &more.user, &more.password)?;
        members.push((more.name.clone(), source));
    }
    let terms = Terms {
        needed: rpc.needed()?,
        patience: rpc.patience.0,
        genesis: rules.params.genesis.hash,
        network: rules.params.network.to_string(),
    };
    Ok(Quorum::new(members, terms, source_metrics))
}

async fn serve(
    start: &Start<Config>,
    ctx: &app::Context,
    archive: Arc<dyn Archive>,
) -> anyhow::Result<()> {
    let config = &start.config;
    let ledger = LedgerGrpc {
        ctx: ctx.clone(),
        metrics: start.metrics.clone(),
    };
    let chain = ChainGrpc {
        ctx: ctx.clone(),
        archive,
        metrics: start.metrics.clone(),
    };
    let server = Server {
        listener: server::bind(config.grpc.listen).await?,
        tls: Credentials::load(&config.tls)?.server(),
        policy: grpc::POLICY,
        metrics: start.metrics.clone(),
    };
    let nodes = FluxnodeGrpc {
        ctx: ctx.clone(),
        metrics: start.metrics.clone(),
        views: Views::default(),
    };
    let payments = PaymentGrpc {
        ctx: ctx.clone(),
        metrics: start.metrics.clone(),
    };
    let evm = evm::service::grpc(start, &ctx.into(), &config.evm)?;
    let routes = grpc::routes(chain, ledger, nodes, payments, evm);
    let serving = server.serve(routes, start.lifecycle.drain());
    start.lifecycle.spawn("grpc", serving);
    Ok(())
}

/// Follows while this replica leads, woken by announcements where the daemon makes any.
fn spawn_follower(
    start: &Start<Config>,
    ctx: app::Context,
    source: Arc<Quorum<FluxdRpc>>,
    metrics: ChainMetrics,
) {
    let config = &start.config;
    let (nudge, heard) = (Nudge::default(), Heard::default());
    let more = config.rpc.more.iter().map(|source| &source.zmq);
    for endpoint in std::iter::once(&config.zmq.endpoint).chain(more) {
        if endpoint.is_empty() {
            continue;
        }
        let stop = start.lifecycle.drain();
        let listening = listen::run(endpoint.clone(), nudge.clone(), heard.clone(), stop);
        start.lifecycle.spawn("announcements", listening);
    }
    let (begin_from, needed) = (config.chain.start, source.needed());
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
            start: begin_from,
            needed,
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
