//! The validator as others see it: real Postgres, NATS and mutual TLS, a development chain behind its real JSON-RPC; billing is
//! played over real gRPC.
#![expect(clippy::unwrap_used, reason = "tests")]

mod anchoring;
mod billing;
mod obstacles;
mod refusals;
mod support;
