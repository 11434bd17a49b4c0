//! The fluxnode lists.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    OutPoint, PublicKey, ScriptBuf,
    fluxnode::{DelegateEntry, Ip, NodeEntry, Status},
};
use fluxplane_platform::db::{Inconsistency, paging::Page};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use super::columns::{Column, int, outpoint, outpoints};
use crate::domain::effects::ListChanges;

/// A node's place in the order of the list: tier by tier in payment order. It only ever rises, so a reader who goes on after
/// the last key they saw misses nobody; a node that was paid meanwhile comes again at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueKey {
    tier: i16,
    height: i32,
    paid: bool,
    collateral: OutPoint,
}

impl QueueKey {
    /// The key of a confirmed node.
    pub fn of(entry: &NodeEntry) -> sqlx::Result<Self> {
        let paid = entry.last_paid_height > 0;
        let height = if paid {
            entry.last_paid_height
        } else {
            entry.confirmed_height
        };
        Ok(Self {
            tier: i16::from(entry.tier.number()),
            height: int(height)?,
            paid,
            collateral: entry.collateral,
        })
    }
}

/// A node as a row, of now or of then.
pub(super) struct Row {
    pub(super) txid: Vec<u8>,
    pub(super) vout: i32,
    pub(super) status: i16,
    pub(super) tier: i16,
    pub(super) amount_sat: i64,
    pub(super) start_txid: Vec<u8>,
    pub(super) start_version: i32,
    pub(super) node_key: Vec<u8>,
    pub(super) collateral_key: Vec<u8>,
    pub(super) payment_script: Vec<u8>,
    pub(super) redeem_script: Vec<u8>,
    pub(super) ip: Vec<u8>,
    pub(super) added_height: i32,
    pub(super) confirmed_height: i32,
    pub(super) last_confirmed_height: i32,
    pub(super) last_paid_height: i32,
    /// Place in the queue; none for nodes that are not confirmed.
    pub(super) rank: Option<i64>,
}

const fn column(name: &'static str) -> Column {
    Column("fluxnode", name)
}

impl TryFrom<Row> for (NodeEntry, Option<u32>) {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let collateral = outpoint("fluxnode", &row.txid, row.vout)?;
        let uint = |name, value| column(name).uint(collateral, value);
        let status = match row.status {
            1 => Status::Started,
            2 => Status::Dos,
            3 => Status::Confirmed,
            other => return Err(column("status").wrong(collateral, other)),
        };
        let tier = u8::try_from(row.tier).ok().and_then(Tier::from_number);
        let entry = NodeEntry {
            collateral,
            status,
            tier: tier.ok_or_else(|| column("tier").wrong(collateral, row.tier))?,
            amount: Sat::new(row.amount_sat),
            start_txid: column("start_txid").hash(collateral, &row.start_txid)?,
            start_version: uint("start_version", row.start_version)?,
            node_key: column("node_key").key(collateral, &row.node_key)?,
            collateral_key: column("collateral_key").key(collateral, &row.collateral_key)?,
            payment_script: ScriptBuf::new(row.payment_script),
            redeem_script: ScriptBuf::new(row.redeem_script),
            ip: Ip::new(&row.ip),
            added_height: uint("added_height", row.added_height)?,
            confirmed_height: uint("confirmed_height", row.confirmed_height)?,
            last_confirmed_height: uint("last_confirmed_height", row.last_confirmed_height)?,
            last_paid_height: uint("last_paid_height", row.last_paid_height)?,
        };
        let rank = row
            .rank
            .map(|rank| u32::try_from(rank).map_err(|_| column("rank").wrong(collateral, rank)))
            .transpose()?;
        Ok((entry, rank))
    }
}

/// Every node on every list.
pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<NodeEntry>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT txid, vout, status, tier, amount_sat, start_txid, start_version, node_key,
               collateral_key, payment_script, redeem_script, ip, added_height, confirmed_height,
               last_confirmed_height, last_paid_height, NULL::bigint AS rank
        FROM fluxnode
        "#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(<(NodeEntry, Option<u32>)>::try_from(row)?.0))
        .collect()
}

/// A node with its rank.
pub async fn get(
    conn: &mut PgConnection,
    collateral: OutPoint,
) -> sqlx::Result<Option<(NodeEntry, Option<u32>)>> {
    let Ok(vout) = i32::try_from(collateral.n) else {
        return Ok(None);
    };
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT txid, vout, status, tier, amount_sat, start_txid, start_version, node_key,
               collateral_key, payment_script, redeem_script, ip, added_height, confirmed_height,
               last_confirmed_height, last_paid_height,
               CASE WHEN status = 3 THEN (
                   SELECT count(*) FROM fluxnode before
                   WHERE before.status = 3 AND before.tier = f.tier
                     AND (before.queue_height, before.paid, before.txid, before.vout)
                         < (f.queue_height, f.paid, f.txid, f.vout)
               ) END AS rank
        FROM fluxnode f WHERE txid = $1 AND vout = $2
        "#,
        collateral.txid.as_wire().as_slice(),
        vout,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(TryInto::try_into).transpose()?)
}

/// Confirmed nodes with their ranks, tier by tier in payment order.
pub async fn confirmed(
    conn: &mut PgConnection,
    tier: Option<Tier>,
    page: &Page<QueueKey>,
) -> sqlx::Result<Vec<(NodeEntry, u32)>> {
    let after = page.after;
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH queue AS (
            SELECT *, row_number() OVER (
                PARTITION BY tier ORDER BY queue_height, paid, txid, vout) - 1 AS rank
            FROM fluxnode WHERE status = 3 AND ($1::smallint IS NULL OR tier = $1)
        )
        SELECT txid, vout, status, tier, amount_sat, start_txid, start_version, node_key,
               collateral_key, payment_script, redeem_script, ip, added_height, confirmed_height,
               last_confirmed_height, last_paid_height, rank
        FROM queue
        WHERE $2::smallint IS NULL
           OR (tier, queue_height, paid, txid, vout) > ($2, $3::integer, $4::boolean, $5::bytea, $6::integer)
        ORDER BY tier, queue_height, paid, txid, vout LIMIT $7
        "#,
        tier.map(|tier| i16::from(tier.number())),
        after.map(|key| key.tier),
        after.map(|key| key.height),
        after.map(|key| key.paid),
        after.map(|key| key.collateral.txid.as_wire().to_vec()),
        // An index beyond the column's range comes after every index there is.
        after.map(|key| i32::try_from(key.collateral.n).unwrap_or(i32::MAX)),
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (entry, rank) = <(NodeEntry, Option<u32>)>::try_from(row)?;
            let rank = rank.ok_or_else(|| column("rank").wrong(entry.collateral, rank))?;
            Ok((entry, rank))
        })
        .collect()
}

/// Nodes per tier and status.
pub async fn count(conn: &mut PgConnection) -> sqlx::Result<Vec<(i16, i16, i64)>> {
    let rows = sqlx::query!(
        r#"SELECT tier, status, count(*) AS "count!" FROM fluxnode GROUP BY tier, status"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.tier, row.status, row.count))
        .collect())
}

/// Brings the lists to where the changes leave them.
pub async fn write(conn: &mut PgConnection, changes: &ListChanges) -> sqlx::Result<()> {
    let gone = changes
        .nodes
        .iter()
        .filter_map(|(collateral, entry)| entry.is_none().then_some(collateral));
    delete(conn, gone).await?;
    let kept: Vec<&NodeEntry> = changes.nodes.values().flatten().collect();
    upsert(conn, &kept).await?;
    for (collateral, keys) in &changes.delegates {
        set_delegates(conn, collateral, keys).await?;
    }
    Ok(())
}

async fn delete(
    conn: &mut PgConnection,
    gone: impl Iterator<Item = &OutPoint>,
) -> sqlx::Result<()> {
    let (txids, vouts) = outpoints(gone)?;
    if txids.is_empty() {
        return Ok(());
    }
    // A node that came and went within one batch has no row.
    sqlx::query!(
        r#"
        DELETE FROM fluxnode f USING unnest($1::bytea[], $2::integer[]) AS gone (txid, vout)
        WHERE f.txid = gone.txid AND f.vout = gone.vout
        "#,
        &txids as _,
        &vouts,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn upsert(conn: &mut PgConnection, entries: &[&NodeEntry]) -> sqlx::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let (txids, vouts) = outpoints(entries.iter().map(|entry| &entry.collateral))?;
    let status: Vec<i16> = entries.iter().map(|e| i16::from(e.status.code())).collect();
    let tier: Vec<i16> = entries.iter().map(|e| i16::from(e.tier.number())).collect();
    let amount: Vec<i64> = entries.iter().map(|e| e.amount.get()).collect();
    let bytes = |field: fn(&NodeEntry) -> &[u8]| -> Vec<&[u8]> {
        entries.iter().map(|entry| field(entry)).collect()
    };
    let ints = |field: fn(&NodeEntry) -> u32| -> sqlx::Result<Vec<i32>> {
        entries.iter().map(|entry| int(field(entry))).collect()
    };
    sqlx::query!(
        r#"
        INSERT INTO fluxnode (
            txid, vout, status, tier, amount_sat, start_txid, start_version, node_key,
            collateral_key, payment_script, redeem_script, ip, added_height, confirmed_height,
            last_confirmed_height, last_paid_height)
        SELECT * FROM unnest(
            $1::bytea[], $2::integer[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bytea[],
            $7::integer[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[],
            $13::integer[], $14::integer[], $15::integer[], $16::integer[])
        ON CONFLICT (txid, vout) DO UPDATE SET
            status = EXCLUDED.status, tier = EXCLUDED.tier, amount_sat = EXCLUDED.amount_sat,
            start_txid = EXCLUDED.start_txid, start_version = EXCLUDED.start_version,
            node_key = EXCLUDED.node_key, collateral_key = EXCLUDED.collateral_key,
            payment_script = EXCLUDED.payment_script, redeem_script = EXCLUDED.redeem_script,
            ip = EXCLUDED.ip, added_height = EXCLUDED.added_height,
            confirmed_height = EXCLUDED.confirmed_height,
            last_confirmed_height = EXCLUDED.last_confirmed_height,
            last_paid_height = EXCLUDED.last_paid_height
        "#,
        &txids as _,
        &vouts,
        &status,
        &tier,
        &amount,
        &bytes(|e| e.start_txid.as_wire()) as _,
        &ints(|e| e.start_version)?,
        &bytes(|e| e.node_key.as_bytes()) as _,
        &bytes(|e| e.collateral_key.as_bytes()) as _,
        &bytes(|e| &e.payment_script) as _,
        &bytes(|e| &e.redeem_script) as _,
        &bytes(|e| e.ip.as_bytes()) as _,
        &ints(|e| e.added_height)?,
        &ints(|e| e.confirmed_height)?,
        &ints(|e| e.last_confirmed_height)?,
        &ints(|e| e.last_paid_height)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All keys that may start nodes for their owners.
pub async fn delegates(conn: &mut PgConnection) -> sqlx::Result<Vec<DelegateEntry>> {
    let rows = sqlx::query!("SELECT txid, vout, keys FROM fluxnode_delegates")
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let collateral = outpoint("fluxnode_delegates", &row.txid, row.vout)?;
            let keys = row
                .keys
                .iter()
                .map(|key| Column("fluxnode_delegates", "keys").key(collateral, key))
                .collect::<Result<_, _>>()?;
            Ok(DelegateEntry { collateral, keys })
        })
        .collect()
}

async fn set_delegates(
    conn: &mut PgConnection,
    collateral: &OutPoint,
    keys: &[PublicKey],
) -> sqlx::Result<()> {
    let (txid, vout) = (collateral.txid.as_wire().as_slice(), int(collateral.n)?);
    if keys.is_empty() {
        sqlx::query!(
            "DELETE FROM fluxnode_delegates WHERE txid = $1 AND vout = $2",
            txid,
            vout
        )
        .execute(conn)
        .await?;
        return Ok(());
    }
    let keys: Vec<&[u8]> = keys.iter().map(PublicKey::as_bytes).collect();
    sqlx::query!(
        r#"
        INSERT INTO fluxnode_delegates (txid, vout, keys) VALUES ($1, $2, $3)
        ON CONFLICT (txid, vout) DO UPDATE SET keys = EXCLUDED.keys
        "#,
        txid,
        vout,
        &keys as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Collateral of the confirmed nodes per tier.
pub async fn locked(conn: &mut PgConnection) -> sqlx::Result<Vec<(Tier, Sat)>> {
    let rows = sqlx::query!(
        r#"
        SELECT tier, sum(amount_sat)::bigint AS "amount_sat!" FROM fluxnode WHERE status = 3
        GROUP BY tier
        "#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let tier = u8::try_from(row.tier).ok().and_then(Tier::from_number);
            let tier = tier.ok_or_else(|| column("tier").wrong("sum", row.tier))?;
            Ok((tier, Sat::new(row.amount_sat)))
        })
        .collect()
}
