//! What is followed, and how far.

use alloy_primitives::Address;
use chrono::{DateTime, Utc};
use fluxplane_platform::db::{ensure_one_row, paging::Page};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::columns::{Column, height};
use crate::evm::{
    config::Token,
    domain::{BlockRef, Header},
};

/// An asset with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub id: i32,
    pub name: String,
    pub chain_id: u64,
    pub contract: Address,
    pub decimals: u8,
    pub start_block: u64,
    pub confirmations: u32,
    /// Last applied block.
    pub tip: Option<BlockRef>,
    pub block_time: Option<DateTime<Utc>>,
    pub final_height: Option<u64>,
    /// Decimal, like the other sums: they may exceed 256 bits.
    pub minted: String,
    pub burned: String,
    pub observed_supply: String,
    pub transfer_count: u64,
    pub halted_reason: String,
    /// 0 before the node answered.
    pub node_height: u64,
    pub node_seen_at: Option<DateTime<Utc>>,
    pub problem: String,
}

impl Asset {
    /// Blocks the index is behind the node.
    pub fn lag(&self) -> u64 {
        let next = self
            .tip
            .map_or(self.start_block, |tip| tip.height.saturating_add(1));
        self.node_height.saturating_add(1).saturating_sub(next)
    }
}

/// The place of an asset in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameKey(pub String);

struct Row {
    id: i32,
    name: String,
    chain_id: i64,
    contract: Vec<u8>,
    decimals: i16,
    start_block: i64,
    confirmations: i32,
    height: Option<i64>,
    hash: Option<Vec<u8>>,
    block_time: Option<DateTime<Utc>>,
    final_height: Option<i64>,
    minted: String,
    burned: String,
    observed_supply: String,
    transfer_count: i64,
    halted_reason: String,
    node_height: Option<i64>,
    node_seen_at: Option<DateTime<Utc>>,
    problem: Option<String>,
}

const fn column(name: &'static str) -> Column {
    Column("evm_asset", name)
}

impl TryFrom<Row> for Asset {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let id = row.id;
        let tip = match (row.height, row.hash) {
            (Some(at), Some(hash)) => Some(BlockRef {
                height: column("height").unsigned(id, at)?,
                hash: column("hash").word(id, &hash)?,
            }),
            _ => None,
        };
        let optional = |name, value: Option<i64>| {
            value
                .map(|value| column(name).unsigned(id, value))
                .transpose()
        };
        Ok(Self {
            id,
            chain_id: column("chain_id").unsigned(id, row.chain_id)?,
            contract: column("contract").address(id, &row.contract)?,
            decimals: u8::try_from(row.decimals)
                .map_err(|_| column("decimals").wrong(id, row.decimals))?,
            start_block: column("start_block").unsigned(id, row.start_block)?,
            confirmations: u32::try_from(row.confirmations)
                .map_err(|_| column("confirmations").wrong(id, row.confirmations))?,
            tip,
            block_time: row.block_time,
            final_height: optional("final_height", row.final_height)?,
            minted: row.minted,
            burned: row.burned,
            observed_supply: row.observed_supply,
            transfer_count: column("transfer_count").unsigned(id, row.transfer_count)?,
            halted_reason: row.halted_reason,
            node_height: optional("node_height", row.node_height)?.unwrap_or(0),
            node_seen_at: row.node_seen_at,
            problem: row.problem.unwrap_or_default(),
            name: row.name,
        })
    }
}

/// Makes the asset's row, or brings what may change of it to what the configuration says. Its name, its decimals and its
/// confirmations may.
pub async fn register(conn: &mut PgConnection, token: &Token) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO evm_asset (name, chain_id, contract, decimals, start_block, confirmations)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (chain_id, contract) DO UPDATE SET
            name = EXCLUDED.name, decimals = EXCLUDED.decimals,
            confirmations = EXCLUDED.confirmations
        "#,
        token.name,
        height(token.chain_id)?,
        token.contract.as_slice(),
        i16::from(token.decimals),
        height(token.start_block)?,
        i32::try_from(token.confirmations).map_err(|err| sqlx::Error::Encode(Box::new(err)))?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn by_name(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<Asset>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT a.id, a.name, a.chain_id, a.contract, a.decimals, a.start_block, a.confirmations, a.height, a.hash,
               a.block_time, a.final_height, a.minted::text AS "minted!", a.burned::text AS "burned!",
               (a.minted - a.burned)::text AS "observed_supply!", a.transfer_count, a.halted_reason,
               n.height AS "node_height?", n.seen_at AS "node_seen_at?", n.problem AS "problem?"
        FROM evm_asset a LEFT JOIN evm_node n ON n.asset_id = a.id
        WHERE a.name = $1
        "#,
        name,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Asset::try_from).transpose()
}

pub async fn list(conn: &mut PgConnection, page: &Page<NameKey>) -> sqlx::Result<Vec<Asset>> {
    let after = page.after.as_ref().map(|key| key.0.as_str());
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT a.id, a.name, a.chain_id, a.contract, a.decimals, a.start_block, a.confirmations, a.height, a.hash,
               a.block_time, a.final_height, a.minted::text AS "minted!", a.burned::text AS "burned!",
               (a.minted - a.burned)::text AS "observed_supply!", a.transfer_count, a.halted_reason,
               n.height AS "node_height?", n.seen_at AS "node_seen_at?", n.problem AS "problem?"
        FROM evm_asset a LEFT JOIN evm_node n ON n.asset_id = a.id
        WHERE $1::text IS NULL OR a.name > $1
        ORDER BY a.name LIMIT $2
        "#,
        after,
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Asset::try_from).collect()
}

/// The start block of a contract that was followed before.
pub async fn start_of(
    conn: &mut PgConnection,
    chain_id: u64,
    contract: Address,
) -> sqlx::Result<Option<u64>> {
    let start = sqlx::query_scalar!(
        "SELECT start_block FROM evm_asset WHERE chain_id = $1 AND contract = $2",
        height(chain_id)?,
        contract.as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(start
        .map(|start| column("start_block").unsigned(contract, start))
        .transpose()?)
}

/// The chain and the contract behind a name.
pub async fn named(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<(u64, Address)>> {
    let row = sqlx::query!(
        "SELECT chain_id, contract FROM evm_asset WHERE name = $1",
        name
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let chain_id = column("chain_id").unsigned(name, row.chain_id)?;
        Ok((chain_id, column("contract").address(name, &row.contract)?))
    })
    .transpose()
}

/// Moves the last applied block, which must be where the caller believes it to be. The row stays locked until the transaction ends.
pub async fn move_tip(
    conn: &mut PgConnection,
    id: i32,
    from: Option<BlockRef>,
    to: &Header,
    final_height: Option<u64>,
) -> sqlx::Result<()> {
    let moved = sqlx::query!(
        r#"
        UPDATE evm_asset SET height = $4, hash = $5, block_time = $6, final_height = $7
        WHERE id = $1 AND height IS NOT DISTINCT FROM $2 AND hash IS NOT DISTINCT FROM $3
        "#,
        id,
        from.map(|block| height(block.height)).transpose()?,
        from.as_ref().map(|block| block.hash.as_slice()),
        height(to.block.height)?,
        to.block.hash.as_slice(),
        to.time,
        final_height.map(height).transpose()?,
    )
    .execute(conn)
    .await?;
    ensure_one_row(moved.rows_affected(), "move the last block of an asset")
}

/// Goes back to before the first block.
pub async fn clear_tip(conn: &mut PgConnection, id: i32, from: BlockRef) -> sqlx::Result<()> {
    let moved = sqlx::query!(
        r#"
        UPDATE evm_asset SET height = NULL, hash = NULL, block_time = NULL
        WHERE id = $1 AND height = $2 AND hash = $3 AND final_height IS NULL
        "#,
        id,
        height(from.height)?,
        from.hash.as_slice(),
    )
    .execute(conn)
    .await?;
    ensure_one_row(moved.rows_affected(), "clear the last block of an asset")
}

/// Which way sums go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Added,
    Removed,
}

/// Brings the sums into step with the transfers of `first` to `last`, that were added or are about to be removed.
pub async fn count(
    conn: &mut PgConnection,
    id: i32,
    (first, last): (u64, u64),
    count: Count,
) -> sqlx::Result<()> {
    let sign: i32 = match count {
        Count::Added => 1,
        Count::Removed => -1,
    };
    let counted = sqlx::query!(
        r#"
        UPDATE evm_asset SET
            minted = minted + $5::integer * made,
            burned = burned + $5::integer * destroyed,
            transfer_count = transfer_count + $5::integer * transfers
        FROM (SELECT coalesce(sum(amount) FILTER (WHERE from_address = $4), 0) AS made,
                     coalesce(sum(amount) FILTER (WHERE to_address = $4), 0) AS destroyed,
                     count(*) AS transfers
              FROM evm_transfer WHERE asset_id = $1 AND height BETWEEN $2 AND $3) sums
        WHERE id = $1
        "#,
        id,
        height(first)?,
        height(last)?,
        Address::ZERO.as_slice(),
        sign,
    )
    .execute(conn)
    .await?;
    ensure_one_row(counted.rows_affected(), "count transfers of an asset")
}

pub async fn set_halted(conn: &mut PgConnection, id: i32, reason: &str) -> sqlx::Result<()> {
    let changed = sqlx::query!(
        "UPDATE evm_asset SET halted_reason = $2 WHERE id = $1",
        id,
        reason
    )
    .execute(conn)
    .await?;
    ensure_one_row(changed.rows_affected(), "set why an asset is not followed")
}

/// A block that is kept.
pub(super) fn block(
    table: &'static str,
    row: impl std::fmt::Display + Copy,
    at: i64,
    hash: &[u8],
) -> sqlx::Result<BlockRef> {
    Ok(BlockRef {
        height: Column(table, "height").unsigned(row, at)?,
        hash: Column(table, "hash").word(row, hash)?,
    })
}
