//! Version 1 of the API: a folder per resource, a file per operation.

pub mod account;
pub mod apps;
pub mod auth;
pub mod chain;
pub mod earnings;
pub mod epochs;
pub mod invoices;
pub mod nodes;
pub mod quotes;
pub mod rate;
pub mod secrets;
mod spec;
pub mod specs;

use utoipa_axum::router::OpenApiRouter;

pub use spec::{AnySpec, FluxOsSpec};

use super::Gateway;

/// All operations, with their documentation.
pub fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(specs::routes())
        .merge(quotes::routes())
        .merge(rate::routes())
        .merge(apps::routes())
        .merge(secrets::routes())
        .merge(nodes::routes())
        .merge(earnings::routes())
        .merge(account::routes())
        .merge(invoices::routes())
        .merge(epochs::routes())
        .merge(chain::routes())
}
