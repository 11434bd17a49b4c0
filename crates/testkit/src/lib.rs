//! Real Postgres, NATS and containers for tests, without Docker; a proxy that breaks connections; waiting for conditions.
//!
//! | module | what |
//! |---|---|
//! | [`address`] | addresses that are known before anybody listens |
//! | [`postgres`] | a private Postgres server; a fresh migrated database per test |
//! | [`nats`] | a private NATS server with JetStream |
//! | [`podman`] | a private Podman with its Docker-compatible API |
//! | [`chaos`] | a TCP proxy that cuts, stalls and restores links |
//! | [`otlp`] | a receiver of traces |
//! | [`plane`] | a whole plane on one machine, as processes |
//! | [`skip`] | saying that a test cannot run here |
//! | [`wait`] | polling a condition with a deadline |

pub mod address;
pub mod chaos;
pub mod nats;
pub mod otlp;
pub mod plane;
pub mod podman;
pub mod postgres;
mod process;
pub mod skip;
pub mod wait;

pub use address::free_address;
pub use chaos::ChaosProxy;
pub use nats::Nats;
pub use podman::Podman;
pub use postgres::{Durability, Postgres, TestDb};
pub use process::{Signal, signal};
pub use wait::{PATIENCE, eventually};
