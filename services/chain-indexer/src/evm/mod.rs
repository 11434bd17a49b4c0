//! Follows ERC-20 tokens on Ethereum and chains like it: every `Transfer` of each configured contract, through every
//! reorganisation.
//!
//! A part of the indexer with the layers of a service: `tasks` asks a `source`, decides with `domain` and calls `app`; `app` opens
//! transactions and calls `db` and `events`; `grpc` answers from the database alone. It shares nothing with the Flux chain but the
//! database, the outbox and the numbering of events, and nothing runs unless a token is configured.

pub mod app;
pub mod config;
pub mod db;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod metrics;
pub mod service;
pub mod source;
pub mod tasks;
