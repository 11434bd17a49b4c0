//! Use cases. Each opens its transaction, decides with `domain`, stores with `db`, announces with `events`, commits.

pub mod create_join_token;
pub mod error;
pub mod heartbeats;
pub mod join;
pub mod liveness;
pub mod queries;
pub mod renew_certificate;
pub mod reports;
pub mod set_eligibility;
pub mod store_desired;

use std::sync::Arc;

use fluxplane_core::{Clock, IdSource};
use sqlx::PgPool;

pub use error::Error;

/// What every use case works with.
#[derive(Debug, Clone)]
pub struct Context {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}
