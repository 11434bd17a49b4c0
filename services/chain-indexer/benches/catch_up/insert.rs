//! Rows of `block_transaction` by `INSERT ... SELECT FROM unnest(...)` and by binary `COPY`, all else equal.

use std::time::{Duration, Instant};

use anyhow::Result;
use fluxplane_chain_indexer::STORE;
use fluxplane_flux_chain::Block;
use fluxplane_platform::db::PLATFORM_MIGRATIONS;
use fluxplane_testkit::TestDb;
use sqlx::PgConnection;

use crate::memory::Memory;

/// Blocks to a transaction, as a sync has them.
const BATCH: usize = 2_048;

/// Batches of each kind.
const BATCHES: usize = 8;

/// A row: height, position, id, bytes.
type Row<'c> = (i32, i32, [u8; 32], &'c [u8]);

/// Rows of each kind, and how long each took.
pub(crate) struct Inserted {
    pub(crate) rows: usize,
    pub(crate) unnest: Duration,
    pub(crate) copy: Duration,
}

pub(crate) async fn measure(chain: &Memory) -> Result<Inserted> {
    let db = TestDb::new(STORE.schema, &[&PLATFORM_MIGRATIONS, STORE.migrations]).await?;
    let mut conn = db.pool.acquire().await?;
    let mut inserted = Inserted {
        rows: 0,
        unnest: Duration::ZERO,
        copy: Duration::ZERO,
    };
    let blocks = (0..).zip(&chain.0).collect::<Vec<(i32, &Vec<u8>)>>();
    // One after the other in turns, so that both meet an index of the same size.
    for (number, blocks) in blocks.chunks(BATCH).take(2 * BATCHES).enumerate() {
        let rows = rows(blocks)?;
        let started = Instant::now();
        if number % 2 == 0 {
            unnest(&mut conn, &rows).await?;
            inserted.unnest += started.elapsed();
            inserted.rows += rows.len();
        } else {
            copy(&mut conn, &rows).await?;
            inserted.copy += started.elapsed();
        }
    }
    Ok(inserted)
}

fn rows<'c>(blocks: &[(i32, &'c Vec<u8>)]) -> Result<Vec<Row<'c>>> {
    let mut rows = Vec::new();
    for (height, raw) in blocks {
        for (position, transaction) in (0..).zip(Block::parse(raw)?.transactions) {
            let txid = *transaction.txid().as_wire();
            rows.push((*height, position, txid, transaction.raw()));
        }
    }
    Ok(rows)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a statement of the measurement alone"
)]
async fn unnest(conn: &mut PgConnection, rows: &[Row<'_>]) -> Result<()> {
    let heights: Vec<i32> = rows.iter().map(|row| row.0).collect();
    let positions: Vec<i32> = rows.iter().map(|row| row.1).collect();
    let txids: Vec<&[u8]> = rows.iter().map(|row| row.2.as_slice()).collect();
    let raws: Vec<&[u8]> = rows.iter().map(|row| row.3).collect();
    sqlx::query(
        "INSERT INTO block_transaction (height, position, txid, raw)
         SELECT * FROM unnest($1::integer[], $2::integer[], $3::bytea[], $4::bytea[])",
    )
    .bind(heights)
    .bind(positions)
    .bind(txids)
    .bind(raws)
    .execute(conn)
    .await?;
    Ok(())
}

async fn copy(conn: &mut PgConnection, rows: &[Row<'_>]) -> Result<()> {
    let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for (height, position, txid, raw) in rows {
        bytes.extend_from_slice(&4_i16.to_be_bytes());
        let fields: [&[u8]; 4] = [&height.to_be_bytes(), &position.to_be_bytes(), txid, raw];
        for field in fields {
            bytes.extend_from_slice(&i32::try_from(field.len())?.to_be_bytes());
            bytes.extend_from_slice(field);
        }
    }
    bytes.extend_from_slice(&(-1_i16).to_be_bytes());
    let statement =
        "COPY block_transaction (height, position, txid, raw) FROM STDIN (FORMAT binary)";
    let mut copy = conn.copy_in_raw(statement).await?;
    for chunk in bytes.chunks(256 * 1024) {
        copy.send(chunk).await?;
    }
    copy.finish().await?;
    Ok(())
}
