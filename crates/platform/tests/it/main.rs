//! The platform's patterns against real Postgres and NATS.
#![expect(clippy::unwrap_used, reason = "tests")]

mod begin;
mod bus;
mod grpc;
mod idempotency;
mod leases;
mod outbox;
mod support;
mod trace;
