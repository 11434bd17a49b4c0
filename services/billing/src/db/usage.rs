//! Seconds in which instances ran.

use chrono::{DateTime, Utc};
use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_ledger::interval::{Interval, IntervalSet};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{bigint, unsigned},
};
use futures::TryStreamExt as _;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::settlement::Earlier;

/// Seconds of one instance, to be added to an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub epoch: u64,
    pub instance: InstanceId,
    pub node: NodeId,
    pub assignment_epoch: u64,
    pub seconds: Interval,
}

/// Adds seconds. A second that is there already changes nothing.
pub async fn add(conn: &mut PgConnection, parts: &[Part], now: DateTime<Utc>) -> sqlx::Result<()> {
    let numbers = |number: fn(&Part) -> u64| -> Vec<i64> {
        parts.iter().map(|part| bigint(number(part))).collect()
    };
    let instances: Vec<Uuid> = parts.iter().map(|part| part.instance.uuid()).collect();
    let nodes: Vec<Uuid> = parts.iter().map(|part| part.node.uuid()).collect();
    sqlx::query!(
        r#"
        INSERT INTO usage (epoch, instance_id, node_id, assignment_epoch, seconds, first_at)
        SELECT epoch, instance_id, node_id, assignment_epoch, range_agg(int8range(from_s, to_s)), $7
        FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS new (epoch, instance_id, node_id, assignment_epoch, from_s, to_s)
        GROUP BY epoch, instance_id, node_id, assignment_epoch
        ORDER BY epoch, instance_id, node_id, assignment_epoch
        ON CONFLICT (epoch, instance_id, node_id, assignment_epoch)
        DO UPDATE SET seconds = usage.seconds + EXCLUDED.seconds
        "#,
        &numbers(|part| part.epoch),
        &instances,
        &nodes,
        &numbers(|part| part.assignment_epoch),
        &numbers(|part| part.seconds.from()),
        &numbers(|part| part.seconds.to()),
        now,
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
        INSERT INTO usage (epoch, instance_id, node_id, assignment_epoch, seconds, first_at)
        SELECT $3, instance_id, node_id, assignment_epoch,
               seconds * int8multirange(int8range($2, NULL)), first_at
        FROM usage WHERE epoch = $1 AND upper(seconds) > $2
        ORDER BY instance_id, node_id, assignment_epoch
        ON CONFLICT (epoch, instance_id, node_id, assignment_epoch)
        DO UPDATE SET seconds = usage.seconds + EXCLUDED.seconds
        "#,
        epoch,
        ends_at,
        next,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        UPDATE usage SET seconds = seconds * int8multirange(int8range(NULL, $2))
        WHERE epoch = $1 AND upper(seconds) > $2
        "#,
        epoch,
        ends_at,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "DELETE FROM usage WHERE epoch = $1 AND isempty(seconds)",
        epoch
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Evidence of an epoch, with what is known of the assignment it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub instance: InstanceId,
    pub node: NodeId,
    pub assignment_epoch: u64,
    pub seconds: IntervalSet,
    pub first_at: DateTime<Utc>,
    pub assigned: Option<Assigned>,
    /// Whether the registry announced the node.
    pub node_known: bool,
}

/// The assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    pub app: AppId,
    pub node: NodeId,
    pub from: u64,
    pub until: Option<u64>,
}

/// All evidence of an epoch.
pub async fn of_epoch(conn: &mut PgConnection, epoch: u64) -> sqlx::Result<Vec<Reported>> {
    let mut rows = sqlx::query!(
        r#"
        SELECT usage.instance_id, usage.node_id, usage.assignment_epoch, first_at,
               ARRAY(SELECT lower(part) FROM unnest(seconds) AS part) AS "starts!",
               ARRAY(SELECT upper(part) FROM unnest(seconds) AS part) AS "ends!",
               assignment.app_id AS "app_id?", assignment.node_id AS "assigned_node?",
               assignment.assigned_at AS "assigned_at?", assignment.superseded_at,
               (node.id IS NOT NULL) AS "node_known!"
        FROM usage
        LEFT JOIN assignment ON assignment.instance_id = usage.instance_id
                            AND assignment.assignment_epoch = usage.assignment_epoch
        LEFT JOIN node ON node.id = usage.node_id
        WHERE epoch = $1
        "#,
        bigint(epoch),
    )
    .fetch(conn);
    let mut evidence = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let id = row.instance_id;
        let assigned = match (row.app_id, row.assigned_node, row.assigned_at) {
            (Some(app), Some(node), Some(from)) => Some(Assigned {
                app: app.into(),
                node: node.into(),
                from: unsigned("assignment", "assigned_at", id, from)?,
                until: row
                    .superseded_at
                    .map(|until| unsigned("assignment", "superseded_at", id, until))
                    .transpose()?,
            }),
            _ => None,
        };
        evidence.push(Reported {
            instance: id.into(),
            node: row.node_id.into(),
            assignment_epoch: unsigned("usage", "assignment_epoch", id, row.assignment_epoch)?,
            seconds: seconds("usage", id, &row.starts, &row.ends)?,
            first_at: row.first_at,
            assigned,
            node_known: row.node_known,
        });
    }
    Ok(evidence)
}

/// Reads a multirange from its bounds.
pub(super) fn seconds(
    table: &'static str,
    row: Uuid,
    starts: &[i64],
    ends: &[i64],
) -> Result<IntervalSet, Inconsistency> {
    let mut intervals = Vec::with_capacity(starts.len());
    for (from, to) in starts.iter().zip(ends) {
        let from = unsigned(table, "seconds", row, *from)?;
        let to = unsigned(table, "seconds", row, *to)?;
        let interval = Interval::new(from, to);
        intervals.push(interval.map_err(|_| Inconsistency::new(table, "seconds", row, from))?);
    }
    Ok(IntervalSet::from(intervals))
}

/// What epochs before this one counted for the instances of these applications inside a window.
pub async fn earlier(
    conn: &mut PgConnection,
    apps: &[Uuid],
    before_epoch: u64,
    window: Interval,
) -> sqlx::Result<Vec<(AppId, Earlier)>> {
    let rows = sqlx::query!(
        r#"
        SELECT assignment.app_id, usage.instance_id,
               ARRAY(SELECT lower(part) FROM unnest(seconds) AS part) AS "starts!",
               ARRAY(SELECT upper(part) FROM unnest(seconds) AS part) AS "ends!"
        FROM assignment
        JOIN usage ON usage.instance_id = assignment.instance_id
                  AND usage.assignment_epoch = assignment.assignment_epoch
                  AND usage.node_id = assignment.node_id
        WHERE assignment.app_id = ANY($1) AND usage.epoch < $2
          AND seconds && int8range($3, $4)
        "#,
        apps,
        bigint(before_epoch),
        bigint(window.from()),
        bigint(window.to()),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let earlier = Earlier {
                instance: row.instance_id.into(),
                seconds: seconds("usage", row.instance_id, &row.starts, &row.ends)?,
            };
            Ok((row.app_id.into(), earlier))
        })
        .collect()
}

/// Names a row of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub instance: InstanceId,
    pub node: NodeId,
    pub assignment_epoch: u64,
}

/// Replaces the seconds of rows by what was counted of them; a row of which nothing was counted goes.
pub async fn set_counted(
    conn: &mut PgConnection,
    epoch: u64,
    counted: &[(Key, IntervalSet)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut parts = Vec::new();
    for (key, seconds) in counted {
        parts.extend(seconds.intervals().iter().map(|interval| (*key, *interval)));
    }
    delete(conn, epoch, counted.iter().map(|(key, _)| *key)).await?;
    let number = |value: fn(&(Key, Interval)) -> u64| -> Vec<i64> {
        parts.iter().map(|part| bigint(value(part))).collect()
    };
    let instances: Vec<Uuid> = parts.iter().map(|(key, _)| key.instance.uuid()).collect();
    let nodes: Vec<Uuid> = parts.iter().map(|(key, _)| key.node.uuid()).collect();
    sqlx::query!(
        r#"
        INSERT INTO usage (epoch, instance_id, node_id, assignment_epoch, seconds, first_at)
        SELECT $1, instance_id, node_id, assignment_epoch, range_agg(int8range(from_s, to_s)), $7
        FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS counted (instance_id, node_id, assignment_epoch, from_s, to_s)
        GROUP BY instance_id, node_id, assignment_epoch
        "#,
        bigint(epoch),
        &instances,
        &nodes,
        &number(|(key, _)| key.assignment_epoch),
        &number(|(_, interval)| interval.from()),
        &number(|(_, interval)| interval.to()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves rows whose assignment or node is not known yet to a later epoch.
pub async fn postpone(
    conn: &mut PgConnection,
    epoch: u64,
    keys: &[Key],
    next: u64,
) -> sqlx::Result<()> {
    let (instances, nodes, epochs) = columns(keys.iter().copied());
    sqlx::query!(
        r#"
        INSERT INTO usage (epoch, instance_id, node_id, assignment_epoch, seconds, first_at)
        SELECT $5, usage.instance_id, usage.node_id, usage.assignment_epoch, seconds, first_at
        FROM usage JOIN unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS late (instance_id, node_id, assignment_epoch)
             USING (instance_id, node_id, assignment_epoch)
        WHERE epoch = $1
        ORDER BY usage.instance_id, usage.node_id, usage.assignment_epoch
        ON CONFLICT (epoch, instance_id, node_id, assignment_epoch)
        DO UPDATE SET seconds = usage.seconds + EXCLUDED.seconds,
                      first_at = least(usage.first_at, EXCLUDED.first_at)
        "#,
        bigint(epoch),
        &instances,
        &nodes,
        &epochs,
        bigint(next),
    )
    .execute(&mut *conn)
    .await?;
    delete(conn, epoch, keys.iter().copied()).await
}

async fn delete(
    conn: &mut PgConnection,
    epoch: u64,
    keys: impl Iterator<Item = Key>,
) -> sqlx::Result<()> {
    let (instances, nodes, epochs) = columns(keys);
    sqlx::query!(
        r#"
        DELETE FROM usage USING unnest($2::uuid[], $3::uuid[], $4::bigint[])
             AS gone (instance_id, node_id, assignment_epoch)
        WHERE usage.epoch = $1 AND usage.instance_id = gone.instance_id AND usage.node_id = gone.node_id
          AND usage.assignment_epoch = gone.assignment_epoch
        "#,
        bigint(epoch),
        &instances,
        &nodes,
        &epochs,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn columns(keys: impl Iterator<Item = Key>) -> (Vec<Uuid>, Vec<Uuid>, Vec<i64>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        columns.0.push(key.instance.uuid());
        columns.1.push(key.node.uuid());
        columns.2.push(bigint(key.assignment_epoch));
    }
    columns
}

/// What a closed epoch counted of an instance on a node inside a window.
pub async fn counted(
    conn: &mut PgConnection,
    epoch: u64,
    instance: InstanceId,
    node: NodeId,
    window: Interval,
) -> sqlx::Result<IntervalSet> {
    let rows = sqlx::query!(
        r#"
        SELECT lower(part) AS "starts!", upper(part) AS "ends!"
        FROM usage, unnest(seconds * int8multirange(int8range($4, $5))) AS part
        WHERE epoch = $1 AND instance_id = $2 AND node_id = $3
        ORDER BY 1
        "#,
        bigint(epoch),
        instance.uuid(),
        node.uuid(),
        bigint(window.from()),
        bigint(window.to()),
    )
    .fetch_all(conn)
    .await?;
    let (starts, ends): (Vec<i64>, Vec<i64>) =
        rows.into_iter().map(|row| (row.starts, row.ends)).unzip();
    Ok(seconds("usage", instance.uuid(), &starts, &ends)?)
}
