//! Prices, payments, the ledger, usage and settlement. See the README beside this crate.
//!
//! `grpc`, `events` and `tasks` call `app`; `app` opens transactions and calls `domain` and `db`; `domain` is pure.

pub mod app;
pub mod clients;
pub mod config;
pub mod db;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod metrics;
pub mod service;
pub mod tasks;

pub use service::{SERVICE, STORE};
