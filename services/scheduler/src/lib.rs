//! Applications: what their owners want, where it runs, what became of it. See the README beside this crate.
//!
//! `grpc`, `events` and `tasks` call `app`; `app` opens transactions and calls `domain` and `db`; `domain` is pure.

pub mod app;
pub mod config;
pub mod db;
pub mod domain;
pub mod events;
pub mod grpc;
pub mod metrics;
pub mod service;
pub mod tasks;

pub use service::{SERVICE, STORE};
