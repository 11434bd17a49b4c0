//! The chain indexer against a scripted daemon that serves a recorded chain, with real Postgres, NATS and mutual TLS.
#![expect(clippy::unwrap_used, reason = "tests")]

mod api;
mod conflicts;
mod daemons;
mod devnet;
mod evm;
mod evm_process;
mod evm_service;
mod kills;
mod ledger;
mod ledger_reorgs;
mod nodes;
mod notes;
mod payments;
mod recording;
mod reorgs;
mod snapshot;
mod sources;
mod support;
mod unmatched;
