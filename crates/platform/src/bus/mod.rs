//! NATS JetStream: transport of events between services. Postgres holds the truth.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::{
    ConnectOptions,
    jetstream::{self, stream},
};

use crate::config;

mod consumer;

pub use consumer::{Handler, HandlerError, Subscription};

/// JetStream forgets an event after this; whoever was away longer asks the owner by gRPC.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// A relay that crashed republishes within this time at the latest; the inbox catches the rest.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// Prefix of events that no consumer could apply.
pub const DEAD: &str = "dead";

/// Connects and keeps reconnecting; NATS may be away at first.
pub async fn connect(config: &config::Nats, name: &str) -> anyhow::Result<jetstream::Context> {
    let mut options = ConnectOptions::new()
        .name(name)
        .retry_on_initial_connect()
        .connection_timeout(Duration::from_secs(5))
        .ping_interval(Duration::from_secs(10));
    if !config.user.is_empty() {
        options =
            options.user_and_password(config.user.clone(), config.password.expose().to_owned());
    }
    let servers: Vec<&str> = config.url.split(',').collect();
    let client = options
        .connect(servers)
        .await
        .with_context(|| format!("nats.url `{}`", config.url))?;
    let mut context = jetstream::new(client);
    context.set_timeout(Duration::from_secs(5));
    Ok(context)
}

/// Makes sure the stream of `service` exists. Owner and consumers call it, in any order.
pub async fn ensure_stream(js: &jetstream::Context, service: &str) -> anyhow::Result<()> {
    let service = service.replace('-', "_");
    let config = stream::Config {
        name: stream_name(&service),
        subjects: vec![
            format!("fluxplane.{service}.>"),
            format!("{DEAD}.{service}.>"),
        ],
        storage: stream::StorageType::File,
        max_age: MAX_AGE,
        duplicate_window: DUPLICATE_WINDOW,
        ..stream::Config::default()
    };
    js.create_or_update_stream(config)
        .await
        .with_context(|| format!("make stream of {service}"))?;
    Ok(())
}

/// `node-registry` → `NODE_REGISTRY`.
fn stream_name(service: &str) -> String {
    service.replace('-', "_").to_uppercase()
}
