//! Follows the Flux chain: blocks, transactions, the fluxnode list and app payments, through every reorganisation. See the
//! README beside this crate.
//!
//! `tasks` asks a `source`, decides with `domain` and calls `app`; `app` opens transactions and calls `db` and `events`; `grpc`
//! answers from the database alone, so that every replica can. `domain` is pure.

pub mod app;
pub mod config;
pub mod db;
pub mod domain;
pub mod events;
pub mod evm;
pub mod grpc;
pub mod metrics;
pub mod service;
pub mod source;
pub mod tasks;

pub use service::{SERVICE, STORE};
