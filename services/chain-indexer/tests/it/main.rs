//! The chain indexer against a scripted daemon that serves a recorded chain, with real Postgres, NATS and mutual TLS.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod daemons;
mod devnet;
mod kills;
mod payments;
mod recording;
mod reorgs;
mod support;
