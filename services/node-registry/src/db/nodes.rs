//! Nodes.

use chrono::{DateTime, Utc};
use fluxplane_core::{NodeState, Place, Resources, Tier, id::NodeId};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, small, unsigned},
    ensure_one_row,
    paging::Page,
};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::domain::{Benchmark, Collateral, Node};

/// A row of `node`, column by column.
struct Row {
    id: Uuid,
    operator: String,
    collateral_txid: String,
    collateral_vout: i64,
    tier: i16,
    state: String,
    state_reason: String,
    cpu_milli: i64,
    ram_mib: i64,
    disk_gib: i64,
    benchmark: Json<Benchmark>,
    continent: String,
    country: String,
    region: String,
    ip: String,
    static_ip: bool,
    probe_port: i32,
    agent_version: String,
    runtime: String,
    agent_pubkey: Vec<u8>,
    certificate_expires_at: DateTime<Utc>,
    joined_at: DateTime<Utc>,
    last_heartbeat_at: Option<DateTime<Utc>>,
    heartbeat_sequence: i64,
    usage_sequence: i64,
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
            collateral: Collateral {
                txid: row.collateral_txid,
                vout: small("node", "collateral_vout", id, row.collateral_vout)?,
            },
            tier: tier.ok_or_else(|| Inconsistency::new("node", "tier", id, row.tier))?,
            state: NodeState::from_name(&row.state)
                .ok_or_else(|| Inconsistency::new("node", "state", id, &row.state))?,
            state_reason: row.state_reason,
            capacity: Resources {
                cpu_milli: unsigned("cpu_milli", row.cpu_milli)?,
                ram_mib: unsigned("ram_mib", row.ram_mib)?,
                disk_gib: unsigned("disk_gib", row.disk_gib)?,
            },
            benchmark: row.benchmark.0,
            place: Place {
                continent: row.continent,
                country: row.country,
                region: row.region,
            },
            ip: row.ip,
            static_ip: row.static_ip,
            probe_port: u16::try_from(row.probe_port)
                .map_err(|_| Inconsistency::new("node", "probe_port", id, row.probe_port))?,
            agent_version: row.agent_version,
            runtime: row.runtime,
            agent_pubkey: row.agent_pubkey,
            certificate_expires_at: row.certificate_expires_at,
            joined_at: row.joined_at,
            last_heartbeat_at: row.last_heartbeat_at,
            heartbeat_sequence: unsigned("heartbeat_sequence", row.heartbeat_sequence)?,
            usage_sequence: unsigned("usage_sequence", row.usage_sequence)?,
            version: unsigned("version", row.version)?,
        })
    }
}

pub async fn insert(conn: &mut PgConnection, node: &Node) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO node (
            id, operator, collateral_txid, collateral_vout, tier, state, state_reason, cpu_milli,
            ram_mib, disk_gib, benchmark, continent, country, region, ip, static_ip, probe_port,
            agent_pubkey, certificate_expires_at, joined_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                $19, $20, $21)
        "#,
        node.id.uuid(),
        node.operator,
        node.collateral.txid,
        i64::from(node.collateral.vout),
        i16::from(node.tier.number()),
        node.state.name(),
        node.state_reason,
        bigint(node.capacity.cpu_milli),
        bigint(node.capacity.ram_mib),
        bigint(node.capacity.disk_gib),
        Json(&node.benchmark) as _,
        node.place.continent,
        node.place.country,
        node.place.region,
        node.ip,
        node.static_ip,
        i32::from(node.probe_port),
        node.agent_pubkey,
        node.certificate_expires_at,
        node.joined_at,
        bigint(node.version),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a node and locks it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: NodeId) -> sqlx::Result<Option<Node>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, operator, collateral_txid, collateral_vout, tier, state, state_reason, cpu_milli,
               ram_mib, disk_gib, benchmark AS "benchmark: _", continent, country, region, ip,
               static_ip, probe_port, agent_version, runtime, agent_pubkey, certificate_expires_at,
               joined_at, last_heartbeat_at, heartbeat_sequence, usage_sequence, version
        FROM node WHERE id = $1 FOR UPDATE
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Node::try_from).transpose()?)
}

pub async fn get(conn: &mut PgConnection, id: NodeId) -> sqlx::Result<Option<Node>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, operator, collateral_txid, collateral_vout, tier, state, state_reason, cpu_milli,
               ram_mib, disk_gib, benchmark AS "benchmark: _", continent, country, region, ip,
               static_ip, probe_port, agent_version, runtime, agent_pubkey, certificate_expires_at,
               joined_at, last_heartbeat_at, heartbeat_sequence, usage_sequence, version
        FROM node WHERE id = $1
        "#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Node::try_from).transpose()?)
}

/// The machine that holds a collateral, locked.
pub async fn lock_by_collateral(
    conn: &mut PgConnection,
    collateral: &Collateral,
) -> sqlx::Result<Option<Node>> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, operator, collateral_txid, collateral_vout, tier, state, state_reason, cpu_milli,
               ram_mib, disk_gib, benchmark AS "benchmark: _", continent, country, region, ip,
               static_ip, probe_port, agent_version, runtime, agent_pubkey, certificate_expires_at,
               joined_at, last_heartbeat_at, heartbeat_sequence, usage_sequence, version
        FROM node
        WHERE collateral_txid = $1 AND collateral_vout = $2 AND state <> 'retired'
        FOR UPDATE
        "#,
        collateral.txid,
        i64::from(collateral.vout),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Node::try_from).transpose()?)
}

/// Nodes in order of id. Empty `operator` and absent `state` mean all.
pub async fn list(
    conn: &mut PgConnection,
    operator: &str,
    state: Option<NodeState>,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<Node>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, operator, collateral_txid, collateral_vout, tier, state, state_reason, cpu_milli,
               ram_mib, disk_gib, benchmark AS "benchmark: _", continent, country, region, ip,
               static_ip, probe_port, agent_version, runtime, agent_pubkey, certificate_expires_at,
               joined_at, last_heartbeat_at, heartbeat_sequence, usage_sequence, version
        FROM node
        WHERE ($1 = '' OR operator = $1)
          AND ($2::text IS NULL OR state = $2)
          AND ($3::uuid IS NULL OR id > $3)
        ORDER BY id LIMIT $4
        "#,
        operator,
        state.map(NodeState::name),
        page.after,
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Node::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// Sets the state of a locked node and bumps its version, which is returned.
pub async fn set_state(
    conn: &mut PgConnection,
    id: NodeId,
    state: NodeState,
    reason: &str,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE node SET state = $2, state_reason = $3, version = version + 1 WHERE id = $1",
        id.uuid(),
        state.name(),
        reason,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "set node state")
}

/// What an agent says of itself when it connects.
#[derive(Debug)]
pub struct AgentFacts<'a> {
    pub agent_version: &'a str,
    pub runtime: &'a str,
    pub capacity: Resources,
}

pub async fn set_agent_facts(
    conn: &mut PgConnection,
    id: NodeId,
    facts: &AgentFacts<'_>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE node SET agent_version = $2, runtime = $3, cpu_milli = $4, ram_mib = $5, disk_gib = $6,
                        version = version + 1
        WHERE id = $1
        "#,
        id.uuid(),
        facts.agent_version,
        facts.runtime,
        bigint(facts.capacity.cpu_milli),
        bigint(facts.capacity.ram_mib),
        bigint(facts.capacity.disk_gib),
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "set agent facts")
}

pub async fn set_certificate(
    conn: &mut PgConnection,
    id: NodeId,
    agent_pubkey: &[u8],
    expires_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE node SET agent_pubkey = $2, certificate_expires_at = $3, version = version + 1
        WHERE id = $1
        "#,
        id.uuid(),
        agent_pubkey,
        expires_at,
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "set node certificate")
}

/// A verified heartbeat.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    pub node: NodeId,
    pub sequence: u64,
}

/// A beat that counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub node: NodeId,
    /// The node was not ready before.
    pub revived: bool,
}

/// Takes many beats in one statement. A beat whose sequence does not exceed the last one is a replay and is not returned;
/// the statement is atomic, so that no two replicas can take the same beat.
pub async fn advance_heartbeats(
    conn: &mut PgConnection,
    beats: &[Beat],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Accepted>> {
    let ids: Vec<Uuid> = beats.iter().map(|beat| beat.node.uuid()).collect();
    let sequences: Vec<i64> = beats.iter().map(|beat| bigint(beat.sequence)).collect();
    let rows = sqlx::query!(
        r#"
        UPDATE node SET heartbeat_sequence = beat.sequence, last_heartbeat_at = $3
        FROM (
            SELECT id, max(sequence) AS sequence
            FROM unnest($1::uuid[], $2::bigint[]) AS b (id, sequence) GROUP BY id
        ) AS beat
        WHERE node.id = beat.id AND node.heartbeat_sequence < beat.sequence
          AND node.state <> 'retired'
        RETURNING node.id, state IN ('joined', 'suspect', 'lost') AS "revived!"
        "#,
        &ids,
        &sequences,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Accepted {
            node: row.id.into(),
            revived: row.revived,
        })
        .collect())
}

/// Advances the sequence of usage reports of a locked node.
pub async fn set_usage_sequence(
    conn: &mut PgConnection,
    id: NodeId,
    sequence: u64,
) -> sqlx::Result<()> {
    let updated = sqlx::query!(
        "UPDATE node SET usage_sequence = $2 WHERE id = $1 AND usage_sequence < $2",
        id.uuid(),
        bigint(sequence),
    )
    .execute(conn)
    .await?;
    ensure_one_row(updated.rows_affected(), "advance usage sequence")
}

/// A node that should beat.
#[derive(Debug, Clone)]
pub struct Beating {
    pub id: Uuid,
    pub state: String,
    pub last_heartbeat_at: DateTime<Utc>,
    pub ip: String,
    pub probe_port: i32,
    pub agent_pubkey: Vec<u8>,
}

/// All nodes whose silence would mean something.
pub async fn beating(conn: &mut PgConnection) -> sqlx::Result<Vec<Beating>> {
    sqlx::query_as!(
        Beating,
        r#"
        SELECT id, state, last_heartbeat_at AS "last_heartbeat_at!", ip, probe_port, agent_pubkey
        FROM node WHERE state IN ('ready', 'suspect') AND last_heartbeat_at IS NOT NULL
        "#
    )
    .fetch_all(conn)
    .await
}

/// Number of nodes per state, for metrics.
pub async fn count_by_state(conn: &mut PgConnection) -> sqlx::Result<Vec<(NodeState, i64)>> {
    let rows = sqlx::query!(r#"SELECT state, count(*) AS "count!" FROM node GROUP BY state"#)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|row| {
            let state = NodeState::from_name(&row.state)
                .ok_or_else(|| Inconsistency::new("node", "state", "(group)", &row.state))?;
            Ok((state, row.count))
        })
        .collect()
}
