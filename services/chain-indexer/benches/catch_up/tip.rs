//! The tip: from the daemon's announcement of a block to its event on the bus.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use fluxplane_chain_indexer::{
    SERVICE, STORE,
    app::{Context, Writer},
    domain::{Rules, Thresholds, Watch, ledger::IndexMode},
    metrics::ChainMetrics,
    source::{
        FluxdRpc,
        rpc::RpcConfig,
        zmq::{Announcement, Subscriber},
    },
    tasks::{catch_up::Pace, follow::Follower, heard::Heard, listen},
};
use fluxplane_core::{SystemClock, SystemIds};
use fluxplane_devnet::{Devnet, Options};
use fluxplane_platform::{
    bus,
    config::Secret,
    db::{PLATFORM_MIGRATIONS, outbox::Relay},
    health::Health,
    metrics::Metrics,
    reconciler::{Driver, Nudge, TaskBoard},
};
use fluxplane_proto::{Event as _, chain_indexer::v1::BlockConnected};
use fluxplane_testkit::{Nats, TestDb};
use futures::StreamExt as _;
use prost::Message as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::sync::token;

/// Blocks to measure.
const BLOCKS: usize = 300;

/// Median and 99th percentile in milliseconds.
pub(crate) struct Latency {
    pub(crate) blocks: usize,
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Makes blocks on a development chain and waits for the event of each.
pub(crate) async fn measure(mode: IndexMode, pace: Pace) -> Result<Latency> {
    let db = TestDb::new(STORE.schema, &[&PLATFORM_MIGRATIONS, STORE.migrations]).await?;
    let nats = Nats::start().await?;
    let devnet = Devnet::start(Options::default()).await?;
    let metrics = Metrics::new("bench", "0");
    let follower = follower(&devnet, &db, &metrics, mode, pace).await?;
    let (stop, nudge) = (follower.stop.clone(), Nudge::default());
    let config = fluxplane_platform::config::Nats {
        url: nats.url.clone(),
        user: String::new(),
        password: Secret::default(),
    };
    let jetstream = bus::connect(&config, SERVICE.name).await?;
    bus::ensure_stream(&jetstream, SERVICE.name).await?;
    let client = async_nats::connect(&nats.url).await?;
    let mut events = client.subscribe(BlockConnected::SUBJECT).await?;
    client.flush().await?;
    let relay = Relay {
        pool: db.pool.clone(),
        jetstream,
        metrics: metrics.clone(),
        health: Health::default().register("outbox"),
    };
    let driver = Driver {
        period: Duration::from_secs(1),
        nudge: nudge.clone(),
        board: TaskBoard::default(),
        metrics,
        clock: Arc::new(SystemClock),
    };
    let endpoint = devnet.zmq_address().context("announcements")?;
    let mut announcements = Subscriber::connect(&endpoint).await?;
    let mut tasks = JoinSet::new();
    let heard = follower.heard.clone();
    tasks.spawn(listen::run(endpoint, nudge, heard, stop.clone()));
    tasks.spawn(relay.run(stop.clone()));
    tasks.spawn(driver.drive(follower, stop.clone()));

    let chain = devnet.chain();
    // Those the chain was begun with.
    while next(&mut events).await? < chain.height() {}
    let mut times = Vec::with_capacity(BLOCKS);
    while times.len() < BLOCKS {
        let miner = chain.clone();
        let mining = tokio::task::spawn_blocking(move || miner.mine(1));
        while !matches!(announcements.next().await?, Announcement::Tip) {}
        let announced = Instant::now();
        mining.await??;
        while next(&mut events).await? < chain.height() {}
        times.push(announced.elapsed());
    }
    stop.cancel();
    tasks.join_all().await;
    times.sort_unstable();
    let at = |percent: usize| times[(BLOCKS * percent / 100).min(BLOCKS - 1)].as_secs_f64() * 1e3;
    Ok(Latency {
        blocks: BLOCKS,
        median_ms: at(50),
        p99_ms: at(99),
    })
}

/// The height of the next announced block.
async fn next(events: &mut async_nats::Subscriber) -> Result<u32> {
    let event = tokio::time::timeout(Duration::from_secs(30), events.next()).await?;
    Ok(BlockConnected::decode(event.context("the bus closed")?.payload)?.height)
}

/// A follower of a development chain in its own term.
async fn follower(
    devnet: &Devnet,
    db: &TestDb,
    metrics: &Metrics,
    mode: IndexMode,
    pace: Pace,
) -> Result<Follower<FluxdRpc>> {
    let params = devnet.chain().params();
    let metrics = ChainMetrics::register(metrics);
    let rpc = RpcConfig {
        url: devnet.rpc_url(),
        user: devnet.credentials().user.clone(),
        password: Secret::new(devnet.credentials().password.clone()),
        timeout: Duration::from_secs(10),
    };
    Ok(Follower {
        ctx: Context {
            pool: db.pool.clone(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            rules: Rules {
                watch: Watch::new(Vec::new(), 0, params.addresses)?,
                params,
                thresholds: Thresholds::try_from(vec![1, 10, 40])?,
                announce_from: 0,
                mode,
                foundation: Vec::new(),
            },
            writer: Writer::default(),
        },
        source: Arc::new(FluxdRpc::new(rpc, metrics.clone())?),
        start: fluxplane_chain_indexer::config::StartMode::Genesis,
        needed: 1,
        token: token(db).await?,
        stop: CancellationToken::new(),
        pace,
        drop_after: Duration::from_mins(1),
        metrics,
        heard: Heard::default(),
        at: None,
        reported: None,
    })
}
