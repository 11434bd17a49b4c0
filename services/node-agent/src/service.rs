//! Wiring of a running agent.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use fluxplane_envelope::SystemEntropy;
use fluxplane_platform::{
    Lifecycle,
    reconciler::Nudge,
    runner::{Service, Start},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    app::{
        apply_desired::DesiredStates, identity::Identities, metering::Metering,
        private_parts::PrivateParts, signer::Signer,
    },
    clients::RenewalClient,
    config::{self, Config, DEFAULTS, RuntimeKind},
    domain::{Host, health::Pace},
    machine,
    metrics::AgentMetrics,
    probe::{self, Probe},
    runtime::{Docker, Runtime, Simulated, find_socket},
    session::{Context, Dialler},
    store::{DataDir, HeartbeatSequence, Identity, Lock, UsageQueue},
    supervisor::{Board, Handle, Orphans, Settings, Shared, Supervisor},
    tasks::{meter::MeterTask, renewal::Renewal, snapshot::SnapshotTask, stats::EngineStats},
};

pub const SERVICE: Service = Service {
    name: "node-agent",
    version: env!("CARGO_PKG_VERSION"),
    defaults: DEFAULTS,
    store: None,
};

/// Time the first look at everything gets before the first session, so that a restarted agent reports what it found
/// instead of what it does not know yet.
const FIRST_LOOK: Duration = Duration::from_secs(3);

/// Starts an agent on the engine that is configured.
pub async fn start(start: Start<Config>) -> anyhow::Result<Lifecycle> {
    // A machine that has not joined needs no engine yet.
    identity(&DataDir::open(&start.config.data_dir)?)?;
    let runtime = runtime(&start.config.runtime)?;
    start_on(start, runtime).await
}

/// Starts an agent on an engine.
pub async fn start_on(
    start: Start<Config>,
    runtime: Arc<dyn Runtime>,
) -> anyhow::Result<Lifecycle> {
    let config = &start.config;
    let dir = DataDir::open(&config.data_dir)?;
    let lock = dir.lock()?;
    anyhow::ensure!(
        !dir.root().to_string_lossy().contains(':'),
        "data_dir is `{}`, but engines take a `:` in a volume's path for its end; choose another folder",
        dir.root().display()
    );
    let identity = identity(&dir)?;
    let metrics = AgentMetrics::register(&start.metrics);
    let signer = Arc::new(Signer::from_pem(&identity.key_pem)?);
    let host = host(config, &identity, &dir);
    let listener = probe::bind(SocketAddr::new(host.bind_ip, identity.probe_port)).await?;
    let queue = UsageQueue::load(&dir)?;
    let metering = Metering::new(queue.clone(), Arc::clone(&start.clock));
    let capacity = identity
        .benchmark
        .clone()
        .declared(config.capacity)
        .usable();
    tracing::info!(
        node.id = %identity.node,
        node.ip = %identity.ip,
        runtime = runtime.name(),
        %capacity,
        data_dir = %dir.root().display(),
        "agent starts"
    );

    let line = watch::Sender::new(None);
    let private = PrivateParts {
        node: host.node,
        dir: dir.clone(),
        entropy: Arc::new(SystemEntropy),
        line: line.subscribe(),
        metrics: metrics.clone(),
    };
    let shared = Arc::new(Shared {
        runtime: Arc::clone(&runtime),
        host,
        clock: Arc::clone(&start.clock),
        board: Board::new(metrics.clone()),
        metering: metering.clone(),
        private,
        metrics: metrics.clone(),
        settings: settings(config),
    });
    let stop = start.lifecycle.drain();
    let answering = Probe::new(Arc::clone(&signer), metrics.clone());
    start
        .lifecycle
        .spawn("probe", answering.serve(listener, stop));
    let supervisor = spawn_supervisor(&start, Arc::clone(&shared), lock, queue.clone());
    let desired = DesiredStates::restore(dir.clone(), supervisor.clone(), metrics.clone()).await?;
    supervisor.look_at_all(FIRST_LOOK).await;

    let identities = Identities::new(dir.clone(), identity);
    let context = Context {
        node: shared.host.node,
        agent_version: SERVICE.version,
        boot_id: start.ids.next(),
        capacity,
        identities: identities.clone(),
        signer,
        runtime,
        board: shared.board.clone(),
        desired,
        metering,
        usage: queue,
        metrics,
        clock: Arc::clone(&start.clock),
        line,
    };
    spawn_session(&start, &dir, context)?;
    spawn_reconcilers(&start, shared, supervisor, identities);
    Ok(start.lifecycle)
}

fn identity(dir: &DataDir) -> anyhow::Result<Identity> {
    dir.identity()?.with_context(|| {
        format!(
            "`{}` has no identity yet; run `node-agent join` first",
            dir.root().display()
        )
    })
}

/// The supervisor and the meter; the meter stops first, because its last report needs a last look.
fn spawn_supervisor(
    start: &Start<Config>,
    shared: Arc<Shared>,
    lock: Lock,
    queue: UsageQueue,
) -> Handle {
    let stop = CancellationToken::new();
    let (metering, metrics) = (shared.metering.clone(), shared.metrics.clone());
    let (supervisor, handle) = Supervisor::new(shared);
    start
        .lifecycle
        .spawn("supervisor", holding(lock, supervisor, stop.clone()));
    let meter = MeterTask {
        metering,
        supervisor: handle.clone(),
        queue,
        metrics,
        supervisor_stop: stop.drop_guard(),
    };
    start
        .lifecycle
        .spawn("meter", meter.run(start.lifecycle.drain()));
    handle
}

fn spawn_session(start: &Start<Config>, dir: &DataDir, context: Context) -> anyhow::Result<()> {
    let connected = watch::Sender::new(false);
    let snapshot = SnapshotTask {
        dir: dir.clone(),
        board: context.board.clone(),
        queue: context.usage.clone(),
        connected: connected.subscribe(),
        clock: Arc::clone(&start.clock),
    };
    start
        .lifecycle
        .spawn("snapshot", snapshot.run(start.lifecycle.drain()));
    let dialler = Dialler {
        context: Arc::new(context),
        heartbeats: HeartbeatSequence::load(dir)?,
        health: start.health.register("plane"),
        connected,
    };
    start
        .lifecycle
        .spawn("session", dialler.run(start.lifecycle.drain()));
    Ok(())
}

fn spawn_reconcilers(
    start: &Start<Config>,
    shared: Arc<Shared>,
    supervisor: Handle,
    identities: Identities,
) {
    let metrics = shared.metrics.clone();
    let stats = EngineStats {
        runtime: Arc::clone(&shared.runtime),
        node: shared.host.node,
        metrics: metrics.clone(),
        health: start.health.register("engine"),
    };
    start.spawn_reconciler(stats, EngineStats::PERIOD, &Nudge::default());
    let renewal = Renewal {
        identities: identities.clone(),
        client: RenewalClient,
        clock: Arc::clone(&start.clock),
        metrics,
    };
    start.spawn_reconciler(renewal, Renewal::PERIOD, &Nudge::default());
    let orphans = Orphans {
        shared,
        supervisor,
        identities,
    };
    start.spawn_reconciler(orphans, Orphans::PERIOD, &Nudge::default());
}

/// Supervises, and holds the data folder for as long.
async fn holding(
    lock: Lock,
    supervisor: Supervisor,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let result = supervisor.run(stop).await;
    drop(lock);
    result
}

fn runtime(config: &config::Runtime) -> anyhow::Result<Arc<dyn Runtime>> {
    match config.kind {
        RuntimeKind::Simulated => Ok(Arc::new(Simulated::new(config.simulated_delay.0))),
        RuntimeKind::Docker => {
            let socket = config.socket.clone().or_else(find_socket).context(
                "no container engine found; start Docker or `podman system service`, and set \
                 `runtime.socket` to its socket",
            )?;
            Ok(Arc::new(Docker::new(&socket, config.pull_timeout.0)))
        }
    }
}

fn host(config: &Config, identity: &Identity, dir: &DataDir) -> Host {
    Host {
        node: identity.node,
        ip: identity.ip,
        bind_ip: config.network.bind_ip.unwrap_or(identity.ip),
        volumes: dir.volumes(),
        threads: machine::threads(),
        pids_limit: config.container.pids_limit,
        log_max_mib: config.container.log_max_mib,
    }
}

fn settings(config: &Config) -> Settings {
    let pauses = |pauses: &config::Pauses| (pauses.first.0, pauses.longest.0);
    Settings {
        pace: Pace {
            until_healthy: config.health.interval_until_healthy.0,
            healthy: config.health.interval.0,
            start_grace: config.health.start_grace.0,
        },
        probe_timeout: config.health.timeout.0,
        stop_grace: config.runtime.stop_grace.0,
        restart: pauses(&config.restart),
        retry: pauses(&config.retry),
    }
}
