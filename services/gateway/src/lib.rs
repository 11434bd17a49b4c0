//! The REST API: sign-in, limits, streams, audit, and the documents that explain it. See the README beside this crate.
//!
//! `rest` and `tasks` call `app` and `clients`; `app` opens transactions and calls `domain` and `db`; `domain` is pure.

pub mod app;
pub mod clients;
pub mod config;
pub mod db;
pub mod domain;
pub mod metrics;
pub mod rest;
pub mod service;
pub mod tasks;

pub use service::{SERVICE, STORE};
