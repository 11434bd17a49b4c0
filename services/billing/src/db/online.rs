//! Seconds in which nodes were up.

use std::collections::BTreeMap;

use fluxplane_core::id::NodeId;
use fluxplane_ledger::interval::{Interval, IntervalSet};
use fluxplane_platform::db::columns::bigint;
use sqlx::PgConnection;
use uuid::Uuid;

use super::usage::seconds;

/// Seconds of one node, to be added to an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub epoch: u64,
    pub node: NodeId,
    pub seconds: Interval,
}

/// Adds seconds. A second that is there already changes nothing.
pub async fn add(conn: &mut PgConnection, parts: &[Part]) -> sqlx::Result<()> {
    let numbers = |number: fn(&Part) -> u64| -> Vec<i64> {
        parts.iter().map(|part| bigint(number(part))).collect()
    };
    let nodes: Vec<Uuid> = parts.iter().map(|part| part.node.uuid()).collect();
    sqlx::query!(
        r#"
        INSERT INTO node_online (epoch, node_id, seconds)
        SELECT epoch, node_id, range_agg(int8range(from_s, to_s))
        FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[]) AS new (epoch, node_id, from_s, to_s)
        GROUP BY epoch, node_id
        ORDER BY epoch, node_id
        ON CONFLICT (epoch, node_id) DO UPDATE SET seconds = node_online.seconds + EXCLUDED.seconds
        "#,
        &numbers(|part| part.epoch),
        &nodes,
        &numbers(|part| part.seconds.from()),
        &numbers(|part| part.seconds.to()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hands what lies at or behind `ends_at` on to the next epoch.
pub async fn hand_on(
    conn: &mut PgConnection,
    epoch: u64,
    ends_at: u64,
    next: u64,
) -> sqlx::Result<()> {
    let (epoch, ends_at, next) = (bigint(epoch), bigint(ends_at), bigint(next));
    sqlx::query!(
        r#"
        INSERT INTO node_online (epoch, node_id, seconds)
        SELECT $3, node_id, seconds * int8multirange(int8range($2, NULL))
        FROM node_online WHERE epoch = $1 AND upper(seconds) > $2
        ORDER BY node_id
        ON CONFLICT (epoch, node_id) DO UPDATE SET seconds = node_online.seconds + EXCLUDED.seconds
        "#,
        epoch,
        ends_at,
        next,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        UPDATE node_online SET seconds = seconds * int8multirange(int8range(NULL, $2))
        WHERE epoch = $1 AND upper(seconds) > $2
        "#,
        epoch,
        ends_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes away from an epoch what epochs before it counted already. Only evidence older than the epoch can be meant.
pub async fn forget_counted(
    conn: &mut PgConnection,
    epoch: u64,
    opens_at: u64,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE node_online AS late SET seconds = late.seconds - earlier.seconds
        FROM (
            SELECT own.node_id, range_agg(part) AS seconds
            FROM node_online AS own
            JOIN node_online AS known ON known.node_id = own.node_id AND known.epoch < $1
                                     AND known.seconds && own.seconds,
            unnest(known.seconds) AS part
            WHERE own.epoch = $1 AND lower(own.seconds) < $2
            GROUP BY own.node_id
        ) AS earlier
        WHERE late.epoch = $1 AND late.node_id = earlier.node_id AND lower(late.seconds) < $2
        "#,
        bigint(epoch),
        bigint(opens_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Seconds per node of an epoch, not before the node joined.
pub async fn of_epoch(
    conn: &mut PgConnection,
    epoch: u64,
) -> sqlx::Result<BTreeMap<NodeId, IntervalSet>> {
    let rows = sqlx::query!(
        r#"
        SELECT node_id,
               ARRAY(SELECT lower(part) FROM unnest(counted.seconds) AS part) AS "starts!",
               ARRAY(SELECT upper(part) FROM unnest(counted.seconds) AS part) AS "ends!"
        FROM node_online
        JOIN node ON node.id = node_id,
        LATERAL (SELECT node_online.seconds
                        * int8multirange(int8range(floor(extract(epoch FROM joined_at))::bigint, NULL)) AS seconds)
            AS counted
        WHERE epoch = $1
        "#,
        bigint(epoch),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let set = seconds("node_online", row.node_id, &row.starts, &row.ends)?;
            Ok((row.node_id.into(), set))
        })
        .collect()
}
