//! Anchors and price messages.

use chrono::{DateTime, Utc};
use fluxplane_flux_chain::{Address, Hash256};
use fluxplane_platform::db::paging::Page;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::columns::{Column, int};
use crate::domain::{
    NoteRecord, Tip,
    note::{Content, Kind, Note},
    payment::{Departure, Place},
    price::PriceProblem,
};

/// The place of a note in a list: oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteAge {
    first_seen_at: DateTime<Utc>,
    txid: Hash256,
}

impl NoteAge {
    pub const fn of(record: &NoteRecord) -> Self {
        Self {
            first_seen_at: record.note.first_seen_at,
            txid: record.note.txid,
        }
    }
}

struct Row {
    txid: Vec<u8>,
    kind: String,
    data: Vec<u8>,
    senders: Vec<String>,
    last_output: bool,
    state: String,
    height: Option<i32>,
    block_hash: Option<Vec<u8>>,
    announced_confirmations: i32,
    first_seen_at: DateTime<Utc>,
}

const fn column(name: &'static str) -> Column {
    Column("note", name)
}

impl TryFrom<Row> for NoteRecord {
    type Error = fluxplane_platform::db::Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let txid = column("txid").hash(hex::encode(&row.txid), &row.txid)?;
        let content = match row.kind.as_str() {
            "anchor" => Content::anchor(&row.data),
            "price" => {
                let text = String::from_utf8(row.data);
                let text = text.map_err(|err| column("data").wrong(txid, err))?;
                Content::price(text, row.last_output)
            }
            other => return Err(column("kind").wrong(txid, other)),
        };
        let place = match (row.state.as_str(), row.height, row.block_hash) {
            ("mempool", None, None) => Place::Mempool,
            ("dropped", None, None) => Place::Dropped(Departure::Missing),
            ("mined", Some(height), Some(hash)) => Place::Mined(Tip {
                height: column("height").uint(txid, height)?,
                hash: Column("block", "hash").hash(txid, &hash)?,
            }),
            other => return Err(column("state").wrong(txid, other)),
        };
        let senders: Result<Vec<Address>, _> = row
            .senders
            .iter()
            .map(|text| {
                text.parse()
                    .map_err(|_| column("senders").wrong(txid, text))
            })
            .collect();
        Ok(Self {
            note: Note {
                txid,
                content,
                senders: senders?,
                first_seen_at: row.first_seen_at,
            },
            place,
            announced: column("announced_confirmations").uint(txid, row.announced_confirmations)?,
        })
    }
}

fn records(rows: Vec<Row>) -> sqlx::Result<Vec<NoteRecord>> {
    rows.into_iter()
        .map(|row| Ok(NoteRecord::try_from(row)?))
        .collect()
}

/// Stores notes as they stand now. What they say is stored once. There are few, so each takes a statement of its own.
pub async fn write(
    conn: &mut PgConnection,
    records: impl IntoIterator<Item = &NoteRecord>,
) -> sqlx::Result<()> {
    for record in records {
        write_one(conn, record).await?;
    }
    Ok(())
}

async fn write_one(conn: &mut PgConnection, record: &NoteRecord) -> sqlx::Result<()> {
    let note = &record.note;
    let (data, epoch, last_output) = match &note.content {
        Content::Anchor { payload, read } => {
            let epoch = read.as_ref().ok().map(|anchor| anchor.epoch.0);
            let epoch = epoch.and_then(|epoch| i64::try_from(epoch).ok());
            (payload.as_slice(), epoch, true)
        }
        Content::Price { text, read } => {
            let last = !matches!(read, Err(PriceProblem::NotLast));
            (text.as_bytes(), None, last)
        }
    };
    let (state, height) = match record.place {
        Place::Mempool => ("mempool", None),
        Place::Mined(block) => ("mined", Some(int(block.height)?)),
        Place::Dropped(_) => ("dropped", None),
    };
    let senders: Vec<String> = note.senders.iter().map(ToString::to_string).collect();
    sqlx::query!(
        r#"
        INSERT INTO note (
            txid, kind, data, epoch, senders, last_output, state, height,
            announced_confirmations, first_seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (txid, kind) DO UPDATE SET
            state = EXCLUDED.state, height = EXCLUDED.height,
            announced_confirmations = EXCLUDED.announced_confirmations
        "#,
        note.txid.as_wire().as_slice(),
        note.content.kind().name(),
        data,
        epoch,
        &senders,
        last_output,
        state,
        height,
        int(record.announced)?,
        note.first_seen_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that are waiting or not final, that is announced with fewer than `last` confirmations.
pub async fn open(conn: &mut PgConnection, last: u32) -> sqlx::Result<Vec<NoteRecord>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT n.txid, n.kind, n.data, n.senders, n.last_output, n.state, n.height,
               b.hash AS "block_hash?", n.announced_confirmations, n.first_seen_at
        FROM note n LEFT JOIN block b ON b.height = n.height
        WHERE n.state = 'mempool' OR (n.state = 'mined' AND n.announced_confirmations < $1)
        "#,
        int(last)?,
    )
    .fetch_all(conn)
    .await?;
    records(rows)
}

/// Notes of a block, whatever was announced of them.
pub async fn of_block(conn: &mut PgConnection, height: u32) -> sqlx::Result<Vec<NoteRecord>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT n.txid, n.kind, n.data, n.senders, n.last_output, n.state, n.height,
               b.hash AS "block_hash?", n.announced_confirmations, n.first_seen_at
        FROM note n LEFT JOIN block b ON b.height = n.height
        WHERE n.height = $1 ORDER BY n.txid, n.kind
        "#,
        int(height)?,
    )
    .fetch_all(conn)
    .await?;
    records(rows)
}

/// Notes of a kind that are in the chain or, where wanted, the mempool; of one epoch or of all; oldest first.
pub async fn list(
    conn: &mut PgConnection,
    kind: Kind,
    epoch: Option<i64>,
    waiting_too: bool,
    page: &Page<NoteAge>,
) -> sqlx::Result<Vec<NoteRecord>> {
    let after = page.after;
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT n.txid, n.kind, n.data, n.senders, n.last_output, n.state, n.height,
               b.hash AS "block_hash?", n.announced_confirmations, n.first_seen_at
        FROM note n LEFT JOIN block b ON b.height = n.height
        WHERE n.kind = $1 AND (n.state = 'mined' OR ($2 AND n.state = 'mempool'))
          AND ($3::bigint IS NULL OR n.epoch = $3)
          AND ($4::timestamptz IS NULL OR (n.first_seen_at, n.txid) > ($4, $5::bytea))
        ORDER BY n.first_seen_at, n.txid LIMIT $6
        "#,
        kind.name(),
        waiting_too,
        epoch,
        after.map(|key| key.first_seen_at),
        after.map(|key| key.txid.as_wire().to_vec()),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    records(rows)
}
