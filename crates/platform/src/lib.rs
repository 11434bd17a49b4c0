//! Everything with I/O that all services do the same way.
//!
//! | module | what |
//! |---|---|
//! | [`runner`] | a service's `main`: subcommands, configuration, start and exit code |
//! | [`config`] | defaults < file < environment |
//! | [`lifecycle`] | long-running tasks, soft and hard shutdown |
//! | [`health`], [`admin`], [`metrics`] | what operators look at |
//! | [`telemetry`], [`propagation`] | logs, traces, and one trace over HTTP, gRPC, NATS and the outbox |
//! | [`db`] | pool, retries, outbox, inbox, idempotency keys, leases, paging |
//! | [`bus`] | JetStream streams and consumers |
//! | [`grpc`], [`tls`], [`http`] | calls between services |
//! | [`keyring`] | the file with the root keys |
//! | [`error`], [`problem`] | one table from error kinds to gRPC and HTTP |
//! | [`reconciler`] | level-triggered background work |

pub mod admin;
pub mod bus;
pub mod config;
pub mod db;
pub mod error;
pub mod grpc;
pub mod health;
pub mod http;
pub mod keyring;
pub mod lifecycle;
pub mod metrics;
pub mod problem;
pub mod propagation;
pub mod reconciler;
pub mod runner;
pub mod telemetry;
pub mod tls;

pub use lifecycle::Lifecycle;
