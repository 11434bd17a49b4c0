//! Questions about the chain. Answers that take several statements see one moment of the database.

use std::{collections::HashMap, ops::RangeInclusive};

use chrono::{DateTime, Utc};
use fluxplane_core::Tier;
use fluxplane_flux_chain::{Address, Block, Hash256, OutPoint, Transaction, fluxnode::NodeEntry};
use fluxplane_platform::db::{begin_snapshot, paging::Page};
use serde::de::DeserializeOwned;

use super::{Context, Error, load::check_network};
use crate::{
    db::{self, fluxnodes::QueueKey, payments::AgeKey},
    domain::{IndexMode, PaymentRecord, Tip, memo::MessageHash},
    source::Archive,
};

/// How far the index is and how far the daemon is.
#[derive(Debug, Clone)]
pub struct Status {
    pub tip: Option<Tip>,
    pub block_time: Option<DateTime<Utc>>,
    /// The last block that enough daemons had; 0 before they answered.
    pub daemon_height: u32,
    pub daemon_seen_at: Option<DateTime<Utc>>,
    /// Why there is no such block now; empty when there is.
    pub daemon_problem: String,
    /// So many daemons must agree; 0 before the first look.
    pub quorum: u32,
    /// In the order of the configuration.
    pub sources: Vec<db::daemon::Stored>,
    /// Nothing up to here is known; 0 when everything is.
    pub base_height: u32,
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
    let agreement = db::daemon::agreement(&mut tx).await?;
    let sources = db::daemon::all(&mut tx).await?;
    let tip = stored.as_ref().map(|stored| stored.tip);
    let height = tip.map_or(0, |tip| tip.height);
    let reached = agreement.as_ref().and_then(|said| said.reached);
    Ok(Status {
        tip,
        block_time: block.map(|block| block.time),
        daemon_height: reached.map_or(0, |(block, _)| block.height),
        daemon_seen_at: reached.map(|(_, at)| at),
        quorum: agreement.as_ref().map_or(0, |said| said.quorum),
        daemon_problem: agreement.map(|said| said.problem).unwrap_or_default(),
        sources,
        base_height: stored.as_ref().map_or(0, |stored| stored.base),
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

/// A block of the best chain. An index in mode plane asks the daemon for its transactions.
pub async fn block(
    ctx: &Context,
    archive: &dyn Archive,
    key: &BlockKey,
) -> Result<StoredBlock, Error> {
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
    let (txids, coinbase) = match ctx.rules.mode {
        IndexMode::Full => (
            db::blocks::txids(&mut tx, height).await?,
            db::blocks::coinbase(&mut tx, height).await?,
        ),
        IndexMode::Plane => {
            drop(tx);
            transactions_of(archive, found.block).await?
        }
    };
    Ok(StoredBlock {
        block: found.block,
        previous: found.previous,
        time: found.time,
        size_bytes: found.size_bytes,
        txids,
        coinbase,
    })
}

/// Ids of a block's transactions and its coinbase, from the daemon.
async fn transactions_of(
    archive: &dyn Archive,
    block: Tip,
) -> Result<(Vec<Hash256>, Option<Vec<u8>>), Error> {
    let raw = archive.block(block).await.map_err(Error::Daemon)?;
    // The archive has parsed it and compared its hash.
    let parsed = Block::parse(&raw).ok();
    let parsed = parsed.ok_or_else(|| Error::NoBlock(block.hash.to_string()))?;
    let coinbase = parsed.transactions.first();
    Ok((
        parsed.txids(),
        coinbase.map(|transaction| transaction.raw().to_vec()),
    ))
}

/// The hash of our block at a height.
pub async fn hash_at(ctx: &Context, height: u32) -> Result<Option<Hash256>, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let block = db::blocks::at_height(&mut conn, height).await?;
    Ok(block.map(|block| block.block.hash))
}

/// Height of the snapshot the index began from; 0 when it began with the first block.
pub async fn base_height(ctx: &Context) -> Result<u32, Error> {
    let mut conn = ctx.pool.acquire().await?;
    Ok(db::base::height(&mut conn).await?)
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

/// A transaction of the best chain or the mempool. An index in mode plane asks the daemon for those it does not keep.
pub async fn transaction(
    ctx: &Context,
    archive: &dyn Archive,
    txid: Hash256,
) -> Result<FoundTransaction, Error> {
    let mut tx = begin_snapshot(&ctx.pool).await?;
    if let Some(found) = db::blocks::transaction(&mut tx, txid).await? {
        return in_block(&mut tx, found.raw, found.block).await;
    }
    if let Some(raw) = db::mempool::get(&mut tx, txid).await? {
        return Ok(FoundTransaction {
            raw,
            block: None,
            confirmations: 0,
        });
    }
    match ctx.rules.mode {
        IndexMode::Full => Err(Error::NoTransaction(txid)),
        IndexMode::Plane => {
            drop(tx);
            from_daemon(ctx, archive, txid).await
        }
    }
}

async fn from_daemon(
    ctx: &Context,
    archive: &dyn Archive,
    txid: Hash256,
) -> Result<FoundTransaction, Error> {
    let located = archive.transaction(txid).await.map_err(Error::Daemon)?;
    let located = located.ok_or(Error::NotFoundByDaemon(txid))?;
    let Some(hash) = located.block else {
        return Ok(FoundTransaction {
            raw: located.raw,
            block: None,
            confirmations: 0,
        });
    };
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let block = db::blocks::by_hash(&mut tx, hash).await?;
    // A block that is not ours yet, or not any more.
    let block = block.ok_or(Error::NoTransaction(txid))?;
    in_block(&mut tx, located.raw, block.block).await
}

async fn in_block(
    conn: &mut sqlx::PgConnection,
    raw: Vec<u8>,
    block: Tip,
) -> Result<FoundTransaction, Error> {
    let stored = db::chain::get(conn).await?;
    let height = stored.map_or(block.height, |stored| stored.tip.height);
    Ok(FoundTransaction {
        raw,
        block: Some(block),
        confirmations: height.saturating_sub(block.height).saturating_add(1),
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
    /// When the blocks came in which the nodes were added and paid last, as far as they are known.
    pub block_times: HashMap<u32, DateTime<Utc>>,
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
    let heights: Vec<u32> = entries
        .iter()
        .flat_map(|(_, entry, _)| [entry.added_height, entry.last_paid_height])
        .collect();
    let block_times = db::blocks::times(&mut tx, &heights).await?;
    Ok(FluxnodePage {
        block_times,
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
