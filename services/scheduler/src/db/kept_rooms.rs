//! Room that is kept for quotes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::{
    Resources,
    id::{AppId, NodeId},
};
use fluxplane_placement::Reservation;
use fluxplane_platform::db::columns::{bigint, unsigned};
use sqlx::PgConnection;
use uuid::Uuid;

use super::instances::ports;
use crate::domain::hold::{Hold, HoldId};

struct Row {
    id: Uuid,
    hold_id: Uuid,
    app_id: Option<Uuid>,
    node_id: Uuid,
    cpu_milli: i64,
    ram_mib: i64,
    disk_gib: i64,
    ports: Vec<i32>,
    until: Option<DateTime<Utc>>,
}

impl Row {
    fn room(&self) -> sqlx::Result<Reservation> {
        let unsigned = |column, value| unsigned("kept_room", column, self.id, value);
        Ok(Reservation {
            instance: self.id.into(),
            app: HoldId(self.hold_id).as_app(),
            node: self.node_id.into(),
            resources: Resources {
                cpu_milli: unsigned("cpu_milli", self.cpu_milli)?,
                ram_mib: unsigned("ram_mib", self.ram_mib)?,
                disk_gib: unsigned("disk_gib", self.disk_gib)?,
            },
            ports: ports(self.id, &self.ports)?.into_iter().collect(),
        })
    }
}

fn holds(rows: Vec<Row>) -> sqlx::Result<Vec<Hold>> {
    let mut holds = BTreeMap::new();
    for row in rows {
        let id = HoldId(row.hold_id);
        let hold = holds.entry(id).or_insert_with(|| Hold {
            id,
            app: row.app_id.map(AppId::from),
            until: row.until,
            rooms: Vec::new(),
        });
        hold.rooms.push(row.room()?);
    }
    Ok(holds.into_values().collect())
}

/// The rows for which a condition holds. A macro, because the compiler checks the text of a query.
macro_rules! rows_where {
    ($conn:ident, $condition:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            Row,
            "SELECT id, hold_id, app_id, node_id, cpu_milli, ram_mib, disk_gib, ports, until
             FROM kept_room " + $condition,
            $($argument),+
        )
        .fetch_all(&mut *$conn)
    };
}

/// Everything that is kept now.
pub async fn active(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Vec<Hold>> {
    let rows = rows_where!(conn, "WHERE until IS NULL OR until > $1", now);
    holds(rows.await?)
}

/// What is kept on these nodes now.
pub async fn on_nodes(
    conn: &mut PgConnection,
    nodes: &[NodeId],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Reservation>> {
    let nodes: Vec<Uuid> = nodes.iter().map(|node| node.uuid()).collect();
    let rows = rows_where!(
        conn,
        "WHERE node_id = ANY($1) AND (until IS NULL OR until > $2)",
        &nodes,
        now,
    );
    rows.await?.iter().map(Row::room).collect()
}

/// Holds of which the leader does not know yet, whole, also those that are over.
pub async fn take_unseen(conn: &mut PgConnection) -> sqlx::Result<Vec<Hold>> {
    let seen =
        sqlx::query_scalar!("UPDATE kept_room SET unseen = false WHERE unseen RETURNING hold_id")
            .fetch_all(&mut *conn)
            .await?;
    let rows = rows_where!(conn, "WHERE hold_id = ANY($1)", &seen);
    holds(rows.await?)
}

/// Whether something was kept, unknown to the leader, behind the addresses of these nodes, for anybody but this application.
pub async fn is_unseen_on(
    conn: &mut PgConnection,
    nodes: &[NodeId],
    app: AppId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let nodes: Vec<Uuid> = nodes.iter().map(|node| node.uuid()).collect();
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM kept_room AS k JOIN node AS n ON n.id = k.node_id
            WHERE k.unseen AND (k.until IS NULL OR k.until > $3) AND k.app_id IS DISTINCT FROM $2
              AND n.ip IN (SELECT ip FROM node WHERE id = ANY($1))
        ) AS "exists!"
        "#,
        &nodes,
        app.uuid(),
        now,
    )
    .fetch_one(conn)
    .await
}

/// How many copies other quotes of an owner keep.
pub async fn count_others(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM kept_room
        WHERE owner = $2 AND name_key <> lower($1) AND (until IS NULL OR until > $3)
        "#,
        name,
        owner,
        now,
    )
    .fetch_one(conn)
    .await
}

/// What all quotes together keep.
pub async fn sum(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Resources> {
    let row = sqlx::query!(
        r#"
        SELECT coalesce(sum(cpu_milli), 0)::bigint AS "cpu_milli!",
               coalesce(sum(ram_mib), 0)::bigint AS "ram_mib!",
               coalesce(sum(disk_gib), 0)::bigint AS "disk_gib!"
        FROM kept_room WHERE until IS NULL OR until > $1
        "#,
        now,
    )
    .fetch_one(conn)
    .await?;
    let unsigned = |column, value| unsigned("kept_room", column, "(sum)", value);
    Ok(Resources {
        cpu_milli: unsigned("cpu_milli", row.cpu_milli)?,
        ram_mib: unsigned("ram_mib", row.ram_mib)?,
        disk_gib: unsigned("disk_gib", row.disk_gib)?,
    })
}

/// Keeps room for a name of an owner.
pub async fn insert(
    conn: &mut PgConnection,
    hold: &Hold,
    name: &str,
    owner: &str,
) -> sqlx::Result<()> {
    for room in &hold.rooms {
        let ports: Vec<i32> = room.ports.iter().map(|port| i32::from(*port)).collect();
        sqlx::query!(
            r#"
            INSERT INTO kept_room (
                id, hold_id, name_key, owner, node_id, cpu_milli, ram_mib, disk_gib, ports, until)
            VALUES ($1, $2, lower($3), $4, $5, $6, $7, $8, $9, $10)
            "#,
            room.instance.uuid(),
            hold.id.0,
            name,
            owner,
            room.node.uuid(),
            bigint(room.resources.cpu_milli),
            bigint(room.resources.ram_mib),
            bigint(room.resources.disk_gib),
            &ports,
            hold.until,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Ends what an earlier quote of an owner keeps for a name. Returns what it was.
pub async fn replace(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<HoldId>> {
    let ended = sqlx::query_scalar!(
        r#"
        UPDATE kept_room SET until = $3, unseen = true
        WHERE name_key = lower($1) AND owner = $2 AND app_id IS NULL AND until > $3
        RETURNING hold_id
        "#,
        name,
        owner,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(ended.into_iter().map(HoldId).collect())
}

/// What is kept for a name of an owner, before an application has it.
pub async fn for_name(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<HoldId>> {
    let found = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT hold_id FROM kept_room
        WHERE name_key = lower($1) AND owner = $2 AND (until IS NULL OR until > $3)
        "#,
        name,
        owner,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(HoldId).collect())
}

/// An application was submitted: what its owner's quote keeps for its name is kept until it is placed or ends.
pub async fn attach(
    conn: &mut PgConnection,
    name: &str,
    owner: &str,
    app: AppId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE kept_room SET app_id = $3, until = NULL, unseen = true
        WHERE name_key = lower($1) AND owner = $2 AND app_id IS NULL AND until > $4
        "#,
        name,
        owner,
        app.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An application was placed, or ended: nothing is kept for it any more.
pub async fn release(conn: &mut PgConnection, app: AppId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE kept_room SET until = $2, unseen = true WHERE app_id = $1 AND until IS NULL",
        app.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what has been over for a while, so that a leader has heard of it. Returns how many copies are kept.
pub async fn sweep(
    conn: &mut PgConnection,
    over_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query!("DELETE FROM kept_room WHERE until <= $1", over_since)
        .execute(&mut *conn)
        .await?;
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM kept_room WHERE until IS NULL OR until > $1"#,
        now,
    )
    .fetch_one(conn)
    .await
}
