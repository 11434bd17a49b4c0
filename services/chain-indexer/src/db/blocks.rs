//! Blocks of the best chain and their transactions.

use std::{collections::HashMap, ops::RangeInclusive};

use chrono::{DateTime, Utc};
use fluxplane_flux_chain::Hash256;
use fluxplane_platform::db::ensure_one_row;
use sqlx::PgConnection;

use super::{
    columns::{Column, int},
    copy::Rows,
};
use crate::domain::{BlockEffects, Tip};

/// Bytes of a row of `block` in the stream.
const BLOCK_BYTES: usize = 2 + 5 * 4 + 2 * 4 + 2 * 32 + 8;

/// Bytes of a row of `block_transaction` in the stream, without the transaction.
const TRANSACTION_BYTES: usize = 2 + 4 * 4 + 2 * 4 + 32;

/// A row of `block`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub block: Tip,
    pub previous: Hash256,
    pub time: DateTime<Utc>,
    pub size_bytes: u32,
}

/// A transaction found by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub block: Tip,
    pub raw: Vec<u8>,
}

struct Row {
    height: i32,
    hash: Vec<u8>,
    previous_hash: Vec<u8>,
    time: DateTime<Utc>,
    size_bytes: i32,
}

impl TryFrom<Row> for Stored {
    type Error = fluxplane_platform::db::Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let height = Column("block", "height").uint(row.height, row.height)?;
        Ok(Self {
            block: Tip {
                height,
                hash: Column("block", "hash").hash(height, &row.hash)?,
            },
            previous: Column("block", "previous_hash").hash(height, &row.previous_hash)?,
            time: row.time,
            size_bytes: Column("block", "size_bytes").uint(height, row.size_bytes)?,
        })
    }
}

pub async fn insert(conn: &mut PgConnection, effects: &[BlockEffects]) -> sqlx::Result<()> {
    let mut rows = Rows::new(5, effects.len() * BLOCK_BYTES);
    for block in effects {
        rows.row()
            .uint(block.block.height)?
            .bytea(block.block.hash.as_wire())?
            .bytea(block.previous.as_wire())?
            .time(block.time)
            .uint(block.size_bytes)?;
    }
    let target = "block (height, hash, previous_hash, time, size_bytes)";
    rows.write(conn, target).await
}

/// Stores the transactions that are kept.
pub async fn insert_transactions(
    conn: &mut PgConnection,
    effects: &[BlockEffects],
) -> sqlx::Result<()> {
    let kept = || effects.iter().flat_map(|block| &block.transactions);
    let raw: usize = kept().map(|transaction| transaction.raw.len()).sum();
    let mut rows = Rows::new(4, raw + kept().count() * TRANSACTION_BYTES);
    for block in effects {
        for transaction in &block.transactions {
            rows.row()
                .uint(block.block.height)?
                .uint(transaction.position)?
                .bytea(transaction.txid.as_wire())?
                .bytea(&transaction.raw)?;
        }
    }
    let target = "block_transaction (height, position, txid, raw)";
    rows.write(conn, target).await
}

/// A stored transaction and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub height: u32,
    pub position: u32,
    pub txid: Hash256,
    pub raw: Vec<u8>,
}

/// Transactions of some blocks, in order.
pub async fn transactions_in(
    conn: &mut PgConnection,
    heights: RangeInclusive<u32>,
) -> sqlx::Result<Vec<Placed>> {
    let rows = sqlx::query!(
        r#"
        SELECT height, position, txid, raw FROM block_transaction
        WHERE height BETWEEN $1 AND $2 ORDER BY height, position
        "#,
        int(*heights.start())?,
        int(*heights.end())?,
    )
    .fetch_all(conn)
    .await?;
    let column = |name| Column("block_transaction", name);
    rows.into_iter()
        .map(|row| {
            let height = column("height").uint(row.height, row.height)?;
            Ok(Placed {
                height,
                position: column("position").uint(height, row.position)?,
                txid: column("txid").hash(height, &row.txid)?,
                raw: row.raw,
            })
        })
        .collect()
}

/// Forgets transactions by height and position, except payments.
pub async fn forget_transactions(
    conn: &mut PgConnection,
    places: &[(u32, u32)],
) -> sqlx::Result<()> {
    let ints = |part: fn(&(u32, u32)) -> u32| -> sqlx::Result<Vec<i32>> {
        places.iter().map(|place| int(part(place))).collect()
    };
    sqlx::query!(
        r#"
        DELETE FROM block_transaction t USING unnest($1::integer[], $2::integer[]) AS gone (height, position)
        WHERE t.height = gone.height AND t.position = gone.position
          AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.txid = t.txid)
        "#,
        &ints(|place| place.0)?,
        &ints(|place| place.1)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes the block and its transactions. What refers to it must be gone.
pub async fn delete(conn: &mut PgConnection, block: Tip) -> sqlx::Result<()> {
    let height = int(block.height)?;
    sqlx::query!("DELETE FROM block_transaction WHERE height = $1", height)
        .execute(&mut *conn)
        .await?;
    let deleted = sqlx::query!(
        "DELETE FROM block WHERE height = $1 AND hash = $2",
        height,
        block.hash.as_wire().as_slice(),
    )
    .execute(conn)
    .await?;
    ensure_one_row(deleted.rows_affected(), "delete block")
}

pub async fn at_height(conn: &mut PgConnection, height: u32) -> sqlx::Result<Option<Stored>> {
    let Ok(height) = i32::try_from(height) else {
        return Ok(None);
    };
    let row = sqlx::query_as!(
        Row,
        "SELECT height, hash, previous_hash, time, size_bytes FROM block WHERE height = $1",
        height,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

pub async fn by_hash(conn: &mut PgConnection, hash: Hash256) -> sqlx::Result<Option<Stored>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT height, hash, previous_hash, time, size_bytes FROM block WHERE hash = $1",
        hash.as_wire().as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Stored::try_from).transpose()?)
}

/// Blocks in a range of heights, ascending.
pub async fn tips_in(
    conn: &mut PgConnection,
    heights: RangeInclusive<u32>,
) -> sqlx::Result<Vec<Tip>> {
    let rows = sqlx::query!(
        "SELECT height, hash FROM block WHERE height BETWEEN $1 AND $2 ORDER BY height",
        int(*heights.start())?,
        int(*heights.end())?,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let height = Column("block", "height").uint(row.height, row.height)?;
            let hash = Column("block", "hash").hash(height, &row.hash)?;
            Ok(Tip { height, hash })
        })
        .collect()
}

/// Times of blocks by their heights; those that are not known are left out.
pub async fn times(
    conn: &mut PgConnection,
    heights: &[u32],
) -> sqlx::Result<HashMap<u32, DateTime<Utc>>> {
    let heights: Vec<i32> = heights
        .iter()
        .map(|height| int(*height))
        .collect::<sqlx::Result<_>>()?;
    let rows = sqlx::query!(
        "SELECT height, time FROM block WHERE height = ANY($1)",
        &heights
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                Column("block", "height").uint(row.height, row.height)?,
                row.time,
            ))
        })
        .collect()
}

/// Ids of a block's transactions, in order.
pub async fn txids(conn: &mut PgConnection, height: u32) -> sqlx::Result<Vec<Hash256>> {
    let rows = sqlx::query_scalar!(
        "SELECT txid FROM block_transaction WHERE height = $1 ORDER BY position",
        int(height)?,
    )
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|txid| Ok(Column("block_transaction", "txid").hash(height, txid)?))
        .collect()
}

/// The first transaction of a block, raw.
pub async fn coinbase(conn: &mut PgConnection, height: u32) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar!(
        "SELECT raw FROM block_transaction WHERE height = $1 AND position = 0",
        int(height)?,
    )
    .fetch_optional(conn)
    .await
}

/// A transaction of the best chain. Of several with one id, the newest.
pub async fn transaction(conn: &mut PgConnection, txid: Hash256) -> sqlx::Result<Option<Found>> {
    let row = sqlx::query!(
        r#"
        SELECT t.height, b.hash, t.raw
        FROM block_transaction t JOIN block b USING (height)
        WHERE t.txid = $1 ORDER BY t.height DESC LIMIT 1
        "#,
        txid.as_wire().as_slice(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let height = Column("block_transaction", "height").uint(txid, row.height)?;
    Ok(Some(Found {
        block: Tip {
            height,
            hash: Column("block", "hash").hash(height, &row.hash)?,
        },
        raw: row.raw,
    }))
}
