//! The node registry as agents and other services see it: real Postgres, NATS and mutual TLS; a scripted chain indexer.
#![expect(clippy::unwrap_used, reason = "tests")]

mod agent;
mod joining;
mod liveness;
mod private;
mod sessions;
mod support;
