//! What owners entrust to the plane: values go in, and never come out here.

pub mod delete_secret;
pub mod get_secret;
pub mod list_secrets;
pub mod put_secret;
mod secret;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use secret::{Secret, SecretKind};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list_secrets::list_secrets))
        .routes(routes!(
            get_secret::get_secret,
            put_secret::put_secret,
            delete_secret::delete_secret
        ))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SecretPath {
    /// Name of the secret, as specifications refer to it: `name`, or `name/key` with the slash written as `%2F`.
    #[param(example = "database-password")]
    pub name: String,
}
