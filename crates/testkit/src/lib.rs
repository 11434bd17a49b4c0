//! Real Postgres and NATS for tests, without Docker; a proxy that breaks connections; waiting for conditions.
//!
//! | module | what |
//! |---|---|
//! | [`postgres`] | a private Postgres server; a fresh migrated database per test |
//! | [`nats`] | a private NATS server with JetStream |
//! | [`chaos`] | a TCP proxy that cuts, stalls and restores links |
//! | [`plane`] | a whole plane on one machine, as processes |
//! | [`wait`] | polling a condition with a deadline |

pub mod chaos;
pub mod nats;
pub mod plane;
pub mod postgres;
pub mod wait;

pub use chaos::ChaosProxy;
pub use nats::Nats;
pub use postgres::{Postgres, TestDb};
pub use wait::eventually;
