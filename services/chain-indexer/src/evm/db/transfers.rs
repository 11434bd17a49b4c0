//! Transfers of the best chain.

use std::ops::RangeInclusive;

use alloy_primitives::{Address, B256};
use chrono::{DateTime, Utc};
use fluxplane_platform::db::paging::Page;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::columns::{Column, height};
use crate::evm::domain::{BlockRef, Transfer};

/// The place of a transfer among all: asset by asset, as on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceKey {
    pub asset_id: i32,
    pub height: i64,
    pub log_index: i32,
}

/// A transfer with the number of its asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub asset_id: i32,
    pub transfer: Transfer,
}

impl Stored {
    /// Rows come with numbers that fit.
    pub fn key(&self) -> PlaceKey {
        PlaceKey {
            asset_id: self.asset_id,
            height: i64::try_from(self.transfer.block.height).unwrap_or(i64::MAX),
            log_index: i32::try_from(self.transfer.log_index).unwrap_or(i32::MAX),
        }
    }
}

struct Row {
    asset_id: i32,
    height: i64,
    log_index: i32,
    block_hash: Vec<u8>,
    block_time: DateTime<Utc>,
    tx_hash: Vec<u8>,
    from_address: Vec<u8>,
    to_address: Vec<u8>,
    amount: String,
}

const fn column(name: &'static str) -> Column {
    Column("evm_transfer", name)
}

impl TryFrom<Row> for Stored {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let place = format!("{}/{}/{}", row.asset_id, row.height, row.log_index);
        let place = place.as_str();
        Ok(Self {
            asset_id: row.asset_id,
            transfer: Transfer {
                block: BlockRef {
                    height: column("height").unsigned(place, row.height)?,
                    hash: column("block_hash").word(place, &row.block_hash)?,
                },
                block_time: row.block_time,
                log_index: u32::try_from(row.log_index)
                    .map_err(|_| column("log_index").wrong(place, row.log_index))?,
                tx_hash: column("tx_hash").word(place, &row.tx_hash)?,
                from: column("from_address").address(place, &row.from_address)?,
                to: column("to_address").address(place, &row.to_address)?,
                amount: column("amount").amount(place, &row.amount)?,
            },
        })
    }
}

pub async fn insert(
    conn: &mut PgConnection,
    asset_id: i32,
    transfers: &[Transfer],
) -> sqlx::Result<()> {
    let heights = transfers
        .iter()
        .map(|transfer| height(transfer.block.height))
        .collect::<sqlx::Result<Vec<_>>>()?;
    let indexes = transfers
        .iter()
        .map(|transfer| {
            i32::try_from(transfer.log_index).map_err(|err| sqlx::Error::Encode(Box::new(err)))
        })
        .collect::<sqlx::Result<Vec<_>>>()?;
    let bytes = |of: fn(&Transfer) -> &[u8]| transfers.iter().map(of).collect::<Vec<&[u8]>>();
    let times: Vec<DateTime<Utc>> = transfers.iter().map(|of| of.block_time).collect();
    let amounts: Vec<String> = transfers.iter().map(|of| of.amount.to_string()).collect();
    sqlx::query!(
        r#"
        INSERT INTO evm_transfer (
            asset_id, height, log_index, block_hash, block_time, tx_hash, from_address, to_address, amount)
        SELECT $1, height, log_index, block_hash, block_time, tx_hash, from_address, to_address, amount::numeric
        FROM unnest(
            $2::bigint[], $3::integer[], $4::bytea[], $5::timestamptz[], $6::bytea[], $7::bytea[], $8::bytea[],
            $9::text[])
            AS new (height, log_index, block_hash, block_time, tx_hash, from_address, to_address, amount)
        "#,
        asset_id,
        &heights,
        &indexes,
        &bytes(|of| of.block.hash.as_slice()) as _,
        &times,
        &bytes(|of| of.tx_hash.as_slice()) as _,
        &bytes(|of| of.from.as_slice()) as _,
        &bytes(|of| of.to.as_slice()) as _,
        &amounts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Transfers of a range of heights, as on the chain.
pub async fn in_range(
    conn: &mut PgConnection,
    asset_id: i32,
    heights: RangeInclusive<u64>,
) -> sqlx::Result<Vec<Transfer>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT asset_id, height, log_index, block_hash, block_time, tx_hash, from_address, to_address,
               amount::text AS "amount!"
        FROM evm_transfer WHERE asset_id = $1 AND height BETWEEN $2 AND $3
        ORDER BY height, log_index
        "#,
        asset_id,
        height(*heights.start())?,
        height(*heights.end())?,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Stored::try_from(row).map(|stored| stored.transfer))
        .collect()
}

/// Removes transfers from a height on.
pub async fn delete_from(conn: &mut PgConnection, asset_id: i32, from: u64) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM evm_transfer WHERE asset_id = $1 AND height >= $2",
        asset_id,
        height(from)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which transfers are wanted. Heights go with an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub asset_id: Option<i32>,
    pub address: Option<Address>,
    pub tx_hash: Option<B256>,
    pub min_height: u64,
    pub max_height: Option<u64>,
}

/// Transfers, newest first within their asset.
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    page: &Page<PlaceKey>,
) -> sqlx::Result<Vec<Stored>> {
    let rows = match (filter.tx_hash, filter.address) {
        (Some(tx_hash), _) => of_transaction(conn, tx_hash, filter, page).await?,
        (None, Some(address)) => of_address(conn, address, filter, page).await?,
        (None, None) => all(conn, filter, page).await?,
    };
    rows.into_iter().map(Stored::try_from).collect()
}

/// Bounds of a walk along an index. They are bounds whatever is wanted, so that one plan suits all wishes.
struct Bounds {
    assets: (i32, i32),
    heights: (i64, i64),
    /// The place before which the page begins.
    before: PlaceKey,
}

impl Bounds {
    fn new(filter: &Filter, page: &Page<PlaceKey>) -> Self {
        let last = PlaceKey {
            asset_id: i32::MAX,
            height: i64::MAX,
            log_index: i32::MAX,
        };
        let bound = |height: u64| i64::try_from(height).unwrap_or(i64::MAX);
        Self {
            assets: filter.asset_id.map_or((0, i32::MAX), |id| (id, id)),
            heights: (
                bound(filter.min_height),
                filter.max_height.map_or(i64::MAX, bound),
            ),
            before: page.after.unwrap_or(last),
        }
    }
}

async fn all(
    conn: &mut PgConnection,
    filter: &Filter,
    page: &Page<PlaceKey>,
) -> sqlx::Result<Vec<Row>> {
    let bounds = Bounds::new(filter, page);
    sqlx::query_as!(
        Row,
        r#"
        SELECT asset_id, height, log_index, block_hash, block_time, tx_hash, from_address, to_address,
               amount::text AS "amount!"
        FROM evm_transfer
        WHERE asset_id BETWEEN $1 AND $2 AND height BETWEEN $3 AND $4
          AND (asset_id, height, log_index) < ($5::integer, $6::bigint, $7::integer)
        ORDER BY asset_id DESC, height DESC, log_index DESC LIMIT $8
        "#,
        bounds.assets.0,
        bounds.assets.1,
        bounds.heights.0,
        bounds.heights.1,
        bounds.before.asset_id,
        bounds.before.height,
        bounds.before.log_index,
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await
}

/// Two short walks along two indexes, one for each side of a transfer.
async fn of_address(
    conn: &mut PgConnection,
    address: Address,
    filter: &Filter,
    page: &Page<PlaceKey>,
) -> sqlx::Result<Vec<Row>> {
    let bounds = Bounds::new(filter, page);
    sqlx::query_as!(
        Row,
        r#"
        WITH sent AS (
            SELECT * FROM evm_transfer
            WHERE from_address = $9 AND asset_id BETWEEN $1 AND $2 AND height BETWEEN $3 AND $4
              AND (asset_id, height, log_index) < ($5::integer, $6::bigint, $7::integer)
            ORDER BY asset_id DESC, height DESC, log_index DESC LIMIT $8
        ), received AS (
            SELECT * FROM evm_transfer
            WHERE to_address = $9 AND from_address <> $9 AND asset_id BETWEEN $1 AND $2
              AND height BETWEEN $3 AND $4
              AND (asset_id, height, log_index) < ($5::integer, $6::bigint, $7::integer)
            ORDER BY asset_id DESC, height DESC, log_index DESC LIMIT $8
        )
        SELECT asset_id AS "asset_id!", height AS "height!", log_index AS "log_index!",
               block_hash AS "block_hash!", block_time AS "block_time!", tx_hash AS "tx_hash!",
               from_address AS "from_address!", to_address AS "to_address!", amount::text AS "amount!"
        FROM (SELECT * FROM sent UNION ALL SELECT * FROM received) both_sides
        ORDER BY asset_id DESC, height DESC, log_index DESC LIMIT $8
        "#,
        bounds.assets.0,
        bounds.assets.1,
        bounds.heights.0,
        bounds.heights.1,
        bounds.before.asset_id,
        bounds.before.height,
        bounds.before.log_index,
        page.fetch_limit(),
        address.as_slice(),
    )
    .fetch_all(conn)
    .await
}

async fn of_transaction(
    conn: &mut PgConnection,
    tx_hash: B256,
    filter: &Filter,
    page: &Page<PlaceKey>,
) -> sqlx::Result<Vec<Row>> {
    let bounds = Bounds::new(filter, page);
    sqlx::query_as!(
        Row,
        r#"
        SELECT asset_id, height, log_index, block_hash, block_time, tx_hash, from_address, to_address,
               amount::text AS "amount!"
        FROM evm_transfer
        WHERE tx_hash = $9 AND asset_id BETWEEN $1 AND $2 AND height BETWEEN $3 AND $4
          AND ($10::bytea IS NULL OR from_address = $10 OR to_address = $10)
          AND (asset_id, height, log_index) < ($5::integer, $6::bigint, $7::integer)
        ORDER BY asset_id DESC, height DESC, log_index DESC LIMIT $8
        "#,
        bounds.assets.0,
        bounds.assets.1,
        bounds.heights.0,
        bounds.heights.1,
        bounds.before.asset_id,
        bounds.before.height,
        bounds.before.log_index,
        page.fetch_limit(),
        tx_hash.as_slice(),
        filter.address.as_ref().map(|address| address.as_slice()),
    )
    .fetch_all(conn)
    .await
}
