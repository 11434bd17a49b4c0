//! What nodes earned.

use fluxplane_core::{Sat, id::NodeId};
use fluxplane_platform::db::{
    columns::{bigint, unsigned},
    paging::Page,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::settlement;

pub async fn insert(
    conn: &mut PgConnection,
    epoch: u64,
    payouts: &[settlement::Payout],
) -> sqlx::Result<()> {
    let uuids =
        |uuid: fn(&settlement::Payout) -> Uuid| -> Vec<Uuid> { payouts.iter().map(uuid).collect() };
    let numbers = |number: fn(&settlement::Payout) -> i64| -> Vec<i64> {
        payouts.iter().map(number).collect()
    };
    let operators: Vec<String> = payouts
        .iter()
        .map(|payout| payout.operator.to_string())
        .collect();
    let salts: Vec<Vec<u8>> = payouts
        .iter()
        .map(|payout| payout.salt.bytes().to_vec())
        .collect();
    sqlx::query!(
        r#"
        INSERT INTO payout (id, epoch, operator, operator_salt, node_id, online_sat, hosting_sat,
                            online_seconds, hosted_seconds, leaf)
        SELECT id, $1, operator, operator_salt, node_id, online_sat, hosting_sat, online_seconds,
               hosted_seconds, leaf
        FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::uuid[], $6::bigint[], $7::bigint[],
                    $8::bigint[], $9::bigint[], $10::bigint[])
             AS new (id, operator, operator_salt, node_id, online_sat, hosting_sat, online_seconds,
                     hosted_seconds, leaf)
        "#,
        bigint(epoch),
        &uuids(|payout| payout.id.uuid()),
        &operators,
        &salts,
        &uuids(|payout| payout.node.uuid()),
        &numbers(|payout| payout.online.get()),
        &numbers(|payout| payout.hosting.get()),
        &numbers(|payout| bigint(payout.online_seconds)),
        &numbers(|payout| bigint(payout.hosted_seconds)),
        &numbers(|payout| bigint(payout.leaf)),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a node earned in an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    pub epoch: u64,
    pub node: NodeId,
    pub online: Sat,
    pub hosting: Sat,
    pub online_seconds: u64,
    pub hosted_seconds: u64,
    pub leaf: u64,
}

/// Earnings of an operator's nodes, the newest epoch first. The key is epoch and node.
pub async fn list(
    conn: &mut PgConnection,
    operator: &str,
    page: &Page<(u64, Uuid)>,
) -> sqlx::Result<Vec<Earning>> {
    let (epoch, node) = page.after.map_or((None, None), |(epoch, node)| {
        (Some(bigint(epoch)), Some(node))
    });
    let rows = sqlx::query!(
        r#"
        SELECT epoch, node_id, online_sat, hosting_sat, online_seconds, hosted_seconds, leaf
        FROM payout
        WHERE operator = $1
          AND ($2::bigint IS NULL OR epoch < $2 OR (epoch = $2 AND node_id > $3))
        ORDER BY epoch DESC, node_id LIMIT $4
        "#,
        operator,
        epoch,
        node,
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let count = |column, value| unsigned("payout", column, row.node_id, value);
            Ok(Earning {
                epoch: count("epoch", row.epoch)?,
                node: row.node_id.into(),
                online: Sat::new(row.online_sat),
                hosting: Sat::new(row.hosting_sat),
                online_seconds: count("online_seconds", row.online_seconds)?,
                hosted_seconds: count("hosted_seconds", row.hosted_seconds)?,
                leaf: count("leaf", row.leaf)?,
            })
        })
        .collect()
}
