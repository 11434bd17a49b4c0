//! The initial sync: a chain in memory through the real indexer into Postgres, and what it takes there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use fluxplane_chain_indexer::{
    STORE,
    app::{Context, LEASE, Writer, load},
    domain::{Rules, Thresholds, Tip, Watch, ledger::IndexMode, watch::WatchedAddress},
    tasks::catch_up::{CatchUp, Pace},
};
use fluxplane_core::{IdSource as _, SystemClock, SystemIds};
use fluxplane_platform::db::{PLATFORM_MIGRATIONS, lease};
use fluxplane_testkit::TestDb;

use crate::{memory::Memory, synthetic::Synthetic};

/// What one sync gave.
pub(crate) struct Synced {
    pub(crate) took: Duration,
    /// Largest relations first: name and bytes with indexes.
    pub(crate) relations: Vec<(String, i64)>,
}

/// What the synthetic chain is judged by.
pub(crate) fn rules(chain: &Synthetic, mode: IndexMode) -> Result<Rules> {
    let params = Arc::new(chain.rules.params());
    let shop = WatchedAddress {
        address: chain.shop,
        from_height: 0,
    };
    Ok(Rules {
        watch: Watch::new(vec![shop], 0, params.addresses)?,
        thresholds: Thresholds::try_from(vec![1, 10, 40])?,
        // A plane that begins on a long chain indexes what was before in silence.
        announce_from: u32::MAX,
        params,
        mode,
        foundation: Vec::new(),
    })
}

/// Applies the whole chain to an empty database. With `claimed` blocks more than there are, all of it counts as final.
pub(crate) async fn run(
    source: &Arc<Memory>,
    rules: Rules,
    pace: Pace,
    claimed: u32,
) -> Result<Synced> {
    let db = TestDb::new(STORE.schema, &[&PLATFORM_MIGRATIONS, STORE.migrations]).await?;
    let ctx = Context {
        pool: db.pool.clone(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        rules,
        writer: Writer::default(),
    };
    let token = token(&db).await?;
    let last = Tip {
        height: source.last() + claimed,
        hash: source.hash(source.last()).context("a tip")?,
    };
    let mut loaded = load::load(&ctx).await?;
    let work = CatchUp {
        ctx: &ctx,
        token,
        source,
        pace,
    };
    let started = Instant::now();
    while loaded.state.next_height() <= source.last() {
        let ended = work.run(loaded.state, loaded.mempool, last, |_| ()).await?;
        if let Some(ended) = ended.ended {
            anyhow::bail!("the sync ended early: {ended:?}");
        }
        (loaded.state, loaded.mempool) = (ended.state, ended.mempool);
    }
    let took = started.elapsed();
    let tip = loaded.state.tip().context("a tip")?;
    anyhow::ensure!(tip.hash == last.hash, "ended at {tip}");
    let relations = relations(&db).await?;
    Ok(Synced { took, relations })
}

#[expect(clippy::disallowed_methods, reason = "a look at the catalogue")]
async fn relations(db: &TestDb) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query_as(
        "SELECT relname::text, pg_total_relation_size(c.oid)
         FROM pg_class c WHERE relnamespace = $1::regnamespace AND relkind = 'r'
         ORDER BY 2 DESC",
    )
    .bind(STORE.schema)
    .fetch_all(&db.pool)
    .await?;
    Ok(rows)
}

/// The fencing token of a term that outlives the measurement.
pub(crate) async fn token(db: &TestDb) -> Result<i64> {
    let mut conn = db.pool.acquire().await?;
    let term = lease::acquire(&mut conn, LEASE, SystemIds.next(), Duration::from_hours(10));
    term.await?.context("the lease is free")
}
