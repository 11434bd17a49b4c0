//! Blocks per second from raw blocks in memory into Postgres, and how long a new block takes from its announcement to the commit
//! of its effects: `cargo bench -p fluxplane-chain-indexer`. Wants `TEST_DATABASE_URL`, as the tests do.
//!
//! The blocks per second are of the recorded chain with fluxnodes, 961 blocks of about 390 bytes. Measured apart: blocks that are
//! final, applied many to a transaction, and blocks at the tip, one to a transaction. The latency is of a development chain over its
//! JSON-RPC and ZMQ.

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use fluxplane_chain_indexer::{
    SERVICE, STORE,
    app::{Context, LEASE, load},
    config::{Config, NetworkName},
    domain::{Rules, Thresholds, Tip, Watch},
    metrics::ChainMetrics,
    source::{ChainSource, FluxdRpc, MempoolView, Position, SourceError, rpc::RpcConfig},
    tasks::{
        catch_up::{CatchUp, Pace},
        follow::Follower,
        heard::Heard,
        listen,
    },
};
use fluxplane_core::{IdSource as _, SystemClock, SystemIds};
use fluxplane_devnet::{Devnet, Options};
use fluxplane_flux_chain::{Block, Hash256};
use fluxplane_platform::{
    config::Secret,
    db::{PLATFORM_MIGRATIONS, lease},
    metrics::Metrics,
    reconciler::{Driver, Nudge, TaskBoard},
    runner,
};
use fluxplane_testkit::TestDb;
use sqlx::postgres::PgListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Runs per measurement; the median counts.
const RUNS: usize = 5;

/// A chain in memory.
#[derive(Debug)]
struct Memory(Vec<Vec<u8>>);

impl Memory {
    fn recording() -> Result<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/fixtures/fluxd-regtest-nodes.json");
        let record: serde_json::Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let blocks = record["blocks"].as_array().context("blocks")?;
        let blocks = blocks
            .iter()
            .map(|block| Ok(hex::decode(block.as_str().context("block")?)?));
        Ok(Self(blocks.collect::<Result<_>>()?))
    }

    fn at(&self, height: u32) -> Option<&Vec<u8>> {
        self.0.get(usize::try_from(height).ok()?)
    }

    fn hash(&self, height: u32) -> Option<Hash256> {
        Some(Block::parse(self.at(height)?).ok()?.header.hash())
    }
}

impl ChainSource for Memory {
    async fn genesis(&self) -> Result<Hash256, SourceError> {
        Ok(self.hash(0).unwrap_or_default())
    }

    async fn position(&self, height: Option<u32>) -> Result<Position, SourceError> {
        let last = u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX);
        Ok(Position {
            tip: Tip {
                height: last,
                hash: self.hash(last).unwrap_or_default(),
            },
            at: height.and_then(|height| self.hash(height)),
        })
    }

    async fn block_hashes(
        &self,
        heights: RangeInclusive<u32>,
    ) -> Result<Vec<Option<Hash256>>, SourceError> {
        Ok(heights.map(|height| self.hash(height)).collect())
    }

    async fn blocks(&self, heights: RangeInclusive<u32>) -> Result<Vec<Vec<u8>>, SourceError> {
        Ok(heights
            .filter_map(|height| self.at(height).cloned())
            .collect())
    }

    async fn mempool(&self) -> Result<MempoolView, SourceError> {
        let tip = self.position(None).await?.tip.hash;
        Ok(MempoolView {
            tip_before: tip,
            txids: Vec::new(),
            tip_after: tip,
        })
    }

    async fn transactions(&self, txids: &[Hash256]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        Ok(vec![None; txids.len()])
    }
}

/// Applies the whole chain. With `claimed` far above its end all of it counts as final.
async fn run(source: &Arc<Memory>, pace: Pace, claimed: u32) -> Result<Duration> {
    let db = TestDb::new(STORE.schema, &[&PLATFORM_MIGRATIONS, STORE.migrations]).await?;
    let mut config: Config = runner::load(SERVICE, None)?;
    config.chain.network = NetworkName::Devnet;
    config.chain.devnet.exchange_fund = Some("tmAQzNvsWkqJmCxQg2ZeUH8epmtZG7KsSpH".parse()?);
    let ctx = Context {
        pool: db.pool.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        rules: config.rules()?,
    };
    let token = token(&db).await?;
    let loaded = load::load(&ctx).await?;
    let work = CatchUp {
        ctx: &ctx,
        token,
        source,
        pace,
    };
    let mut theirs = source.position(None).await?.tip;
    theirs.height += claimed;
    let started = Instant::now();
    let ended = work
        .run(loaded.state, loaded.mempool, theirs, |_| ())
        .await?;
    let took = started.elapsed();
    let tip = ended.state.tip().context("a tip")?;
    anyhow::ensure!(tip.height == 960, "ended at {tip}");
    Ok(took)
}

async fn measure(name: &str, source: &Arc<Memory>, pace: Pace, claimed: u32) -> Result<()> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        times.push(run(source, pace, claimed).await?);
    }
    times.sort_unstable();
    let median = times[RUNS / 2].as_secs_f64();
    let blocks = f64::from(u32::try_from(source.0.len())?);
    #[expect(clippy::print_stdout, reason = "this is the result")]
    {
        println!(
            "{name:<44} {:>8.0} blocks/s  {median:>7.3} s",
            blocks / median
        );
    }
    Ok(())
}

/// A follower of a development chain in its own term.
async fn follower(devnet: &Devnet, db: &TestDb, metrics: &Metrics) -> Result<Follower<FluxdRpc>> {
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
            },
        },
        source: Arc::new(FluxdRpc::new(rpc, metrics.clone())?),
        token: token(db).await?,
        stop: CancellationToken::new(),
        pace: pace(256),
        drop_after: Duration::from_mins(1),
        metrics,
        heard: Heard::default(),
        at: None,
        reported: None,
    })
}

/// Makes blocks on a development chain and waits for the notification that each one's commit sends.
async fn tip_latency() -> Result<()> {
    const BLOCKS: usize = 200;
    let db = TestDb::new(STORE.schema, &[&PLATFORM_MIGRATIONS, STORE.migrations]).await?;
    let devnet = Devnet::start(Options::default()).await?;
    let chain = devnet.chain();
    let metrics = Metrics::new("bench", "0");
    let follower = follower(&devnet, &db, &metrics).await?;
    let (ctx, stop, nudge) = (
        follower.ctx.clone(),
        follower.stop.clone(),
        Nudge::default(),
    );
    let driver = Driver {
        period: Duration::from_secs(1),
        nudge: nudge.clone(),
        board: TaskBoard::default(),
        metrics,
        clock: Arc::new(SystemClock),
    };
    let endpoint = devnet.zmq_address().context("announcements")?;
    let mut tasks = JoinSet::new();
    let heard = follower.heard.clone();
    tasks.spawn(listen::run(endpoint, nudge, heard, stop.clone()));
    tasks.spawn(driver.drive(follower, stop.clone()));
    let mut committed = PgListener::connect_with(&db.pool).await?;
    committed.listen("outbox.indexer").await?;
    let mut times = Vec::with_capacity(BLOCKS);
    let mut reached = 0;
    while times.len() < BLOCKS {
        // The first blocks are those the chain was begun with.
        if reached == chain.height() {
            let miner = chain.clone();
            tokio::task::spawn_blocking(move || miner.mine(1)).await??;
            let announced = Instant::now();
            committed.recv().await?;
            times.push(announced.elapsed());
        } else {
            committed.recv().await?;
        }
        let tip = load::load(&ctx).await?.state.tip();
        reached = tip.map_or(0, |tip| tip.height);
    }
    stop.cancel();
    tasks.join_all().await;
    times.sort_unstable();
    let at = |percent: usize| times[(BLOCKS * percent / 100).min(BLOCKS - 1)].as_secs_f64() * 1e3;
    let (median, late) = (at(50), at(99));
    #[expect(clippy::print_stdout, reason = "this is the result")]
    {
        println!(
            "tip: announced to committed, {BLOCKS} blocks   p50 {median:.1} ms, p99 {late:.1} ms"
        );
    }
    Ok(())
}

const fn pace(blocks_per_transaction: usize) -> Pace {
    Pace {
        fetch_batch: 32,
        fetch_parallel: 4,
        blocks_per_transaction,
    }
}

/// The fencing token of a term that outlives the measurement.
async fn token(db: &TestDb) -> Result<i64> {
    let mut conn = db.pool.acquire().await?;
    let term = lease::acquire(&mut conn, LEASE, SystemIds.next(), Duration::from_hours(1));
    term.await?.context("the lease is free")
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let source = Arc::new(Memory::recording()?);
        // Nothing is asked for above the end, so a tip far away only makes every block final.
        let far = 1_000_000;
        measure("final, 256 blocks per transaction", &source, pace(256), far).await?;
        measure("final, 64 blocks per transaction", &source, pace(64), far).await?;
        measure("final, 1 block per transaction", &source, pace(1), far).await?;
        measure(
            "as followed: 921 final, the last 40 singly",
            &source,
            pace(256),
            0,
        )
        .await?;
        tip_latency().await
    })
}
