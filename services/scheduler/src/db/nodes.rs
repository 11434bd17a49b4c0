//! Nodes, as the registry announced them.

use chrono::{DateTime, Utc};
use fluxplane_core::{NodeState, Place, Resources, Tier, id::NodeId};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, unsigned},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::Node;

struct Row {
    id: Uuid,
    operator: String,
    outpoint: String,
    tier: i16,
    state: String,
    cpu_milli: i64,
    ram_mib: i64,
    disk_gib: i64,
    continent: String,
    country: String,
    region: String,
    ip: String,
    static_ip: bool,
    version: i64,
}

impl TryFrom<Row> for Node {
    type Error = Inconsistency;

    fn try_from(row: Row) -> Result<Self, Self::Error> {
        let id = row.id;
        let unsigned = |column, value| unsigned("node", column, id, value);
        let tier = u8::try_from(row.tier).ok().and_then(Tier::from_number);
        Ok(Self {
            id: id.into(),
            operator: row.operator,
            outpoint: row.outpoint,
            tier: tier.ok_or_else(|| Inconsistency::new("node", "tier", id, row.tier))?,
            state: NodeState::from_name(&row.state)
                .ok_or_else(|| Inconsistency::new("node", "state", id, &row.state))?,
            capacity: Resources {
                cpu_milli: unsigned("cpu_milli", row.cpu_milli)?,
                ram_mib: unsigned("ram_mib", row.ram_mib)?,
                disk_gib: unsigned("disk_gib", row.disk_gib)?,
            },
            place: Place {
                continent: row.continent,
                country: row.country,
                region: row.region,
            },
            ip: row
                .ip
                .parse()
                .map_err(|_| Inconsistency::new("node", "ip", id, &row.ip))?,
            static_ip: row.static_ip,
            version: unsigned("version", row.version)?,
        })
    }
}

fn nodes(rows: Vec<Row>) -> sqlx::Result<Vec<Node>> {
    rows.into_iter()
        .map(|row| Node::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// A node as known so far, kept from changing until the transaction ends. The lock lets others refer to the node.
pub async fn lock(conn: &mut PgConnection, id: NodeId) -> sqlx::Result<Option<Node>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, operator, outpoint, tier, state, cpu_milli, ram_mib, disk_gib, continent, country,
               region, ip, static_ip, version
        FROM node WHERE id = $1 FOR NO KEY UPDATE
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Node::try_from).transpose()?)
}

/// All nodes behind the addresses of these, for whoever keeps room there; the leader gives none of it away meanwhile.
pub async fn lock_addresses(
    conn: &mut PgConnection,
    nodes_wanted: &[NodeId],
) -> sqlx::Result<Vec<Node>> {
    let wanted: Vec<Uuid> = nodes_wanted.iter().map(|node| node.uuid()).collect();
    // Less than the second after which Postgres looks for deadlocks: whoever only keeps room gives way.
    sqlx::query!("SET LOCAL lock_timeout = '250ms'")
        .execute(&mut *conn)
        .await?;
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, operator, outpoint, tier, state, cpu_milli, ram_mib, disk_gib, continent, country,
               region, ip, static_ip, version
        FROM node WHERE ip IN (SELECT ip FROM node WHERE id = ANY($1))
        ORDER BY id FOR UPDATE
        "#,
        &wanted,
    )
    .fetch_all(conn)
    .await?;
    nodes(rows)
}

/// Keeps everybody from keeping room on these nodes until the transaction ends, but lets others read and change them.
pub async fn share(conn: &mut PgConnection, nodes: &[NodeId]) -> sqlx::Result<()> {
    let nodes: Vec<Uuid> = nodes.iter().map(|node| node.uuid()).collect();
    sqlx::query_scalar!(
        "SELECT id FROM node WHERE id = ANY($1) ORDER BY id FOR KEY SHARE",
        &nodes,
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// Stores a node unless a newer version of it is known. Returns whether it was stored.
pub async fn put(conn: &mut PgConnection, node: &Node, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let stored = sqlx::query!(
        r#"
        INSERT INTO node AS n (
            id, operator, outpoint, tier, state, cpu_milli, ram_mib, disk_gib, continent, country,
            region, ip, static_ip, version, unseen, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, true, $15)
        ON CONFLICT (id) DO UPDATE SET
            operator = EXCLUDED.operator, outpoint = EXCLUDED.outpoint, tier = EXCLUDED.tier,
            state = EXCLUDED.state, cpu_milli = EXCLUDED.cpu_milli, ram_mib = EXCLUDED.ram_mib,
            disk_gib = EXCLUDED.disk_gib, continent = EXCLUDED.continent,
            country = EXCLUDED.country, region = EXCLUDED.region, ip = EXCLUDED.ip,
            static_ip = EXCLUDED.static_ip, version = EXCLUDED.version, unseen = true,
            updated_at = EXCLUDED.updated_at
        WHERE n.version < EXCLUDED.version
        "#,
        node.id.uuid(),
        node.operator,
        node.outpoint,
        i16::from(node.tier.number()),
        node.state.name(),
        bigint(node.capacity.cpu_milli),
        bigint(node.capacity.ram_mib),
        bigint(node.capacity.disk_gib),
        node.place.continent,
        node.place.country,
        node.place.region,
        node.ip.to_string(),
        node.static_ip,
        bigint(node.version),
        now,
    )
    .execute(conn)
    .await?;
    Ok(stored.rows_affected() == 1)
}

/// All nodes.
pub async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<Node>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, operator, outpoint, tier, state, cpu_milli, ram_mib, disk_gib, continent, country,
               region, ip, static_ip, version
        FROM node
        "#
    )
    .fetch_all(conn)
    .await?;
    nodes(rows)
}

/// Takes the nodes that changed since the leader looked last.
pub async fn take_unseen(conn: &mut PgConnection) -> sqlx::Result<Vec<Node>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        UPDATE node SET unseen = false WHERE unseen
        RETURNING id, operator, outpoint, tier, state, cpu_milli, ram_mib, disk_gib, continent,
                  country, region, ip, static_ip, version
        "#
    )
    .fetch_all(conn)
    .await?;
    nodes(rows)
}
