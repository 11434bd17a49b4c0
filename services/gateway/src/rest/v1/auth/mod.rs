//! Signing in with a wallet: a phrase, its signature, a session.

pub mod create_challenge;
pub mod create_session;
pub mod delete_session;
pub mod me;
pub mod refresh_session;
mod session;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use session::Session;

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(create_challenge::create_challenge))
        .routes(routes!(create_session::create_session))
        .routes(routes!(refresh_session::refresh_session))
        .routes(routes!(delete_session::delete_session))
        .routes(routes!(me::me))
}
