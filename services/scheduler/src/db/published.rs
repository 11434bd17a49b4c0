//! What everybody may read of applications whose owners published them.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, id::InstanceId};
use fluxplane_platform::db::{
    Inconsistency,
    columns::{small, unsigned},
    paging::Page,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::revisions::StoredSpec;
use crate::domain::{
    AppState,
    published::{Location, PublishedMessage, Standing, Wanted},
};

struct MessageRow {
    id: Uuid,
    message_type: String,
    spec_json: Option<String>,
    spec_sealed: Option<Vec<u8>>,
    signed_at_ms: i64,
    signature: String,
    message_hash: String,
    owner: String,
    submitted_at: DateTime<Utc>,
    pay_until: DateTime<Utc>,
    funded_at: Option<DateTime<Utc>>,
    payment_txid: String,
    payment_height: i64,
    paid_sat: i64,
    name: String,
    state: String,
    version: i64,
}

/// A message without its specification, and that as it is stored.
pub struct StoredMessage {
    pub message: PublishedMessage,
    pub spec: StoredSpec,
}

impl TryFrom<MessageRow> for StoredMessage {
    type Error = Inconsistency;

    fn try_from(row: MessageRow) -> Result<Self, Self::Error> {
        let id = row.id;
        let state = AppState::from_name(&row.state);
        let message = PublishedMessage {
            revision: id.into(),
            kind: row.message_type,
            spec_json: String::new(),
            signed_at_ms: unsigned("revision", "signed_at_ms", id, row.signed_at_ms)?,
            signature: row.signature,
            message_hash: row.message_hash,
            owner: row.owner,
            submitted_at: row.submitted_at,
            pay_until: row.pay_until,
            funded_at: row.funded_at,
            payment_txid: row.payment_txid,
            payment_height: small("revision", "payment_height", id, row.payment_height)?,
            paid: Sat::new(row.paid_sat),
            app_name: row.name,
            app_state: state.ok_or_else(|| Inconsistency::new("app", "state", id, &row.state))?,
            app_version: unsigned("app", "version", id, row.version)?,
        };
        Ok(Self {
            message,
            spec: StoredSpec::of(row.spec_json, row.spec_sealed),
        })
    }
}

/// Messages in the order of their submission.
pub async fn messages(
    conn: &mut PgConnection,
    wanted: &Wanted,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<StoredMessage>> {
    let rows = sqlx::query_as!(
        MessageRow,
        r#"
        SELECT r.id, r.message_type, r.spec_json, r.spec_sealed, r.signed_at_ms, r.signature, r.message_hash, r.owner,
               r.submitted_at, r.pay_until, r.funded_at, r.payment_txid, r.payment_height, r.paid_sat,
               a.name, a.state, a.version
        FROM revision AS r JOIN app AS a ON a.id = r.app_id
        WHERE a.published
          AND ($1::text = '' OR r.message_hash = $1)
          AND ($2::text = '' OR r.owner = $2)
          AND ($3::text = '' OR a.name_key = lower($3))
          AND CASE $4::text
              WHEN 'waiting' THEN r.funded_at IS NULL AND r.dropped_at IS NULL AND a.ended_at IS NULL
              WHEN 'paid' THEN r.funded_at IS NOT NULL
              WHEN 'current' THEN r.funded_at IS NOT NULL AND r.number = a.current_number
                                  AND a.ended_at IS NULL
              ELSE true END
          AND ($5::uuid IS NULL OR r.id > $5)
        ORDER BY r.id LIMIT $6
        "#,
        wanted.message_hash,
        wanted.owner,
        wanted.name,
        wanted.standing.map_or("", Standing::name),
        page.after,
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| StoredMessage::try_from(row).map_err(sqlx::Error::from))
        .collect()
}

/// Copies whose containers run, of one application or of all.
pub async fn locations(
    conn: &mut PgConnection,
    name: &str,
    page: &Page<Uuid>,
) -> sqlx::Result<Vec<Location>> {
    // A copy runs the containers of the current message when only what no container notices has changed since.
    let rows = sqlx::query!(
        r#"
        SELECT i.id, a.name, n.outpoint, n.ip, n.static_ip, i.healthy_at AS "healthy_at!",
               CASE WHEN c.funded_at IS NOT NULL AND c.rollout_number = r.rollout_number
                    THEN c.message_hash ELSE r.message_hash END AS "message_hash!"
        FROM instance AS i
        JOIN app AS a ON a.id = i.app_id
        JOIN revision AS r ON r.id = i.revision_id
        JOIN revision AS c ON c.app_id = a.id AND c.number = a.current_number
        JOIN node AS n ON n.id = i.node_id
        WHERE a.published AND a.ended_at IS NULL AND i.state IN ('healthy', 'unhealthy')
          AND i.healthy_at IS NOT NULL
          AND ($1::text = '' OR a.name_key = lower($1))
          AND ($2::uuid IS NULL OR i.id > $2)
        ORDER BY i.id LIMIT $3
        "#,
        name,
        page.after,
        page.fetch_limit(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let wrong = |column, value: &str| Inconsistency::new("node", column, row.id, value);
            let ip: IpAddr = row.ip.parse().map_err(|_| wrong("ip", &row.ip))?;
            let outpoint = row.outpoint.rsplit_once(':');
            let outpoint = outpoint.and_then(|(txid, n)| Some((txid.to_owned(), n.parse().ok()?)));
            Ok(Location {
                instance: InstanceId::from(row.id),
                app_name: row.name,
                message_hash: row.message_hash,
                collateral: outpoint.ok_or_else(|| wrong("outpoint", &row.outpoint))?,
                ip,
                static_ip: row.static_ip,
                healthy_at: row.healthy_at,
            })
        })
        .collect::<Result<_, Inconsistency>>()
        .map_err(sqlx::Error::from)
}
