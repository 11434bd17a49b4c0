//! Questions about the chain. Answers that take several statements see one moment of the database.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use fluxplane_core::Tier;
use fluxplane_flux_chain::{Address, Hash256, OutPoint, Transaction, fluxnode::NodeEntry};
use fluxplane_platform::db::{begin_snapshot, paging::Page};
use serde::de::DeserializeOwned;

use super::{Context, Error, load::check_network, report::DAEMON};
use crate::{
    db::{self, fluxnodes::QueueKey, payments::AgeKey},
    domain::{PaymentRecord, Tip, memo::MessageHash},
};

/// How far the index is and how far the daemon is.
#[derive(Debug, Clone)]
pub struct Status {
    pub tip: Option<Tip>,
    pub block_time: Option<DateTime<Utc>>,
    /// 0 before the daemon answered.
    pub daemon_height: u32,
    pub daemon_seen_at: Option<DateTime<Utc>>,
    /// Why the daemon could not be asked last time; empty when it answered.
    pub daemon_problem: String,
    pub halted_reason: String,
    pub payment_addresses: Vec<Address>,
}

pub async fn status(ctx: &Context) -> Result<Status, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let stored = db::chain::get(&mut tx).await?;
    let block = match &stored {
        Some(stored) => {
            check_network(ctx, stored)?;
            db::blocks::at_height(&mut tx, stored.tip.height).await?
        }
        None => None,
    };
    let daemon = db::daemon::get(&mut tx, DAEMON).await?;
    let tip = stored.as_ref().map(|stored| stored.tip);
    let height = tip.map_or(0, |tip| tip.height);
    Ok(Status {
        tip,
        block_time: block.map(|block| block.time),
        daemon_height: daemon.as_ref().and_then(|said| said.height).unwrap_or(0),
        daemon_seen_at: daemon.as_ref().and_then(|said| said.seen_at),
        daemon_problem: daemon.map(|said| said.problem).unwrap_or_default(),
        halted_reason: stored
            .map(|stored| stored.halted_reason)
            .unwrap_or_default(),
        payment_addresses: ctx.rules.watch.at(height).collect(),
    })
}

/// How a block is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKey {
    Height(u32),
    Hash(Hash256),
}

/// A block with the ids of its transactions.
#[derive(Debug, Clone)]
pub struct StoredBlock {
    pub block: Tip,
    pub previous: Hash256,
    pub time: DateTime<Utc>,
    pub size_bytes: u32,
    pub txids: Vec<Hash256>,
    coinbase: Option<Vec<u8>>,
}

impl StoredBlock {
    /// Hands the first transaction to `read`.
    pub fn with_coinbase<T>(&self, read: impl FnOnce(&Transaction<'_>) -> T) -> Option<T> {
        let transaction = Transaction::parse(self.coinbase.as_deref()?).ok()?;
        Some(read(&transaction))
    }
}

pub async fn block(ctx: &Context, key: &BlockKey) -> Result<StoredBlock, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let (found, name) = match key {
        BlockKey::Height(height) => (
            db::blocks::at_height(&mut tx, *height).await?,
            height.to_string(),
        ),
        BlockKey::Hash(hash) => (db::blocks::by_hash(&mut tx, *hash).await?, hash.to_string()),
    };
    let found = found.ok_or(Error::NoBlock(name))?;
    let height = found.block.height;
    Ok(StoredBlock {
        block: found.block,
        previous: found.previous,
        time: found.time,
        size_bytes: found.size_bytes,
        txids: db::blocks::txids(&mut tx, height).await?,
        coinbase: db::blocks::coinbase(&mut tx, height).await?,
    })
}

/// The hash of our block at a height.
pub async fn hash_at(ctx: &Context, height: u32) -> Result<Option<Hash256>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let block = db::blocks::at_height(&mut conn, height).await?;
    Ok(block.map(|block| block.block.hash))
}

/// Our blocks in a range of heights, ascending.
pub async fn blocks_in(ctx: &Context, heights: RangeInclusive<u32>) -> Result<Vec<Tip>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::blocks::tips_in(&mut conn, heights).await?)
}

/// Nodes on the lists by the chain's numbers of tier and status.
pub async fn count_fluxnodes(ctx: &Context) -> Result<Vec<(i16, i16, i64)>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::fluxnodes::count(&mut conn).await?)
}

/// A transaction and where it is.
#[derive(Debug, Clone)]
pub struct FoundTransaction {
    pub raw: Vec<u8>,
    /// `None` while in the mempool.
    pub block: Option<Tip>,
    pub confirmations: u32,
}

pub async fn transaction(ctx: &Context, txid: Hash256) -> Result<FoundTransaction, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    if let Some(found) = db::blocks::transaction(&mut tx, txid).await? {
        let tip = db::chain::get(&mut tx).await?;
        let height = tip.map_or(found.block.height, |stored| stored.tip.height);
        return Ok(FoundTransaction {
            raw: found.raw,
            block: Some(found.block),
            confirmations: height - found.block.height + 1,
        });
    }
    let raw = db::mempool::get(&mut tx, txid)
        .await?
        .ok_or(Error::NoTransaction(txid))?;
    Ok(FoundTransaction {
        raw,
        block: None,
        confirmations: 0,
    })
}

/// A node on any list, with its rank when it is confirmed.
pub async fn fluxnode(
    ctx: &Context,
    collateral: OutPoint,
) -> Result<(NodeEntry, Option<u32>), Error> {
    let mut conn = ctx.pool.acquire().await?;
    db::fluxnodes::get(&mut conn, collateral)
        .await?
        .ok_or(Error::NoFluxnode(collateral))
}

/// A page of the list.
#[derive(Debug, Clone)]
pub struct FluxnodePage {
    pub entries: Vec<(NodeEntry, u32)>,
    pub next_cursor: String,
    /// The list is the one after this block.
    pub height: u32,
}

/// Confirmed nodes, tier by tier in payment order.
pub async fn fluxnodes(
    ctx: &Context,
    tier: Option<Tier>,
    page: &Page<QueueKey>,
) -> Result<FluxnodePage, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = height(&mut tx).await?;
    let mut entries = Vec::new();
    for (entry, rank) in db::fluxnodes::confirmed(&mut tx, tier, page).await? {
        entries.push((QueueKey::of(&entry)?, entry, rank));
    }
    let next_cursor = page.cut(&mut entries, |(key, _, _)| *key);
    Ok(FluxnodePage {
        entries: entries
            .into_iter()
            .map(|(_, entry, rank)| (entry, rank))
            .collect(),
        next_cursor,
        height,
    })
}

/// A page of payments.
#[derive(Debug, Clone)]
pub struct PaymentPage {
    pub records: Vec<PaymentRecord>,
    pub next_cursor: String,
    /// The tip the confirmations count to.
    pub height: u32,
}

/// Payments for a message, oldest first.
pub async fn payments(
    ctx: &Context,
    message: MessageHash,
    page: &Page<AgeKey>,
) -> Result<PaymentPage, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let height = height(&mut tx).await?;
    let mut records = db::payments::for_message(&mut tx, message, page).await?;
    let next_cursor = page.cut(&mut records, AgeKey::of);
    Ok(PaymentPage {
        records,
        next_cursor,
        height,
    })
}

async fn height(conn: &mut sqlx::PgConnection) -> sqlx::Result<u32> {
    let stored = db::chain::get(conn).await?;
    Ok(stored.map_or(0, |stored| stored.tip.height))
}

/// Reads a page wish.
pub fn page<K: DeserializeOwned>(size: u32, cursor: &str) -> Result<Page<K>, Error> {
    Page::parse(size, cursor).map_err(|violation| Error::Invalid(vec![violation]))
}
