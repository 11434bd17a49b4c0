//! Billing as other services see it: real Postgres, NATS and mutual TLS; the other services are played by their events.
#![expect(clippy::unwrap_used, reason = "tests")]

mod balance;
mod books;
mod closing;
mod epochs;
mod estimates;
mod ledger;
mod native;
mod payments;
mod play;
mod proofs;
mod quotes;
mod rates;
mod scheduler;
mod support;
mod updates;
mod usage;
mod what_if;
