//! Wiring: pools, clients, listeners, tasks.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_platform::{
    Lifecycle, bus, db,
    grpc::{Server, client, server},
    http,
    reconciler::Nudge,
    runner::{Service, Start, Store},
    tls::{Credentials, authority::Authority},
};
use sqlx::migrate::Migrator;
use tokio_util::task::TaskTracker;

use crate::{
    app::{self, create_join_token::TokenKey, join::Admission},
    clients::{chain::Chain, scheduler::Scheduler},
    config::{Config, DEFAULTS},
    domain::liveness::Rules,
    events::{on_desired_state::OnDesiredState, on_fluxnode_changed::OnFluxnodeChanged},
    grpc::{self, AGENT_POLICY, JoinGrpc, NodeGrpc, SERVICE_POLICY},
    metrics::RegistryMetrics,
    session::{AgentGrpc, Hub, Intervals, beat_channel},
    tasks::{count_nodes::CountNodes, liveness, push_desired},
};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Where the registry keeps its state.
pub static STORE: Store = Store {
    schema: "registry",
    migrations: &MIGRATIONS,
};

pub const SERVICE: Service = Service {
    name: "node-registry",
    version: env!("CARGO_PKG_VERSION"),
    defaults: DEFAULTS,
    store: Some(STORE),
};

/// How often the node gauges are refreshed.
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
    };
    let metrics = RegistryMetrics::register(&start.metrics);
    let hub = Hub::new(metrics.sessions.clone());
    let credentials = Credentials::load(&config.tls)?;

    serve_services(&start, &ctx, &credentials, &hub).await?;
    serve_agents(&start, &ctx, &credentials, &hub, &metrics).await?;
    start.spawn_store(STORE, &pool, &jetstream);
    start.spawn_consumer(&pool, &jetstream, OnDesiredState);
    start.spawn_consumer(&pool, &jetstream, OnFluxnodeChanged { ctx: ctx.clone() });
    spawn_tasks(&start, &ctx, &metrics, hub)?;
    Ok(start.lifecycle)
}

/// The listener for other services.
async fn serve_services(
    start: &Start<Config>,
    ctx: &app::Context,
    credentials: &Credentials,
    hub: &Hub,
) -> anyhow::Result<()> {
    let config = &start.config;
    let nodes = NodeGrpc {
        ctx: ctx.clone(),
        token_key: TokenKey::new(&std::fs::read(&config.node_ca.key_file)?),
        hub: hub.clone(),
        join_endpoint: config.agents.advertised.clone(),
        ca_pem: std::fs::read_to_string(&config.tls.ca_file)?,
        metrics: start.metrics.clone(),
    };
    let server = Server {
        listener: server::bind(config.grpc.listen).await?,
        tls: credentials.server(),
        policy: SERVICE_POLICY,
        metrics: start.metrics.clone(),
    };
    let serving = server.serve(grpc::service_routes(nodes), start.lifecycle.drain());
    start.lifecycle.spawn("grpc", serving);
    Ok(())
}

/// The listener for machines of operators.
async fn serve_agents(
    start: &Start<Config>,
    ctx: &app::Context,
    credentials: &Credentials,
    hub: &Hub,
    metrics: &RegistryMetrics,
) -> anyhow::Result<()> {
    let (config, stop) = (&start.config, start.lifecycle.drain());
    let authority = Authority::load(&config.node_ca.cert_file, &config.node_ca.key_file)?;
    let tls = credentials.node_facing_server(authority.cert_pem());
    let admission = Admission {
        chain: Chain::new(client::connect(&config.chain_indexer, credentials)?),
        authority: Arc::new(authority),
        minimums: config.minimums.clone(),
        certificate_life: config.node_ca.certificate_life.0,
    };
    let (beats, writer) = beat_channel();
    start.lifecycle.spawn(
        "beats",
        writer.run(ctx.clone(), metrics.clone(), stop.clone()),
    );
    let sessions = TaskTracker::new();
    let agents = AgentGrpc {
        ctx: ctx.clone(),
        admission: admission.clone(),
        scheduler: Scheduler::new(client::connect(&config.scheduler, credentials)?),
        hub: hub.clone(),
        beats,
        metrics: metrics.clone(),
        intervals: Intervals {
            heartbeat: config.agents.heartbeat_interval.0,
            usage: config.agents.usage_interval.0,
        },
        sessions: sessions.clone(),
        stop: stop.clone(),
    };
    let join = JoinGrpc {
        ctx: ctx.clone(),
        admission,
        agent_endpoint: config.agents.advertised.clone(),
        metrics: start.metrics.clone(),
    };
    let server = Server {
        listener: server::bind(config.agents.listen).await?,
        tls,
        policy: AGENT_POLICY,
        metrics: start.metrics.clone(),
    };
    let serving = server.serve(grpc::agent_routes(agents, join), stop.clone());
    start.lifecycle.spawn("agents", serving);
    start.lifecycle.spawn("sessions", async move {
        stop.cancelled().await;
        sessions.close();
        sessions.wait().await;
        Ok(())
    });
    Ok(())
}

fn spawn_tasks(
    start: &Start<Config>,
    ctx: &app::Context,
    metrics: &RegistryMetrics,
    hub: Hub,
) -> anyhow::Result<()> {
    let push = push_desired::run(ctx.pool.clone(), STORE.schema, hub, start.lifecycle.drain());
    start.lifecycle.spawn("push desired", push);
    let count = CountNodes {
        ctx: ctx.clone(),
        metrics: metrics.clone(),
    };
    start.spawn_reconciler(count, COUNT_PERIOD, &Nudge::default());

    let liveness = &start.config.liveness;
    let rules = Rules {
        heartbeat_interval: start.config.agents.heartbeat_interval.0,
        suspect_after_missed: liveness.suspect_after_missed,
        lost_after_missed: liveness.lost_after_missed,
        mass_silence_percent: liveness.mass_silence_percent,
    };
    let http = http::client(liveness.probe_timeout.0)?;
    let driver = start.driver(liveness::PERIOD, &Nudge::default());
    let pool = ctx.pool.clone();
    let (ctx, metrics) = (ctx.clone(), metrics.clone());
    start.spawn_leader(&pool, app::liveness::LEASE, move |term| {
        let judge = liveness::Liveness {
            listening_since: ctx.clock.now(),
            ctx: ctx.clone(),
            rules,
            metrics: metrics.clone(),
            http: http.clone(),
            token: term.token,
            probes: BTreeMap::new(),
        };
        driver.clone().drive(judge, term.over)
    });
    Ok(())
}
