//! The bus, and what other services say on it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::{self, consumer::pull, message::PublishMessage};
use chrono::{DateTime, Utc};
use fluxplane_core::{IdSource as _, SystemIds};
use fluxplane_platform::{bus, config};
use fluxplane_proto::{Event, billing::v1::RevisionFunded, scheduler::v1::Revision};
use fluxplane_scheduler::grpc::convert::timestamp;
use fluxplane_testkit::{Nats, eventually};
use futures::StreamExt as _;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::LIMIT;

#[derive(Clone)]
pub(crate) struct Bus {
    js: jetstream::Context,
}

impl Bus {
    pub(crate) async fn connect(nats: &Nats) -> Self {
        let config = config::Nats {
            url: nats.url.clone(),
            user: String::new(),
            password: config::Secret::default(),
        };
        let js = bus::connect(&config, "peers").await.unwrap();
        for service in ["scheduler", "billing", "node-registry", "chain-indexer"] {
            bus::ensure_stream(&js, service).await.unwrap();
        }
        Self { js }
    }

    pub(crate) async fn publish<E: Event>(&self, event: &E) {
        self.publish_as(SystemIds.next(), event).await;
    }

    /// Publishes under a given event id.
    pub(crate) async fn publish_as<E: Event>(&self, id: Uuid, event: &E) {
        let message = PublishMessage::build()
            .message_id(id.to_string())
            .payload(event.encode_to_vec().into());
        self.js
            .send_publish(E::SUBJECT, message)
            .await
            .unwrap()
            .await
            .unwrap();
    }

    /// Publishes an event again that the stream would recognise, as a redelivery does.
    pub(crate) async fn redeliver<E: Event>(&self, id: Uuid, event: &E) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, id.to_string().as_str());
        // Beyond the stream's duplicate window only the inbox knows the id; a stream that forgot it is what is played here.
        let stream = self.js.get_stream(stream_of(E::SUBJECT)).await.unwrap();
        let mut config = stream.cached_info().config.clone();
        config.duplicate_window = Duration::from_millis(100);
        self.js.update_stream(&config).await.unwrap();
        eventually(LIMIT, async || {
            let ack = self
                .js
                .publish_with_headers(E::SUBJECT, headers.clone(), event.encode_to_vec().into())
                .await
                .unwrap()
                .await
                .unwrap();
            if ack.duplicate {
                Err("still known")
            } else {
                Ok(())
            }
        })
        .await;
    }

    /// What billing says when a revision is paid.
    pub(crate) async fn fund(&self, revision: &Revision, paid_until: DateTime<Utc>) {
        self.publish(&funded(&revision.revision_id, paid_until))
            .await;
    }

    /// Hears every event of a kind from the beginning on.
    pub(crate) async fn hear<E: Event + Clone + Send + 'static>(&self) -> Ear<E> {
        let stream = self.js.get_stream(stream_of(E::SUBJECT)).await.unwrap();
        let consumer = stream
            .create_consumer(pull::Config {
                filter_subject: E::SUBJECT.to_owned(),
                ..pull::Config::default()
            })
            .await
            .unwrap();
        let mut messages = consumer.messages().await.unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (news, _) = tokio::sync::watch::channel(0);
        let mut task = JoinSet::new();
        let (events, count) = (Arc::clone(&heard), news.clone());
        task.spawn(async move {
            while let Some(Ok(message)) = messages.next().await {
                events
                    .lock()
                    .unwrap()
                    .push(E::decode(message.payload.clone()).unwrap());
                message.ack().await.unwrap();
                count.send_modify(|count| *count += 1);
            }
        });
        Ear {
            heard,
            news,
            _task: Arc::new(task),
        }
    }
}

/// `fluxplane.node_registry.v1.…` → `NODE_REGISTRY`.
fn stream_of(subject: &str) -> String {
    subject.split('.').nth(1).unwrap().to_uppercase()
}

pub(crate) fn funded(revision_id: &str, paid_until: DateTime<Utc>) -> RevisionFunded {
    RevisionFunded {
        revision_id: revision_id.to_owned(),
        amount_sat: 60_000_000,
        funded_at: Some(timestamp(paid_until - chrono::TimeDelta::days(30))),
        paid_until: Some(timestamp(paid_until)),
        ..RevisionFunded::default()
    }
}

/// Events of one kind, as they come.
#[derive(Clone)]
pub(crate) struct Ear<E> {
    heard: Arc<Mutex<Vec<E>>>,
    news: tokio::sync::watch::Sender<usize>,
    _task: Arc<JoinSet<()>>,
}

impl<E: Clone> Ear<E> {
    pub(crate) fn all(&self) -> Vec<E> {
        self.heard.lock().unwrap().clone()
    }

    /// Those after the first `known`.
    pub(crate) fn after(&self, known: usize) -> Vec<E> {
        self.heard
            .lock()
            .unwrap()
            .iter()
            .skip(known)
            .cloned()
            .collect()
    }

    /// Follows the number of events.
    pub(crate) fn news(&self) -> tokio::sync::watch::Receiver<usize> {
        self.news.subscribe()
    }

    /// Waits for an event.
    pub(crate) async fn until(&self, wanted: impl Fn(&E) -> bool) -> E {
        eventually(LIMIT, async || {
            let heard = self.heard.lock().unwrap();
            heard
                .iter()
                .find(|event| wanted(event))
                .cloned()
                .ok_or(heard.len())
        })
        .await
    }
}
