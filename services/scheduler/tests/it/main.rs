//! The scheduler as the gateway and other services see it: real Postgres, NATS and mutual TLS; billing, registry and agents
//! are played by publishing their events.
#![expect(clippy::unwrap_used, reason = "tests")]

mod ends;
mod latency;
mod leader;
mod native;
mod nodes;
mod placement;
mod private;
mod published;
mod quotes;
mod rollout;
mod rooms;
mod secrets;
mod submit;
mod support;
mod timeline;
mod update;
