//! Applying events exactly once: claim in the inbox and effect in one transaction, acknowledgement after commit.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::{self, AckKind, consumer::pull};
use futures::StreamExt as _;
use sqlx::{PgConnection, PgPool};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{DEAD, ensure_stream, stream_name};
use crate::{
    db::{
        self,
        inbox::{self, Claim},
        outbox::{self, NewEvent},
    },
    health::Component,
    metrics::{ConsumerLabels, EventLabels, Metrics},
    propagation,
};

/// Pause before an event that failed is delivered again.
const REDELIVERY_DELAY: Duration = Duration::from_secs(1);

/// Pause before a consumer that lost the bus tries again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);

/// Above the slowest handler; an event unacknowledged for this long is delivered again.
const ACK_WAIT: Duration = Duration::from_mins(1);

/// Events fetched ahead; they are applied one by one, in order.
const IN_FLIGHT: usize = 64;

/// Applies events to this service's database.
pub trait Handler: Send + Sync {
    /// Durable consumer name, `<consuming service>-<purpose>`; also the inbox key.
    const CONSUMER: &'static str;
    /// Service whose stream is read.
    const PRODUCER: &'static str;
    /// Subject filter within that stream.
    const SUBJECT: &'static str;

    /// Applies one event in `conn`'s transaction.
    fn apply(
        &self,
        conn: &mut PgConnection,
        subject: &str,
        payload: &[u8],
    ) -> impl Future<Output = Result<(), HandlerError>> + Send;

    /// Called after the transaction committed; for nudges only.
    fn applied(&self) {}
}

#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The event can never be applied; it goes to `dead.<service>.<consumer>` for a person to look at.
    #[error("malformed event")]
    Poison(#[source] anyhow::Error),
    /// Worth another delivery.
    #[error("event not applied")]
    Retry(#[source] anyhow::Error),
}

impl HandlerError {
    pub fn poison(err: impl Into<anyhow::Error>) -> Self {
        Self::Poison(err.into())
    }

    pub fn retry(err: impl Into<anyhow::Error>) -> Self {
        Self::Retry(err.into())
    }
}

impl From<sqlx::Error> for HandlerError {
    fn from(err: sqlx::Error) -> Self {
        Self::Retry(err.into())
    }
}

/// A handler fed from its stream.
#[derive(Debug)]
pub struct Subscription<H> {
    /// The consuming service.
    pub service: &'static str,
    pub pool: PgPool,
    pub jetstream: jetstream::Context,
    pub handler: H,
    pub metrics: Metrics,
    pub health: Component,
}

impl<H: Handler> Subscription<H> {
    /// Feeds the handler until cancelled. Outlives a bus that goes away or is wiped.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            let failed = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                result = self.consume(&stop) => result,
            };
            if let Err(err) = failed {
                tracing::warn!(
                    consumer = H::CONSUMER,
                    error = format!("{err:#}"),
                    "consumer waits"
                );
                self.health
                    .affected(format!("{} waits for the bus", H::CONSUMER));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(RECONNECT_PAUSE) => {}
            }
        }
        Ok(())
    }

    async fn consume(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        ensure_stream(&self.jetstream, H::PRODUCER).await?;
        let stream = self.jetstream.get_stream(stream_name(H::PRODUCER)).await?;
        let config = pull::Config {
            durable_name: Some(H::CONSUMER.to_owned()),
            filter_subject: H::SUBJECT.to_owned(),
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(IN_FLIGHT).unwrap_or(i64::MAX),
            ..pull::Config::default()
        };
        let consumer = stream
            .create_consumer(config)
            .await
            .with_context(|| format!("make consumer {}", H::CONSUMER))?;
        let mut messages = consumer
            .stream()
            .max_messages_per_batch(IN_FLIGHT)
            .heartbeat(Duration::from_secs(5))
            .messages()
            .await?;
        self.health.ready();
        while !stop.is_cancelled() {
            let Some(message) = messages.next().await else {
                break;
            };
            self.take(message?).await;
        }
        Ok(())
    }

    async fn take(&self, message: jetstream::Message) {
        let span = tracing::info_span!(
            "consume",
            otel.name = H::CONSUMER,
            otel.kind = "consumer",
            messaging.destination.name = %message.subject
        );
        if let Some(headers) = &message.headers {
            propagation::set_parent(&span, &propagation::NatsHeaders(headers));
        }
        let started = Instant::now();
        let (ack, outcome) = self.deliver(&message).instrument(span).await;
        let labels = EventLabels {
            consumer: H::CONSUMER,
            outcome,
        };
        self.metrics.common.events.get_or_create(&labels).inc();
        let labels = ConsumerLabels {
            consumer: H::CONSUMER,
        };
        let seconds = self
            .metrics
            .common
            .event_seconds
            .get_or_create_owned(&labels);
        seconds.observe(started.elapsed().as_secs_f64());
        // A lost acknowledgement means redelivery, which the inbox absorbs.
        if let Err(err) = message.ack_with(ack).await {
            tracing::warn!(consumer = H::CONSUMER, error = %err, "acknowledge");
        }
    }

    async fn deliver(&self, message: &jetstream::Message) -> (AckKind, &'static str) {
        let event_id = message
            .headers
            .as_ref()
            .and_then(|headers| headers.get(async_nats::header::NATS_MESSAGE_ID))
            .and_then(|id| id.as_str().parse::<Uuid>().ok());
        let Some(event_id) = event_id else {
            tracing::error!(consumer = H::CONSUMER, "event without an id");
            return (AckKind::Term, "poison");
        };
        let result = match self.apply_once(event_id, message).await {
            Ok(Claim::New) => {
                self.handler.applied();
                Ok("applied")
            }
            Ok(Claim::AppliedBefore) => Ok("repeated"),
            Err(HandlerError::Poison(err)) => {
                let error = format!("{err:#}");
                tracing::error!(consumer = H::CONSUMER, error, %event_id, "set poison event aside");
                self.set_aside(event_id, message)
                    .await
                    .map(|()| "poison")
                    .map_err(anyhow::Error::from)
            }
            Err(HandlerError::Retry(err)) => Err(err),
        };
        match result {
            Ok(outcome) => (AckKind::Ack, outcome),
            Err(err) => {
                let error = format!("{err:#}");
                tracing::warn!(consumer = H::CONSUMER, error, %event_id, "event will be redelivered");
                (AckKind::Nak(Some(REDELIVERY_DELAY)), "retried")
            }
        }
    }

    async fn apply_once(
        &self,
        event_id: Uuid,
        message: &jetstream::Message,
    ) -> Result<Claim, HandlerError> {
        let mut tx = db::begin(&self.pool).await?;
        let claim = inbox::claim(&mut tx, H::CONSUMER, event_id).await?;
        if claim == Claim::New {
            self.handler
                .apply(&mut tx, &message.subject, &message.payload)
                .await?;
        }
        tx.commit().await?;
        Ok(claim)
    }

    /// Puts a poison event where people look, instead of applying it.
    async fn set_aside(&self, event_id: Uuid, message: &jetstream::Message) -> sqlx::Result<()> {
        let consumer = H::CONSUMER;
        let dead = NewEvent {
            // Redelivery makes the same id again.
            id: Uuid::new_v5(&event_id, consumer.as_bytes()),
            subject: format!("{DEAD}.{}.{consumer}", self.service.replace('-', "_")),
            payload: message.payload.to_vec(),
        };
        let mut tx = db::begin(&self.pool).await?;
        if inbox::claim(&mut tx, consumer, event_id).await? == Claim::New {
            outbox::append(&mut tx, &dead).await?;
        }
        tx.commit().await
    }
}
