//! The gateway as its clients see it: over HTTP, with real Postgres, and with the other services faked over real gRPC.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod apps;
mod audit;
mod chain;
mod documents;
mod events;
mod fluxos;
mod limits;
mod logs;
mod money;
mod nodes;
mod peers;
mod problems;
mod rates;
mod secrets;
mod sessions;
mod specs;
mod support;
mod tls;
mod trace;
mod wallets;
