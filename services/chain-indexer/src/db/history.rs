//! The lists after every block, for an index of mode full.
//!
//! A node's life is one row of `fluxnode_origin`, made by its start, and one row of `fluxnode_version` per change. Payouts change
//! three nodes a block and update confirms some more, so versions are kept narrow. When the history was not kept for a while it
//! begins anew with the lists as they stand.

use std::collections::HashMap;

use fluxplane_flux_chain::{OutPoint, fluxnode::NodeEntry};
use sqlx::PgConnection;

use super::{
    columns::{Column, int, outpoints},
    fluxnodes::Row,
};
use crate::domain::BlockEffects;

/// The blocks whose lists the history knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub from: u32,
    pub to: u32,
}

/// What the history knows, if anything.
pub async fn kept(conn: &mut PgConnection) -> sqlx::Result<Option<Kept>> {
    let row = sqlx::query!("SELECT history_from, history_to FROM fluxnode_log")
        .fetch_optional(conn)
        .await?;
    let Some((from, to)) = row.and_then(|row| Some((row.history_from?, row.history_to?))) else {
        return Ok(None);
    };
    let column = |name| Column("fluxnode_log", name);
    Ok(Some(Kept {
        from: column("history_from").uint("log", from)?,
        to: column("history_to").uint("log", to)?,
    }))
}

/// Adds blocks. To be called after their turnover was stored, and before the lists are brought up to date.
pub async fn write(conn: &mut PgConnection, effects: &[BlockEffects]) -> sqlx::Result<()> {
    let (Some(first), Some(last)) = (effects.first(), effects.last()) else {
        return Ok(());
    };
    let before = first.block.height.checked_sub(1);
    let kept = kept(conn).await?;
    if before.is_none() || kept.map(|kept| kept.to) != before {
        begin(conn, before.unwrap_or(0)).await?;
    }
    let versions = Versions::of(effects);
    versions.write(conn).await?;
    sqlx::query!(
        "UPDATE fluxnode_log SET history_to = $1",
        int(last.block.height)?
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Begins with the lists as they are stored.
async fn begin(conn: &mut PgConnection, height: u32) -> sqlx::Result<()> {
    forget(conn).await?;
    let height = int(height)?;
    sqlx::query!(
        r#"
        INSERT INTO fluxnode_origin (
            txid, vout, added_height, tier, amount_sat, start_txid, start_version, node_key,
            collateral_key, payment_script, redeem_script)
        SELECT txid, vout, added_height, tier, amount_sat, start_txid, start_version, node_key,
               collateral_key, payment_script, redeem_script
        FROM fluxnode
        "#
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO fluxnode_version (
            txid, vout, added_height, from_height, status, ip, confirmed_height,
            last_confirmed_height, last_paid_height)
        SELECT txid, vout, added_height, $1, status, ip, confirmed_height, last_confirmed_height,
               last_paid_height
        FROM fluxnode
        "#,
        height,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE fluxnode_log SET history_from = $1, history_to = $1",
        height
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn forget(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM fluxnode_version")
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM fluxnode_origin")
        .execute(conn)
        .await?;
    Ok(())
}

/// What some blocks change.
#[derive(Debug, Default)]
struct Versions<'e> {
    /// Nodes whose stored version ends, and with which block.
    ended: Vec<(&'e OutPoint, u32)>,
    /// New versions: from which block, up to which.
    new: Vec<(&'e NodeEntry, u32, Option<u32>)>,
    started: Vec<&'e NodeEntry>,
}

impl<'e> Versions<'e> {
    fn of(effects: &'e [BlockEffects]) -> Self {
        let mut versions = Self::default();
        // Where the latest version of a node is among the new ones; `None` when it left.
        let mut latest: HashMap<&OutPoint, Option<usize>> = HashMap::new();
        for block in effects {
            let height = block.block.height;
            for (collateral, entry) in &block.lists.nodes {
                let index = entry.as_ref().map(|entry| {
                    versions.new.push((entry, height, None));
                    versions.new.len() - 1
                });
                match latest.insert(collateral, index) {
                    None => versions.ended.push((collateral, height)),
                    Some(Some(earlier)) => {
                        if let Some(version) = versions.new.get_mut(earlier) {
                            version.2 = Some(height);
                        }
                    }
                    Some(None) => {}
                }
                versions
                    .started
                    .extend(entry.iter().filter(|entry| entry.added_height == height));
            }
        }
        versions
    }

    async fn write(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.ended.is_empty() {
            return Ok(());
        }
        self.end(conn).await?;
        self.insert_origins(conn).await?;
        self.insert_versions(conn).await
    }

    async fn end(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        let (txids, vouts) = outpoints(self.ended.iter().map(|(collateral, _)| *collateral))?;
        let heights = self.ended.iter().map(|(_, height)| int(*height));
        // A node that starts has no version yet.
        sqlx::query!(
            r#"
            UPDATE fluxnode_version v SET to_height = ended.height
            FROM unnest($1::bytea[], $2::integer[], $3::integer[]) AS ended (txid, vout, height)
            WHERE v.txid = ended.txid AND v.vout = ended.vout AND v.to_height IS NULL
            "#,
            &txids as _,
            &vouts,
            &heights.collect::<sqlx::Result<Vec<_>>>()?,
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn insert_origins(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        let entries = &self.started;
        if entries.is_empty() {
            return Ok(());
        }
        let (txids, vouts) = outpoints(entries.iter().map(|entry| &entry.collateral))?;
        let added = entries.iter().map(|entry| int(entry.added_height));
        let tiers: Vec<i16> = entries.iter().map(|e| i16::from(e.tier.number())).collect();
        let amounts: Vec<i64> = entries.iter().map(|e| e.amount.get()).collect();
        let versions = entries.iter().map(|entry| int(entry.start_version));
        let bytes = |field: fn(&NodeEntry) -> &[u8]| -> Vec<&[u8]> {
            entries.iter().map(|entry| field(entry)).collect()
        };
        sqlx::query!(
            r#"
            INSERT INTO fluxnode_origin (
                txid, vout, added_height, tier, amount_sat, start_txid, start_version, node_key,
                collateral_key, payment_script, redeem_script)
            SELECT * FROM unnest(
                $1::bytea[], $2::integer[], $3::integer[], $4::smallint[], $5::bigint[],
                $6::bytea[], $7::integer[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[])
            "#,
            &txids as _,
            &vouts,
            &added.collect::<sqlx::Result<Vec<_>>>()?,
            &tiers,
            &amounts,
            &bytes(|e| e.start_txid.as_wire()) as _,
            &versions.collect::<sqlx::Result<Vec<_>>>()?,
            &bytes(|e| e.node_key.as_bytes()) as _,
            &bytes(|e| e.collateral_key.as_bytes()) as _,
            &bytes(|e| &e.payment_script) as _,
            &bytes(|e| &e.redeem_script) as _,
        )
        .execute(conn)
        .await?;
        Ok(())
    }

    async fn insert_versions(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.new.is_empty() {
            return Ok(());
        }
        let entries = || self.new.iter().map(|(entry, _, _)| *entry);
        let (txids, vouts) = outpoints(entries().map(|entry| &entry.collateral))?;
        let ints = |field: fn(&NodeEntry) -> u32| -> sqlx::Result<Vec<i32>> {
            entries().map(|entry| int(field(entry))).collect()
        };
        let from = self.new.iter().map(|(_, from, _)| int(*from));
        let to = self.new.iter().map(|(_, _, to)| to.map(int).transpose());
        let status: Vec<i16> = entries().map(|e| i16::from(e.status.code())).collect();
        let ips: Vec<&[u8]> = entries().map(|entry| entry.ip.as_bytes()).collect();
        sqlx::query!(
            r#"
            INSERT INTO fluxnode_version (
                txid, vout, added_height, from_height, to_height, status, ip, confirmed_height,
                last_confirmed_height, last_paid_height)
            SELECT * FROM unnest(
                $1::bytea[], $2::integer[], $3::integer[], $4::integer[], $5::integer[],
                $6::smallint[], $7::bytea[], $8::integer[], $9::integer[], $10::integer[])
            "#,
            &txids as _,
            &vouts,
            &ints(|e| e.added_height)?,
            &from.collect::<sqlx::Result<Vec<_>>>()?,
            &to.collect::<sqlx::Result<Vec<_>>>()? as _,
            &status,
            &ips as _,
            &ints(|e| e.confirmed_height)?,
            &ints(|e| e.last_confirmed_height)?,
            &ints(|e| e.last_paid_height)?,
        )
        .execute(conn)
        .await?;
        Ok(())
    }
}

/// Takes back the block at the tip.
pub async fn undo(conn: &mut PgConnection, height: u32) -> sqlx::Result<()> {
    let Some(kept) = kept(conn).await?.filter(|kept| kept.to == height) else {
        return Ok(());
    };
    if kept.from == height {
        // It knows nothing of the blocks before.
        sqlx::query!("UPDATE fluxnode_log SET history_from = NULL, history_to = NULL")
            .execute(&mut *conn)
            .await?;
        return forget(conn).await;
    }
    let height = int(height)?;
    sqlx::query!(
        "DELETE FROM fluxnode_version WHERE from_height = $1",
        height
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE fluxnode_version SET to_height = NULL WHERE to_height = $1",
        height
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM fluxnode_origin WHERE added_height = $1",
        height
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("UPDATE fluxnode_log SET history_to = $1", height - 1)
        .execute(conn)
        .await?;
    Ok(())
}

/// Every node on every list after a block. `life` is an upper bound of the blocks a node goes without a change: it keeps the search
/// from reading all that came later.
pub async fn at(conn: &mut PgConnection, height: u32, life: u32) -> sqlx::Result<Vec<NodeEntry>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT v.txid AS "txid!", v.vout AS "vout!", v.status AS "status!", o.tier, o.amount_sat, o.start_txid, o.start_version,
               o.node_key, o.collateral_key, o.payment_script, o.redeem_script, v.ip AS "ip!",
               v.added_height AS "added_height!", v.confirmed_height AS "confirmed_height!",
               v.last_confirmed_height AS "last_confirmed_height!", v.last_paid_height AS "last_paid_height!",
               NULL::bigint AS rank
        FROM (
            SELECT * FROM fluxnode_version WHERE to_height IS NULL AND from_height <= $1
            UNION ALL
            SELECT * FROM fluxnode_version
            WHERE to_height > $1 AND to_height <= $2 AND from_height <= $1
        ) v
        JOIN fluxnode_origin o USING (txid, vout, added_height)
        "#,
        int(height)?,
        int(height.saturating_add(life).min(i32::MAX.unsigned_abs()))?,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(<(NodeEntry, Option<u32>)>::try_from(row)?.0))
        .collect()
}
