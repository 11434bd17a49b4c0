//! Transactional outbox: events leave the database only if the change they announce committed.
//!
//! Rows are deleted once JetStream has them. A "last sequence" cursor would skip rows that commit late, because identity
//! values are taken before commit.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use async_nats::jetstream::{self, message::PublishMessage};
use sqlx::{PgConnection, PgPool, postgres::PgListener, types::Json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{health::Component, metrics::Metrics, propagation};

/// Rows published per transaction.
const BATCH: u8 = 128;

/// Poll interval when no notification arrives, so that a lost NOTIFY costs latency, not events.
const POLL: Duration = Duration::from_secs(5);

/// Pause after a failure, so that a missing bus is not asked in a loop.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// An event not yet handed to the bus.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Also the deduplication id on the bus.
    pub id: Uuid,
    pub subject: String,
    pub payload: Vec<u8>,
}

impl NewEvent {
    pub fn new(id: Uuid, subject: impl Into<String>, message: &impl prost::Message) -> Self {
        Self {
            id,
            subject: subject.into(),
            payload: message.encode_to_vec(),
        }
    }
}

/// Records `event` in the caller's transaction, with the current trace.
pub async fn append(conn: &mut PgConnection, event: &NewEvent) -> sqlx::Result<()> {
    let mut headers = propagation::Headers::default();
    propagation::inject_current(&mut headers);
    sqlx::query!(
        r#"
        WITH row AS (
            INSERT INTO outbox (event_id, subject, payload, headers) VALUES ($1, $2, $3, $4)
            RETURNING seq
        )
        SELECT pg_notify('outbox.' || current_schema(), '') FROM row
        "#,
        event.id,
        event.subject,
        event.payload,
        Json(headers.0) as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Records `events` in the caller's transaction, in their order, with the current trace. One statement for any number.
pub async fn append_all(conn: &mut PgConnection, events: &[NewEvent]) -> sqlx::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut headers = propagation::Headers::default();
    propagation::inject_current(&mut headers);
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let subjects: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
    let payloads: Vec<&[u8]> = events
        .iter()
        .map(|event| event.payload.as_slice())
        .collect();
    sqlx::query!(
        r#"
        WITH rows AS (
            INSERT INTO outbox (event_id, subject, payload, headers)
            SELECT event_id, subject, payload, $4
            FROM unnest($1::uuid[], $2::text[], $3::bytea[])
                 WITH ORDINALITY AS event (event_id, subject, payload, place)
            ORDER BY place
            RETURNING seq
        )
        SELECT pg_notify('outbox.' || current_schema(), '') FROM rows LIMIT 1
        "#,
        &ids,
        &subjects as _,
        &payloads as _,
        Json(headers.0) as _,
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("publish event {event_id}")]
    Publish {
        event_id: Uuid,
        #[source]
        source: jetstream::context::PublishError,
    },
}

/// Publishes the outbox of one service.
#[derive(Debug, Clone)]
pub struct Relay {
    pub pool: PgPool,
    pub jetstream: jetstream::Context,
    pub metrics: Metrics,
    pub health: Component,
}

impl Relay {
    /// Publishes until cancelled. Any number of replicas may run this; one batch is in flight at a time.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            let failed = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                result = self.listen_and_publish() => result,
                never = self.keep_measured() => match never {},
            };
            if let Err(err) = failed {
                tracing::warn!(error = crate::error::chain(&err), "outbox waits");
                self.health.affected("events wait in the outbox");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(FAILURE_PAUSE) => {}
            }
        }
        Ok(())
    }

    /// Returns only when something failed; the rows are still there for the next round.
    async fn listen_and_publish(&self) -> Result<(), RelayError> {
        let mut wake = PgListener::connect_with(&self.pool).await?;
        let channel = sqlx::query_scalar!(r#"SELECT 'outbox.' || current_schema() AS "name!""#)
            .fetch_one(&self.pool)
            .await?;
        wake.listen(&channel).await?;
        loop {
            while drain_batch(&self.pool, &self.jetstream).await? == usize::from(BATCH) {}
            self.health.ready();
            tokio::select! {
                woken = wake.recv() => { woken?; }
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Beside the publishing, which may stand still: just then somebody must hear of it.
    async fn keep_measured(&self) -> Infallible {
        loop {
            if let Err(err) = self.measure().await {
                tracing::debug!(
                    error = crate::error::chain(&err),
                    "outbox cannot be measured"
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn measure(&self) -> sqlx::Result<()> {
        let backlog = sqlx::query!(
            r#"
            SELECT count(*) AS "rows!",
                   coalesce(extract(epoch FROM now() - min(created_at)), 0)::bigint AS "age_seconds!"
            FROM outbox
            "#
        )
        .fetch_one(&self.pool)
        .await?;
        self.metrics.common.outbox_rows.set(backlog.rows);
        self.metrics
            .common
            .outbox_age_seconds
            .set(backlog.age_seconds);
        Ok(())
    }
}

/// Publishes one batch in order and deletes what JetStream stored. Returns the batch size.
///
/// A crash between the acknowledgement and the commit republishes the batch under the same `Nats-Msg-Id`, which the
/// stream drops within its duplicate window and the inbox drops after it.
pub async fn drain_batch(pool: &PgPool, js: &jetstream::Context) -> Result<usize, RelayError> {
    let mut tx = super::begin(pool).await?;
    let mine = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtext('outbox.' || current_schema())) AS "mine!""#
    )
    .fetch_one(&mut *tx)
    .await?;
    if !mine {
        return Ok(0);
    }
    let rows = sqlx::query!(
        r#"
        SELECT seq, event_id, subject, payload, headers AS "headers: Json<BTreeMap<String, String>>"
        FROM outbox ORDER BY seq LIMIT $1
        "#,
        i64::from(BATCH),
    )
    .fetch_all(&mut *tx)
    .await?;
    if rows.is_empty() {
        return Ok(0);
    }

    let mut acks = Vec::with_capacity(rows.len());
    for row in rows {
        let mut message = PublishMessage::build()
            .message_id(row.event_id.to_string())
            .payload(row.payload.into());
        for (name, value) in &row.headers.0 {
            message = message.header(name.as_str(), value.as_str());
        }
        let ack = js.send_publish(row.subject, message).await;
        acks.push((row.seq, row.event_id, ack));
    }
    let mut stored = Vec::with_capacity(acks.len());
    for (seq, event_id, ack) in acks {
        ack.map_err(|source| RelayError::Publish { event_id, source })?
            .await
            .map_err(|source| RelayError::Publish { event_id, source })?;
        stored.push(seq);
    }
    sqlx::query!("DELETE FROM outbox WHERE seq = ANY($1)", &stored)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(stored.len())
}
