//! Settlement epochs: what everybody can check.

mod anchor;
pub mod close_epoch;
mod epoch;
pub mod get_anchor;
pub mod get_epoch;
pub mod list_epochs;
pub mod stream_leaves;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use epoch::EpochState;

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list_epochs::list_epochs))
        .routes(routes!(get_epoch::get_epoch))
        .routes(routes!(stream_leaves::stream_leaves))
        .routes(routes!(get_anchor::get_anchor))
        .routes(routes!(close_epoch::close_epoch))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EpochPath {
    /// Number of the epoch, from 1.
    #[param(example = 12)]
    pub number: u64,
}
